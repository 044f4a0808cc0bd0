"""Trains the describer on drawn descriptions."""

from collections.abc import Callable

import keras
import tensorflow as tf

import tfimg
from training.descriptions import description_batches, untrained_describer
from training.kinds import Options


def start(recipe, options: Options) -> tfimg.Describer:
    if options.init is not None:
        return tfimg.Describer.from_preset(options.init, dtype=options.precision)
    return untrained_describer(recipe, options.precision)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    return lambda first: description_batches(
        recipe, task.causal_lm.preprocessor, options.seed, first
    )


def trained(recipe, task) -> keras.Model:
    # The task itself would tokenise its batches, which hold tokens already.
    return keras.Model(task.causal_lm.input, task.causal_lm.output, name="causal_lm")


def losses(recipe) -> dict:
    return {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
