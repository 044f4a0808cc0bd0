"""How well sentences are understood: accuracy of `interpret`."""

import itertools
import json
import os
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

from tfimg.degradations import INTENTS, NAMES
from tfimg.text.corpus import LANGUAGES, Corpus
from tfimg.text.remedies import SURE

HELD_OUT = "held-out"
# Of each language: 10 x 32 sentences with one intent, 36 pairs x 5 with two, and 32 vague ones.
_SINGLE, _PAIR = 32, 5


def read_sentences(source: str | os.PathLike) -> list[dict[str, Any]]:
    """Reads sentences whose meaning is known.

    Args:
        source: a file of JSON lines such as
            `{"text": "太暗了", "language": "zh", "named": ["low_light"]}`, where an empty list
            means that nothing is asked, and null that it is vague: something better is wished for
            and not said; or "held-out" for 532 sentences a language from the test split of the
            corpus.

    Returns:
        A dict with `text`, `language` and `named` (a frozenset of names from `NAMES`, or None for
        a vague one) a sentence.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line is something else.
    """
    if source == HELD_OUT:
        return _held_out()
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error.reason})") from None
    rows = [_parse(line, f"{path}:{n}") for n, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise ValueError(f"{path}: holds no sentence")
    return rows


def accuracy(restorer, sentences: list[dict[str, Any]], advance=lambda: None) -> dict[str, Any]:
    """Measures how often sentences are understood, per language and kind.

    A sentence with one intent, or with none, is understood if the likeliest of the ten names is
    the right one; one with several, if exactly these have a probability of at least one half; a
    vague one, if none of the ten has.

    Args:
        restorer: anything with `interpret`.
        sentences: from `read_sentences`.
        advance: called after each sentence.

    Returns:
        `rows`, dicts of `language`, `kind` ("single", "none", "several", "vague"), `count`,
        `accuracy` and `exact`, the share where those that are likelier than not are exactly the
        right ones; and `mistakes`, dicts of `text`, `language`, `named` and `found`.
    """
    right, exact, mistakes = defaultdict(list), defaultdict(list), []
    for row in sentences:
        named = frozenset() if row["named"] is None else row["named"] or frozenset({"none"})
        meaning = restorer.interpret([row["text"]])[0]
        sure = {name for name in INTENTS if meaning[name] >= SURE}
        found = {max(INTENTS, key=meaning.get)} if len(named) == 1 else sure
        kind = _kind(row["named"])
        right[row["language"], kind].append(found == named)
        exact[row["language"], kind].append(sure == named)
        if found != named:
            mistake = {"text": row["text"], "language": row["language"]}
            mistakes.append({**mistake, "named": _ordered(named), "found": _ordered(found)})
        advance()
    rows = [
        {
            "language": language,
            "kind": kind,
            "count": len(outcomes),
            "accuracy": round(sum(outcomes) / len(outcomes), 4),
            "exact": round(sum(exact[language, kind]) / len(outcomes), 4),
        }
        for (language, kind), outcomes in sorted(right.items())
    ]
    return {"rows": rows, "mistakes": mistakes}


def _kind(named):
    if named is None:
        return "vague"
    return "several" if len(named) > 1 else "single" if named else "none"


def _held_out():
    sets = [()] + [(name,) for name in NAMES]
    counted = [(named, _SINGLE) for named in sets]
    counted += [(named, _PAIR) for named in itertools.combinations(NAMES, 2)]
    rows = [
        {"text": text, "language": language, "named": frozenset(named)}
        for language in LANGUAGES
        for named, count in counted
        for text in Corpus(language, "test").sentences(named, count, seed=0)
    ]
    rng = random.Random(0)
    return rows + [
        {"text": Corpus(language, "test").vague(rng), "language": language, "named": None}
        for language in LANGUAGES
        for _ in range(_SINGLE)
    ]


def _parse(line, place):
    expected = '{"text": "…", "language": "en", "named": ["noise"]}'
    try:
        row = json.loads(line)
        text, language, named = row["text"], row["language"], row["named"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{place}: found {line.strip()[:80]!r}, expected {expected}") from None
    if not (isinstance(text, str) and text.strip() and isinstance(language, str)):
        raise ValueError(f"{place}: found {line.strip()[:80]!r}, expected {expected}")
    if named is None:
        return {"text": text, "language": language, "named": None}
    if not isinstance(named, list) or (unknown := [n for n in named if n not in INTENTS]):
        found = unknown[0] if isinstance(named, list) else named
        raise ValueError(f"{place}: 'named' holds {found!r}; expected a list of {', '.join(NAMES)}")
    return {"text": text, "language": language, "named": frozenset(named) - {"none"}}


def _ordered(names):
    return [name for name in INTENTS if name in names]
