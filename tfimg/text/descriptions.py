"""What a picture's state sounds like: the sentences that the describer learns from."""

import json
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tfimg.degradations import CATALOGUE

LEVELS = ("slight", "plain", "heavy")
_LANGUAGE = {"en": "English", "zh": "Chinese"}
_BANK = Path(__file__).parent / "phrases" / "descriptions.json"


def level(severity: float) -> str:
    """Returns the word for a severity, 0..1: "slight", "plain" or "heavy"."""
    return LEVELS[min(int(severity * len(LEVELS)), len(LEVELS) - 1)]


def language_of(text: str) -> str:
    """Returns "zh" if there is a Chinese character in a text, else "en"."""
    return "zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"


def prompt(faults: Mapping[str, str], language: str) -> str:
    """Returns what a language model is given to go on from.

    Args:
        faults: degradation name to one of `LEVELS`.
        language: `"en"` or `"zh"`.

    Raises:
        ValueError: for another language.

    Example:

    ```python
    prompt({"noise": "heavy", "blur": "plain"}, "en")
    # "A photo with heavy noise and blur. Its state, and what to ask for, in English:\\n"
    ```
    """
    if language not in _LANGUAGE:
        raise ValueError(f"language must be one of {list(_LANGUAGE)}, found {language!r}")
    ordered = [
        f"{'' if faults[name] == 'plain' else faults[name] + ' '}{entry.english}"
        for name, entry in CATALOGUE.items()
        if name in faults
    ]
    listed = f"with {' and '.join(ordered)}" if ordered else "with nothing wrong"
    return f"A photo {listed}. Its state, and what to ask for, in {_LANGUAGE[language]}:\n"


def describe(faults: Mapping[str, str], language: str, rng: random.Random) -> str:
    """Draws two lines: a sentence on a picture's state, and the instruction that mends it.

    Args:
        faults: degradation name to one of `LEVELS`; empty where nothing is wrong.
        language: `"en"` or `"zh"`.
        rng: the source of chance.
    """
    bank = _load_bank()[language]
    if not faults:
        return "\n".join(rng.choice(bank["nothing"]))
    names = [name for name in CATALOGUE if name in faults]
    states = [rng.choice(bank["faults"][name][faults[name]]) for name in names]
    requests = [rng.choice(bank["faults"][name]["requests"]) for name in names]
    state = rng.choice(bank["states"]).format(_listed(states, bank))
    request = rng.choice(bank["requests"]).format(_listed(requests, bank))
    return f"{state}\n{request[0].upper()}{request[1:]}"


def _listed(parts, bank):
    *most, last = parts
    return bank["comma"].join(most) + bank["and"] + last if most else last


@cache
def _load_bank():
    return json.loads(_BANK.read_text(encoding="utf-8"))
