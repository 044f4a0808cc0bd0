"""How well pictures are made from words: obeyed, real, new and varied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfimg.data.captioned import CHANCES, Captioned
from tfimg.pixels import on_background
from tfimg.text.corpus import LANGUAGES
from tfimg.text.prompts import STYLES, prompt
from training.matcher import Matcher

_AMONG = 100  # names that a picture's own is looked for in
_GROUPS = 5
_VARIED, _SEEDS = 24, 8
_SUBSETS, _SUBSET = 20, 200
# What the sheet shows: names that were seen, others that were not, and new combinations.
_SHOWN = (
    "flat emoji icon of sun", "3D emoji of red apple", "pixel art of dragon", "a photo of banana",
    "flat emoji icon of cat", "3D emoji of house", "pixel art of sword", "a photo of lemon",
    "flat emoji icon of blue apple", "3D emoji of green heart", "pixel art of fire",
    "flat emoji icon of tree on a blue background", "3D emoji of moon on a black background",
    "a sunset over the sea", "flat emoji icon of purple fish", "3D emoji of robot",
)  # fmt: skip
# What people ask for first, in English and in Chinese; in a sheet the latter is told in English.
_COMMON = (
    "sun", "red heart", "red apple", "cat face", "dagger", "potion", "tree", "car", "snowman",
    "house", "moon", "fire", "banana", "smiling face", "rose", "ghost",
)  # fmt: skip
_COMMON_ZH = (
    ("日落", "sunset"), ("太阳", "sun"), ("红苹果", "red apple"), ("猫脸", "cat face"),
    ("匕首", "dagger"), ("药水的像素画", "pixel art, potion"), ("树", "tree"), ("汽车", "car"),
    ("雪人", "snowman"), ("星星的立体表情图标", "3D star"), ("蓝色背景上的月亮", "moon on blue"),
    ("火", "fire"), ("香蕉的照片", "photo, banana"), ("笑脸", "smiling face"), ("鱼", "fish"),
    ("龙的像素画", "pixel art, dragon"),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What is asked for in one language.

    Attributes:
        names: "seen" in training, or "unseen".
        language: "en" or "zh".
        prompts: sentences, in hundreds.
        real: for each the picture that it was made from, uint8 `(N, S, S, 3)`.
    """

    names: str
    language: str
    prompts: list[str]
    real: np.ndarray


