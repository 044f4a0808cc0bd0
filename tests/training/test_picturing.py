"""The measures of made pictures, against cases whose answer is known."""

import numpy as np
import pytest

from tfimg.data.captioned import Captioned
from training import picturing


def _sphere(count, seed=0):
    points = np.random.default_rng(seed).normal(size=(count, 32))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_retrieval_counts_who_comes_first_among_a_hundred():
    said = _sphere(200)
    assert picturing._retrieval(said, said) == {"r1": 1.0, "r5": 1.0}
    chance = picturing._retrieval(_sphere(2000, 1), _sphere(2000, 2))
    assert chance["r1"] == pytest.approx(0.01, abs=0.008)
    assert chance["r5"] == pytest.approx(0.05, abs=0.02)
    # Each sentence answers to its neighbour's picture better than to its own.
    second = 0.9 * said + np.roll(said, 1, axis=0)
    found = picturing._retrieval(second, said)
    assert found["r1"] < 0.2 and found["r5"] > 0.9


def test_the_kernel_distance_is_none_between_samples_of_one_thing():
    rng = np.random.default_rng(0)
    one, same = rng.normal(size=(2, 600, 16))
    other = rng.normal(0.5, 1, (600, 16))
    assert abs(picturing._kid(one, same)) < 0.02
    assert picturing._kid(one, other) > 0.1
    # Of two constants, the closed form: k(a, a) + k(b, b) - 2 k(a, b).
    a, b = np.full((50, 4), 1.0), np.full((50, 4), 2.0)
    assert picturing._kid(a, b) == pytest.approx(2**3 + 5**3 - 2 * 3**3)


def test_the_nearest_picture_is_found_with_its_distance():
    among = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)
    found = picturing.nearest(among[[7, 30]], among)
    assert [place for place, _ in found] == [7, 30]
    assert all(distance < 1e-3 for _, distance in found)
    grey = np.full((1, 8, 8, 3), 100, np.uint8)
    ((_, distance),) = picturing.nearest(grey, np.full((1, 8, 8, 3), 151, np.uint8))
    assert distance == pytest.approx(51 / 255, rel=1e-3)


def test_the_spread_of_equal_pictures_is_nothing():
    pictures = np.zeros((4, 8, 8, 3), np.uint8)
    assert picturing._spread([pictures]) == 0
    pictures[1::2] = 255
    assert picturing._spread([pictures]) == 1


class _Maker:
    """Makes a picture whose colour is the number in its prompt."""

    def generate(self, words, num_images=1, seed=0, steps=1):
        value = int("".join(filter(str.isdigit, words)) or 0)
        return np.full((num_images, 8, 8, 3), value, np.uint8)


class _Matcher:
    """Knows pictures by their mean colour, and words by their number."""

    def see(self, pictures):
        means = pictures.reshape(len(pictures), -1).mean(1) / 255 * 3
        placed = np.stack([np.cos(means), np.sin(means)], 1)
        return {"features": placed, "placed": placed}

    def read(self, prompts):
        values = [int("".join(filter(str.isdigit, words))) for words in prompts]
        angles = np.array(values) / 255 * 3
        return np.stack([np.cos(angles), np.sin(angles)], 1)


def _captioned(numbers):
    pictures = np.stack([np.full((8, 8, 4), number, np.uint8) for number in numbers])
    pictures[..., 3] = 255
    rows = [{"name": f"thing {number}", "name_zh": "", "style": "photo"} for number in numbers]
    return Captioned(pictures, rows, np.full(len(rows), 1 / len(rows)))


def test_a_maker_that_obeys_is_told_so():
    train, test = _captioned(range(0, 240, 2)), _captioned(range(1, 241, 2))
    report = picturing.measure(_Maker(), _Matcher(), train, test)
    assert [(row["names"], row["language"], row["count"]) for row in report["rows"]] == [
        ("seen", "en", 100),
        ("unseen", "en", 100),
    ]
    for row in report["rows"]:
        assert row["r1"] == row["real_r1"] == row["r5"] == 1
    assert report["diversity"] == 0 < report["real_diversity"]
    assert report["nearest"] == pytest.approx(1 / 255, rel=1e-3)
    assert report["real_nearest"] == pytest.approx(1 / 255, rel=1e-3)
