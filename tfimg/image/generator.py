"""The generator head: from features at every level back to a picture."""

import math
from collections.abc import Sequence

from keras import layers, ops

from tfimg.image.blocks import residual_block, upsample
from tfimg.layers import Patches


def generator(
    levels: list,
    embedding,
    num_blocks: Sequence[int],
    patch: int = 1,
    channels: int = 3,
    dtype=None,
):
    """Decodes the features of every level into one picture, steered by the words.

    Args:
        levels: features, the finest ones first, as `image_encoder` returns them.
        embedding: `(B, D)` text embedding.
        num_blocks: residual blocks of each level but the last, the finest one first.
        patch: side in pixels of the square that a position of the finest level becomes.
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
    made = layers.Conv2D(
        channels * patch**2,
        3,
        padding="same",
        kernel_initializer="zeros",
        dtype="float32",
        name="to_image",
    )(features)
    return made if patch == 1 else Patches(patch, dtype="float32", name="patches")(made)


def layout(features, steer, dtype=None):
    """Adds what the words and chance say to each place of the coarsest features.

    Shifts and scales say the same everywhere; where there is no picture yet, something must say
    what is where.

    Args:
        features: `(B, H, W, C)` of a known size.
        steer: `(B, D)`.
        dtype: dtype policy of the layers.

    Returns:
        `(B, H, W, C)`.
    """
    _, height, width, channels = features.shape
    places = layers.Dense(height * width * channels, dtype=dtype, name="layout")(steer)
    places = layers.Reshape((height, width, channels), name="layout_places", dtype=dtype)(places)
    return layers.Add(name="layout_add", dtype=dtype)([features, places])


def chance(noise, stride: int):
    """Takes from a canvas of noise the numbers that decide what the words leave open.

    Args:
        noise: `(B, S, S, 3)`, S being a multiple of `stride`.
        stride: from one pixel that is taken to the next; noise as fine as the picture would only
            have to be taken away again.

    Returns:
        `(B, 3 * (S / stride)**2)`, row by row.
    """
    taken = noise[:, ::stride, ::stride]
    return ops.reshape(taken, (-1, math.prod(taken.shape[1:])))


def with_chance(noise, numbers, stride: int):
    """Returns a canvas whose `chance` begins with these numbers.

    Args:
        noise: `(B, S, S, 3)`.
        numbers: `(B, n)`, of noise's own distribution.
        stride: as in `chance`.
    """
    side = noise.shape[1]
    numbers = ops.concatenate([numbers, chance(noise, stride)[:, numbers.shape[1] :]], axis=1)
    count = side // stride
    taken = ops.reshape(numbers, (-1, count, 1, count, 1, noise.shape[3]))
    tiles = ops.reshape(noise, (-1, count, stride, count, stride, noise.shape[3]))
    first = ops.arange(stride) == 0
    first = first[:, None, None, None] & first[:, None]
    return ops.reshape(ops.where(first, taken, tiles), ops.shape(noise))
