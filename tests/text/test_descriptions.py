"""The describer's sentences: whole, in their language, and one for every mixture."""

import itertools
import random

import pytest

from tfimg.degradations import NAMES
from tfimg.text.descriptions import LEVELS, describe, language_of, level, prompt


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_every_mixture_has_a_state_and_an_instruction(language, count):
    rng = random.Random(0)
    for names in itertools.combinations(NAMES, count):
        faults = {name: rng.choice(LEVELS) for name in names}
        lines = describe(faults, language, rng).split("\n")
        assert len(lines) == 2
        for line in lines:
            assert line.endswith("." if language == "en" else "。") and "{" not in line
            assert line[0].isupper() or language == "zh"
            assert language_of(line) == language


def test_the_question_names_what_was_found_and_how_bad():
    asked = prompt({"blur": "plain", "noise": "heavy"}, "zh")
    assert asked == (
        "A photo with heavy noise and blur. Its state, and what to ask for, in Chinese:\n"
    )
    assert "nothing wrong" in prompt({}, "en")
    with pytest.raises(ValueError, match="'fr'"):
        prompt({}, "fr")


def test_levels_split_the_severity_in_three():
    assert [level(value) for value in (0, 0.3, 0.5, 0.7, 1)] == [
        "slight",
        "slight",
        "plain",
        "heavy",
        "heavy",
    ]
