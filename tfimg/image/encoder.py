"""The image branch: from the picture to features at 1, 1/2, 1/4, ... of its size."""

from collections.abc import Sequence

from tfimg.image.blocks import convolution, downsample, residual_block


def image_encoder(
    image,
    embedding,
    widths: Sequence[int],
    num_blocks: Sequence[int],
    patch: int = 1,
    dtype=None,
) -> list:
    """Encodes a picture, steered by the words at every level.

    Args:
        image: `(B, H, W, C)`; H and W multiples of `patch * 2 ** (len(widths) - 1)`.
        embedding: `(B, D)` text embedding.
        widths: channels of each level, the finest one first.
        num_blocks: residual blocks of each level.
        patch: side in pixels of the squares that are the positions of the finest level.
        dtype: dtype policy of the layers.

    Returns:
        The features of every level, `(B, h / 2**level, w / 2**level, widths[level])` with
        `h = H / patch` and `w = W / patch`.

    Reference: Ronneberger et al., "U-Net", 2015; Zhang et al., "FFDNet", 2018 (patches).
    """
    # Single pixels are seen with their neighbours, patches by themselves.
    size = 3 if patch == 1 else patch
    features = convolution(image, widths[0], size, patch, name="stem", dtype=dtype)
    levels = []
    for level, (width, blocks) in enumerate(zip(widths, num_blocks, strict=True)):
        if level:
            features = downsample(features, width, name=f"down{level}", dtype=dtype)
        for block in range(blocks):
            features = residual_block(
                features, embedding, name=f"encoder{level}_{block}", dtype=dtype
            )
        levels.append(features)
    return levels
