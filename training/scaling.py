"""Draws time and memory against the size of the picture that is restored.

    python -m export.benchmark --preset restorer_small --size 1024x1024 --json > 1.json
    python -m export.benchmark --preset restorer_small --size 4000x3000 --json > 12.json
    python -m training.scaling --speed 1.json 12.json --out scaling.png

Time is to grow as the number of pixels does, and memory, but for the picture itself, not at all,
because pictures go through in tiles. Of Keras float32 is drawn. It needs the extra `figures`.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from tfimg.arguments import Parser, one_line, refuse

_RUNTIME = "Keras, tiles"


@dataclass(frozen=True)
class Size:
    """What it takes to restore a photo file.

    Attributes:
        megapixels: of the photo.
        seconds: of the restoration.
        memory: the most that a process of its own needs, in MB.
    """

    megapixels: float
    seconds: float
    memory: float


def main(arguments=None) -> int:
    """Draws and prints what the files say."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from tfimg import files
    from training import figures

    try:
        figures.check_installed()
        files.check_output(args.out)
        sizes = sorted(map(told, args.speed), key=lambda size: size.megapixels)
        files.write_picture(files.Picture(figures.scaling(sizes)), args.out)
    except (ImportError, OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    for size in sizes:
        print(
            f"{size.megapixels:6.2f} megapixels {size.seconds:7.2f} s "
            f"{1000 * size.seconds / size.megapixels:5.0f} ms a megapixel {size.memory:6.0f} MB"
        )
    return 0


def told(path: Path) -> Size:
    """Reads what `export.benchmark --json` printed of one size.

    Raises:
        OSError, ValueError: if the file cannot be read, or lacks what is drawn.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        width, height = map(int, report["size"].split("x"))
        (row,) = (row for row in report["rows"] if row["runtime"] == _RUNTIME)
        return Size(width * height / 1e6, row["median"] / 1000, float(row["memory"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no benchmark with a row of {_RUNTIME!r}") from error


def _parser():
    parser = Parser(
        prog="python -m training.scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--speed", required=True, nargs="+", type=Path, metavar="JSON")
    parser.add_argument("--out", required=True, help="a picture file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
