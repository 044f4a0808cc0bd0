"""From clean crops to training pairs: what is wrong, what the words ask, what should come out."""

import itertools
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfimg.data.augmentation import (
    deep_shadows,
    high_key,
    lit_in_part,
    small_lights,
    vivid_colours,
)
from tfimg.degradations import NAMES, degrade
from tfimg.degradations.fields import luma, to_8_bit
from tfimg.text.corpus import LANGUAGES, Corpus

# Pictures of a group share which degradations may be present, so that the costly ones run for a
# few pictures at a time instead of for all; what each picture is asked is its own.
GROUP = 4

# What nobody would see is no fault: the severities of pictures that are to be diagnosed.
VISIBLE = (0.15, 1.0)


@dataclass(frozen=True)
class Mixture:
    """How often each kind of training pair comes, and how much it weighs.

    Args:
        clean: share of groups with nothing wrong.
        double: share of groups with two degradations.
        triple: share of groups with three; the rest have one.
        nothing_asked: share of pictures whose words ask nothing.
        wrong: share of pictures whose words ask for something that is not there.
        partial: share of pictures with several degradations whose words name only some of them.
        spared: share of crops of damaged photos that the damage does not touch, as most of a photo
            is. Where every crop has some of it, all that is thin or bright is taken for damage.
            They pull as the others do: what is intact in a damaged photo is most of it.
        known_mask: share of damaged pictures that come with the mask of known pixels.
        weights: how often each of `NAMES` is drawn, relative to the others.
        pull: how much a picture with each of `NAMES` weighs in the loss; with several, the least.
            It counts where the words are embeddings, see `training_batches`. The gradients of
            darkness and fog, the same everywhere in a picture, are ten times as large as those of
            noise or blur, and with equal pulls the subtle tasks are not learnt at all.
        pull_nothing: what remains of that where nothing is to be done. Such pictures pull at
            every change, good ones too; a few weak ones are enough to teach what not to touch.
        high, deep, vivid, lights: shares of pictures that are made bright all over, and that get
            deep shadows, strong colours and small lights, before they are degraded, see
            `tfimg.data.augmentation`.
        lit: share of the dark pictures to be diagnosed that are lit in part.
        lamps: share of the pictures with deep shadows that are lit in part.
        dark: luma, 0..1. A picture to be diagnosed is too dark, whatever made it so, where more
            than nine tenths of it lie below: people ask for light in it.
    """

    clean: float = 0.04
    double: float = 0.16
    triple: float = 0.04
    nothing_asked: float = 0.08
    wrong: float = 0.06
    partial: float = 0.5
    spared: float = 0.0
    known_mask: float = 0.4
    weights: tuple[float, ...] = (2.5, 1.0, 1.2, 1.2, 0.6, 0.4, 0.6, 0.6, 1.8)
    pull: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 0.3, 0.3, 0.5, 0.3, 0.8)
    pull_nothing: float = 0.2
    high: float = 0.0
    deep: float = 0.0
    vivid: float = 0.0
    lights: float = 0.0
    lit: float = 0.0
    lamps: float = 0.0
    dark: float = 0.0


