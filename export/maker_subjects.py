"""What the benchmark times of a maker of pictures, in each runtime."""

from pathlib import Path

import numpy as np
import tensorflow as tf

import tfimg
from export import conversion, tflite
from export.lite_maker import LiteMaker
from export.subjects import Subject, gmac

_PROMPT = "a small green dragon, pixel art"
_MANY = 64
_STEPS = 16


def maker_subjects(maker: tfimg.TextToImage, name: str, threads: int, scratch: Path) -> dict:
    """Returns `(runtime, network)` to a `Subject`: one picture, many at once, in many steps.

    Args:
        maker: what is timed.
        name: what it is called in the table.
        threads: of LiteRT.
        scratch: folder for what is exported.
    """
    side, network = maker.backbone.canvas, maker.backbone.image_network
    words = tf.constant(maker.embed(_PROMPT)[None])

    def compiled(count):
        inputs = {
            "image": tf.random.uniform((count, side, side, 3), seed=0),
            "mask": tf.zeros((count, side, side, 1)),
            "embedding": tf.repeat(words, count, axis=0),
        }
        graph = tf.function(lambda x: network(x, training=False)).get_concrete_function(inputs)
        return Subject(lambda: graph(inputs), count, gmac(graph.graph) / count)

    tokens = maker.preprocessor.tokenize([_PROMPT])
    read = tf.function(maker.backbone.text_encoder).get_concrete_function(tokens)
    subjects = {
        ("Keras, the words", name): Subject(lambda: read(tokens)),
        ("Keras, one picture", name): compiled(1),
        (f"Keras, {_MANY} at once", name): compiled(_MANY),
        (f"Keras, one picture in {_STEPS} steps", name): Subject(
            lambda: maker.generate(_PROMPT, steps=_STEPS)
        ),
    }
    for quantize in conversion.QUANTIZATIONS:
        tflite.write(maker, scratch / quantize, quantize, None, [])
        phone = LiteMaker(scratch / quantize, threads)
        noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
        kind = f"{name}, {'float32' if quantize == 'none' else quantize}"
        embedding = phone.embed(_PROMPT)
        subjects["LiteRT, one picture", kind] = Subject(
            lambda phone=phone, noise=noise, words=embedding: phone.draw(noise, words)
        )
    return subjects
