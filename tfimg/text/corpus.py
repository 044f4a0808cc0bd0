"""Sentences that people type: built from two phrase banks, with whole phrasings held out."""

import json
import random
import re
import zlib
from functools import cache
from pathlib import Path

from tfimg.degradations import NAMES

LANGUAGES = ("en", "zh")
SPLITS = ("train", "test")
_BANKS = Path(__file__).parent / "phrases"
_PLACEHOLDER = re.compile(r"\{(noun|adj|request)(?:_([abc]))?\}")
_FINAL_PUNCTUATION = ".!?。！？~～ "
_LISTS = {"noun": "nouns", "adj": "adjectives"}
# Between parts that each ask for something, and between a request and what surrounds it.
_ALSO = {
    "en": (". ", ", ", "; ", " and ", ", also ", " + ", ", plus "),
    "zh": ("，", "。", "；", "，还有", "，另外", "，而且", " "),
}
_BESIDE = {
    "en": (". ", ", ", "; ", " - ", "... ", "! "),
    "zh": ("，", "。", "；", "！", "…", " "),
}
# A request that fills a slot such as "don't {request}" must be a bare imperative.
_NOT_IMPERATIVE = re.compile(
    r"\b(can|could|would|will|is|are|any|how|what|i|i'd|need|please|pls)\b|[?？吗呢]|能|可以|想|请",
    re.IGNORECASE,
)


