"""The classifier head: from features at every level to what a picture is and how bad it is."""

from collections.abc import Sequence

import keras
from keras import layers, ops

# Detectors at full, half, quarter ... resolution; the last number holds for all below.
_WIDTHS = (24, 48, 64)
_HIDDEN = 128
_DEEPER = 2
# Squares whose mean brightness counts, so that grain and small lights do not, and how finely.
_SQUARE = 4
_SHADES = 16


def classifier(image, levels: list, outputs: Sequence[tuple[str, int]], dtype=None) -> dict:
    """Goes down beside the image branch and sums up what it detects at each level.

    What serves to mend a picture is not all that serves to tell what is wrong with it, so the head
    has detectors of its own, which look at the branch's features on their way. Grain and block
    edges show in the fine levels, fog and darkness in the coarse ones. Below the coarsest, two more
    halvings see larger things. How bright a picture is, the branch, made for differences, hardly
    tells; so the head counts shades itself. None of it is computed where only the picture is asked
    for.

    Args:
        image: `(B, H, W, 3)`, 0..1, whose sides are multiples of four.
        levels: features, the full-resolution ones first, as `image_encoder` returns them.
        outputs: pairs of a name and a number of units.
        dtype: dtype policy of all layers but the last ones, which are float32.

    Returns:
        Name to `(B, units)` float32, linear.

    Reference: Lin et al., "Network In Network", 2014 (global average pooling of detectors);
    Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation", 2019 (power mean).
    """
    features = _detected(levels[0], 0, 1, "classifier_level0", dtype)
    seen = [features]
    for level, branch in enumerate(levels[1:], 1):
        name = f"classifier_level{level}"
        features = _detected(features, level, 2, f"{name}_down", dtype)
        features = layers.Concatenate(name=f"{name}_both", dtype=dtype)([features, branch])
        features = _detected(features, level, 1, name, dtype)
        seen.append(features)
    for step in range(_DEEPER):
        features = _detected(features, len(levels), 2, f"classifier_deeper{step}", dtype)
        seen.append(features)
    told = [_pooled(features) for features in seen]
    together = layers.Concatenate(dtype="float32", name="classifier_pooled")(told)
    # A veil changes some of these a hundred times as much as another does.
    together = layers.BatchNormalization(dtype="float32", name="classifier_standardised")(together)
    together = layers.Concatenate(dtype="float32", name="classifier_told")(
        [together, _shades(image)]
    )
    hidden = layers.Dense(_HIDDEN, activation="relu", dtype=dtype, name="classifier_hidden")(
        together
    )
    return {
        name: layers.Dense(units, dtype="float32", name=name)(hidden) for name, units in outputs
    }


def _pooled(features):
    """How much each detector finds in the picture: on the whole, and where it finds most.

    A mean tells of fog, which is everywhere. A power mean stands between it and the largest value:
    it tells of a scratch, which is in few places, and depends less on a picture's size than that.
    """
    features = ops.cast(features, "float32")
    fourth = ops.square(ops.square(features))  # a general power would take three times as long
    mean, fourth = (ops.mean(values, axis=(1, 2)) + 1e-6 for values in (features, fourth))
    return ops.concatenate([mean**0.5, fourth**0.25], axis=-1)


def _shades(image):
    """How much of the picture is how bright: histograms of the strongest and the weakest colour.

    Without the upper shades of the first a picture is dark, without the lower ones of the second
    there is a veil over it. Counts are softened, so that no shade lies on an edge, and their roots
    are taken, so that small shares tell, too.

    Reference: He et al., "Single Image Haze Removal Using Dark Channel Prior", 2009.
    """
    squares = layers.AveragePooling2D(_SQUARE, dtype="float32", name="classifier_squares")(image)
    squares = ops.clip(squares, 0.0, 1.0)
    told = []
    for extreme in (ops.max, ops.min):
        colour = extreme(squares, axis=-1, keepdims=True)
        apart = ops.abs((_SHADES - 1) * colour - ops.arange(_SHADES, dtype="float32"))
        share = ops.mean(ops.relu(1.0 - apart), axis=(1, 2))
        # Scaled to spread about as much as what is standardised.
        told.append(4.0 * ops.sqrt(share + 1e-6))
    return layers.Concatenate(dtype="float32", name="classifier_shades")(told)


def _detected(features, level, stride, name, dtype):
    """A convolution whose bias is the threshold of each detector.

    Their means then tell how values are spread.
    """
    return layers.Conv2D(
        _WIDTHS[min(level, len(_WIDTHS) - 1)],
        3,
        strides=stride,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        bias_initializer=keras.initializers.RandomUniform(-0.5, 0.5),
        name=name,
        dtype=dtype,
    )(features)
