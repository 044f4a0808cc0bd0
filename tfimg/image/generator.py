"""The generator head: from features at every level back to a picture."""

from collections.abc import Sequence

from keras import layers

from tfimg.image.blocks import residual_block, upsample


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
        features = layers.Add(name=f"skip{level}", dtype=dtype)([features, skip])
        for block in range(num_blocks[level]):
            features = residual_block(
                features, embedding, name=f"decoder{level}_{block}", dtype=dtype
            )
    # No scale by the words here: it closes for a task that the features do not yet serve, and
    # behind a closed gate they never learn to. Nor one pixel wide: fine detail then stalls.
    return layers.Conv2D(
        channels, 3, padding="same", kernel_initializer="zeros", dtype="float32", name="to_image"
    )(features)


def layout(features, noise, embedding, dtype=None):
    """Adds what the words say, and a little chance, to each place of the coarsest features.

    Shifts and scales say the same everywhere; where there is no picture yet, something must say
    what is where. Of the noise only one pixel a place is taken: fine noise would have to be taken
    away again.

    Args:
        features: `(B, H, W, C)` of a known size.
        noise: `(B, H * K, W * K, 3)`.
        embedding: `(B, D)` text embedding.
        dtype: dtype policy of the layers.

    Returns:
        `(B, H, W, C)`.
    """
    _, height, width, channels = features.shape
    places = layers.Dense(height * width * channels, dtype=dtype, name="layout")(embedding)
    places = layers.Reshape((height, width, channels), name="layout_places", dtype=dtype)(places)
    stride = noise.shape[1] // height
    chance = layers.Conv2D(channels, 1, strides=stride, name="layout_chance", dtype=dtype)(noise)
    return layers.Add(name="layout_add", dtype=dtype)([features, places, chance])
