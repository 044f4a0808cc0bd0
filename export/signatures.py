"""The signatures of an exported restorer: plain tensors and strings in, plain tensors out.

Everything that a caller would otherwise have to port is inside the graph: decoding and encoding
pictures, tokenising words, filling a picture up to the sizes that the network takes.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfimg.degradations import INTENTS
from tfimg.limits import LONGEST_INSTRUCTION

# What `ImageClassifier.classify` looks at, too.
from tfimg.tasks.image_classifier import CROP
from tfimg.tasks.image_restorer import ImageRestorer
from tfimg.text.remedies import ABSENT, DOUBTED, FINE, SURE

# A header can promise any size; whoever decodes the rest must have checked it.
MAX_PIXELS = 4096 * 4096

# What `str.strip` takes away.
_AROUND = r"^[\s\pZ\p{Cc}]+|[\s\pZ\p{Cc}]+$"

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"

Signature = tuple[Callable[..., dict[str, tf.Tensor]], list[tf.TensorSpec]]


def restorer_signatures(restorer: ImageRestorer, max_pixels: int = MAX_PIXELS) -> dict:
    """Returns the functions that a SavedModel of a restorer offers. All of them take batches.

    Args:
        restorer: what is exported.
        max_pixels: the largest picture that `serving_default` decodes.

    Returns:
        For each name a function and the specifications of its arguments:

        - `serving_default`: `image_bytes` `(B,)`, PNG or JPEG of any sizes, and `instruction`
          `(B,)`, to `image_bytes` `(B,)`, PNG;
        - `restore`: `image` `(B, H, W, 3)` uint8 and `instruction` `(B,)`, to `image` alike;
        - `restore_embedded`: `image` and `embedding` `(B, D)` float32, to `image`;
        - `encode_text`: `instruction` to `embedding`;
        - `interpret`: `instruction` to `probabilities` `(B, 10)`, in the order of `INTENTS`;
        - `classify`: `image` to `probabilities` `(B, 10)` and `severity` `(B, 9)`, 0..1; with
          labels of its own `image` and `instruction`, what is known of it, to `probabilities` of
          these, which sum to 1.

        An instruction that wishes for something better and does not say what ("fix this") makes
        the first two diagnose the picture, and undo what is found. Of those in
        `tfimg.text.remedies.DOUBTED`, such as haze, they undo none that the picture surely does not
        have; `restore_embedded` does as it is told. Everything else that is asked for is done at
        once and in full: an order ("first denoise, then sharpen") or a degree ("slightly"), which
        `ImageRestorer.restore` works through in Python, is not read in the graph. For an order,
        send a request a step, each with the picture that the last one gave; for a degree, mix what
        comes back with what was sent, `s * out + (1 - s) * sent`.
    """
    backbone, tokenize = restorer.backbone, restorer.preprocessor.tokenize

    def read(instruction):
        words = trimmed(instruction, "instruction", LONGEST_INSTRUCTION, "BYTE")
        return backbone.text_encoder(tokenize(words), training=False)

    def network(image, embedding):
        filled = _filled(image, backbone.multiple)
        known = tf.ones_like(filled[..., :1], tf.float32)
        inputs = {"image": _to_float(filled), "mask": known, "embedding": embedding}
        return backbone.image_network(inputs, training=False)

    def restored(image, embedding):
        height, width = tf.unstack(tf.shape(image)[1:3])
        return to_uint8(network(image, embedding)["image"][:, :height, :width])

    def meant(image, embedding):
        """What the words mean for this picture, and where they mean that it stays as it is.

        Where they ask for nothing clear, what is wrong with the picture is to be undone; where they
        ask for what it does not have, that is not.
        """
        as_said = embedding, tf.zeros(tf.shape(embedding)[:1], tf.bool)
        if backbone.embedding_dim is not None or not backbone.diagnoses:
            return as_said
        doubted, fine = (tf.constant(np.isin(INTENTS, names)) for names in (DOUBTED, FINE))
        unclear = tf.reduce_max(embedding, axis=1, keepdims=True) < SURE
        asked, small = embedding >= SURE, tf.reduce_max(tf.shape(image)[1:3]) <= CROP
        doubtful = asked & doubted & (small | ~fine)

        def looked():
            overall = diagnose(_shrunk(image, CROP))["probabilities"]
            found = tf.cond(small, lambda: overall, lambda: diagnose(image)["probabilities"])
            spared = doubtful & (overall < ABSENT)
            left = tf.where(unclear, found >= SURE, asked & ~spared)[:, :-1]
            nothing = ~tf.reduce_any(left, axis=1)
            diagnosed = tf.cast(tf.concat([left, nothing[:, None]], axis=1), tf.float32)
            untouched = nothing & (unclear[:, 0] | tf.reduce_any(spared, axis=1))
            return tf.where(unclear, diagnosed, tf.where(spared, 0.0, embedding)), untouched

        return tf.cond(tf.reduce_any(unclear | doubtful), looked, lambda: as_said)

    def mended(image, embedding):
        embedding, untouched = meant(image, embedding)
        return tf.where(untouched[:, None, None, None], image, restored(image, embedding))

    def serving_default(image_bytes, instruction):
        def one(row):
            picture = decode(row[0], max_pixels)[None]
            return tf.io.encode_png(mended(picture, row[1][None])[0], compression=1)

        rows = (image_bytes, read(instruction)["embedding"])
        # One after the other: memory is that of one picture, and one keeps all cores busy.
        pictures = tf.map_fn(one, rows, fn_output_signature=tf.string, parallel_iterations=1)
        return {"image_bytes": pictures}

    def restore(image, instruction):
        return {"image": mended(image, read(instruction)["embedding"])}

    def restore_embedded(image, embedding):
        return {"image": restored(image, embedding)}

    def encode_text(instruction):
        return {"embedding": read(instruction)["embedding"]}

    def interpret(instruction):
        return {"probabilities": tf.sigmoid(read(instruction)["intent_logits"])}

    def diagnose(image):
        wordless = tf.zeros((tf.shape(image)[0], backbone.embedding_width))
        told = network(_middle(image, CROP), wordless)
        severity = tf.clip_by_value(told["severity"], 0.0, 1.0)
        return {"probabilities": tf.sigmoid(told["logits"]), "severity": severity}

    def classify(image, instruction):
        told = network(_middle(image, CROP), read(instruction)["embedding"])
        return {"probabilities": tf.nn.softmax(told["logits"])}

    def strings(name):
        return tf.TensorSpec([None], tf.string, name)

    pictures = tf.TensorSpec([None, None, None, 3], tf.uint8, "image")
    embeddings = tf.TensorSpec([None, backbone.embedding_width], tf.float32, "embedding")
    return {
        "serving_default": (serving_default, [strings("image_bytes"), strings("instruction")]),
        "restore": (restore, [pictures, strings("instruction")]),
        "restore_embedded": (restore_embedded, [pictures, embeddings]),
        "encode_text": (encode_text, [strings("instruction")]),
        "interpret": (interpret, [strings("instruction")]),
        "classify": (diagnose, [pictures])
        if backbone.diagnoses
        else (classify, [pictures, strings("instruction")]),
    }


def decode(image_bytes: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Decodes a PNG or JPEG as Pillow does, once its header has been found to be acceptable.

    Args:
        image_bytes: scalar string.
        max_pixels: height times width that is still decoded.

    Returns:
        uint8 `(H, W, 3)`; transparency is dropped, grey becomes three equal channels.

    Raises:
        InvalidArgumentError: for another format, a broken file or too many pixels.
    """
    header = tf.strings.substr(image_bytes + b"\0" * 24, 0, 24)
    is_png = tf.strings.substr(header, 0, len(_PNG)) == _PNG
    is_jpeg = tf.strings.substr(header, 0, len(_JPEG)) == _JPEG
    known = tf.debugging.Assert(
        is_png | is_jpeg, ["image_bytes holds neither a PNG nor a JPEG; it starts with", header]
    )
    with tf.control_dependencies([known]):
        sides = tf.cond(
            is_png,
            lambda: tf.io.decode_raw(
                tf.strings.substr(header, 16, 8), tf.int32, little_endian=False
            )[::-1],
            lambda: tf.image.extract_jpeg_shape(image_bytes)[:2],
        )
    pixels = tf.reduce_prod(tf.cast(sides, tf.int64))
    small = tf.debugging.Assert(
        (pixels > 0) & (pixels <= max_pixels),
        [f"the picture has more than {max_pixels} pixels, or none: height and width", sides],
    )
    with tf.control_dependencies([small]):
        return tf.cond(
            is_png,
            lambda: tf.io.decode_png(image_bytes, channels=3),
            lambda: tf.io.decode_jpeg(image_bytes, channels=3, dct_method="INTEGER_ACCURATE"),
        )


