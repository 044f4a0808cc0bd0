"""The training pipeline: crops from memory, degraded and instructed on the fly, by step number."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfimg.data.pairs import (
    GROUP,
    Instructions,
    Mixture,
    degraded_pairs,
    intent_embeddings,
    picture_weights,
)


def pack_crops(photos: Iterable[np.ndarray], size: int, stride: int | None = None) -> np.ndarray:
    """Cuts photos into a stack of crops that stays in memory.

    Args:
        photos: `(H, W, 3)` uint8 arrays; smaller ones than a crop are left out.
        size: side of a crop in pixels.
        stride: distance between crops; by default three quarters of `size`. The last row and
            column end at the photo's edge.

    Returns:
        uint8 `(N, size, size, 3)`.

    Raises:
        ValueError: if no photo is large enough.
    """
    stride = stride or size * 3 // 4
    crops = [
        photo[top : top + size, left : left + size]
        for photo in photos
        for top in _starts(photo.shape[0], size, stride)
        for left in _starts(photo.shape[1], size, stride)
    ]
    if not crops:
        raise ValueError(f"no photo is at least {size}x{size} pixels")
    return np.stack(crops)


def _starts(length, size, stride):
    if length < size:
        return []
    return sorted({*range(0, length - size + 1, stride), length - size})


def training_batches(
    crops: np.ndarray | tf.Tensor,
    batch_size: int,
    crop_size: int,
    instructions: Instructions | None = None,
    mixture: Mixture | None = None,
    seed: int = 0,
    first_step: int = 0,
) -> tf.data.Dataset:
    """An endless stream of training batches; batch number n depends on `seed` and n alone.

    So a run that starts again at `first_step` sees exactly what it would have seen.

    Args:
        crops: uint8 `(N, S, S, 3)` from `pack_crops`.
        batch_size: pictures a batch, a multiple of `GROUP`.
        crop_size: side of the pictures of a batch, at most S.
        instructions: sentences for the named degradations. Without them `x` holds the embedding
            that a text branch would make, which is all that the image network needs.
        mixture: how often each kind of pair comes.
        seed: int.
        first_step: number of the first batch.

    Returns:
        A dataset of `(x, y)` as in `degraded_pairs`, with `instruction` strings in place of
        `named`; or of `(x, y, weights)` with `embedding`. Pictures weigh by the mixture's `pull`
        in the loss of `image`. Words tell what is wrong, so only pictures without any weigh in the
        loss of `logits`.

    Raises:
        ValueError: if a size does not fit.
    """
    if batch_size % GROUP:
        raise ValueError(f"batch_size must be a multiple of {GROUP}, found {batch_size}")
    if crop_size > crops.shape[1]:
        raise ValueError(f"crop_size {crop_size} is larger than the crops ({crops.shape[1]})")
    mixture = mixture or Mixture()
    with tf.device("CPU"):
        bank = tf.convert_to_tensor(crops)

    def group(number):
        own = tf.stack([tf.constant(seed, tf.int64), number])
        seeds = tf.unstack(tf.random.experimental.stateless_split(own, 3))
        clean = _random_crops(bank, GROUP, crop_size, seeds[0])
        x, y = degraded_pairs(clean, mixture, seeds[1])
        named = x.pop("named")
        if instructions is None:
            embedding = intent_embeddings(named, seeds[2])
            wordless = 1.0 - tf.reduce_max(tf.sign(embedding), axis=1)
            present = y["logits"][:, :-1] > 0
            weights = {"image": picture_weights(named, present, mixture), "logits": wordless}
            return {**x, "embedding": embedding}, y, weights
        return {**x, "instruction": instructions.draw(named, seeds[2])}, y

    groups = batch_size // GROUP
    return (
        tf.data.Dataset.counter(first_step * groups)
        .map(group, num_parallel_calls=2, deterministic=True)
        .unbatch()
        .batch(batch_size, drop_remainder=True)
        .prefetch(4)
    )


def _random_crops(bank, count, size, seed):
    """Random crops, mirrored and turned, as floats."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    index = tf.random.stateless_uniform((count,), seeds[0], 0, bank.shape[0], tf.int32)
    slack = bank.shape[1] - size + 1
    place = tf.random.stateless_uniform((2,), seeds[1], 0, slack, tf.int32)
    crops = tf.gather(bank, index)[:, place[0] : place[0] + size, place[1] : place[1] + size]
    crops = tf.ensure_shape(crops, (count, size, size, 3))
    crops = tf.cast(crops, tf.float32) / 255.0
    mirrored = tf.random.stateless_uniform((count, 1, 1, 1), seeds[2]) < 0.5
    # Rain falls and fog lies below: photos are mirrored left to right, and never turned over.
    return tf.where(mirrored, crops[:, :, ::-1], crops)
