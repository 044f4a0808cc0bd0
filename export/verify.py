"""Proves that what is exported computes what Keras does, on real photos and real words.

    python -m export.verify [--preset restorer_small] [--saved-model NAME/VERSION] [--lite FOLDER …]

Without an artefact it exports all of them into a temporary folder first. The SavedModel runs in
TensorFlow's C++ loader, in a process that never imports tensorflow, and behind `export.serve`,
asked over REST and gRPC; each LiteRT folder in the runner that apps port. The exit status is 1
where a tolerance is passed:

- SavedModel, server and LiteRT float32: 1 level of 255 at any pixel, and 0.0001 in probabilities;
- LiteRT float16: 2 levels; dynamic and int8: 0.3 dB of PSNR, averaged over the photos.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 256
_LEVELS = {"saved_model": 1, "none": 1, "float16": 2}
_PROBABILITIES = 1e-4
_DECIBELS = 0.3
# What is done to the photos, and what people say about it.
_REQUESTS = (
    ("noise:25:camera", "remove the noise"),
    ("noise:25:camera", "去掉噪点"),
    ("low_light", "it is far too dark"),
    ("compression:10", "clean up the jpeg artifacts"),
    ("haze", "去雾"),
    ("blur", "sharpen it"),
)


@dataclass(frozen=True)
class Case:
    """One picture to restore: uint8 `(SIDE, SIDE, 3)`, the words, and the clean picture."""

    image: np.ndarray
    words: str
    clean: np.ndarray


@dataclass(frozen=True)
class Row:
    """One comparison with Keras.

    Attributes:
        artefact: what was run.
        what: which of its outputs.
        difference: the largest, in levels of 255 for pictures.
        psnr: of its pictures against the clean ones, dB, or None.
        change: by how much that differs from Keras' own, dB, or None.
        tolerance: in words.
        passed: whether it is within its tolerance.
    """

    artefact: str
    what: str
    difference: float
    psnr: float | None
    change: float | None
    tolerance: str
    passed: bool


def main(arguments=None) -> int:
    """Prints a table of differences; the exit status is 1 where one passes its tolerance."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
        missing = [p for p in (args.saved_model, *args.lite) if p is not None and not p.is_dir()]
        if missing:
            raise ValueError(f"{missing[0]}: no such folder")
        photos = _photos(args.photos)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    import tfimg

    try:
        restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
        with tempfile.TemporaryDirectory() as scratch:
            saved_model, lite = args.saved_model, args.lite
            if saved_model is None and not lite:
                saved_model, lite = _exported(restorer, presets.resolve(preset), Path(scratch))
            rows = compare(restorer, cases(photos), saved_model, lite)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    if args.json:
        print(json.dumps([vars(row) for row in rows], indent=1))
    else:
        _show(rows, preset)
    return 0 if all(row.passed for row in rows) else 1


def cases(photos: list[np.ndarray]) -> list[Case]:
    """Degrades the middle of each photo in several ways."""
    from tfimg.degradations import parse_protocol
    from tfimg.pixels import middle, to_float, to_uint8

    made = []
    for number, photo in enumerate(photos):
        clean = to_float(middle(photo, SIDE))
        for protocol, words in _REQUESTS:
            image = to_uint8(np.clip(parse_protocol(protocol).apply(clean, number), 0, 1))
            made.append(Case(image, words, clean))
    return made


def compare(restorer, cases: list[Case], saved_model: Path | None, lite: list[Path]) -> list[Row]:
    """Runs all cases through Keras and through every artefact.

    Args:
        restorer: a `tfimg.ImageRestorer`, the truth.
        cases: what is restored.
        saved_model: folder of a SavedModel, or None.
        lite: folders that `export.tflite` wrote.

    Returns:
        A row for each comparison.
    """
    truth = np.stack([restorer.restore(case.image, case.words) for case in cases])
    rows = []
    if saved_model:
        rows += _saved_model_rows(restorer, cases, truth, saved_model)
        rows += _server_rows(cases, truth, saved_model)
    for folder in lite:
        rows += _lite_rows(restorer, cases, truth, folder)
    return rows


def _saved_model_rows(restorer, cases, truth, folder):
    from PIL import Image

    from tfimg.degradations import INTENTS
    from tfimg.tasks.image_classifier import ImageClassifier

    def png(image):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        return buffer.getvalue()

    images, words = np.stack([case.image for case in cases]), [case.words for case in cases]
    embeddings = np.stack([restorer.embed(sentence) for sentence in words])
    intents = [[row[name] for name in INTENTS] for row in restorer.interpret(words)]
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    found = [[*classifier.classify(image).values()] for image in images]

    def run(signature, **inputs):
        return next(iter(_in_another_process(folder, signature, inputs).values()))

    served = run("serving_default", image_bytes=[*map(png, images)], instruction=words)
    served = np.stack([np.asarray(Image.open(io.BytesIO(data))) for data in served])
    pictures = {
        "serving_default": served,
        "restore": run("restore", image=images, instruction=words),
        "restore_embedded": run("restore_embedded", image=images, embedding=embeddings),
    }
    numbers = {
        "encode_text": (run("encode_text", instruction=words), embeddings),
        "interpret": (run("interpret", instruction=words), intents),
        "classify": (run("classify", image=images), found),
    }
    name = str(folder)
    return [
        *(_picture_row(name, what, "saved_model", cases, truth, p) for what, p in pictures.items()),
        *(_number_row(name, what, *pair) for what, pair in numbers.items()),
    ]


