"""Mixtures: physical order, per-picture choice, and the independence of what is left out."""

import numpy as np
import pytest
import tensorflow as tf

from tfimg.degradations import CATALOGUE, INTENTS, NAMES, StatelessSeeds, degrade
from tfimg.degradations.catalogue import PHYSICAL_ORDER

IMAGES = np.random.RandomState(0).uniform(0.2, 0.8, (2, 40, 48, 3)).astype("float32")
SEVERITY = np.full((2, 9), 0.5, "float32")


def present(*rows):
    return np.array([[name in row for name in NAMES] for row in rows])


def test_names_are_complete():
    assert tuple(CATALOGUE) == NAMES
    assert sorted(PHYSICAL_ORDER) == sorted(NAMES)
    assert (*NAMES, "none") == INTENTS
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.english


def test_nothing_present_changes_nothing():
    degraded, known = degrade(IMAGES, present((), ()), SEVERITY, 0)
    np.testing.assert_array_equal(degraded, IMAGES)
    assert np.all(np.asarray(known) == 1)


def test_pictures_are_degraded_on_their_own():
    degraded, known = degrade(IMAGES, present((), ("damage", "rain")), SEVERITY, 0)
    np.testing.assert_array_equal(degraded[0], IMAGES[0])
    assert np.mean(np.abs(degraded[1] - IMAGES[1])) > 0.005
    assert np.all(np.asarray(known)[0] == 1)
    assert np.any(np.asarray(known)[1] == 0)


@pytest.mark.parametrize("name", NAMES)
def test_one_alone_is_its_operation_with_its_folded_seed(name):
    degraded, _ = degrade(IMAGES, present((name,), (name,)), SEVERITY, 5)
    seeds = StatelessSeeds(5).fold(NAMES.index(name))
    expected = CATALOGUE[name].apply(tf.constant(IMAGES), SEVERITY[:, 0], seeds)
    np.testing.assert_array_equal(degraded, expected)


def test_leaving_one_out_keeps_the_other_identical():
    """The training target: remove the rain, keep this very noise and these very holes."""
    seeds = StatelessSeeds(11)
    both, known = degrade(IMAGES, present(*[("rain", "noise", "damage")] * 2), SEVERITY, 11)
    rain = CATALOGUE["rain"].apply(IMAGES, SEVERITY[:, 0], seeds.fold(NAMES.index("rain")))
    after, known_after = degrade(rain, present(*[("noise", "damage")] * 2), SEVERITY, 11)
    np.testing.assert_allclose(both, after, atol=1e-6)
    np.testing.assert_array_equal(known, known_after)
    without, known_without = degrade(IMAGES, present(*[("noise", "damage")] * 2), SEVERITY, 11)
    np.testing.assert_array_equal(known, known_without)
    assert np.abs(without - both).max() > 0.05


def test_mixture_follows_the_physical_order():
    names = ("compression", "haze", "blur")
    degraded, _ = degrade(IMAGES, present(names, names), SEVERITY, 1)
    expected = tf.constant(IMAGES)
    for name in ("haze", "blur", "compression"):
        seeds = StatelessSeeds(1).fold(NAMES.index(name))
        expected = CATALOGUE[name].apply(expected, SEVERITY[:, 0], seeds)
    np.testing.assert_allclose(degraded, expected, atol=1e-6)


def test_graph_with_unknown_sizes_agrees():
    signature = [
        tf.TensorSpec((None, None, None, 3)),
        tf.TensorSpec((None, 9), tf.bool),
        tf.TensorSpec((None, 9)),
        tf.TensorSpec((2,), tf.int64),
    ]
    graph = tf.function(degrade, input_signature=signature, autograph=False)
    chosen = present(("haze", "noise"), ("rain", "blur", "damage"))
    seed = np.array([4, 2], "int64")
    for actual, expected in zip(
        graph(IMAGES, chosen, SEVERITY, seed), degrade(IMAGES, chosen, SEVERITY, seed), strict=True
    ):
        # Haze rounds to 8 bit, where a tie may fall either way.
        difference = np.abs(actual - expected)
        assert difference.max() < 1.01 / 255
        assert np.mean(difference > 1e-4) < 0.002
