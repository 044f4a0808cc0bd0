"""Seeds: repeatable, independent, and free of variables."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfimg.degradations import StatelessSeeds


def draw(seeds, count=3):
    return np.asarray(keras.random.uniform((count,), seed=seeds))


def test_same_seed_same_stream():
    first, second = StatelessSeeds(7), StatelessSeeds(np.array([7, 0]))
    a, b = draw(first), draw(first)
    np.testing.assert_array_equal(a, draw(second))
    np.testing.assert_array_equal(b, draw(second))
    assert np.all(a != b)


def test_fold_does_not_depend_on_earlier_draws():
    seeds = StatelessSeeds(7)
    before = draw(seeds.fold(2))
    seeds.next()
    np.testing.assert_array_equal(before, draw(seeds.fold(2)))


def test_streams_are_uncorrelated():
    """Neighbouring seeds, draws and folds: what a training loop uses together."""
    values = []
    for seed in range(120):
        seeds = StatelessSeeds(np.array([0, seed]))
        values.append([draw(s, 1)[0] for s in (seeds, seeds, seeds.fold(0), seeds.fold(1))])
    values = np.array(values)
    assert np.abs(np.corrcoef(values.T) - np.eye(4)).max() < 0.3
    assert abs(np.corrcoef(values[1:, 0], values[:-1, 0])[0, 1]) < 0.3
    assert np.abs(values.mean(0) - 0.5).max() < 0.1


def test_works_in_a_traced_function_without_variables():
    traced = tf.function(lambda seed: keras.random.uniform((3,), seed=StatelessSeeds(seed)))
    seed = tf.constant([1, 2], "int64")
    np.testing.assert_array_equal(traced(seed), draw(StatelessSeeds(seed)))
    assert not traced.get_concrete_function(seed).variables


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2,\), found shape \(3,\)"):
        StatelessSeeds(np.zeros(3, "int64"))
