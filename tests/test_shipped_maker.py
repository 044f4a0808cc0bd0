"""The preset that ships: pictures obey words in both languages, and nothing is larger than told."""

import warnings

import numpy as np
import pytest

import tfimg
from tfimg import presets
from tfimg.text.prompts import BACKGROUNDS

PRESET = "icons_small"


@pytest.fixture(scope="module")
def maker():
    return tfimg.TextToImage.from_preset(PRESET)


def _middle(pictures):
    return pictures[:, 20:44, 20:44].reshape(-1, 3).mean(0)


def _border(pictures):
    edge = np.ones(pictures.shape[1:3], bool)
    edge[2:-2, 2:-2] = False
    return pictures[:, edge].reshape(-1, 3).mean(0)


def test_it_is_small_and_its_card_says_what_it_is():
    card = presets.card(PRESET)
    assert card["size"] <= 8_000_000
    assert card["task"] == "TextToImage" and card["licence"] and card["scores"]
    assert card["parameters"] == tfimg.TextToImage.from_preset(PRESET).count_params()


@pytest.mark.parametrize(
    ("prompt", "channel"),
    [
        ("3D emoji of red apple", 0),
        ("红苹果的立体表情图标", 0),
        ("flat emoji icon of blue apple", 2),
        pytest.param(
            "3D emoji of green heart",
            1,
            marks=pytest.mark.xfail(strict=True, reason="not learnt yet: its heart is red"),
        ),
    ],
)
def test_things_have_the_colour_that_is_asked_for(maker, prompt, channel):
    middle = _middle(maker.generate(prompt, num_images=4))
    assert middle[channel] > 1.15 * np.delete(middle, channel).max()


@pytest.mark.parametrize("colour", ["blue", "black", "green", "pink"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_backgrounds_have_the_colour_that_is_asked_for(maker, colour, language):
    words = {"en": f"flat emoji icon of sun on a {colour} background"}
    words["zh"] = f"{BACKGROUNDS[colour]['zh']}背景上的太阳的扁平表情图标"
    border = _border(maker.generate(words[language], num_images=2))
    distances = {name: np.linalg.norm(border - kind["rgb"]) for name, kind in BACKGROUNDS.items()}
    assert min(distances, key=distances.get) == colour


def test_both_languages_make_the_same_thing(maker):
    pairs = (("sun", "太阳"), ("red apple", "红苹果"), ("house", "房子"), ("banana", "香蕉"))
    english = [maker.generate(en, style="flat emoji")[0].astype(float) for en, _ in pairs]
    chinese = [maker.generate(zh, style="flat emoji")[0].astype(float) for _, zh in pairs]
    for place, made in enumerate(chinese):
        distances = [np.sqrt(((made - other) ** 2).mean()) for other in english]
        assert int(np.argmin(distances)) == place


def test_a_style_can_be_named_or_given(maker):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given = maker.generate("sun", style="flat emoji")
        named = maker.generate("flat emoji icon of sun")
    np.testing.assert_array_equal(given, named)


def test_a_seed_gives_the_picture_that_it_gave():
    """On another day and in another process: two freshly loaded makers agree to the pixel."""
    one, other = (tfimg.TextToImage.from_preset(PRESET) for _ in range(2))
    first, second = (maker.generate("a green dragon", 3, seed=7) for maker in (one, other))
    np.testing.assert_array_equal(first, second)
