"""Trains the text branch of a restorer on the corpus."""

from collections.abc import Callable

import keras
import tensorflow as tf

import tfimg
from training.kinds import Options
from training.kinds.restoring import restorer
from training.sentences import sentence_batches

# Of the untrained rest of a preset whose words are trained first.
_SIZE = "small"


def start(recipe, options: Options) -> tfimg.ImageRestorer:
    return restorer(_SIZE, options)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    return lambda first: sentence_batches(recipe, task.preprocessor, options.seed, first)


def trained(recipe, task) -> keras.Model:
    return task.backbone.text_encoder


def losses(recipe) -> dict:
    smooth = keras.losses.BinaryCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing
    )
    return {"loss": {"intent_logits": smooth, "embedding": None}}
