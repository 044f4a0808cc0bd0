"""What ships, on a real photo: it fits, it obeys the words, and it helps."""

import numpy as np
import pytest

import tfimg
from tfimg import files, presets
from tfimg.degradations import INTENTS, parse_protocol
from tfimg.metrics import psnr
from tfimg.pixels import to_float


@pytest.fixture(scope="module")
def restorer():
    return tfimg.ImageRestorer.from_preset(presets.default())


@pytest.fixture(scope="module")
def photo():
    return to_float(files.read_picture(presets.sample_path()).pixels)[60:316, 120:376]


def test_it_is_small_and_its_card_is_true(restorer):
    card = presets.card(presets.default())
    assert card["size"] < 8_000_000
    assert card["parameters"] == restorer.backbone.count_params()
    assert card["licence"] and card["scores"]


@pytest.mark.parametrize(
    ("name", "words", "gain"),
    [
        ("noise:25", "remove the noise", 6.0),
        ("noise:25", "去掉噪点", 6.0),
        ("noise:50", "so grainy! can you clean it up?", 5.0),
        ("low_light", "it's too dark", 5.0),
        ("low_light", "太暗了，调亮一点", 5.0),
        ("haze", "remove the fog", 5.0),
        ("faded", "bring back the faded colours", 4.0),
        ("rain", "take away the rain streaks", 4.0),
    ],
)
def test_the_right_words_help(restorer, photo, name, words, gain):
    spoilt = parse_protocol(name).apply(photo, 0).astype(np.float32)
    restored = restorer.restore(spoilt, words)
    assert psnr(restored, photo) > psnr(np.clip(spoilt, 0, 1), photo) + gain


@pytest.mark.parametrize(
    "words", ["leave it as it is", "保持原样", "what time does the train leave?", "红烧肉怎么做"]
)
def test_words_that_ask_nothing_change_nothing(restorer, photo, words):
    spoilt = np.clip(parse_protocol("noise:25").apply(photo, 0), 0, 1).astype(np.float32)
    assert psnr(restorer.restore(spoilt, words), spoilt) > 45


def test_only_what_is_named_goes(restorer, photo):
    protocol = parse_protocol("low_light+noise:25")
    spoilt = protocol.apply(photo, 0).astype(np.float32)
    only_noise_left = protocol.apply(photo, 0, without={"low_light"})
    restored = restorer.restore(spoilt, "only make it brighter, keep the grain")
    assert psnr(restored, np.clip(only_noise_left, 0, 1)) > psnr(restored, photo)


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("remove the noise", "noise"),
        ("my hand was shaking", "blur"),
        ("get rid of the jpeg artifacts", "compression"),
        ("make it larger without pixels showing", "low_resolution"),
        ("I can't see a thing, it's so dark", "low_light"),
        ("the colours have faded", "faded"),
        ("take away the rain streaks", "rain"),
        ("it looks foggy", "haze"),
        ("there are scratches all over the photo", "damage"),
        ("do nothing", "none"),
        ("去掉噪点", "noise"),
        ("照片糊了", "blur"),
        ("压缩痕迹太明显", "compression"),
        ("分辨率太低", "low_resolution"),
        ("太暗了", "low_light"),
        ("颜色褪了", "faded"),
        ("去掉雨丝", "rain"),
        ("雾太大了", "haze"),
        ("修复划痕", "damage"),
        ("不用修改", "none"),
    ],
)
def test_plain_words_are_understood(restorer, sentence, name):
    probabilities = restorer.interpret([sentence])[0]
    assert max(INTENTS, key=probabilities.get) == name
