"""How well pictures are diagnosed: found, called clean, and as likely as it says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfimg.data.pairs import VISIBLE
from tfimg.data.photos import read_rgb
from tfimg.degradations import INTENTS, NAMES, degrade
from tfimg.pixels import middle, to_float, to_uint8
from tfimg.tasks.image_classifier import CROP, ImageClassifier
from tfimg.tasks.image_restorer import ImageRestorer
from tfimg.text.remedies import SURE

_MIXTURES = 4
_BINS = 10


def measure(
    restorer: ImageRestorer,
    photos: Sequence[Path],
    advance: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Diagnoses each photo clean, with each degradation, and with four pairs of them.

    What is drawn depends on a photo's place in the list alone. Degraded pictures are 8 bit.

    Args:
        restorer: whose classifier head is measured.
        photos: files with clean pictures.
        advance: called after each photo.

    Returns:
        `rows`, a dict of `name`, `count`, `precision`, `recall`, `f1` and `severity_error` (mean
        absolute error where it is there) a degradation; `macro_f1`, their mean; `exact`, the share
        of pictures where exactly those present were found; `clean_called_none`, the share of clean
        photos in which no degradation was found and `none` was; `calibration_error`, of all ten
        probabilities together, and `reliability`, its bins.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", 2017 (calibration error).
    """
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    present, said, errors = [], [], []
    for index, path in enumerate(photos):
        photo = middle(to_float(read_rgb(path)), CROP)
        rng = np.random.default_rng(index)
        for there in _mixtures(rng):
            severity = rng.uniform(*VISIBLE, len(NAMES))
            spoilt, _ = degrade(photo[None], there[None], severity[None], seed=len(present))
            found = classifier.diagnose(to_uint8(np.asarray(spoilt[0])))
            present.append([*there, not there.any()])
            said.append([found.probabilities[name] for name in INTENTS])
            guessed = np.array([found.severity[name] for name in NAMES])
            errors.append(np.where(there, np.abs(guessed - severity), np.nan))
        advance()
    return _report(np.array(present), np.array(said), np.array(errors))


def _mixtures(rng):
    """What a photo is spoilt with: nothing, each degradation, pairs; `(14, 9)` bool."""
    pairs = np.zeros((_MIXTURES, len(NAMES)), bool)
    for pair in pairs:
        pair[rng.choice(len(NAMES), 2, replace=False)] = True
    return np.concatenate([np.zeros((1, len(NAMES)), bool), np.eye(len(NAMES), dtype=bool), pairs])


def _report(present, said, errors):
    found = said >= SURE
    rows = [
        {
            "name": name,
            "count": int(present[:, place].sum()),
            **_scores(present[:, place], found[:, place]),
            "severity_error": round(float(np.nanmean(errors[:, place])), 4),
        }
        for place, name in enumerate(NAMES)
    ]
    clean = present[:, -1]
    called_none = found[clean, -1] & ~found[clean, :-1].any(axis=1)
    bins = _reliability(said.ravel(), present.ravel())
    gaps = sum(row["count"] * abs(row["said"] - row["true"]) for row in bins)
    return {
        "pictures": len(present),
        "rows": rows,
        "macro_f1": round(float(np.mean([row["f1"] for row in rows])), 4),
        "exact": round(float((found[:, :-1] == present[:, :-1]).all(axis=1).mean()), 4),
        "clean_called_none": round(float(called_none.mean()), 4),
        "calibration_error": round(gaps / said.size, 4),
        "reliability": bins,
    }


def _scores(there, found):
    hits = int((there & found).sum())
    precision = hits / max(1, int(found.sum()))
    recall = hits / max(1, int(there.sum()))
    f1 = 2 * hits / max(1, int(there.sum()) + int(found.sum()))
    scores = {"precision": precision, "recall": recall, "f1": f1}
    return {name: round(score, 4) for name, score in scores.items()}


def _reliability(said, true):
    place = np.minimum((said * _BINS).astype(int), _BINS - 1)
    return [
        {
            "from": number / _BINS,
            "to": (number + 1) / _BINS,
            "count": int((place == number).sum()),
            "said": float(said[place == number].mean()),
            "true": float(true[place == number].mean()),
        }
        for number in range(_BINS)
        if (place == number).any()
    ]
