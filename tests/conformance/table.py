"""The one table of modules: a new layer, branch or task gets a row here."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras
import numpy as np

import tfimg
from tests import tiny
from tfimg.degradations import INTENTS
from tfimg.fusion import WordScale, WordShift
from tfimg.image.classifier import classifier
from tfimg.image.discriminator import discriminator
from tfimg.image.encoder import image_encoder
from tfimg.image.generator import generator
from tfimg.image.tone import tone
from tfimg.layers import BilinearUpsampling, Patches
from tfimg.network import SIZES, image_network
from tfimg.text.encoder import text_encoder

SENTENCES = ["remove the noise", "去掉噪点 please"]


@dataclass(frozen=True, eq=False)
class Module:
    """One row.

    Args:
        build: makes the module; under a global dtype policy of mixed precision, in that.
        inputs: makes a batch of two.
        covers: the registered classes that this row tests.
        excused: the checks that do not apply, each with the reason.
    """

    build: Callable[[], keras.Layer]
    inputs: Callable[[], dict[str, np.ndarray]]
    covers: tuple[type, ...] = ()
    excused: dict[str, str] = field(default_factory=dict)


def _features():
    return np.random.default_rng(1).normal(0, 1, (2, 8, 12, 6)).astype("float32")


def _embedding():
    return np.random.default_rng(2).random((2, 10), np.float32)


def _images():
    mask = np.ones((2, 16, 24, 1), "float32")
    mask[:, 3:6, 5:9] = 0
    return {"image": np.stack([tiny.picture(seed=0), tiny.picture(seed=1)]), "mask": mask}


def _canvas_images(side=16):
    images = np.stack([tiny.picture(side, side, seed) for seed in range(2)])
    mask = np.full((2, side, side, 1), 0.5, "float32")
    return {"image": images, "mask": mask, "embedding": _embedding()}


def _steered_images():
    return {**_images(), "embedding": _embedding()}


def _token_ids():
    return {
        "token_ids": np.array([[2, 5, 6, 7, 3, 0], [2, 8, 3, 0, 0, 0]], "int32"),
        "padding_mask": np.array([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]], "int32"),
    }


def _instructed_images():
    return {**_images(), "instruction": np.array([s.encode() for s in SENTENCES])}


def _steering(layer):
    features = keras.Input((None, None, 6), name="features")
    embedding = keras.Input((10,), name="embedding")
    return keras.Model(
        {"features": features, "embedding": embedding}, {"features": layer([features, embedding])}
    )


def _upsampling(layer, channels=6):
    features = keras.Input((None, None, channels), name="features")
    return keras.Model({"features": features}, {"features": layer(features)})


def _encoder():
    image, embedding = keras.Input((None, None, 3), name="image"), keras.Input((10,), name="words")
    levels = image_encoder(image, embedding, (4, 6), (1, 1))
    outputs = {f"level{index}": features for index, features in enumerate(levels)}
    return keras.Model({"image": image, "words": embedding}, outputs)


def _generator():
    fine = keras.Input((None, None, 4), name="fine")
    coarse = keras.Input((None, None, 6), name="coarse")
    embedding = keras.Input((10,), name="words")
    inputs = {"fine": fine, "coarse": coarse, "words": embedding}
    return keras.Model(inputs, {"image": generator([fine, coarse], embedding, (1,))})


def _tone():
    image = keras.Input((None, None, 3), name="image")
    embedding = keras.Input((10,), name="words")
    gain, offset = tone(image, embedding)
    return keras.Model({"image": image, "words": embedding}, {"gain": gain, "offset": offset})


def _scores(critic):
    """A critic without what it shows on the way, which is a list."""
    return keras.Model(critic.input, {"score": critic.output["score"]})


def _classifier():
    fine = keras.Input((None, None, 4), name="fine")
    coarse = keras.Input((None, None, 6), name="coarse")
    image = keras.Input((None, None, 3), name="image")
    told = classifier(image, [fine, coarse], [("logits", 10), ("severity", 9)])
    return keras.Model({"fine": fine, "coarse": coarse, "image": image}, told)


def _network(name, **options):
    size = SIZES[name]
    size = replace(  # thinner and shallower, because this is about the wiring
        size,
        widths=tuple(min(width, 16) for width in size.widths),
        encoder_blocks=tuple(min(blocks, 1) for blocks in size.encoder_blocks),
        decoder_blocks=tuple(min(blocks, 1) for blocks in size.decoder_blocks),
    )
    return image_network(size, 10, len(INTENTS), **options)


MODULES = {
    "WordShift": Module(
        lambda: _steering(WordShift()),
        lambda: {"features": _features(), "embedding": _embedding()},
        covers=(WordShift,),
    ),
    "WordScale": Module(
        lambda: _steering(WordScale()),
        lambda: {"features": _features(), "embedding": _embedding()},
        covers=(WordScale,),
    ),
    "BilinearUpsampling": Module(
        lambda: _upsampling(BilinearUpsampling(4)),
        lambda: {"features": _features()},
        covers=(BilinearUpsampling,),
    ),
    "Patches": Module(
        lambda: _upsampling(Patches(2), 12),
        lambda: {"features": np.repeat(_features(), 2, axis=-1)},
        covers=(Patches,),
    ),
    "text_encoder": Module(lambda: text_encoder(tiny.bert(), len(INTENTS)), _token_ids),
    "text_encoder_wide": Module(lambda: text_encoder(tiny.bert(), 10, 7), _token_ids),
    "image_encoder": Module(_encoder, lambda: {"image": _images()["image"], "words": _embedding()}),
    "generator": Module(
        _generator,
        lambda: {
            "fine": np.repeat(_features()[..., :4], 2, axis=1).repeat(2, axis=2),
            "coarse": _features(),
            "words": _embedding(),
        },
    ),
    "classifier_head": Module(
        _classifier,
        lambda: {
            "fine": np.repeat(_features()[..., :4], 2, axis=1).repeat(2, axis=2),
            "coarse": _features(),
            "image": _images()["image"],
        },
    ),
    "tone": Module(_tone, lambda: {"image": _images()["image"], "words": _embedding()}),
    **{
        f"image_network_{name}": Module(lambda name=name: _network(name), _steered_images)
        for name in ("tiny", "small", "base")
    },
    **{
        f"image_network_{name}": Module(
            lambda name=name: _network(name, canvas=32), lambda: _canvas_images(32)
        )
        for name in ("icon", "picture")
    },
    "backbone": Module(
        tiny.backbone,
        lambda: {**_images(), **_token_ids()},
        covers=(tfimg.TextGuidedBackbone,),
    ),
    "preprocessor": Module(
        tiny.preprocessor,
        _instructed_images,
        covers=(tfimg.InstructionPreprocessor,),
        excused={
            "xla": "words are strings, and XLA has no strings; it runs before the compiled part",
            "mixed": "it computes nothing in floating point",
        },
    ),
    "discriminator": Module(
        lambda: _scores(discriminator(16, 10, (4, 8))),
        lambda: {name: _canvas_images()[name] for name in ("image", "embedding")},
    ),
    "text_to_image": Module(
        lambda: tfimg.TextToImage(tiny.backbone(canvas=16, embedding_dim=7), tiny.preprocessor()),
        lambda: {
            **{name: _canvas_images()[name] for name in ("image", "mask")},
            "instruction": _instructed_images()["instruction"],
        },
        covers=(tfimg.TextToImage,),
    ),
    "restorer": Module(tiny.restorer, _instructed_images, covers=(tfimg.ImageRestorer,)),
    "classifier": Module(
        lambda: tfimg.ImageClassifier(tiny.backbone(), tiny.preprocessor()),
        _instructed_images,
        covers=(tfimg.ImageClassifier,),
    ),
}
