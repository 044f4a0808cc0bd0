"""The training pipeline: crops from memory, degraded and instructed on the fly, by step number."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfimg.data.pairs import (
    GROUP,
    Instructions,
    Mixture,
    degraded_pairs,
    diagnosed_pictures,
    intent_embeddings,
    picture_weights,
)

# Crops are packed larger than they are used, so that each is seen at many places.
PACKED = 4 / 3


def pack_crops(
    photos: Iterable[np.ndarray], size: int, stride: int | None = None, most: int | None = None
) -> np.ndarray:
    """Cuts photos into a stack of crops that stays in memory.

    Args:
        photos: `(H, W, C)` uint8 arrays; smaller ones than a crop are left out.
        size: side of a crop in pixels.
        stride: distance between crops; by default three quarters of `size`. The last row and
            column end at the photo's edge.
        most: how many crops are kept, every one as likely as any other; all by default.

    Returns:
        uint8 `(N, size, size, C)`.

    Raises:
        ValueError: if no photo is large enough.

    Reference: Vitter, "Random Sampling with a Reservoir", 1985.
    """
    stride = stride or size * 3 // 4
    found = (
        photo[top : top + size, left : left + size]
        for photo in photos
        for top in _starts(photo.shape[0], size, stride)
        for left in _starts(photo.shape[1], size, stride)
    )
    chance = np.random.default_rng(0)
    crops = []
    for number, crop in enumerate(found):
        if most is None or number < most:
            crops.append(crop.copy())  # the photo need not stay
        elif (place := chance.integers(number + 1)) < most:
            crops[place] = crop.copy()
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
        instructions: sentences for the named degradations, for `ImageRestorer.fit`. Without them
            `x` holds the embedding that a text branch would make, which is all that the image
            network needs.
        mixture: how often each kind of pair comes.
        seed: int.
        first_step: number of the first batch.

    Returns:
        With instructions, a dataset of `image`, `mask` and `instruction`, and the target picture.
        Without, a dataset of `(x, y, weights)` as in `degraded_pairs`, with `embedding` in place of
        `named`: pictures weigh by the mixture's `pull` in the loss of `image`.

    Raises:
        ValueError: if a size does not fit.

    Example:

    ```python
    crops = pack_crops(photos_from_folders(["holiday"]), 128)
    stream = training_batches(crops, 8, 96, instructions=Instructions())
    restorer.fit(stream, steps_per_epoch=500)
    ```
    """
    mixture = mixture or Mixture()

    def pairs(clean, seed):
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        x, y = degraded_pairs(clean, mixture, seeds[0])
        named = x.pop("named")
        if instructions is None:
            weights = {"image": picture_weights(named, y["logits"][:, :-1] > 0, mixture)}
            return {**x, "embedding": intent_embeddings(named, seeds[1])}, y, weights
        return {**x, "instruction": instructions.draw(named, seeds[1])}, y["image"]

    return _batches(crops, batch_size, crop_size, pairs, seed, first_step)


def paired_batches(
    pairs: Iterable[tuple[np.ndarray, np.ndarray]],
    instruction: str,
    batch_size: int,
    crop_size: int,
    seed: int = 0,
) -> tf.data.Dataset:
    """An endless stream of crops from pictures degraded elsewhere, for `ImageRestorer.fit`.

    All crops stay in memory; both of a pair are cut at the same place, and half are mirrored.

    Args:
        pairs: degraded and clean, uint8 `(H, W, 3)`, as `tfimg.data.paired_folders.read_pair`
            returns them; smaller ones than a crop are left out.
        instruction: what turns the ones into the others, in words.
        batch_size: pictures a batch.
        crop_size: side of a crop in pixels.
        seed: int.

    Returns:
        A dataset of `image` and `instruction`, and the target picture, floats 0..1.

    Raises:
        ValueError: if no picture is large enough, or the two of a pair differ in size.

    Example:

    ```python
    pairs = map(read_pair, pairs_from_folders("LOL/our485/low", "LOL/our485/high"))
    restorer.fit(paired_batches(pairs, "it is too dark", 8, 96), steps_per_epoch=500)
    ```
    """
    with tf.device("CPU"):
        bank = tf.constant(pack_crops(map(np.dstack, pairs), int(crop_size * PACKED)))

    def batch(number):
        own = tf.stack([tf.constant(seed, tf.int64), number])
        crops = _random_crops(bank, batch_size, crop_size, own)
        words = tf.repeat(instruction, batch_size)
        return {"image": crops[..., :3], "instruction": words}, crops[..., 3:]

    return tf.data.Dataset.counter().map(batch, num_parallel_calls=2).prefetch(4)


def diagnosis_batches(
    crops: np.ndarray | tf.Tensor,
    batch_size: int,
    crop_size: int,
    mixture: Mixture,
    embedding_width: int,
    seed: int = 0,
    first_step: int = 0,
) -> tf.data.Dataset:
    """An endless stream of degraded pictures and what is wrong with them.

    Args:
        crops, batch_size, crop_size, seed, first_step: as for `training_batches`.
        mixture: how often each number of degradations and each degradation comes.
        embedding_width: of the embedding, all zeros: words would tell what is wrong.

    Returns:
        A dataset of `(x, y)` as in `diagnosed_pictures`, with `embedding`.

    Raises:
        ValueError: if a size does not fit.
    """

    def pictures(clean, seed):
        x, y = diagnosed_pictures(clean, mixture, seed)
        return {**x, "embedding": tf.zeros((tf.shape(clean)[0], embedding_width))}, y

    return _batches(crops, batch_size, crop_size, pictures, seed, first_step)


def _batches(crops, batch_size, crop_size, make, seed, first_step):
    if batch_size % GROUP:
        raise ValueError(f"batch_size must be a multiple of {GROUP}, found {batch_size}")
    if crop_size > crops.shape[1]:
        raise ValueError(f"crop_size {crop_size} is larger than the crops ({crops.shape[1]})")
    with tf.device("CPU"):
        bank = tf.convert_to_tensor(crops)

    def group(number):
        own = tf.stack([tf.constant(seed, tf.int64), number])
        seeds = tf.unstack(tf.random.experimental.stateless_split(own, 2))
        return make(_random_crops(bank, GROUP, crop_size, seeds[0]), seeds[1])

    groups = batch_size // GROUP
    return (
        tf.data.Dataset.counter(first_step * groups)
        .map(group, num_parallel_calls=2, deterministic=True)
        .unbatch()
        .batch(batch_size, drop_remainder=True)
        .prefetch(4)
    )


def _random_crops(bank, count, size, seed):
    """Random crops, half of them mirrored, as floats."""
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    index = tf.random.stateless_uniform((count,), seeds[0], 0, bank.shape[0], tf.int32)
    slack = bank.shape[1] - size + 1
    place = tf.random.stateless_uniform((2,), seeds[1], 0, slack, tf.int32)
    crops = tf.gather(bank, index)[:, place[0] : place[0] + size, place[1] : place[1] + size]
    crops = tf.ensure_shape(crops, (count, size, size, bank.shape[-1]))
    crops = tf.cast(crops, tf.float32) / 255.0
    mirrored = tf.random.stateless_uniform((count, 1, 1, 1), seeds[2]) < 0.5
    # Rain falls and fog lies below: photos are mirrored left to right, and never turned over.
    return tf.where(mirrored, crops[:, :, ::-1], crops)
