"""Proves that what is exported computes what Keras does, on real photos and real words.

    python -m export.verify [--preset restorer_small] [--saved-model NAME/VERSION] [--lite FOLDER …]

Without an artefact it exports all of them into a temporary folder first. The SavedModel runs in
TensorFlow's C++ loader, in a process that never imports tensorflow, and behind `export.serve`,
asked over REST and gRPC; each LiteRT folder in the runner that apps port. The exit status is 1
where a tolerance is passed:

- SavedModel, server and LiteRT float32: 1 level of 255 at any pixel, and 0.0001 in numbers;
- LiteRT float16: 2 levels, 0.01; dynamic and int8: 0.1, and 0.3 dB of PSNR over the photos; where
  pictures are made from words, 30 dB of PSNR to what Keras makes.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def main(arguments=None) -> int:
    """Prints a table of differences; the exit status is 1 where one passes its tolerance."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from export import restorer_proof
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
        missing = [p for p in (args.saved_model, *args.lite) if p is not None and not p.is_dir()]
        if missing:
            raise ValueError(f"{missing[0]}: no such folder")
        photos = restorer_proof.photos(args.photos)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    import tfimg
    from export import maker_proof
    from export.loading import load

    try:
        task = load(preset)
        with tempfile.TemporaryDirectory() as scratch:
            artefacts = args.saved_model, args.lite
            if artefacts == (None, []):
                artefacts = _exported(task, presets.resolve(preset), Path(scratch))
            if isinstance(task, tfimg.TextToImage):
                rows = maker_proof.compare(task, *artefacts)
            else:
                rows = restorer_proof.compare(task, restorer_proof.cases(photos), *artefacts)
    except (OSError, RuntimeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    if args.json:
        print(json.dumps([vars(row) for row in rows], indent=1))
    else:
        _show(rows, preset)
    return 0 if all(row.passed for row in rows) else 1


def _exported(task, preset, scratch):
    import tfimg
    from export import conversion, saved_model, tflite
    from export.restorer_proof import SIDE
    from export.signatures import MAX_PIXELS

    served = scratch / "saved_model" / "1"
    saved_model.write(task, served, preset, MAX_PIXELS)
    makes = isinstance(task, tfimg.TextToImage)
    side, photos = (None, []) if makes else (SIDE, tflite.calibration_photos(SIDE))
    folders = []
    for quantize in conversion.QUANTIZATIONS:
        folders.append(scratch / quantize)
        tflite.write(task, folders[-1], quantize, side, photos)
    return served, folders


def _show(rows, preset):
    from rich.table import Table

    from tfimg import show

    columns = ("artefact", "what", "largest difference", "PSNR, dB", "change, dB", "tolerance", "")
    table = Table(*columns, title=f"{preset}: what is exported beside Keras")
    for row in rows:
        values = (
            "" if row.psnr is None else f"{row.psnr:.2f}",
            "" if row.change is None else f"{row.change:+.3f}",
        )
        unit = "" if row.psnr is None else "/255"
        table.add_row(
            *(row.artefact, row.what, f"{row.difference:.2g}{unit}", *values, row.tolerance),
            "ok" if row.passed else "PASSED ITS TOLERANCE",
        )
    show.print_table(table)


def _parser():
    parser = Parser(
        prog="python -m export.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--saved-model", type=Path, metavar="NAME/VERSION")
    parser.add_argument("--lite", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="instead of the sample photo")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