def choose(train: Captioned, test: Captioned) -> list[Asked]:
    """Chooses what is asked for: names seen in training, and names never seen.

    Args:
        train, test: captioned pictures; what has no name goes by its caption. What is in both
            counts as seen.

    Returns:
        What is asked for in each language, at most five hundred names each. Where there are fewer
        than a hundred, among which a picture's own is looked for, there is nothing.

    Raises:
        ValueError: if `train` itself has fewer than a hundred names.
    """
    asked, known = [], {_base(row) for row in train.rows}
    if len(known) < _AMONG:
        raise ValueError(
            f"the pictures have {len(known)} names to learn from; expected {_AMONG} or more, among "
            "which a picture's own is looked for"
        )
    for names, captioned, taken in (("seen", train, set()), ("unseen", test, known)):
        chosen = _one_a_name(captioned, taken)
        chances = np.random.default_rng(0).random((len(chosen), CHANCES))
        for language in LANGUAGES:
            kept = [n for n, place in enumerate(chosen) if _words(captioned.rows[place], language)]
            kept = kept[: len(kept) // _AMONG * _AMONG]
            if kept:
                prompts = [_prompt(captioned.rows[chosen[n]], language) for n in kept]
                real = [captioned.picture(chosen[n], None, chances[n]) for n in kept]
                asked.append(Asked(names, language, prompts, np.stack(real)))
    return asked


def measure(
    task,
    matcher: Matcher,
    asked: list[Asked],
    train: Captioned,
    steps: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Makes a picture for each prompt, and judges them.

    A picture is found when the matcher puts the prompt that it was made from first (or among the
    first five) of a hundred. Chance finds 1 % (5 %).

    Args:
        task: a `tfimg.TextToImage`.
        matcher: trained on `train`.
        asked: from `choose`.
        train: the captioned pictures that were learnt from.
        steps: passes through the network.
        advance: called after each picture.

    Returns:
        `rows`, a dict of `names` ("seen" or "unseen"), `language`, `count`, `r1` and `r5` of the
        made pictures, `real_r1` and `real_r5` of the real ones, all in 0..1; `kid`, times 1000,
        against the real pictures of the seen names, and `kid_floor`, of two halves of those;
        `diversity`, the mean distance of two pictures of one prompt in 0..1 (root of the mean
        square), and `real_diversity` of two real pictures of different names; `nearest`, the mean
        distance of a made picture to the nearest picture of `train`, and `real_nearest`, of real
        unseen pictures.

    Reference: Binkowski et al., "Demystifying MMD GANs", 2018 (kernel inception distance).
    """
    rows, made_of = [], {}
    for one in asked:
        made = []
        for number, words in enumerate(one.prompts):
            made.append(task.generate(words, seed=number, steps=steps)[0])
            advance()
        made = np.stack(made)
        said = matcher.read(one.prompts)
        found = _retrieval(matcher.see(made)["placed"], said)
        truly = _retrieval(matcher.see(one.real)["placed"], said)
        rows.append(
            {
                "names": one.names,
                "language": one.language,
                "count": len(made),
                **found,
                **{f"real_{key}": value for key, value in truly.items()},
            }
        )
        made_of[one.names, one.language] = (one.prompts, made, one.real)
    prompts, made, real = made_of["seen", "en"]
    several = [task.generate(words, _SEEDS, steps=steps) for words in prompts[:_VARIED]]
    unseen = made_of.get(("unseen", "en"))
    on_white = np.stack([on_background(picture) for picture in train.pictures])
    seen_features = matcher.see(real)["features"]
    document = {
        "rows": rows,
        "kid": round(1000 * _kid(matcher.see(made)["features"], seen_features), 2),
        "kid_floor": round(1000 * _kid(seen_features[::2], seen_features[1::2]), 2),
        "diversity": _spread(several),
        "real_diversity": _spread([real]),
    }
    if unseen:
        document["nearest"] = float(np.mean([d for _, d in nearest(unseen[1], on_white)]))
        document["real_nearest"] = float(np.mean([d for _, d in nearest(unseen[2], on_white)]))
    return document


def beside_nearest(task, train: Captioned, columns: int = 8) -> list[tuple[np.ndarray, str]]:
    """Returns cells of a sheet: made pictures, and under each the nearest that was learnt from.

    The first picture has seed 0, the next seed 1, and so on.

    Args:
        task: a `tfimg.TextToImage`.
        train: the captioned pictures that were learnt from.
        columns: of the sheet.
    """
    on_white = np.stack([on_background(picture) for picture in train.pictures])
    cells = []
    for start in range(0, len(_SHOWN), columns):
        asked = _SHOWN[start : start + columns]
        made = [task.generate(words, seed=start + n) for n, words in enumerate(asked)]
        made = np.concatenate(made)
        found = nearest(made, on_white)
        cells += zip(map(_larger, made), asked, strict=True)
        cells += [
            (_larger(on_white[place]), f"{distance:.2f} from {_words(train.rows[place])}")
            for place, distance in found
        ]
    return cells


def in_many_seeds(task) -> list[tuple[np.ndarray, str]]:
    """Returns cells of a sheet of 16 columns: 32 prompts, each with the seeds 0 to 7.

    In each row stands an English prompt, whose style is left open, and then a Chinese one.

    Args:
        task: a `tfimg.TextToImage`.
    """
    cells = []
    for words, (chinese, told) in zip(_COMMON, _COMMON_ZH, strict=True):
        for asked, label in ((words, words), (chinese, f"zh: {told}")):
            captions = [label] + [""] * (_SEEDS - 1)
            cells += zip(map(_larger, task.generate(asked, _SEEDS)), captions, strict=True)
    return cells


def nearest(pictures: np.ndarray, among: np.ndarray) -> list[tuple[int, float]]:
    """Finds the nearest of many pictures, and how far it is.

    Args:
        pictures: uint8 `(N, S, S, 3)`.
        among: uint8 `(M, S, S, 3)`.

    Returns:
        For each picture the place in `among` and the root of the mean square, in 0..1.
    """
    small = _small(among)
    squares = (small**2).sum(1)
    found = []
    for picture in _small(pictures):
        distances = squares - 2 * small @ picture + (picture**2).sum()
        place = int(distances.argmin())
        found.append((place, float(np.sqrt(max(0, distances[place]) / picture.size))))
    return found


def _one_a_name(captioned, taken):
    """Places of one row a name, styles by turns, in an order that depends on the rows alone."""
    rng = np.random.default_rng(0)
    chosen, names = [], set(taken)
    for place in rng.permutation(len(captioned.rows)):
        base = _base(captioned.rows[place])
        if base not in names:
            names.add(base)
            chosen.append(place)
    return chosen[: _AMONG * _GROUPS]


def _words(row, language="en"):
    """A row's name, or its caption where it has no name; "" where there is none in a language."""
    key = "name" if row.get("name") else "caption"
    return row.get(key if language == "en" else f"{key}_{language}", "")


def _prompt(row, language):
    # A caption says itself how it looks.
    style = row.get("style") if row.get("name") and row.get("style") in STYLES else None
    return prompt(_words(row, language), language, style)


def _base(row):
    return _words(row).split(":")[0].strip().casefold()


def _retrieval(placed, said):
    ranks = []
    for start in range(0, len(placed), _AMONG):
        alike = placed[start : start + _AMONG] @ said[start : start + _AMONG].T
        ranks += [int((row > row[place]).sum()) for place, row in enumerate(alike)]
    ranks = np.array(ranks)
    return {f"r{k}": round(float((ranks < k).mean()), 4) for k in (1, 5)}


def _kid(one, other):
    """The unbiased squared maximum mean discrepancy of a cubic kernel, over subsets."""
    rng = np.random.default_rng(0)
    size = min(_SUBSET, len(one), len(other))
    values = []
    for _ in range(_SUBSETS):
        a = one[rng.choice(len(one), size, replace=False)].astype(np.float64)
        b = other[rng.choice(len(other), size, replace=False)].astype(np.float64)
        within = [
            (kernel.sum() - np.trace(kernel)) / (size * (size - 1))
            for kernel in (_cubic(a, a), _cubic(b, b))
        ]
        values.append(sum(within) - 2 * _cubic(a, b).mean())
    return float(np.mean(values))


def _cubic(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def _spread(groups):
    distances = []
    for group in groups:
        flat = _small(group)
        for place in range(0, len(flat) - 1, 2):
            distances.append(np.sqrt(((flat[place] - flat[place + 1]) ** 2).mean()))
    return round(float(np.mean(distances)), 4)


def _larger(picture):
    return picture.repeat(2, axis=0).repeat(2, axis=1)


def _small(pictures):
    """Half the size, as floats in 0..1, one row a picture."""
    count, side = pictures.shape[:2]
    halves = pictures.reshape(count, side // 2, 2, side // 2, 2, 3).astype(np.float32)
    return (halves.mean((2, 4)) / 255).reshape(count, -1)