def trimmed(sentences: tf.Tensor, name: str, longest: int, unit: str) -> tf.Tensor:
    """Takes away what stands around sentences, and refuses those that say nothing or too much.

    Args:
        sentences: `(B,)` strings.
        name: what they are, for people.
        longest: how long one may be.
        unit: `"BYTE"` or `"UTF8_CHAR"`, in which that is counted.
    """
    words = tf.strings.regex_replace(sentences, _AROUND, "")
    there = tf.debugging.Assert(
        tf.reduce_all(tf.strings.length(words) > 0),
        [f"the {name} is empty; say in words what you want", sentences],
    )
    counted = {"BYTE": "bytes", "UTF8_CHAR": "characters"}[unit]
    short = tf.debugging.Assert(
        tf.reduce_all(tf.strings.length(words, unit) <= longest),
        [f"the {name} has more than {longest} {counted}"],
    )
    with tf.control_dependencies([there, short]):
        return tf.identity(words)


def to_uint8(image: tf.Tensor) -> tf.Tensor:
    """Clips and rounds pictures in 0..1."""
    return tf.cast(tf.round(tf.clip_by_value(image, 0.0, 1.0) * 255.0), tf.uint8)


def _filled(image, multiple):
    """Mirrors a picture at its right and lower edges, as `restore_tiled` does."""
    for axis in (1, 2):
        size = tf.shape(image)[axis]
        places = tf.range((size + multiple - 1) // multiple * multiple)
        places %= tf.maximum(2 * size - 2, 1)
        places = tf.where(places < size, places, 2 * size - 2 - places)
        image = tf.gather(image, places, axis=axis)
    return image


def _shrunk(image, side):
    """Averages blocks of pixels, as `tfimg.pixels.shrunk` does."""
    batch, height, width = tf.unstack(tf.shape(image)[:3])
    factor = -(-tf.maximum(height, width) // side)
    down, across = tf.minimum(factor, height), tf.minimum(factor, width)
    rows, columns = height // down, width // across
    whole = tf.cast(image[:, : rows * down, : columns * across], tf.float32)
    blocks = tf.reshape(whole, [batch, rows, down, columns, across, 3])
    return tf.cast(tf.round(tf.reduce_mean(blocks, axis=(2, 4))), image.dtype)


def _middle(image, side):
    height, width = tf.unstack(tf.shape(image)[1:3])
    top, left = tf.maximum(0, height - side) // 2, tf.maximum(0, width - side) // 2
    return image[:, top : top + side, left : left + side]


def _to_float(image):
    return tf.cast(image, tf.float32) / 255.0
