"""The manner of a request: in which order things are to be done, and how strongly."""

import re
from dataclasses import dataclass

# "first X, then Y (, finally Z)" and "X, then Y". Without a comma "then" may belong to an "if".
_FIRST_EN = re.compile(r"\bfirst(?:ly|\s+of\s+all)?\b[\s,:]*", re.IGNORECASE)
_THEN_EN = re.compile(
    r"[\s,;.]*(?:\b(?:and|but)\s+)?\b(?:then|after\s+that|afterwards|next|finally|lastly)\b[\s,:]*",
    re.IGNORECASE,
)
_CONDITION_EN = re.compile(r"\b(?:if|when(?:ever)?|since|because)\b", re.IGNORECASE)
_FIRST_ZH = re.compile(r"(?:首先|先)")
_THEN_ZH = re.compile(
    r"[\s，,；;。、]*(?:然后|然後|接着|接著|之后|之後|随后|隨後|最后|最後|再)[\s，,]*"
)

_SLIGHTLY = 0.5
_SLIGHT_EN = (
    r"slightly|a\s+(?:tiny|little|wee)(?:\s+bit)?|a\s+bit|a\s+touch|a\s+tad|a\s+hint|gently|subtly|"
    r"lightly|mildly|softly|moderately|not\s+too\s+(?:much|strongly|hard)|don'?t\s+overdo(?:\s+it)?|"
    r"by\s+half|halfway|half[\s-]+strength"
)
# "It is slightly dark", "slightly dark" and "a bit of noise" tell of the fault, not of the cure.
_FAULT_EN = (
    r"(?:\b(?:is|are|was|were|looks?|looking|seems?|feels?|came\s+out|turned\s+out|got|gets|has|"
    r"have|had|with|too)\b|'s|'re)\s+(?:\w+\s+)?"
)
_SLIGHT = re.compile(rf"(?<![\w'])(?:{_SLIGHT_EN})\b(?!\s+of\b)", re.IGNORECASE)
_FAULT_BEFORE = re.compile(rf"{_FAULT_EN}$", re.IGNORECASE)
_FAULT_AFTER = re.compile(
    r"^\s+(?:too\s+)?(?:dark|noisy|grainy|blurry|blurred|pixelated|hazy|foggy|faded|scratched)\b",
    re.IGNORECASE,
)
_SLIGHT_ZH = re.compile(
    r"稍微|略微|稍稍|微微|轻轻|輕輕|适度|適度|适当|適當|少许|少許|一点点|一點點|一丢丢|别太过|別太過|不要太过|不要太過"
)
_FAULT_BEFORE_ZH = re.compile(r"(?:有|是|显得|顯得|看着|看著|看起来|看起來|觉得|覺得|太|拍得)$")
_FAULT_AFTER_ZH = re.compile(r"^(?:有|偏|发|發|太|显|顯)")
_PERCENT = re.compile(r"\b(?:by|at)\s+(\d{1,3})\s?(?:%|percent\b)", re.IGNORECASE)
_PERCENT_ZH = re.compile(
    r"(?:强度|強度|提高|降低|减少|減少|增加)\D{0,3}?(?:百分之(\d{1,3})|(\d{1,3})\s?[%％])"
)


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        words: what to do.
        strength: how strongly, 0..1, or None where the words do not say.
    """

    words: str
    strength: float | None = None


def steps(instruction: str) -> list[Step]:
    """Splits a request where it sets an order, and reads how strongly each part is meant.

    Args:
        instruction: a sentence, English or Chinese.

    Returns:
        One step or more, in the order in which they are to be done.

    Example:

    ```python
    steps("first denoise, then slightly sharpen")
    # [Step("denoise"), Step("slightly sharpen", 0.5)]
    steps("先去雾，再稍微调亮")  # [Step("去雾"), Step("稍微调亮", 0.5)]
    ```
    """
    parts = [part.strip(" \t,;:，；、") for part in _in_order(instruction.strip())]
    return [Step(part, strength_of(part)) for part in parts if part.strip(".!?。！？ ")]


def strength_of(words: str) -> float | None:
    """Returns how strongly a request is meant: 0.5 for "slightly", 0.3 for "by 30 %", or None.

    Words that tell how bad the fault is, as in "it is slightly dark", do not count.
    """
    percent = _PERCENT.search(words) or _PERCENT_ZH.search(words)
    if percent and 0 < (value := int(percent[percent.lastindex])) <= 100:
        return value / 100
    for found in _SLIGHT.finditer(words):
        before, after = words[: found.start()], words[found.end() :]
        if not _FAULT_BEFORE.search(before) and not _FAULT_AFTER.search(after):
            return _SLIGHTLY
    for found in _SLIGHT_ZH.finditer(words):
        before, after = words[: found.start()], words[found.end() :]
        if not _FAULT_BEFORE_ZH.search(before) and not _FAULT_AFTER_ZH.search(after):
            return _SLIGHTLY
    return None


def _in_order(instruction):
    first, then = _FIRST_EN.search(instruction), _THEN_EN.search(instruction)
    if then and not _CONDITION_EN.search(instruction):
        # A sequence needs its "first", or a pause before its "then".
        if first and first.start() < then.start():
            instruction = instruction[: first.start()] + instruction[first.end() :]
            return _THEN_EN.split(instruction)
        if re.match(r"[\s]*[,;.]", then[0]) and instruction[: then.start()].strip():
            return _THEN_EN.split(instruction)
    first, then = _FIRST_ZH.search(instruction), _THEN_ZH.search(instruction)
    if first and then and first.start() < then.start():
        instruction = instruction[: first.start()] + instruction[first.end() :]
        return _THEN_ZH.split(instruction)
    if (
        then
        and not then[0].strip("，,；;。、 ").startswith("再")
        and instruction[: then.start()].strip()
    ):
        return _THEN_ZH.split(instruction)
    return [instruction]
