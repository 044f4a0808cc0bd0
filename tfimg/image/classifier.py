"""The classifier head: from features at every level to what a picture is and how bad it is."""

from collections.abc import Sequence

import keras
from keras import layers, ops

_WIDTH = 48
_HIDDEN = 128
_DEEPER = 2


def classifier(levels: list, outputs: Sequence[tuple[str, int]], dtype=None) -> dict:
    """Sums up each level by the means of what passes a few detectors.

    Grain and block edges show in the fine levels, fog and darkness in the coarse ones. Below the
    coarsest, two more halvings see larger things. None of it is computed where only the picture is
    asked for.

    Args:
        levels: features, the full-resolution ones first, as `image_encoder` returns them.
        outputs: pairs of a name and a number of units.
        dtype: dtype policy of all layers but the last ones, which are float32.

    Returns:
        Name to `(B, units)` float32, linear.

    Reference: Lin et al., "Network In Network", 2014 (global average pooling of detectors).
    """
    seen = []
    for level, features in enumerate(levels):
        seen.append(_detected(features, 1, f"classifier_level{level}", dtype))
    deeper = seen[-1]
    for step in range(_DEEPER):
        deeper = _detected(deeper, 2, f"classifier_deeper{step}", dtype)
        seen.append(deeper)
    means = [
        layers.GlobalAveragePooling2D(dtype="float32", name=f"classifier_mean{place}")(features)
        for place, features in enumerate(seen)
    ]
    # The root lifts what is found in a small part of a picture, such as a scratch.
    together = ops.sqrt(layers.Concatenate(dtype="float32", name="classifier_means")(means) + 1e-6)
    hidden = layers.Dense(_HIDDEN, activation="relu", dtype=dtype, name="classifier_hidden")(
        together
    )
    return {
        name: layers.Dense(units, dtype="float32", name=name)(hidden) for name, units in outputs
    }


def _detected(features, stride, name, dtype):
    """A 1x1 convolution at the features' own size, a 3x3 one where it halves them.

    Its bias is the threshold of each detector: their means then tell how values are spread.
    """
    return layers.Conv2D(
        _WIDTH,
        1 if stride == 1 else 3,
        strides=stride,
        padding="same",
        activation="relu",
        bias_initializer=keras.initializers.RandomUniform(-0.5, 0.5),
        name=name,
        dtype=dtype,
    )(features)
