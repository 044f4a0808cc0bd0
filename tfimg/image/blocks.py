"""The blocks of the image network: functions from features to features."""

import keras
from keras import layers

from tfimg.fusion import WordScale, WordShift


def convolution(
    features, channels: int, size: int = 3, stride: int = 1, *, name: str, dtype=None, gain=1.0
):
    """One convolution that keeps the picture's borders; the words bring the bias."""
    return layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(gain),
        name=name,
        dtype=dtype,
    )(features)


def residual_block(features, embedding, *, name: str, dtype=None):
    """Two convolutions with the words between them, added to the input.

    The words shift what the ReLU lets through and scale how much of it is used: thin features
    serve many tasks better with both. The second convolution starts small, so a deep stack starts
    near the identity.

    Args:
        features: `(B, H, W, C)`.
        embedding: `(B, D)` text embedding.
        name: prefix of the layers' names.
        dtype: dtype policy of the layers.

    Returns:
        `(B, H, W, C)`.

    Reference: Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution",
    2017 (the block without normalisation).
    """
    channels = features.shape[-1]
    inner = convolution(features, channels, name=f"{name}_conv1", dtype=dtype)
    inner = WordShift(name=f"{name}_words", dtype=dtype)([inner, embedding])
    inner = layers.ReLU(name=f"{name}_relu", dtype=dtype)(inner)
    inner = WordScale(name=f"{name}_scale", dtype=dtype)([inner, embedding])
    inner = convolution(inner, channels, name=f"{name}_conv2", dtype=dtype, gain=0.1)
    return layers.Add(name=f"{name}_add", dtype=dtype)([features, inner])


def downsample(features, channels: int, *, name: str, dtype=None):
    """Halves height and width: every 2x2 patch becomes one position."""
    return convolution(features, channels, size=2, stride=2, name=name, dtype=dtype)


def upsample(features, channels: int, *, name: str, dtype=None):
    """Doubles height and width: every position becomes a 2x2 patch."""
    return layers.Conv2DTranspose(channels, 2, strides=2, use_bias=False, name=name, dtype=dtype)(
        features
    )
