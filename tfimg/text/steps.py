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
    r"^\s+(?:too\s+)?(?:dark|dim|dull|noisy|grainy|speckled|blurry|blurred|shaky|unsharp|"
    r"out[\s-]of[\s-]focus|low[\s-](?:res|resolution|quality|light|contrast)|pixelated|blocky|"
    r"compressed|hazy|foggy|misty|smoky|rainy|faded|washed[\s-]out|discolou?red|"
    r"(?:under|over)[\s-]?exposed|scratched|damaged|torn|cracked|creased|stained|dirty|dusty)\b",
    re.IGNORECASE,
)
_SLIGHT_ZH = re.compile(
    r"稍微|略微|稍稍|微微|轻轻|輕輕|适度|適度|适当|適當|少许|少許|一点点|一點點|一丢丢|别太过|別太過|不要太过|不要太過"
)
_FAULT_BEFORE_ZH = re.compile(r"(?:有|是|显得|顯得|看着|看著|看起来|看起來|觉得|覺得|太|拍得)$")
_FAULT_AFTER_ZH = re.compile(r"^(?:有|偏|发|發|太|显|顯)")
# "By" and "at" say how far to go; a bare number does so after what is to be done.
_PERCENT = re.compile(
    r"\b(?:by|at|(?:brighten|darken|lighten|denoise|sharpen|deblur|dehaze|derain|enhance|increase|"
    r"reduce|raise|lower|boost)(?:\s+[a-z]+){0,3})\s+(\d{1,3})\s?(?:%|percent\b)",
    re.IGNORECASE,
)
_PERCENT_ZH = re.compile(
    r"(?:强度|強度|(?:提高|降低|减少|減少|增加)(?![了过過到])|[去降除]噪|[去除][雾霧雨]|锐化|銳化|[调調提]亮)"
    r"\D{0,3}?(?:百分之(\d{1,3})|(\d{1,3})\s?[%％])"
)
# "It was shrunk by 50 %" and "saved at 30 % quality" tell what has happened to the picture.
_CLAUSE = re.compile(r"[,;:.!?，；：。！？、]|\b(?:and|but|so|then|please)\b", re.IGNORECASE)
_HAPPENED = re.compile(
    r"(?:^\s*|\b(?:is|are|was|were|been|got|gets|has|had|I|we|they|he|she|which|who|someone|"
    r"somebody)\s+(?:\w+ly\s+|already\s+|just\s+|been\s+)*|'(?:s|re|ve|d)\s+(?:been\s+)?)"
    r"(?:(?!need|want)\w+ed|shrunk|shrank|shot|cut|lost)\b|被|已",
    re.IGNORECASE,
)
_OF_FILE = re.compile(
    r"^\s*(?:jpe?g\s+)?(?:quality|compression|zoom|magnification)\b", re.IGNORECASE
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

    Words that tell how bad the fault is or how it came about, as in "it is slightly dark" and "it
    was saved at 30 % quality", do not count.
    """
    for percent in (*_PERCENT.finditer(words), *_PERCENT_ZH.finditer(words)):
        value = int(percent[percent.lastindex])
        clause = _CLAUSE.split(words[: percent.start()])[-1]
        told = _HAPPENED.search(clause + percent[0]) or _OF_FILE.search(words[percent.end() :])
        if 0 < value <= 100 and not told:
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
