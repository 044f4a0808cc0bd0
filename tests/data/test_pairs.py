"""Training pairs: the target follows the words."""

import numpy as np
import pytest
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
from tfimg.degradations import NAMES
from tfimg.text.corpus import LANGUAGES, Corpus

CLEAN = np.random.default_rng(0).uniform(0.2, 0.8, (GROUP, 32, 32, 3)).astype(np.float32)


def only(*names):
    """A mixture that always degrades by these and never asks for anything else."""
    count = len(names)
    return {
        "clean": 0.0,
        "double": float(count == 2),
        "triple": float(count == 3),
        "nothing_asked": 0.0,
        "wrong": 0.0,
        "partial": 0.0,
        "weights": tuple(1.0 if name in names else 1e-9 for name in NAMES),
    }


def pair(mixture, seed=(1, 2)):
    return degraded_pairs(tf.constant(CLEAN), Mixture(**mixture), tf.constant(seed, tf.int64))


def test_all_named_gives_the_clean_picture():
    x, y = pair(only("noise"))
    np.testing.assert_array_equal(y["image"], CLEAN)
    assert np.abs(x["image"] - CLEAN).mean() > 1e-3
    assert x["named"].numpy()[:, NAMES.index("noise")].all()
    assert y["logits"].numpy().sum() == GROUP


def test_nothing_asked_gives_the_input_back():
    x, y = pair({**only("noise"), "nothing_asked": 1.0})
    np.testing.assert_array_equal(y["image"], x["image"])
    assert not x["named"].numpy().any()


def test_a_wrong_request_gives_the_input_back():
    x, y = pair({**only("noise"), "wrong": 1.0})
    np.testing.assert_array_equal(y["image"], x["image"])
    named = x["named"].numpy()
    assert (named.sum(1) == 1).all() and not named[:, NAMES.index("noise")].any()


def test_what_is_not_named_stays_to_the_same_grain():
    x, y = pair({**only("noise", "faded"), "partial": 1.0})
    named = x["named"].numpy()
    assert (named.sum(1) == 1).all()
    _, everything = pair(only("noise", "faded"))
    for row in range(GROUP):
        left = np.asarray(y["image"][row])
        assert np.abs(left - CLEAN[row]).mean() > 1e-3, "something must be left"
        assert np.abs(left - np.asarray(x["image"][row])).mean() > 1e-3, "something must be gone"
    np.testing.assert_array_equal(everything["image"], CLEAN)


def test_clean_pictures_are_labelled_none():
    x, y = pair({**only("noise"), "clean": 1.0})
    np.testing.assert_array_equal(x["image"], CLEAN)
    np.testing.assert_array_equal(y["logits"], np.eye(10, dtype=np.float32)[[9] * GROUP])


def test_the_mask_is_given_only_with_damage_that_is_named():
    x, _ = pair({**only("damage"), "known_mask": 1.0})
    assert 0 < 1 - np.mean(x["mask"]) < 0.9
    x, _ = pair({**only("damage"), "known_mask": 1.0, "nothing_asked": 1.0})
    np.testing.assert_array_equal(x["mask"], np.ones((GROUP, 32, 32, 1)))


def test_same_pairs_eagerly_and_inside_tf_data():
    seed = tf.constant([3, 4], tf.int64)
    x, y = degraded_pairs(tf.constant(CLEAN), Mixture(), seed)
    dataset = tf.data.Dataset.from_tensors(CLEAN).map(
        lambda clean: degraded_pairs(clean, Mixture(), seed)
    )
    inside_x, inside_y = next(iter(dataset))
    for name in x:
        np.testing.assert_allclose(
            tf.cast(inside_x[name], tf.float32), tf.cast(x[name], tf.float32), atol=1e-5
        )
    np.testing.assert_allclose(inside_y["image"], y["image"], atol=1e-5)


def test_a_picture_weighs_as_the_least_of_its_degradations():
    mixture = Mixture(pull=(1, 6, 4, 4, 1, 2, 1, 1, 2), pull_nothing=0.5)
    present = np.zeros((6, 9), bool)
    present[0, 1] = present[1, [1, 2]] = present[2, [0, 1]] = present[4, 1] = present[5, 2] = True
    named = present.copy()
    named[2, 0] = False  # some of it is asked
    named[4] = False  # nothing is asked
    named[5] = np.arange(9) == 0  # something is asked that is not there
    weights = picture_weights(tf.constant(named), tf.constant(present), mixture)
    np.testing.assert_array_equal(weights, [6, 4, 1, 3, 3, 2])


