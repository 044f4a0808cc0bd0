"""The three LiteRT models of a restorer: words, image, diagnosis."""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

import tfimg
from export.conversion import CALIBRATION_SIDE, as_levels, convert, interface
from export.lowering import lowered
from tfimg.degradations import INTENTS, NAMES, degrade
from tfimg.pixels import middle, to_float, to_uint8
from tfimg.tasks.image_classifier import CROP
from tfimg.text.remedies import ABSENT, DOUBTED, FINE, REMEDIES, SURE

# Of the pictures to calibrate on: the worst would stretch the ranges, at the cost of all others.
_SEVERITY = 0.3
# Of tiles, where the picture's side is fixed and where it is free.
OVERLAP, _FREE_OVERLAP, _FREE_TILE = 32, 64, 512


def models(
    restorer: tfimg.ImageRestorer, quantize: str, size: int | None, photos: list
) -> tuple[dict[str, bytes], dict]:
    """Converts a restorer.

    Args:
        restorer: what is exported.
        quantize: one of `QUANTIZATIONS`. `int8` holds for the restoration; the words, which are
            read once a sentence, then get 8-bit weights (`dynamic`). The diagnosis, which hangs on
            small differences, gets no coarser weights than `float16`.
        size: side of the picture in pixels, or None for any.
        photos: uint8 `(H, W, 3)` arrays to calibrate `int8` on.

    Returns:
        The files' contents by the models' names, and what `model.json` says of each name.

    Raises:
        ValueError: for `int8` without photos, or a classifier head with labels of its own.
    """
    if not restorer.diagnoses:
        labels = len(restorer.backbone.labels)
        raise ValueError(f"the preset has {labels} labels of its own; expected one that diagnoses")
    precisions = {
        "words": "dynamic" if quantize == "int8" else quantize,
        "image": quantize,
        "diagnosis": "none" if quantize == "none" else "float16",
    }
    files = {
        "words": convert(*_words(restorer), precisions["words"]),
        "image": image_model(restorer, quantize, size, photos),
        "diagnosis": convert(*_diagnosis(restorer, size), precisions["diagnosis"]),
    }
    told = {
        "words": interface(files["words"]),
        "image": {
            "size": size,
            "tile": size or _FREE_TILE,
            "overlap": OVERLAP if size else _FREE_OVERLAP,
            "multiple": restorer.backbone.multiple,
            **interface(files["image"]),
        },
        "diagnosis": {
            "side": size or CROP,
            "sure": SURE,
            "absent": ABSENT,
            # Where words mean more than intents, none of these can be left out of them.
            "doubted": DOUBTED if restorer.backbone.embedding_dim is None else (),
            "fine": FINE,
            **interface(files["diagnosis"]),
        },
    }
    told = {name: {"precision": precisions[name], **part} for name, part in told.items()}
    return files, {"labels": INTENTS, **told}


def _words(restorer):
    """The text branch, the function to convert, and its arguments."""
    encoder, length = restorer.backbone.text_encoder, restorer.preprocessor.sequence_length

    def words(token_ids, padding_mask):
        read = encoder({"token_ids": token_ids, "padding_mask": padding_mask}, training=False)
        return {
            "embedding": read["embedding"],
            "probabilities": tf.sigmoid(read["intent_logits"]),
        }

    names = ("token_ids", "padding_mask")
    return encoder, words, [tf.TensorSpec([1, length], tf.int32, name) for name in names]


def image_model(
    restorer: tfimg.ImageRestorer, quantize: str, size: int | None, photos: list
) -> bytes:
    """Converts the picture's half alone; arguments and errors as for `models`."""
    if quantize == "int8" and not photos:
        raise ValueError("int8 needs photos to calibrate on")
    width = restorer.backbone.embedding_width
    fused = quantize == "int8" and restorer.backbone.embedding_dim is None
    network = lowered(restorer.backbone.image_network, whole=True, int8=fused)

    def image(image, embedding):
        picture = tf.cast(image, tf.float32) / 255.0
        made = network({"image": picture, "embedding": embedding}, training=False)
        return {"image": as_levels(made["image"], quantize)}

    specs = [
        tf.TensorSpec([1, size, size, 3], tf.uint8, "image"),
        tf.TensorSpec([1, width], tf.float32, "embedding"),
    ]
    rows = _calibration(restorer, photos, size or CALIBRATION_SIDE)
    return convert(network, image, specs, quantize, rows)


def _diagnosis(restorer, size):
    """The picture's half again, the function to convert, and its argument."""
    network = lowered(restorer.backbone.image_network, whole=True)
    nothing = tf.zeros((1, restorer.backbone.embedding_width))

    def diagnosis(image):
        picture = tf.cast(image, tf.float32) / 255.0
        told = network({"image": picture, "embedding": nothing}, training=False)
        severity = tf.clip_by_value(told["severity"], 0.0, 1.0)
        return {"probabilities": tf.sigmoid(told["logits"]), "severity": severity}

    return network, diagnosis, [tf.TensorSpec([1, size, size, 3], tf.uint8, "image")]


def _calibration(restorer, photos, side) -> Callable[[], Iterator[dict]]:
    """Photos with each of the degradations, and the embedding of words that ask for its removal."""
    nothing = restorer.embed("leave it as it is")[None]

    def rows():
        # Black and white both, so that the 256 levels of the output are those of a picture.
        ramp = np.linspace(0, 255, side, dtype=np.uint8)[None, :, None, None]
        yield {"image": ramp.repeat(side, 0).swapaxes(0, 2).repeat(3, 3), "embedding": nothing}
        for number, photo in enumerate(photos):
            missing = [(0, max(0, side - length)) for length in photo.shape[:2]]
            filled = np.pad(photo, (*missing, (0, 0)), "reflect")
            clean = to_float(middle(filled, side))[None]
            yield {"image": to_uint8(clean), "embedding": nothing}
            for index, name in enumerate(NAMES):
                present = np.arange(len(NAMES))[None] == index
                severity = np.full((1, len(NAMES)), _SEVERITY, np.float32)
                degraded, _ = degrade(clean, present, severity, number)
                words = restorer.embed(REMEDIES["en"][name])[None]
                yield {"image": to_uint8(np.asarray(degraded)), "embedding": words}

    return rows
