"""What is said of a picture to be made."""

import pytest

from tfimg.text.prompts import BACKGROUNDS, STYLES, prompt


def test_styles_and_backgrounds_are_said_in_both_languages():
    assert prompt("sun") == "sun"
    assert prompt("sun", style="pixel art", background="blue") == (
        "pixel art of sun on a blue background"
    )
    assert prompt("sun", background="orange") == "sun on an orange background"
    assert prompt("太阳", "zh", "flat emoji", "orange") == "橙色背景上的太阳的扁平表情图标"


def test_no_two_prompts_of_a_name_are_the_same():
    said = {
        prompt("x", language, style, colour)
        for language in ("en", "zh")
        for style in [None, *STYLES]
        for colour in [None, *BACKGROUNDS]
    }
    assert len(said) == 2 * 5 * 12 - 1  # the bare name is the same in both


@pytest.mark.parametrize("wrong", [{"style": "oil"}, {"background": "plaid"}])
def test_what_is_unknown_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        prompt("sun", **wrong)
