"""Between probabilities and words: what a diagnosis found, and what it prescribes."""

from collections.abc import Iterable

REMEDIES = {
    "en": {
        "noise": "remove the noise",
        "blur": "remove the blur",
        "compression": "remove the compression artifacts",
        "low_resolution": "increase the resolution",
        "low_light": "brighten the picture",
        "faded": "restore the faded colours",
        "rain": "remove the rain",
        "haze": "remove the haze",
        "damage": "repair the scratches",
    },
    "zh": {
        "noise": "去掉噪点",
        "blur": "去除模糊",
        "compression": "去除压缩痕迹",
        "low_resolution": "提高分辨率",
        "low_light": "把照片调亮",
        "faded": "恢复褪色的颜色",
        "rain": "去掉雨丝",
        "haze": "去雾",
        "damage": "修复划痕",
    },
}
# What asks for nothing clear: the picture is diagnosed.
VAGUE = {"en": "make it better", "zh": "修一下这张图"}
_JOINTS = {"en": " and ", "zh": "，"}
# A diagnosed degradation is treated when it is likelier present than not.
SURE = 0.5
# What is less likely than this waits for a second look, see `first`: under noise, strings of lamps
# were scratches at 90 %.
CERTAIN = 0.95
# What is asked for is left undone where a diagnosis finds it less likely than this: so little that
# photos taken in the dark, in a third of which it finds no darkness, are brightened when people
# ask. Noise is not doubted: every photo has a little, and what is asked for most is not to wait for
# a diagnosis.
ABSENT = 0.002
DOUBTED = tuple(name for name in REMEDIES["en"] if name != "noise")
# In a large picture, of which a diagnosis sees a smaller copy, these may be too fine to be seen.
FINE = ("blur", "compression", "low_resolution", "rain", "damage")
# How often at most a picture is diagnosed and restored: one fault can hide another.
PASSES = 2
# What takes away detail, and what changes the tone. A mended picture is still a little soft, or a
# little dark, and a diagnosis takes the rest of one fault for another of its kind.
_TONE = {"low_light", "faded", "haze"}
_KINDS = ({"blur", "compression", "low_resolution"}, _TONE)
# A fault of the tone that waited for another one is undone where it is then this likely.
STILL_THERE = 0.8


def remedy(names, language: str = "en") -> str:
    """Returns the sentence that asks for exactly these degradations to be removed.

    Args:
        names: names of degradations; they are put into the catalogue's order.
        language: `"en"` or `"zh"`.

    Raises:
        ValueError: if a name is unknown, or there is none.
    """
    sentences = REMEDIES[language]
    unknown = sorted(set(names) - set(sentences))
    if unknown or not names:
        raise ValueError(f"expected names out of {list(sentences)}, found {unknown or 'none'}")
    return _JOINTS[language].join(sentences[name] for name in sentences if name in set(names))


def doubted(asked: dict[str, float], large: bool) -> list[str]:
    """Returns what words ask to be undone that is left undone if a look does not find it.

    Args:
        asked: name to probability, what the words mean.
        large: whether the look is at a smaller copy of the picture.
    """
    return [name for name in DOUBTED if asked[name] >= SURE and not (large and name in FINE)]


def in_words(probabilities: dict[str, float]) -> str:
    """What is likely, e.g. "noise 98 %, low_light 95 %", or the likeliest where nothing is."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    likely = [item for item in ranked if item[1] >= SURE] or ranked[:1]
    return ", ".join(f"{name} {100 * value:.0f} %" for name, value in likely)


def prescribe(probabilities: dict[str, float], language: str = "en") -> str | None:
    """Returns the instruction that mends what a diagnosis found, or None if nothing is wrong.

    Args:
        probabilities: name to probability, as `ImageClassifier.classify` returns them.
        language: `"en"` or `"zh"`.
    """
    found = [name for name in REMEDIES["en"] if probabilities[name] >= SURE]
    return remedy(found, language) if found else None


def first(probabilities: dict[str, float]) -> set[str]:
    """Returns what is to be undone before a picture is looked at again.

    Noise over small lights passes for scratches. So what is doubtful waits for what is likelier:
    where it is real, it is mostly still found when that is gone. Where nothing is certain, all but
    the likeliest waits. Haze, greyness and darkness pass for one another, and where two are there
    the second is told better, and undone better, when the first is gone: all of them but the
    likeliest wait.

    Args:
        probabilities: name to probability, as `ImageClassifier.classify` returns them.

    Returns:
        Names of degradations, none where nothing is wrong.

    Example:

    ```python
    first({"noise": 0.99, "damage": 0.6, "haze": 0.6, ...})  # {"noise", "haze"}
    first({"low_light": 0.9, "faded": 0.8, ...})  # {"low_light"}
    first({"low_light": 0.6, "damage": 0.65, ...})  # {"damage"}
    ```
    """
    sure = {name: probabilities[name] for name in REMEDIES["en"] if probabilities[name] >= SURE}
    likeliest = max(sure.values(), default=0.0)
    if likeliest < CERTAIN:
        return {name for name in sure if sure[name] == likeliest}
    tone = {name: value for name, value in sure.items() if name in _TONE}
    detail = {name: value for name, value in sure.items() if name not in _TONE}
    enough = min(CERTAIN, max(detail.values(), default=0.0))
    return {
        *(name for name, value in detail.items() if value >= enough),
        *(name for name, value in tone.items() if value == max(tone.values())),
    }


def settled(
    undone: Iterable[str], waited: Iterable[str], probabilities: dict[str, float]
) -> set[str]:
    """Returns what is not to be undone any more in a picture in which some faults were undone.

    Args:
        undone: names of degradations.
        waited: names of those that were found besides, and had to wait.
        probabilities: name to probability, what the picture has now.

    Returns:
        What was undone, and others of its kind: lost detail, or a changed tone. Where a fault of
        the tone waited and is very likely now, it is left out.

    Example:

    ```python
    settled(["haze"], ["faded"], {"faded": 0.95, ...})  # {"haze", "low_light"}
    ```
    """
    undone = set(undone)
    alike = set().union(*(kind for kind in _KINDS if kind & undone))
    still = {name for name in _TONE & set(waited) if probabilities[name] >= STILL_THERE}
    return undone | (alike - still)


def intention(probabilities: dict[str, float], language: str = "en") -> str:
    """Returns one line on what a diagnosis found and what will be done about it."""
    instruction = prescribe(probabilities, language)
    if instruction is None:
        return f"found nothing to restore ({in_words(probabilities)}); left as it is"
    return f'found {in_words(probabilities)}; doing "{instruction}"'
