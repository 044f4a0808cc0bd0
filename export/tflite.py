"""Writes a preset for phones: LiteRT models, a vocabulary, and a description of them.

    python -m export.tflite --preset restorer_small --out phone --quantize int8 --size 256

`words.tflite` turns token ids into an embedding, once a sentence; `image.tflite` restores a uint8
picture with it; `diagnosis.tflite` tells what is wrong with a picture, for people who do not say,
and for those whose words may not fit it. All need LiteRT's builtin operations only. With `--size`
the picture's side is fixed, which is the fast way; larger pictures go through in tiles, as
`export.lite` shows. Without it the height and width are free multiples of what `model.json` says. A
preset that makes pictures from words has no diagnosis, and its `image.tflite` takes a uint8 canvas
of noise.
"""

import argparse
import json
import sys
from pathlib import Path

from export.conversion import CALIBRATION_SIDE, QUANTIZATIONS
from export.folders import copy_card, written_whole
from tfimg.arguments import Parser, one_line, refuse

_SMALLEST = 64


def main(arguments=None) -> int:
    """Writes what the arguments say and prints what was written."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        return refuse(parser.prog, f"{args.out} exists and is not an empty folder")
    if args.size is not None and (args.size < _SMALLEST or args.size % 8):
        return refuse(
            parser.prog,
            f"--size must be a multiple of 8 and at least {_SMALLEST}, found {args.size}",
        )
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
        photos = calibration_photos(args.size, args.calibrate)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    from export.loading import load

    try:
        card = presets.resolve(preset)
        write(load(preset), args.out, args.quantize, args.size, photos, card)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    for path in sorted(args.out.iterdir()):
        print(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


def write(
    task,
    folder: Path,
    quantize: str,
    size: int | None,
    photos: list,
    card: str | Path | None = None,
) -> None:
    """Exports a task for LiteRT; the folder appears whole or not at all.

    Args:
        task: a `tfimg.ImageRestorer` or a `tfimg.TextToImage`.
        folder: where to; must not exist or be empty.
        quantize: one of `QUANTIZATIONS`.
        size: side of a restorer's picture in pixels, or None for any.
        photos: uint8 `(H, W, 3)` arrays to calibrate a restorer's `int8` on.
        card: folder of the preset, whose `card.json` and `README.md` go along, or None.

    Raises:
        ValueError: for another quantisation, `int8` without photos, or a size for a task that
            makes pictures of one size.
        OSError: if the folder cannot be written.
    """
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize must be one of {QUANTIZATIONS}, found {quantize!r}")
    import tfimg
    from export import phone_maker, phone_restorer

    if isinstance(task, tfimg.ImageRestorer):
        files, told = phone_restorer.models(task, quantize, size, photos)
    elif size not in (None, task.backbone.canvas):
        raise ValueError(f"the preset makes pictures of {task.backbone.canvas}, found size {size}")
    else:
        files, told = phone_maker.models(task, quantize)
    tokenizer = task.preprocessor.tokenizer
    reading = {
        "vocabulary": "vocabulary.txt",
        "tokenizer": {
            "length": task.preprocessor.sequence_length,
            "lowercase": tokenizer.lowercase,
            "unknown": tokenizer.oov_token,
            "start": tokenizer.cls_token,
            "end": tokenizer.sep_token,
            "pad": tokenizer.pad_token,
            "suffix": tokenizer.suffix_indicator,
        },
    }
    told["words"] = reading | told["words"]
    for name in files:
        told[name] = {"file": f"{name}.tflite"} | told[name]
    with written_whole(folder) as fresh:
        for name, content in files.items():
            (fresh / f"{name}.tflite").write_bytes(content)
        pieces = tokenizer.get_vocabulary()
        (fresh / "vocabulary.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
        text = json.dumps({"quantize": quantize, **told}, indent=1, ensure_ascii=False)
        (fresh / "model.json").write_text(text, encoding="utf-8")
        if card is not None:
            copy_card(card, fresh)


def calibration_photos(size: int | None, folder: Path | None = None) -> list:
    """Returns the photos to calibrate on.

    Args:
        size: as for `write`; nothing but the middle that it takes of a photo is kept.
        folder: the photos'; by default it is the sample that ships.

    Returns:
        uint8 `(H, W, 3)` arrays.

    Raises:
        OSError, ValueError: if the folder is none, holds no pictures, or one that cannot be read.
    """
    from tfimg import files, presets
    from tfimg.pixels import middle, to_uint8

    paths = files.list_pictures(folder) if folder else [presets.sample_path()]
    if not paths:
        raise ValueError(f"{folder}: the folder holds no pictures")
    side = size or CALIBRATION_SIDE
    # Copies, because a view would keep the whole photo.
    return [to_uint8(middle(files.read_picture(path).pixels, side)).copy() for path in paths]


def _parser():
    parser = Parser(
        prog="python -m export.tflite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--out", required=True, type=Path, help="folder to write")
    parser.add_argument("--quantize", default="none", choices=QUANTIZATIONS)
    parser.add_argument("--size", type=int, help="side of the picture in pixels; free by default")
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="FOLDER",
        help="photos for int8; by default the sample photo that ships",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
