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
        ("this slightly underexposed photo, fix it", None),
        ("lightly compressed jpeg, clean it up", None),
        ("slightly rainy photo, remove the rain", None),
        ("lightly denoise the compressed jpeg", 0.5),
        # What has happened to it, not what is to be done.
        ("remove the artifacts, it was saved at 30% quality", None),
        ("the jpeg was compressed at 10 percent quality, clean it up", None),
        ("it was shrunk by 50 %, increase the resolution", None),
        ("I saved it at 20% and it's full of blocks", None),
        ("exported at 10 percent, remove the blocks", None),
        ("it's been darkened by 40%, brighten it", None),
        ("remove the artifacts of a jpeg at 30% quality", None),
        ("这张图曝光降低了50%，请调亮", None),
        ("照片被压缩，质量降低到60%，请去除伪影", None),
        ("亮度被降低50%", None),
        ("it was saved at 10% quality, denoise it at 30% strength", 0.3),
        ("it is too dark, so brighten it by 20 %", 0.2),
        ("I need it brightened by 20%", 0.2),
        ("denoise the compressed jpeg by 30 %", 0.3),
        ("at 50 % strength", 0.5),
        ("brighten it 20%", 0.2),
        ("去噪 30%", 0.3),
        ("请把曝光降低50%", 0.5),
        ("提高画质30%", 0.3),
    ],
)
def test_strength(words, expected):
    assert strength_of(words) == expected


def test_each_step_has_its_own_strength():
    found = steps("first denoise gently, then sharpen")
    assert found == [Step("denoise gently", 0.5), Step("sharpen", None)]