def test_embeddings_keep_asked_and_unasked_apart():
    named = np.zeros((64, 9), bool)
    named[:32, 3] = True
    embedding = intent_embeddings(tf.constant(named), tf.constant([0, 1])).numpy()
    assert embedding[:32, 3].min() >= 0.7
    assert np.delete(embedding[:32], 3, axis=1).max() <= 0.3
    wordless = (embedding[32:] == 0).all(axis=1)
    assert 0 < wordless.mean() < 1
    assert embedding[32:][~wordless, 9].min() >= 0.7


@pytest.mark.parametrize("named", [(), ("noise",), ("rain", "haze")])
def test_instructions_come_from_the_row_of_what_is_named(named):
    instructions = Instructions(sentences=16, split="train", seed=0)
    row = np.array([[name in named for name in NAMES]] * 5)
    drawn = instructions.draw(tf.constant(row), tf.constant([5, 6])).numpy()
    count = {0: 32, 1: 8, 2: 2}[len(named)]
    possible = {
        sentence
        for language in LANGUAGES
        for sentence in Corpus(language, "train").sentences(named, count, 0)
    }
    assert {sentence.decode() for sentence in drawn} <= possible


def test_dark_pictures_to_be_diagnosed_are_lit_in_part_and_no_others():
    def picture(names, lit):
        mixture = Mixture(**only(*names), lit=lit)
        x, y = diagnosed_pictures(tf.constant(CLEAN), mixture, tf.constant((1, 2), tf.int64))
        assert (
            (y["logits"][:, NAMES.index("low_light")] == float("low_light" in names)).numpy().all()
        )
        return x["image"].numpy()

    dark, lit = (picture(["low_light"], share) for share in (0.0, 1.0))
    # Half a level is lost where a picture is rounded as a file is.
    assert (dark.max() < CLEAN.max()) and (lit >= dark - 1 / 255).all()
    assert (lit <= np.maximum(dark, CLEAN) + 1 / 255).all()
    assert (lit > dark + 0.1).any()
    np.testing.assert_array_equal(picture(["rain"], 0.0), picture(["rain"], 1.0))


def test_crops_of_damaged_photos_that_are_spared_are_intact_and_asked_for_all_the_same():
    mixture = {**only("damage"), "known_mask": 1.0}
    x, y = pair({**mixture, "spared": 1.0})
    assert x["named"].numpy()[:, NAMES.index("damage")].all()
    assert (y["logits"].numpy()[:, NAMES.index("damage")] == 1).all()  # as of the whole photo
    for found in (x["image"], y["image"]):
        np.testing.assert_array_equal(found, CLEAN)
    np.testing.assert_array_equal(x["mask"], np.ones_like(x["mask"]))
    hit, _ = pair({**mixture, "spared": 0.0})
    assert (hit["mask"].numpy().min(axis=(1, 2, 3)) == 0).all()
    noisy, _ = pair({**only("noise"), "spared": 1.0})
    assert (noisy["image"].numpy() != CLEAN).any()


@pytest.mark.parametrize(
    ("name", "brightness", "dark"),
    [("noise", 0.1, True), ("noise", 0.4, False), ("haze", 0.1, False), ("faded", 0.1, False)],
)
def test_what_is_dark_before_it_is_degraded_is_too_dark_unless_a_veil_lifts_it(
    name, brightness, dark
):
    clean = tf.constant(CLEAN / CLEAN.mean() * brightness)
    mixture = Mixture(**only(name), dark=0.38)
    _, y = diagnosed_pictures(clean, mixture, tf.constant((1, 2), tf.int64))
    expected = np.isin([*NAMES, "none"], [name, *(["low_light"] if dark else [])])
    np.testing.assert_array_equal(y["logits"], np.tile(expected, (GROUP, 1)))
    # By how much it is too dark is not known.
    assert (y["severity"].numpy()[:, NAMES.index("low_light")] == -1).all()
    assert (y["severity"].numpy()[:, NAMES.index(name)] > 0).all()
