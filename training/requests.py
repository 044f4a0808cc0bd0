"""What is asked in an evaluation: fixed sentences, so that a score can be measured again."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfimg.text.remedies import PASSES, REMEDIES, VAGUE, remedy

KINDS = ("right", "vague", "wrong", "none", "nothing", "partial")
LANGUAGES = tuple(REMEDIES)

NOTHING = {"en": "leave it as it is", "zh": "保持原样"}
# The wrong words ask for the first of these that is not there: what nobody takes for another. Where
# nothing is wrong they ask for each of them.
_ABSENT = tuple(dict.fromkeys(("rain", "noise", "haze", *REMEDIES["en"])))


@dataclass(frozen=True)
class Request:
    """One row of a table: what is said about a degraded picture.

    Attributes:
        kind: one of `KINDS`, or "given" for words of your own.
        language: one of `LANGUAGES`, or None where there are no words or it is not known.
        instruction: the words, or None for no words: the picture is diagnosed.
        named: the degradations that the words name.
        mask: whether the known pixels are told too.
        passes: how often at most it is diagnosed and restored, where the words do not say how.
    """

    kind: str
    language: str | None = None
    instruction: str | None = None
    named: frozenset[str] = frozenset()
    mask: bool = False
    passes: int = PASSES


def requests_for(
    present: frozenset[str],
    kinds: Sequence[str],
    languages: Sequence[str],
    mask: bool = False,
    passes: int = PASSES,
) -> list[Request]:
    """Lists what is asked about pictures with certain degradations.

    Args:
        present: degradation names; empty for clean pictures, about which there are no right words.
        kinds: from `KINDS`; `partial` gives rows only where there are several degradations.
        languages: from `LANGUAGES`.
        mask: whether the right words for damage are tried with the known pixels too.
        passes: up to how many passes are tried where there are no words; all of them where the
            words are vague.

    Returns:
        The requests, in the order of `KINDS`.
    """
    found = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        if kind == "none":
            found += [Request(kind, passes=number) for number in range(1, passes + 1)]
        else:
            found += [
                one for language in languages for one in _in(language, kind, present, mask, passes)
            ]
    return found


def _in(language, kind, present, mask, passes):
    def ask(names, mask=False):
        return Request(kind, language, remedy(names, language), frozenset(names), mask)

    if kind == "vague":
        return [Request(kind, language, VAGUE[language], passes=passes)]
    if kind == "nothing":
        return [Request(kind, language, NOTHING[language])]
    if kind == "wrong":
        absent = [name for name in _ABSENT if name not in present]
        return [ask({name}) for name in (absent[:1] if present else absent)]
    if kind == "partial":
        parts = [name for name in REMEDIES[language] if name in present]
        return [ask({name}) for name in parts] if len(parts) > 1 else []
    if not present:
        return []
    return [ask(present)] + ([ask(present, mask=True)] if mask and "damage" in present else [])