def _server_rows(cases, truth, folder):
    from export.client import Client
    from export.launch import served

    with served(folder) as server:
        asked = {
            "REST": Client(server.rest, server.model),
            "gRPC": Client(server.grpc, server.model, "grpc"),
        }
        pictures = {
            protocol: np.stack([client.restore(case.image, case.words) for case in cases])
            for protocol, client in asked.items()
        }
    name = f"server of {folder}"
    return [
        _picture_row(name, p, "saved_model", cases, truth, made) for p, made in pictures.items()
    ]


def _lite_rows(restorer, cases, truth, folder):
    from export.lite import LiteRestorer

    model = LiteRestorer(folder)
    quantize = model.description["quantize"]
    name = f"{folder} ({quantize})"
    pictures = np.stack([model.restore(case.image, case.words) for case in cases])
    rows = [_picture_row(name, "image", quantize, cases, truth, pictures)]
    if quantize == "none":
        words = [case.words for case in cases]
        ours, theirs = ([which.embed(w) for w in words] for which in (model, restorer))
        rows.append(_number_row(name, "words", np.stack(ours), theirs))
    return rows


def _picture_row(artefact, what, kind, cases, truth, pictures):
    from tfimg.metrics import psnr
    from tfimg.pixels import to_float

    def score(images):
        pairs = zip(images, cases, strict=True)
        return float(np.mean([psnr(to_float(image), case.clean) for image, case in pairs]))

    levels = int(np.abs(pictures.astype(int) - truth).max())
    value, change = score(pictures), score(pictures) - score(truth)
    if kind in _LEVELS:
        tolerance, passed = f"{_LEVELS[kind]}/255", levels <= _LEVELS[kind]
    else:
        tolerance, passed = f"{_DECIBELS} dB", change >= -_DECIBELS
    return Row(artefact, what, levels, value, change, tolerance, passed)


def _number_row(artefact, what, found, expected):
    difference = float(np.abs(np.asarray(found) - np.asarray(expected)).max())
    passed = difference <= _PROBABILITIES
    return Row(artefact, what, difference, None, None, f"{_PROBABILITIES:g}", passed)


def _in_another_process(folder, signature, inputs):
    """One signature through `python -m export.session`, where tensorflow is never imported."""
    with tempfile.TemporaryDirectory() as scratch:
        given, taken = Path(scratch) / "inputs.npz", Path(scratch) / "outputs.npz"
        # Words as UTF-8, because fixed-width bytes are what both sides can load safely.
        encoded = {
            name: [v.encode() if isinstance(v, str) else v for v in value]
            for name, value in inputs.items()
        }
        np.savez(given, **encoded)
        command = [sys.executable, "-m", "export.session", folder, signature, given, taken]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise ValueError(done.stderr.strip().splitlines()[-1])
        with np.load(taken) as outputs:
            return dict(outputs)


def _exported(restorer, preset, scratch):
    from export import conversion, saved_model, tflite
    from export.signatures import MAX_PIXELS

    served = scratch / "saved_model" / "1"
    saved_model.write(restorer, served, preset, MAX_PIXELS)
    folders = []
    for quantize in conversion.QUANTIZATIONS:
        folders.append(scratch / quantize)
        tflite.write(restorer, folders[-1], quantize, SIDE, tflite.calibration_photos())
    return served, folders


def _photos(folder):
    """uint8 photos of at least `SIDE`: a folder's, or the sample that ships."""
    from tfimg import files, presets
    from tfimg.pixels import to_uint8

    paths = files.list_pictures(folder) if folder else [presets.sample_path()]
    photos = [to_uint8(files.read_picture(path).pixels) for path in paths]
    photos = [photo for photo in photos if min(photo.shape[:2]) >= SIDE]
    if not photos:
        raise ValueError(f"{folder}: no photo of at least {SIDE}x{SIDE} pixels")
    return photos


def _show(rows, preset):
    from rich.console import Console
    from rich.table import Table

    columns = ("artefact", "what", "largest difference", "PSNR, dB", "change, dB", "tolerance", "")
    table = Table(*columns, title=f"{preset}: what is exported beside Keras")
    for row in rows:
        values = ("", "") if row.psnr is None else (f"{row.psnr:.2f}", f"{row.change:+.3f}")
        unit = "" if row.psnr is None else "/255"
        table.add_row(
            *(row.artefact, row.what, f"{row.difference:.2g}{unit}", *values, row.tolerance),
            "ok" if row.passed else "PASSED ITS TOLERANCE",
        )
    Console().print(table)


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
