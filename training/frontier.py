"""Draws how well noise is removed against how long it takes: ours, classics and published peers.

    python -m export.benchmark --runtime keras --json > speed.json
    python -m training.evaluate --preset restorer_small --data BSD100 --list CBSD68_IDS.txt \
        --degradation noise:25 --instruction-kind right --language en --json > small.json
    python -m training.frontier --speed speed.json --scores small.json [tiny.json ...] \
        --data BSD100 --list CBSD68_IDS.txt --out frontier.png

Of the presets that were timed those are drawn whose scores are given, in float32. OpenCV's
non-local means run here, on the same pictures; so does CBM3D, but on one alone, for its time,
because it takes half a minute a picture: its score is the published one. Other peers are drawn
where their published score and their arithmetic put them, at the rate at which the textbook network
computes here. It needs the extra `figures`.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tfimg.arguments import Parser, one_line, positive, refuse

_LEVEL, _PROTOCOL = 25, "noise:25"
_SIDE, _ROUNDS = 256, 3
_RUNTIME = "Keras, words encoded"
# CBSD68 at noise 25, dB.
_CBM3D = 30.71
# The same, and multiplications at 256x256, GMAC: those of the convolutions that the papers describe
# for FFDNet and DnCNN, as published for the others.
_PUBLISHED = {
    "FFDNet": (31.21, 14.0),
    "DnCNN": (31.24, 43.9),
    "InstructIR (words)": (31.40, 16.2),
    "Restormer": (31.79, 141.0),
}


@dataclass(frozen=True)
class Point:
    """One way to remove noise.

    Attributes:
        name: for people.
        milliseconds: for 256x256 pixels.
        psnr: mean over the pictures, dB; None for a network that nobody trained.
        kind: `"ours"`, `"measured"` here, or `"published"`.
    """

    name: str
    milliseconds: float
    psnr: float | None
    kind: str


def main(arguments=None) -> int:
    """Measures, draws and prints the points."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from tfimg import files, show
    from training import figures
    from training.evaluate import pictures

    try:
        figures.check_installed()
        cbm3d, non_local_means = _classics()
        files.check_output(args.out)
        points = told(args.speed, args.scores)
        photos = pictures(args.data, args.list, args.limit)
        with show.bars("non-local means", len(photos)) as (advance, _, _):
            score = scored(non_local_means, photos, advance)
        points.append(Point("OpenCV non-local means", timed(non_local_means), score, "measured"))
        points.append(Point("CBM3D", timed(cbm3d), _CBM3D, "measured"))
        files.write_picture(files.Picture(figures.frontier(points, _LEVEL)), args.out)
    except (ImportError, OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    if args.json:
        show.print_json([asdict(point) for point in points])
    else:
        for point in sorted(points, key=lambda point: point.milliseconds):
            score = "" if point.psnr is None else f"{point.psnr:.2f} dB"
            print(f"{point.name:24} {point.milliseconds:9.1f} ms  {score:9}  {point.kind}")
    return 0


def told(speed: Path, scores: list[Path]) -> list[Point]:
    """Reads our presets' points, the textbook network's and the published peers'.

    Args:
        speed: what `export.benchmark --json` printed.
        scores: what `training.evaluate --json` printed, a file a preset.

    Raises:
        OSError, ValueError: if a file cannot be read, or lacks what is drawn.
    """
    rows = [row for row in _read(speed).get("rows", []) if row.get("runtime") == _RUNTIME]
    timed = {row["network"]: row for row in rows}
    if "textbook" not in timed:
        raise ValueError(f"{speed} has no row of {_RUNTIME!r} and the textbook network")
    points, textbook = [], timed.pop("textbook")
    for path in scores:
        report = _read(path)
        found = [r["psnr"] for r in report.get("rows", []) if r.get("degradation") == _PROTOCOL]
        preset = report.get("preset")
        if not found or preset not in timed:
            raise ValueError(f"{path}: expected a row of {_PROTOCOL}, and a preset of {[*timed]}")
        points.append(Point(preset, timed[preset]["median"], found[0], "ours"))
    rate = textbook["median"] / textbook["GMAC"]
    points.append(Point("textbook network", textbook["median"], None, "measured"))
    return points + [
        Point(name, gmac * rate, psnr, "published") for name, (psnr, gmac) in _PUBLISHED.items()
    ]


def scored(denoise: Callable, photos: list[Path], advance: Callable[[], None]) -> float:
    """Returns the mean PSNR in dB of a function from a noisy picture to a better one.

    Args:
        denoise: float32 `(H, W, 3)`, unclipped, to the same.
        photos: clean pictures.
        advance: called after each of them.
    """
    from tfimg.degradations import parse_protocol
    from tfimg.metrics import psnr
    from training.measuring import degraded_cases

    scores = []
    for case in degraded_cases(parse_protocol(_PROTOCOL), photos):
        scores.append(psnr(np.clip(denoise(case.image), 0, 1), case.target))
        advance()
    return float(np.mean(scores))


def timed(denoise: Callable) -> float:
    """Returns the median milliseconds of such a function for `_SIDE` x `_SIDE` pixels."""
    picture = np.random.default_rng(0).normal(0.5, _LEVEL / 255, (_SIDE, _SIDE, 3))
    picture, times = picture.astype(np.float32), []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        denoise(picture)
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


def _classics() -> tuple[Callable, Callable]:
    """CBM3D, and OpenCV's non-local means with the noise's level as its strength."""
    try:
        import bm3d
        import cv2
    except ImportError as error:
        raise ImportError(f"{error}; install the extra: pip install '.[figures]'") from error

    def cbm3d(noisy):
        return bm3d.bm3d_rgb(noisy, _LEVEL / 255)

    def non_local_means(noisy):
        coded = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
        better = cv2.fastNlMeansDenoisingColored(coded, None, _LEVEL, _LEVEL, 7, 21)
        return better / np.float32(255)

    return cbm3d, non_local_means


def _read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error


def _parser():
    parser = Parser(
        prog="python -m training.frontier",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", required=True, type=Path, metavar="JSON")
    parser.add_argument("--scores", required=True, nargs="+", type=Path, metavar="JSON")
    parser.add_argument("--data", required=True, help="folder of clean pictures")
    parser.add_argument("--list", help="text file with the names of those that are taken")
    parser.add_argument("--limit", type=positive, help="pictures at most")
    parser.add_argument("--out", required=True, help="a picture file")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
