"""Trains the classifier head of a restorer; the rest of the network stays as it is."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

import tfimg
from tfimg.data.pipeline import diagnosis_batches
from tfimg.losses import SeverityLoss
from training.kinds import Options
from training.kinds.restoring import in_stages, restorer

_SIZE = "small"


def start(recipe, options: Options) -> tfimg.ImageRestorer:
    if options.init is None:
        raise ValueError("the restorer comes first: train one, and give it with --init")
    task = restorer(_SIZE, options)
    if recipe.fresh:
        return tfimg.ImageRestorer(task.backbone.with_fresh(*recipe.head), task.preprocessor)
    return task


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    batches = functools.partial(
        diagnosis_batches,
        mixture=recipe.mixture(),
        embedding_width=task.backbone.embedding_width,
    )
    return in_stages(recipe, options, steps, batches)


def trained(recipe, task) -> keras.Model:
    model = task.backbone.image_network
    for layer in model.layers:
        layer.trainable = layer.name.startswith(recipe.head)
    return model


def losses(recipe) -> dict:
    present = keras.losses.BinaryCrossentropy(from_logits=True)
    return {"loss": {"image": None, "logits": present, "severity": SeverityLoss()}}
