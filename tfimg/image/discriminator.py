"""The critic: is this a real picture of what the words say? For training only."""

from collections.abc import Sequence

import keras
from keras import layers, ops

_SLOPE = 0.2


def discriminator(
    side: int, embedding_dim: int, widths: Sequence[int] = (32, 64, 128, 192), dtype=None
) -> keras.Model:
    """Builds a convolutional critic that judges pictures by words.

    Args:
        side: of the pictures in pixels, a multiple of `2 ** len(widths)`.
        embedding_dim: width of the text embedding, which is best standardised.
        widths: channels at 1/2, 1/4, ... of the size.
        dtype: dtype policy of all layers but the last ones, which are float32.

    Returns:
        A functional model of `image` `(B, side, side, 3)` 0..1 and `embedding`
        `(B, embedding_dim)` to `score` `(B,)`, larger for a real picture of what the words say,
        `matching` `(B, B)`, how well each picture (row) fits each one's words (column), which the
        score contains, and `features`, what it saw at each size.

    Raises:
        ValueError: if the side does not fit the widths.

    Reference: Miyato & Koyama, "cGANs with Projection Discriminator", 2018.
    """
    if side % 2 ** len(widths):
        raise ValueError(f"side is {side}; expected a multiple of {2 ** len(widths)}")
    image = keras.Input((side, side, 3), name="image")
    embedding = keras.Input((embedding_dim,), name="embedding")
    seen = layers.Rescaling(2.0, -1.0, dtype=dtype, name="centred")(image)
    features = []
    for level, width in enumerate(widths):
        seen = _convolution(seen, width, 4, 2, f"down{level}", dtype)
        if 0 < level < len(widths) - 1:
            seen = _convolution(seen, width, 3, 1, f"level{level}", dtype)
        features.append(seen)
    flat = layers.Flatten(dtype=dtype, name="flat")(seen)
    summary = layers.Dense(widths[-1], dtype="float32", name="summary")(flat)
    summary = layers.LeakyReLU(_SLOPE, dtype="float32", name="summary_relu")(summary)
    real = layers.Dense(1, dtype="float32", name="real")(summary)[:, 0]
    words = layers.Dense(widths[-1], dtype="float32", name="words")(embedding)
    matching = ops.matmul(summary, ops.transpose(words)) / widths[-1]
    return keras.Model(
        {"image": image, "embedding": embedding},
        {
            "score": real + ops.diagonal(matching),
            "matching": matching,
            "features": features,
        },
        name="discriminator",
    )


def _convolution(features, width, size, stride, name, dtype):
    made = layers.Conv2D(
        width,
        size,
        strides=stride,
        padding="same",
        kernel_initializer="he_normal",
        name=name,
        dtype=dtype,
    )(features)
    return layers.LeakyReLU(_SLOPE, name=f"{name}_relu", dtype=dtype)(made)
