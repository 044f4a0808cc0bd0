"""What the noise of a canvas decides."""

import numpy as np
import pytest

from tests import tiny
from tfimg.image.generator import chance, with_chance
from tfimg.network import SIZES, image_network


def _noise(seed=0):
    return np.random.default_rng(seed).random((2, 24, 24, 3), np.float32)


def test_chance_is_one_pixel_of_each_tile():
    noise = _noise()
    taken = np.asarray(chance(noise, 8))
    assert taken.shape == (2, 27)
    np.testing.assert_array_equal(taken[1, :6], [*noise[1, 0, 0], *noise[1, 0, 8]])
    np.testing.assert_array_equal(taken[1, -3:], noise[1, 16, 16])


@pytest.mark.parametrize("count", [1, 8, 27])
def test_chance_can_be_chosen_and_the_other_noise_stays(count):
    noise, numbers = _noise(), np.full((2, count), 0.25, np.float32)
    chosen = np.asarray(with_chance(noise, numbers, 8))
    taken = np.asarray(chance(chosen, 8))
    np.testing.assert_array_equal(taken[:, :count], numbers)
    np.testing.assert_array_equal(taken[:, count:], np.asarray(chance(noise, 8))[:, count:])
    assert (chosen != noise).sum() == 2 * count


def test_a_canvas_of_noise_is_read_at_those_pixels_alone():
    network = tiny.perturb(image_network(SIZES["tiny"], 10, 4, canvas=24))

    def made(noise):
        mask = np.zeros((2, 24, 24, 1), np.float32)
        embedding = np.full((2, 10), 0.5, np.float32)
        return np.asarray(network({"image": noise, "mask": mask, "embedding": embedding})["image"])

    noise = _noise()
    first = made(noise)
    elsewhere = _noise(1)
    same_chance = with_chance(elsewhere, chance(noise, 4), 4)
    np.testing.assert_array_equal(made(np.asarray(same_chance)), first)
    assert np.abs(made(elsewhere) - first).max() > 1e-3
