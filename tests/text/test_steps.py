"""Order and strength in a request, against what a reader would say."""

import pytest

from tfimg.text.steps import Step, steps, strength_of


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("denoise, then sharpen", ["denoise", "sharpen"]),
        ("First remove the rain and then the haze.", ["remove the rain", "the haze."]),
        ("denoise, then upscale, finally fix the colours", 3),
        ("先去雾，再稍微调亮", ["去雾", "稍微调亮"]),
        ("先去噪再锐化", ["去噪", "锐化"]),
        ("去噪，然后锐化", ["去噪", "锐化"]),
        ("remove the noise and the haze", 1),
        ("if it's dark then brighten it", 1),
        ("the first photo is dark", 1),
        ("再亮一点", 1),
        ("after that storm it is rainy", 1),
    ],
)
def test_order(instruction, expected):
    found = [step.words for step in steps(instruction)]
    if isinstance(expected, int):
        assert len(found) == expected, found
        assert expected > 1 or found == [instruction]
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("slightly brighten it", 0.5),
        ("it's a little dark, brighten it a bit", 0.5),
        ("reduce the noise, but not too much", 0.5),
        ("brighten by 30%", 0.3),
        ("把亮度提高百分之40", 0.4),
        ("稍微调亮", 0.5),
        ("轻轻去噪", 0.5),
        ("reduce the noise by half", 0.5),
        ("denoise it halfway", 0.5),
        ("sharpen at half strength", 0.5),
        # Half of the picture is a place.
        ("the top half is too dark", None),
        ("brighten the left half", None),
        ("the upper half needs more light", None),
        # How bad the fault is, not how strong the cure.
        ("It is slightly dark, please fix it", None),
        ("slightly dark, please fix it", None),
        ("make it slightly darker", 0.5),
        ("it's a bit dark", None),
        ("a bit of noise, remove it", None),
        ("图片略微偏暗，调亮", None),
        ("有一点点模糊，修一下", None),
        ("调亮一点", None),
        ("the photo looks slightly hazy", None),
        ("50 % of the picture is dark", None),
        ("by 300% please", None),
        ("remove the noise", None),
    ],
)
def test_strength(words, expected):
    assert strength_of(words) == expected


def test_each_step_has_its_own_strength():
    found = steps("first denoise gently, then sharpen")
    assert found == [Step("denoise gently", 0.5), Step("sharpen", None)]
