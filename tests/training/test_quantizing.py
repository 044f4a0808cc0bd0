"""Rounding as int8 does, and training through it."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import tiny
from training.quantizing import quantized, rounded


@pytest.mark.parametrize("shift", [0.0, 0.3, 5.0, -5.0])
def test_values_are_rounded_to_256_levels_with_zero_among_them(shift):
    values = np.random.default_rng(0).normal(shift, 1, (40, 50)).astype("float32")
    found = np.asarray(rounded(values))
    low, high = min(values.min(), 0), max(values.max(), 0)
    step = 1.5 * (high - low) / 255  # with the margin
    assert len(np.unique(found)) <= 256
    assert np.abs(found - values).max() <= step * 0.51
    levels = found / step
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-2)


def test_zeros_stay_zeros():
    np.testing.assert_array_equal(np.asarray(rounded(np.zeros((2, 3), "float32"))), 0)


def test_gradients_pass():
    """As if nothing was rounded, for all but the two that set the size of a step."""
    values = keras.Variable(np.linspace(-1, 2, 40, dtype="float32"))
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = ops.sum(rounded(values) * np.arange(40, dtype="float32"))
    found = np.asarray(tape.gradient(total, values.value))
    np.testing.assert_allclose(found[1:-1], np.arange(1, 39), rtol=1e-5)


def test_the_same_network_a_little_coarser(restorer):
    network = restorer.backbone.image_network
    coarse = quantized(network)
    assert {id(v) for v in coarse.variables} == {id(v) for v in network.variables}
    x = {
        "image": tiny.picture()[None],
        "mask": np.ones((1, 16, 24, 1), "float32"),
        "embedding": np.eye(10, dtype="float32")[:1],
    }
    fine, rough = (np.asarray(model(x)["image"]) for model in (network, coarse))
    assert 0 < np.abs(fine - rough).max() < 0.1 * np.abs(fine).max()
