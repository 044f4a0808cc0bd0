"""Trains the image network of a restorer on degraded crops."""

import functools
from collections import Counter
from collections.abc import Callable

import keras
import keras_hub
import numpy as np
import tensorflow as tf

import tfimg
from tfimg.data.photos import photos_from_folders
from tfimg.data.pipeline import PACKED, pack_crops, training_batches
from tfimg.losses import RestorationLoss
from tfimg.network import SIZES
from tfimg.text.build import untrained_bert, untrained_tokenizer
from training.kinds import Options
from training.quantizing import quantized

# Bytes of crops; a million of 64x64 pixels would be 22 GB.
_MEMORY = 4_000_000_000


def start(recipe, options: Options) -> tfimg.ImageRestorer:
    task, size = restorer(recipe.size, options), SIZES[recipe.size]
    # Blocks that a preset lacks start near the identity, so what it learnt is kept; one of other
    # widths, such as a pruned one, stays as it is.
    if task.backbone.size == size or task.backbone.size.widths != size.widths:
        return task
    return tfimg.ImageRestorer(task.backbone.with_size(size), task.preprocessor)


def restorer(size: str, options: Options) -> tfimg.ImageRestorer:
    """Returns a preset's restorer or an untrained one of a size, around a BERT of one's choice."""
    around = functools.partial(tfimg.TextGuidedBackbone.from_size, size, dtype=options.precision)
    if options.words is not None:
        known = tfimg.ImageRestorer.from_preset(options.words)
        backbone = around(known.backbone.bert)
        backbone.text_encoder.set_weights(known.backbone.text_encoder.get_weights())
        return tfimg.ImageRestorer(backbone, known.preprocessor)
    if options.init is not None:
        known = tfimg.ImageRestorer.from_preset(options.init, dtype=options.precision)
        if options.text_encoder is None:
            return known
        around = known.backbone.with_bert
    if options.text_encoder is not None:
        tokenizer = keras_hub.models.BertTokenizer.from_preset(options.text_encoder)
        bert = keras_hub.models.BertBackbone.from_preset(options.text_encoder)
    else:
        tokenizer = untrained_tokenizer()
        bert = untrained_bert(tokenizer.vocabulary_size())
    return tfimg.ImageRestorer(around(bert), tfimg.InstructionPreprocessor(tokenizer))


def packed(data, crop_size: int) -> tf.Tensor:
    """Returns the crops of folders of photos, one copy in memory for all who draw from them.

    Of more than fit into `_MEMORY` a random choice.
    """
    side = int(crop_size * PACKED)
    most, large = _MEMORY // (3 * side**2), Counter()

    def photos():
        for photo in photos_from_folders(data):
            large[min(photo.shape[:2]) >= side] += 1
            yield photo

    crops: np.ndarray = pack_crops(photos(), side, most=most)
    print(
        f"{len(crops)} crops of {side}x{side}, {crops.nbytes / 1e6:.0f} MB, from {large[True]} "
        f"photos; {large[False]} are smaller",
        flush=True,
    )
    with tf.device("CPU"):
        return tf.constant(crops)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    mixture = recipe.mixture()

    def pairs(*args, **kwargs):
        batches = training_batches(*args, mixture=mixture, **kwargs)
        return batches.map(lambda x, y, weights: (x, {"image": y["image"]}, weights))

    return in_stages(recipe, options, steps, pairs)


def in_stages(
    recipe, options: Options, steps: int, batches: Callable[..., tf.data.Dataset]
) -> Callable[[int], tf.data.Dataset]:
    """Returns what makes the batches of a run, from a step on, whose crops grow.

    Args:
        recipe: with `crop_sizes`.
        options: of the run.
        steps: of the whole run.
        batches: makes them, as `training_batches` does.

    Raises:
        OSError, ValueError: if there is no photo that is large enough.
    """
    crops = packed(options.data, max(size for _, size in recipe.crop_sizes))
    starts = [(round(share * steps), size) for share, size in recipe.crop_sizes]

    def batches_from(first):
        ends = [begin for begin, _ in starts[1:]] + [None]
        stages = []
        for (begin, crop_size), end in zip(starts, ends, strict=True):
            if end is not None and end <= first:
                continue
            begin = max(begin, first)
            stage = batches(
                crops, recipe.batch_size, crop_size, seed=options.seed, first_step=begin
            )
            stages.append(stage if end is None else stage.take(end - begin))
        return functools.reduce(tf.data.Dataset.concatenate, stages)

    return batches_from


def trained(recipe, task) -> keras.Model:
    # The classifier head is trained by a recipe of its own.
    network = task.backbone.heads("image")
    for layer in network.layers:
        layer.trainable = not layer.name.startswith(recipe.frozen)
    return quantized(network) if recipe.int8 else network


def losses(recipe) -> dict:
    return {"loss": {"image": RestorationLoss()}}
