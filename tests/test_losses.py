"""Losses against their definition."""

import numpy as np

from tfimg.losses import PyramidLoss, RestorationLoss, SeverityLoss


def test_it_is_the_mean_of_each_pictures_squared_error_to_a_power():
    rng = np.random.default_rng(0)
    truth, guess = rng.uniform(size=(2, 3, 8, 8, 3)).astype(np.float32)
    squared = np.mean((truth - guess) ** 2, axis=(1, 2, 3))
    loss = RestorationLoss(floor=0.0)(truth, guess)
    np.testing.assert_allclose(loss, np.mean(np.sqrt(np.sqrt(squared))), rtol=1e-5)
    loss = RestorationLoss(power=1.0, floor=0.0)(truth, guess)
    np.testing.assert_allclose(loss, np.mean(squared), rtol=1e-5)


def test_errors_below_the_floor_hardly_count():
    truth = np.zeros((1, 4, 4, 3), np.float32)
    loss = RestorationLoss(floor=0.005)

    def pull(error):
        return float(loss(truth, truth + error + 0.0005)) - float(loss(truth, truth + error))

    assert pull(0.0) < 0.1 * pull(0.005)
    # Far above it a small error is the root of the error, whose slope is 1 / (2 sqrt(error)).
    np.testing.assert_allclose(pull(0.2), 0.0005 / (2 * np.sqrt(0.2)), rtol=0.02)


def test_severity_counts_where_there_is_one():
    truth = np.array([[0.5, -1, 0.2], [-1, -1, -1]], np.float32)
    guess = np.array([[0.7, 9, 0.5], [8, 8, 8]], np.float32)
    expected = np.mean([(0.2**2 + 0.3**2) / 2, 0])
    np.testing.assert_allclose(SeverityLoss()(truth, guess), expected, rtol=1e-5)


def test_the_pyramid_adds_the_squared_errors_of_every_size():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 2, 8, 8, 3)).astype("float32")
    error, expected = a - b, 0.0
    for size in (8, 4, 2, 1):
        blocks = error.reshape(2, size, 8 // size, size, 8 // size, 3).mean((2, 4))
        expected = expected + (blocks**2).mean((1, 2, 3))
    found = PyramidLoss(scales=4).call(a, b)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
