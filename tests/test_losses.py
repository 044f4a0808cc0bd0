"""Losses against their definition."""

import numpy as np

from tfimg.losses import RootMeanSquaredError


def test_it_is_the_mean_of_each_pictures_root_mean_squared_error():
    rng = np.random.default_rng(0)
    truth, guess = rng.uniform(size=(2, 3, 8, 8, 3)).astype(np.float32)
    expected = np.mean(np.sqrt(np.mean((truth - guess) ** 2, axis=(1, 2, 3))))
    np.testing.assert_allclose(RootMeanSquaredError(floor=0.0)(truth, guess), expected, rtol=1e-5)


def test_errors_below_the_floor_hardly_count():
    truth = np.zeros((1, 4, 4, 3), np.float32)
    loss = RootMeanSquaredError(floor=0.005)
    pull = float(loss(truth, truth + 0.0005)) - float(loss(truth, truth))
    assert pull < 0.06 * 0.0005
    pull = float(loss(truth, truth + 0.2005)) - float(loss(truth, truth + 0.2))
    np.testing.assert_allclose(pull, 0.0005, rtol=0.02)