class Instructions:
    """Sentences for every set of up to three names, as tensors that a pipeline can draw from.

    Args:
        sentences: how many for each set of one name; sets of two have a quarter of that, sets of
            three a sixteenth, and for "nothing is asked" there are four times as many.
        split: `"train"` or `"test"`.
        seed: int.
    """

    def __init__(self, sentences: int = 400, split: str = "train", seed: int = 0):
        rows = {}
        for size, count in enumerate((4 * sentences, sentences, sentences // 4, sentences // 16)):
            for named in itertools.combinations(range(len(NAMES)), size):
                bits = sum(1 << index for index in named)
                names = [NAMES[index] for index in named]
                rows[bits] = [
                    sentence
                    for language in LANGUAGES
                    for sentence in Corpus(language, split).sentences(
                        names, max(1, count // len(LANGUAGES)), seed
                    )
                ]
        table = [rows.get(bits, []) for bits in range(1 << len(NAMES))]
        self._sentences = tf.constant([sentence for row in table for sentence in row])
        self._starts = tf.constant(np.cumsum([0, *map(len, table[:-1])]), tf.int32)
        self._counts = tf.constant([len(row) for row in table], tf.int32)

    def draw(self, named: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns one sentence `(B,)` for each row of `named`, `(B, 9)` bool."""
        bits = tf.reduce_sum(
            tf.cast(named, tf.int32) * [1 << index for index in range(len(NAMES))], axis=1
        )
        chance = tf.random.stateless_uniform(tf.shape(bits), seed)
        counts = tf.gather(self._counts, bits)
        place = tf.cast(chance * tf.cast(counts, tf.float32), tf.int32)
        return tf.gather(self._sentences, tf.gather(self._starts, bits) + place)


@tf.autograph.experimental.do_not_convert
def degraded_pairs(clean: tf.Tensor, mixture: Mixture, seed: tf.Tensor) -> tuple[dict, dict]:
    """Degrades a group of clean pictures and asks for some of the damage to be undone.

    The target follows the words: what is not named stays in the picture, to the same grain.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        mixture: how often each kind of pair comes.
        seed: int tensor `(2,)`.

    Returns:
        `x`, a dict of `image`, `mask` and `named` (`(B, 9)` bool, what to undo), and `y`, a dict
        of `image` (the target), `logits` (`(B, 10)`, the degradations of the photo, and `none`) and
        `severity` (`(B, 9)`, 0..1, or -1 for those that it does not have). A spared crop is of a
        damaged photo.
    """
    batch = tf.shape(clean)[0]
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 7))
    clean = _augmented(clean, mixture, seeds[5])
    present = _draw_present(mixture, seeds[0])
    present = tf.repeat(present[None], batch, axis=0)
    named = _draw_named(present, mixture, seeds[1])
    severity = tf.random.stateless_uniform((batch, len(NAMES)), seeds[2])

    spared = tf.random.stateless_uniform((batch, 1), seeds[6]) < mixture.spared
    in_crop = present & ~(spared & _only("damage"))
    degraded, known = degrade(clean, in_crop, severity, seeds[3])
    target, _ = degrade(clean, in_crop & ~named, severity, seeds[3])

    given = tf.random.stateless_uniform((batch, 1, 1, 1), seeds[4]) < mixture.known_mask
    # Where damage stays in the target, telling its place would be a riddle.
    given &= named[:, NAMES.index("damage")][:, None, None, None]
    mask = tf.where(given, known, tf.ones_like(known))
    x = {"image": degraded, "mask": mask, "named": named}
    return x, {"image": target, **_found(present, severity)}


@tf.autograph.experimental.do_not_convert
def diagnosed_pictures(clean: tf.Tensor, mixture: Mixture, seed: tf.Tensor) -> tuple[dict, dict]:
    """Degrades a group of clean pictures and says what was done to them.

    Severities are drawn from `VISIBLE`. A picture that is too dark before it is degraded has low
    light as well, of a severity that is not told, unless haze or fading lift its shadows. Three
    pictures in four are clipped and rounded to 8 bit, as files are.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        mixture: how often each number of degradations and each degradation comes.
        seed: int tensor `(2,)`.

    Returns:
        `x`, a dict of `image` and `mask` (all known), and `y`, a dict of `logits` and `severity` as
        in `degraded_pairs`.
    """
    batch = tf.shape(clean)[0]
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 6))
    clean = _augmented(clean, mixture, seeds[4])
    drawn = _draw_present(mixture, seeds[0])
    present = tf.repeat(drawn[None], batch, axis=0)
    severity = tf.random.stateless_uniform((batch, len(NAMES)), seeds[1], *VISIBLE)
    degraded, _ = degrade(clean, present, severity, seeds[2])
    found = _found(present | _dark(clean, present, mixture.dark), tf.where(present, severity, -1.0))

    def partly_lit():
        light_enough, _ = degrade(clean, present & ~_only("low_light"), severity, seeds[2])
        return lit_in_part(degraded, light_enough, mixture.lit, seeds[5])

    if mixture.lit:
        degraded = tf.cond(drawn[NAMES.index("low_light")], partly_lit, lambda: degraded)
    as_file = tf.random.stateless_uniform((batch, 1, 1, 1), seeds[3]) < 0.75
    degraded = tf.where(as_file, to_8_bit(degraded), degraded)
    return {"image": degraded, "mask": tf.ones_like(degraded[..., :1])}, found


def intent_embeddings(named: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """What a text branch, never quite sure, would make of words that name these: `(B, 10)`.

    Asked-for intents lie in 0.7..1 and the others in 0..0.3, most of them near the ends. Two in
    three of the pictures of which nothing is asked get no words at all: zeros.

    Args:
        named: `(B, 9)` bool.
        seed: int tensor `(2,)`.
    """
    first, second = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    nothing = ~tf.reduce_any(named, axis=1, keepdims=True)
    intents = tf.cast(tf.concat([named, nothing], axis=1), tf.float32)
    doubt = 0.3 * tf.random.stateless_uniform(tf.shape(intents), first) ** 2
    wordless = nothing & (tf.random.stateless_uniform(tf.shape(nothing), second) < 2 / 3)
    return tf.where(wordless, 0.0, tf.abs(intents - doubt))


def picture_weights(named: tf.Tensor, present: tf.Tensor, mixture: Mixture) -> tf.Tensor:
    """Returns how much each picture weighs in the loss, `(B,)` float32.

    Args:
        named: `(B, 9)` bool, what the words ask to undo.
        present: `(B, 9)` bool, what is wrong.
        mixture: the pulls.
    """
    pulls = tf.where(present, tf.constant(mixture.pull, tf.float32), max(mixture.pull))
    least = tf.reduce_min(pulls, axis=1)
    return least * tf.where(tf.reduce_any(named & present, axis=1), 1.0, mixture.pull_nothing)


def _only(name):
    """`(9,)` bool, True for one name alone."""
    return np.array([one == name for one in NAMES])


def _dark(clean, present, limit):
    """Which pictures show `low_light` without having been darkened: `(B, 9)` bool."""
    brighter = tf.reduce_mean(tf.cast(luma(clean) >= limit, tf.float32), axis=(1, 2, 3))[:, None]
    lifted = tf.reduce_any(present & (_only("haze") | _only("faded")), axis=1, keepdims=True)
    return (brighter < 0.1) & ~lifted & _only("low_light")


def _augmented(clean, mixture, seed):
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 5))
    if mixture.high:
        clean = high_key(clean, mixture.high, seeds[4])
    if mixture.deep:
        shadowed = deep_shadows(clean, mixture.deep, seeds[2])
        lamps = mixture.lamps
        clean = lit_in_part(shadowed, clean, lamps, seeds[3]) if lamps else shadowed
    if mixture.vivid:
        clean = vivid_colours(clean, mixture.vivid, seeds[0])
    if mixture.lights:
        clean = small_lights(clean, mixture.lights, seeds[1])
    return clean


def _found(present, severity):
    none = ~tf.reduce_any(present, axis=1, keepdims=True)
    return {
        "logits": tf.cast(tf.concat([present, none], axis=1), tf.float32),
        "severity": tf.where(present, severity, -1.0),
    }


def _draw_present(mixture, seed):
    """Which degradations a group has: `(9,)` bool."""
    first, second = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    chance = tf.random.stateless_uniform((), first)
    bounds = np.cumsum([mixture.clean, mixture.triple, mixture.double])
    count = tf.where(
        chance < bounds[0], 0, tf.where(chance < bounds[1], 3, tf.where(chance < bounds[2], 2, 1))
    )
    # Gumbel's trick: the largest of these keys are a weighted draw without replacement.
    uniform = tf.random.stateless_uniform((len(NAMES),), second, minval=1e-6)
    keys = tf.math.log(tf.constant(mixture.weights)) - tf.math.log(-tf.math.log(uniform))
    rank = tf.argsort(tf.argsort(keys, direction="DESCENDING"))
    return rank < count


def _draw_named(present, mixture, seed):
    """Which degradations each picture's words name: `(B, 9)` bool."""
    shape = tf.shape(present)
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    column = (shape[0], 1)
    several = tf.reduce_sum(tf.cast(present, tf.int32), axis=1, keepdims=True) > 1
    partial = several & (tf.random.stateless_uniform(column, seeds[0]) < mixture.partial)
    # One of those present is kept for certain, so that "some" never means "none".
    keys = tf.random.stateless_uniform(shape, seeds[1]) + tf.cast(present, tf.float32)
    one = tf.one_hot(tf.argmax(keys, axis=1), shape[1], on_value=True, off_value=False) & present
    named = tf.where(partial, one, present)

    chance = tf.random.stateless_uniform(column, seeds[2])
    absent_keys = tf.random.stateless_uniform(shape, seeds[3]) - tf.cast(present, tf.float32)
    wrong = tf.one_hot(tf.argmax(absent_keys, axis=1), shape[1], on_value=True, off_value=False)
    named = tf.where(chance < mixture.wrong, wrong, named)
    nothing = (chance >= mixture.wrong) & (chance < mixture.wrong + mixture.nothing_asked)
    return named & ~nothing
