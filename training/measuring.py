"""Scores of a restorer: per degradation and per request, averaged over pictures."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tfimg.data.paired_folders import Pair, read_pair
from tfimg.data.photos import read_rgb
from tfimg.degradations import NAMES, Protocol
from tfimg.metrics import luma, psnr, ssim
from tfimg.pixels import to_float, to_uint8
from tfimg.tasks.image_classifier import ImageClassifier
from tfimg.tasks.image_restorer import ImageRestorer
from tfimg.text.remedies import SURE
from training.requests import Request

_ON_SHEET = 6


@dataclass(frozen=True)
class Case:
    """A degraded picture, and what is known about it.

    Attributes:
        image: float32 `(H, W, 3)`; unclipped noise may leave 0..1.
        target: the clean picture.
        label: what was done to it, for people to read.
        present: the degradations it has, or None if that is not known.
        known: float32 `(H, W, 1)`, 1 where damage left the pixel intact, or None.
        without: gives the picture `without` some of its degradations, or None.
        factor: by how much the resolution was lowered, or None.
    """

    image: np.ndarray
    target: np.ndarray
    label: str = "input"
    present: frozenset[str] | None = None
    known: np.ndarray | None = None
    without: Callable[..., np.ndarray] | None = None
    factor: int | None = None


@dataclass
class Result:
    """What a measurement gives.

    Attributes:
        rows: one dict a request: kind, language, instruction, named, mask, count and means.
        cells: pictures and captions of a before/after sheet, three columns, for the first request.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    cells: list[tuple[np.ndarray, str]] = field(default_factory=list)


def degraded_cases(protocol: Protocol, photos: Sequence[Path]) -> Iterator[Case]:
    """Degrades clean pictures one after the other.

    Args:
        protocol: how; a picture's place in the list fixes its chance.
        photos: files. JPEGs are decoded with libjpeg's accurate integer transform. Where the
            resolution is lowered, pictures are cropped to a multiple of the factor first.
    """
    parts = dict(part.strip().partition(":")[::2] for part in protocol.name.split("+"))
    factor = int(float(parts["low_resolution"])) if "low_resolution" in parts else None
    for index, path in enumerate(photos):
        target = to_float(read_rgb(path))
        height, width = (side - side % (factor or 1) for side in target.shape[:2])
        target = target[:height, :width]
        image, known = protocol.apply_with_mask(target, index)
        without = partial(protocol.apply, target, index)
        yield Case(image, target, protocol.label, protocol.degradations, known, without, factor)


def paired_cases(pairs: Sequence[Pair]) -> Iterator[Case]:
    """Reads pictures that were degraded elsewhere, with their clean twins."""
    for pair in pairs:
        yield Case(*map(to_float, read_pair(pair)))


def measure(
    restorer: ImageRestorer,
    cases: Iterable[Case],
    requests: Sequence[Request],
    advance: Callable[[], None] = lambda: None,
) -> Result:
    """Restores pictures as each request says, and compares with the clean ones.

    Every row has `psnr` and `ssim` of the outputs and `input_psnr` and `input_ssim` of what went
    in, all clipped, not rounded, against the clean pictures, averaged over the pictures, and
    `least_gain`, by how much the PSNR of the one picture rose that gained least. Some rows have
    more:

    - low resolution: `psnr_luma` and `input_psnr_luma`, with as many pixels shaved off each side
      as the factor;
    - kind `none`: `found`, the share of pictures in which each degradation was found, and
      `diagnosed`, the share where exactly those present were;
    - kind `nothing`: `psnr_to_input`;
    - kind `partial`: `psnr_to_named` and `input_psnr_to_named`, against the pictures with only the
      named degradation removed, and `nearer_to_named`, the share of outputs that are nearer to
      those than to the clean ones.

    Args:
        restorer: what is measured.
        cases: from `degraded_cases` or `paired_cases`.
        requests: what is asked; kind `partial` needs cases that can leave a degradation out.
        advance: called after each picture.

    Returns:
        The rows in the order of the requests, and the cells of a sheet.
    """
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    scores = [defaultdict(list) for _ in requests]
    result = Result()
    for index, case in enumerate(cases):
        before = _compare(case.image, case, "input_")
        for place, request in enumerate(requests):
            diagnosis = {}
            if request.instruction is None:
                diagnosis = _diagnosis(classifier.classify(case.image), case.present)
            output = _restore(restorer, case, request)
            after = {**_compare(output, case), **_extra(output, case, request)}
            for name, value in {**before, **after, **diagnosis}.items():
                scores[place][name].append(value)
            if place == 0 and index < _ON_SHEET:
                result.cells += _cells(case, output, request, {**before, **after})
        advance()
    pairs = zip(requests, scores, strict=True)
    result.rows = [{**_described(request), **_means(lists)} for request, lists in pairs]
    return result


def _restore(restorer, case, request):
    """The output as a file could hold it: within 0..1, but not rounded."""
    output = restorer.restore(
        case.image,
        request.instruction,
        mask=case.known if request.mask else None,
        passes=request.passes,
        say=lambda line: None,
    )
    return np.clip(output, 0, 1)


def _compare(image, case, prefix=""):
    # Clipped, so that returning the input is a gain of exactly 0.
    image, target, shave = np.clip(image, 0, 1), case.target, case.factor
    scores = {f"{prefix}psnr": psnr(image, target), f"{prefix}ssim": ssim(image, target)}
    if shave is not None:
        inside = np.s_[shave:-shave, shave:-shave]
        scores[f"{prefix}psnr_luma"] = psnr(luma(image)[inside], luma(target)[inside])
    return scores


def _extra(output, case, request):
    if request.kind == "nothing":
        return {"psnr_to_input": psnr(output, np.clip(case.image, 0, 1))}
    if request.kind != "partial":
        return {}
    wanted = np.clip(case.without(without=request.named), 0, 1)
    to_named = psnr(output, wanted)
    return {
        "input_psnr_to_named": psnr(np.clip(case.image, 0, 1), wanted),
        "psnr_to_named": to_named,
        "nearer_to_named": float(to_named > psnr(output, case.target)),
    }


def _diagnosis(found, present):
    sure = {name for name in NAMES if found[name] >= SURE}
    shares = {f"found.{name}": float(name in sure) for name in NAMES}
    return shares if present is None else {"diagnosed": float(sure == present), **shares}


def _cells(case, output, request, scores):
    return [
        (to_uint8(case.image), f"{case.label}: {scores['input_psnr']:.2f} dB"),
        (to_uint8(output), f"{request.kind} words: {scores['psnr']:.2f} dB"),
        (to_uint8(case.target), "target"),
    ]


def _described(request):
    return {
        "kind": request.kind,
        "language": request.language,
        "instruction": request.instruction,
        "named": sorted(request.named),
        "mask": request.mask,
        "passes": request.passes,
    }


def _means(lists):
    means = {name: round(float(np.mean(values)), 4) for name, values in lists.items()}
    gains = np.subtract(lists["psnr"], lists["input_psnr"])
    means["least_gain"] = round(float(gains.min()), 4)
    found = {name: means.pop(f"found.{name}") for name in NAMES if f"found.{name}" in means}
    row = {"count": len(lists["psnr"]), **means}
    return {**row, "found": {k: v for k, v in found.items() if v}} if found else row
