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


def _captioned(numbers, words=lambda words: {"name": words, "name_zh": "", "style": "photo"}):
    pictures = np.stack([np.full((8, 8, 4), number, np.uint8) for number in numbers])
    pictures[..., 3] = 255
    rows = [words(f"thing {number}") for number in numbers]
    return Captioned(pictures, rows, np.full(len(rows), 1 / len(rows)))


def test_a_maker_that_obeys_is_told_so():
    train, test = _captioned(range(0, 240, 2)), _captioned(range(1, 241, 2))
    report = picturing.measure(_Maker(), _Matcher(), picturing.choose(train, test), train)
    assert [(row["names"], row["language"], row["count"]) for row in report["rows"]] == [
        ("seen", "en", 100),
        ("unseen", "en", 100),
    ]
    for row in report["rows"]:
        assert row["r1"] == row["r5"] == 1
        # Real pictures vary in light, which this matcher takes for another thing.
        assert 0.1 < row["real_r1"] < row["real_r5"] < 1
    assert report["diversity"] == 0 < report["real_diversity"]
    assert report["nearest"] == pytest.approx(1 / 255, rel=1e-3)
    assert 1 / 255 < report["real_nearest"] < 0.1


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        (lambda words: {"caption": f"a red {words}"}, "en", "a red thing 7"),
        (lambda words: {"name": "", "caption": words, "style": "photo"}, "en", "thing 7"),
        (lambda words: {"name": words}, "en", "thing 7"),
        (lambda words: {"name": words, "style": "photo"}, "en", "a photo of thing 7"),
        (lambda words: {"name": words, "style": "etching"}, "en", "thing 7"),
        (lambda words: {"name": words, "name_zh": f"东西{words[6:]}"}, "zh", "东西7"),
        (lambda words: {"caption": words, "caption_zh": f"东西{words[6:]}"}, "zh", "东西7"),
    ],
)
def test_sets_without_names_or_styles_are_asked_for_by_what_they_have(words, language, expected):
    train, test = _captioned(range(100), words), _captioned(range(100, 150), words)
    asked = {one.language: one for one in picturing.choose(train, test)}
    assert len(asked[language].prompts) == 100 and expected in asked[language].prompts
    # Each prompt keeps its own picture, which varies by a share in colour and light.
    numbers = [int("".join(filter(str.isdigit, words))) for words in asked[language].prompts]
    assert np.corrcoef(numbers, asked[language].real.mean((1, 2, 3)))[0, 1] > 0.9
    report = picturing.measure(_Maker(), _Matcher(), list(asked.values()), train)
    assert {row["count"] for row in report["rows"]} == {100} and "nearest" not in report
    assert len(picturing.beside_nearest(_Maker(), train)) == 2 * len(picturing._SHOWN)
    assert len(picturing.in_many_seeds(_Maker())) == 32 * 8


def test_what_both_sets_have_counts_as_seen():
    asked = picturing.choose(_captioned(range(120)), _captioned(range(120)))
    assert [one.names for one in asked] == ["seen"]


def test_too_few_names_are_refused_with_their_number():
    with pytest.raises(ValueError, match="99 names to learn from; expected 100 or more"):
        picturing.choose(_captioned(range(99)), _captioned(range(100, 250)))
