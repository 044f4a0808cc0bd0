"""Words into features: what the two layers compute, and that they start as nothing."""

import keras
import numpy as np
import pytest

from tests import tiny
from tfimg.fusion import WordScale, WordShift

_RNG = np.random.default_rng(0)
FEATURES = _RNG.normal(0, 1, (2, 3, 4, 5)).astype("float32")
WORDS = _RNG.normal(0, 1, (2, 7)).astype("float32")


@pytest.mark.parametrize("layer", [WordShift, WordScale])
def test_at_first_the_words_change_nothing(layer):
    np.testing.assert_array_equal(layer()([FEATURES, WORDS]), FEATURES)


@pytest.mark.parametrize("layer", [WordShift, WordScale])
def test_the_words_steer_every_channel_alike_at_every_position(layer):
    layer = layer()
    layer([FEATURES, WORDS])
    kernel, bias = (np.asarray(value) for value in tiny.perturb(layer).get_weights())
    steering = (WORDS @ kernel + bias)[:, None, None]
    expected = FEATURES + steering
    if isinstance(layer, WordScale):
        expected = FEATURES * (1 + steering)
    np.testing.assert_allclose(layer([FEATURES, WORDS]), expected, rtol=1e-5, atol=1e-6)


def test_shapes_of_any_size_are_known_before_they_run():
    image, words = keras.Input((None, None, 5)), keras.Input((7,))
    assert WordShift()([image, words]).shape == (None, None, None, 5)
