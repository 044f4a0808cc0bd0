"""The generator head: from features at every level back to a picture, in detail and in tone."""

from collections.abc import Sequence

from keras import layers

from tfimg.fusion import WordScale, WordShift
from tfimg.image.blocks import convolution, residual_block, upsample
from tfimg.layers import BilinearUpsampling

# Hidden units between the deepest features and the tone.
_TONE_WIDTH = 32


def generator(levels: list, embedding, num_blocks: Sequence[int], channels: int = 3, dtype=None):
    """Decodes the features of every level into one picture, steered by the words.

    Args:
        levels: features, the full-resolution ones first, as `image_encoder` returns them.
        embedding: `(B, D)` text embedding.
        num_blocks: residual blocks of each level but the last, the full-resolution one first.
        channels: channels of the picture.
        dtype: dtype policy of all layers but the last, which is float32.

    Returns:
        `(B, H, W, channels)` float32. The last convolution starts at zero.
    """
    features = levels[-1]
    for level in reversed(range(len(levels) - 1)):
        skip = levels[level]
        features = upsample(features, skip.shape[-1], name=f"up{level}", dtype=dtype)
        if level:  # at full resolution it would cost more than it gives
            skip = WordScale(name=f"skip{level}_words", dtype=dtype)([skip, embedding])
        features = layers.Add(name=f"skip{level}", dtype=dtype)([features, skip])
        for block in range(num_blocks[level]):
            features = residual_block(
                features, embedding, name=f"decoder{level}_{block}", dtype=dtype
            )
    # No scale by the words here: it closes for a task that the features do not yet serve, and
    # behind a closed gate they never learn to.
    return layers.Conv2D(
        channels, 3, padding="same", kernel_initializer="zeros", dtype="float32", name="to_image"
    )(features)


def tone(features, embedding, factor: int, channels: int = 3, dtype=None):
    """Says by how much each region of a picture is to be multiplied and lifted.

    Darkness, fog and faded colours are large errors that change slowly over a picture; told apart
    from the detail, they do not compete with grain for the same convolutions.

    Args:
        features: `(B, h, w, C)`, the deepest ones.
        embedding: `(B, D)` text embedding.
        factor: by how much smaller than the picture they are.
        channels: channels of the picture.
        dtype: dtype policy of all layers but the last ones, which are float32.

    Returns:
        Gain and offset, both `(B, factor * h, factor * w, channels)` float32; one and zero before
        training.

    Reference: Gharbi et al., "Deep Bilateral Learning for Real-Time Image Enhancement", 2017 (an
    affine map per region, predicted at low resolution).
    """
    hidden = convolution(features, _TONE_WIDTH, size=1, name="tone", dtype=dtype)
    hidden = WordShift(name="tone_words", dtype=dtype)([hidden, embedding])
    hidden = layers.ReLU(name="tone_relu", dtype=dtype)(hidden)

    def coarse(name):
        change = layers.Conv2D(
            channels, 1, kernel_initializer="zeros", dtype="float32", name=f"tone_{name}"
        )(hidden)
        return WordScale(dtype="float32", name=f"tone_{name}_words")([change, embedding])

    def enlarged(name, values):
        return BilinearUpsampling(factor, dtype="float32", name=f"{name}_map")(values)

    return enlarged("gain", 1 + coarse("gain")), enlarged("offset", coarse("offset"))
