"""The two LiteRT models of a maker of pictures: words, image."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

import tfimg
from export.conversion import as_levels, convert, interface
from export.lowering import lowered

# What int8 is calibrated on, each with a canvas of its own.
_PROMPTS = (
    "flat emoji icon of sun", "3D emoji of red apple", "pixel art of green dragon",
    "a photo of banana", "flat emoji icon of house on a blue background", "3D emoji of cat",
    "月亮的扁平表情图标", "剑的像素画", "flat emoji icon of fire on a black background",
    "a photo of tomato", "pixel art of skeleton", "汽车的立体表情图标",
)  # fmt: skip


def models(maker: tfimg.TextToImage, quantize: str) -> tuple[dict[str, bytes], dict]:
    """Converts a maker of pictures.

    Args:
        maker: what is exported.
        quantize: one of `QUANTIZATIONS`. `int8` holds for the drawing; the words, which are read
            once, then get 8-bit weights (`dynamic`).

    Returns:
        The files' contents by the models' names, and what `model.json` says of each name.
    """
    words = "dynamic" if quantize == "int8" else quantize
    files = {
        "words": convert(*_words(maker), words),
        "image": convert(*_image(maker, quantize), quantize, _calibration(maker)),
    }
    told = {
        "words": {"precision": words, **interface(files["words"])},
        "image": {
            "precision": quantize,
            "size": maker.backbone.canvas,
            **interface(files["image"]),
        },
    }
    return files, told


def _words(maker):
    """The text branch, the function to convert, and its arguments."""
    encoder, length = maker.backbone.text_encoder, maker.preprocessor.sequence_length

    def words(token_ids, padding_mask):
        read = encoder({"token_ids": token_ids, "padding_mask": padding_mask}, training=False)
        return {"embedding": read["embedding"]}

    names = ("token_ids", "padding_mask")
    return encoder, words, [tf.TensorSpec([1, length], tf.int32, name) for name in names]


def _image(maker, quantize):
    """The picture's half, the function to convert, and its arguments: noise and words."""
    network, side = lowered(maker.backbone.image_network), maker.backbone.canvas

    def image(image, embedding):
        noise = tf.cast(image, tf.float32) / 255.0
        inputs = {"image": noise, "mask": tf.zeros_like(noise[..., :1]), "embedding": embedding}
        return {"image": as_levels(network(inputs, training=False)["image"], quantize)}

    specs = [
        tf.TensorSpec([1, side, side, 3], tf.uint8, "image"),
        tf.TensorSpec([1, maker.backbone.embedding_width], tf.float32, "embedding"),
    ]
    return network, image, specs


def _calibration(maker) -> Callable:
    side = maker.backbone.canvas

    def rows():
        for number, prompt in enumerate(_PROMPTS):
            noise = np.random.default_rng(number).integers(0, 256, (1, side, side, 3), np.uint8)
            yield {"image": noise, "embedding": maker.embed(prompt)[None]}

    return rows