class Corpus:
    """Instructions in one language, drawn from a bank of phrases and templates.

    A tenth of the phrases, nouns, adjectives and templates belongs to the test split and is never
    used in the training split, so a test sentence is a phrasing that training has not seen.

    Args:
        language: `"en"` or `"zh"`.
        split: `"train"` or `"test"`.

    Raises:
        ValueError: for another language or split.

    Example:

    ```python
    corpus = Corpus("en", "train")
    corpus.sentence({"noise", "low_light"}, random.Random(0))  # "it's dark and grainy, pls fix"
    ```
    """

    def __init__(self, language: str, split: str = "train"):
        if language not in LANGUAGES:
            raise ValueError(f"language must be one of {LANGUAGES}, found {language!r}")
        if split not in SPLITS:
            raise ValueError(f"split must be one of {SPLITS}, found {split!r}")
        self.language = language
        self.split = split
        bank = _load_bank(language)
        self._phrases = {
            name: {kind: self._own(phrases) for kind, phrases in kinds.items()}
            for name, kinds in (*bank["degradations"].items(), ("none", bank["none"]))
        }
        self._templates = {
            kind: self._own(templates)
            for kind, templates in bank.items()
            if kind.endswith("_templates")
        }
        self._vague = self._own(bank["vague"])
        # These carry no meaning, so both splits share them.
        self._openers, self._closers = bank["openers"], bank["closers"]
        self._context = bank["context"]

    def sentence(self, named, rng: random.Random) -> str:
        """Returns one sentence that asks for exactly the named degradations to be removed.

        Args:
            named: the names asked for, at most three; empty for a sentence that asks nothing.
            rng: the source of chance.

        Raises:
            ValueError: for more than three names.
        """
        named = sorted(named)  # a set has no order that two processes share
        if len(named) > 3:
            raise ValueError(f"named holds {len(named)} names ({named}); expected three at most")
        rng.shuffle(named)
        if not named:
            core = self._asking_nothing(rng)
        elif len(named) == 1:
            core = self._single(named[0], rng)
        else:
            core = self._several(named, rng)
        if rng.random() < 0.2:
            core = self._beside(core, rng.choice(self._context), rng)
        return self._dress(core, rng)

    def vague(self, rng: random.Random) -> str:
        """Returns a sentence that wishes for something better and does not say what."""
        core = rng.choice(self._vague)
        if rng.random() < 0.15:
            core = self._beside(core, rng.choice(self._context), rng)
        return self._dress(core, rng)

    def sentences(self, named, count: int, seed: int) -> list[str]:
        """Returns `count` sentences for the same set of names, reproducible by `seed`."""
        rng = random.Random(f"{seed}-{self.language}-{self.split}-{sorted(named)}")
        return [self.sentence(named, rng) for _ in range(count)]

    def _own(self, phrases):
        held_out = [p for p in phrases if zlib.crc32(p.encode()) % 10 == 0] or phrases[:1]
        trained = [p for p in phrases if p not in set(held_out)]
        if self.split == "train":
            return trained
        # What differs from a trained phrase only in case or punctuation is not held out.
        seen = set(map(_plain, trained))
        return [p for p in held_out if _plain(p) not in seen]

    def _asking_nothing(self, rng):
        kind = rng.choices(("requests", "unrelated", "negated"), (0.3, 0.4, 0.3))[0]
        if kind == "negated":
            return self._negated(rng.sample(NAMES, 3), rng)
        return rng.choice(self._phrases["none"][kind])

    def _single(self, name, rng):
        kinds = ("requests", "complaints", "noun", "adjective", "scope", "twice", "kept")
        kind = rng.choices(kinds, (0.22, 0.22, 0.11, 0.1, 0.15, 0.14, 0.06))[0]
        if kind in ("requests", "complaints"):
            return rng.choice(self._phrases[name][kind])
        others = [other for other in NAMES if other != name]
        rng.shuffle(others)
        if kind == "twice":
            # The fault is told and then the wish: two parts that mean one thing.
            parts = [rng.choice(self._phrases[name][part]) for part in ("complaints", "requests")]
            return self._beside(*parts, rng)
        if kind == "kept":
            return self._beside(self._single_plain(name, rng), self._negated(others, rng), rng)
        template = rng.choice(self._templates[f"{kind}_templates"])
        return self._fill(template, [name, *others], rng)

    def _several(self, named, rng):
        if rng.random() < 0.65:
            kind = "pair_templates" if len(named) == 2 else "triple_templates"
            return self._fill(rng.choice(self._templates[kind]), named, rng)
        parts = [self._single_plain(name, rng).strip(_FINAL_PUNCTUATION) for name in named]
        return rng.choice(_ALSO[self.language]).join(parts)

    def _negated(self, names, rng):
        return self._fill(rng.choice(self._templates["negated_templates"]), names, rng)

    def _beside(self, first, second, rng):
        """Two parts in either order, the first without its full stop."""
        parts = [first, second] if rng.random() < 0.6 else [second, first]
        return parts[0].strip(_FINAL_PUNCTUATION) + rng.choice(_BESIDE[self.language]) + parts[1]

    def _single_plain(self, name, rng):
        return rng.choice(self._phrases[name][rng.choice(("requests", "complaints"))])

    def _fill(self, template, names, rng):
        def word(match):
            kind, slot = match.groups()
            name = names["abc".index(slot or "a")]
            if kind in ("noun", "adj"):
                return _common(self._phrases[name][_LISTS[kind]], rng)
            requests = self._phrases[name]["requests"]
            imperative = [r for r in requests if not _NOT_IMPERATIVE.search(r)]
            return rng.choice(imperative or requests).strip(_FINAL_PUNCTUATION)

        return _PLACEHOLDER.sub(word, template)

    def _dress(self, core, rng):
        sentence = core
        if rng.random() < 0.22:
            sentence = f"{rng.choice(self._openers)} {sentence}"
        if rng.random() < 0.18:
            closer = rng.choice(self._closers)
            space = "" if closer[0] in ",.!?;，。！；、" else " "
            sentence = sentence.rstrip(_FINAL_PUNCTUATION) + space + closer
        if rng.random() < 0.2:
            sentence = _mistype(sentence, rng)
        if rng.random() < 0.2:
            sentence = sentence.rstrip(_FINAL_PUNCTUATION)
        if self.language == "zh":
            return sentence.replace(" ", "") if rng.random() < 0.5 else sentence
        # The tokenizer lowers case; a few loud sentences keep that honest.
        return sentence.upper() if rng.random() < 0.02 else sentence


def _common(words, rng):
    """One of a list in which what people say most stands first: the first tenth in every third."""
    return words[int(len(words) * rng.random() ** 2)]


@cache
def _load_bank(language):
    return json.loads((_BANKS / f"{language}.json").read_text(encoding="utf-8"))


def _plain(phrase):
    return phrase.lower().strip(_FINAL_PUNCTUATION)


def _mistype(sentence, rng):
    """Up to three slips of the finger: a letter dropped, doubled or swapped with its neighbour."""
    letters = list(sentence)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if len(letters) < 6:
            break
        place = rng.randrange(1, len(letters) - 1)
        slip = rng.choice(("drop", "double", "swap"))
        if slip == "drop":
            del letters[place]
        elif slip == "double":
            letters.insert(place, letters[place])
        else:
            letters[place], letters[place - 1] = letters[place - 1], letters[place]
    return "".join(letters)
