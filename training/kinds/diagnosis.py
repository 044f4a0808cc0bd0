"""Trains the classifier head of a restorer; the rest of the network stays as it is."""

from collections.abc import Callable

import keras
import tensorflow as tf

import tfimg
from tfimg.data.pipeline import diagnosis_batches
from tfimg.losses import SeverityLoss
from training.kinds import Options
from training.kinds.restoring import packed, restorer

_SIZE = "small"


def start(recipe, options: Options) -> tfimg.ImageRestorer:
    if options.init is None:
        raise ValueError("the restorer comes first: train one, and give it with --init")
    return restorer(_SIZE, options)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    crops, width = packed(options.data, recipe.crop_size), task.backbone.embedding_width
    return lambda first: diagnosis_batches(
        crops, recipe.batch_size, recipe.crop_size, recipe.mixture(), width, options.seed, first
    )


def trained(recipe, task) -> keras.Model:
    model = task.backbone.image_network
    for layer in model.layers:
        layer.trainable = layer.name.startswith(recipe.head)
    return model


def losses(recipe) -> dict:
    present = keras.losses.BinaryCrossentropy(from_logits=True)
    return {"loss": {"image": None, "logits": present, "severity": SeverityLoss()}}
