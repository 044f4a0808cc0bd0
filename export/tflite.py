"""Writes a preset for phones: three LiteRT models, a vocabulary, and a description of them.

    python -m export.tflite --preset restorer_small --out phone --quantize int8 --size 256

`words.tflite` turns token ids into an embedding, once a sentence; `image.tflite` restores a uint8
picture with it; `diagnosis.tflite` tells what is wrong with a picture, for people who do not say.
All need LiteRT's builtin operations only. With `--size` the picture's side is
fixed, which is the fast way; larger pictures go through in tiles, as `export.lite` shows. Without
it the height and width are free multiples of what `model.json` says.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from export.folders import written_whole
from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

QUANTIZATIONS = ("none", "float16", "dynamic", "int8")

# Of tiles, where the picture's side is fixed and where it is free.
_OVERLAP, _FREE_OVERLAP, _FREE_TILE = 32, 64, 512
_SMALLEST = 64
_CALIBRATION_SIDE = 256


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
        photos = calibration_photos(args.calibrate)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    import tfimg

    try:
        restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
        write(restorer, args.out, args.quantize, args.size, photos)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    for path in sorted(args.out.iterdir()):
        print(f"{path} ({path.stat().st_size / 1e6:.2f} MB)")
    return 0


def write(restorer, folder: Path, quantize: str, size: int | None, photos: list) -> None:
    """Exports a restorer for LiteRT; the folder appears whole or not at all.

    Args:
        restorer: a `tfimg.ImageRestorer`.
        folder: where to; must not exist or be empty.
        quantize: one of `QUANTIZATIONS`. `int8` holds for the restoration; words and diagnosis,
            which run once a sentence or a picture, then get 8-bit weights (`dynamic`).
        size: side of the picture in pixels, or None for any.
        photos: uint8 `(H, W, 3)` arrays to calibrate `int8` on.

    Raises:
        ValueError: for another quantisation, or `int8` without photos.
        OSError: if the folder cannot be written.
    """
    if quantize not in QUANTIZATIONS:
        raise ValueError(f"quantize must be one of {QUANTIZATIONS}, found {quantize!r}")
    if quantize == "int8" and not photos:
        raise ValueError("int8 needs photos to calibrate on")
    from tfimg.degradations import INTENTS
    from tfimg.tasks.image_classifier import CROP
    from tfimg.text.remedies import SURE

    backbone, preprocessor = restorer.backbone, restorer.preprocessor
    once = "dynamic" if quantize == "int8" else quantize
    words = convert(*_words(restorer), once)
    diagnosis = convert(*_diagnosis(restorer, size), once)
    rows = _calibration(restorer, photos, size or _CALIBRATION_SIDE)
    image = convert(*_image(restorer, size, quantize), quantize, rows)

    tokenizer = preprocessor.tokenizer
    description = {
        "labels": INTENTS,
        "quantize": quantize,
        "words": {
            "file": "words.tflite",
            "vocabulary": "vocabulary.txt",
            "tokenizer": {
                "length": preprocessor.sequence_length,
                "lowercase": tokenizer.lowercase,
                "unknown": tokenizer.oov_token,
                "start": tokenizer.cls_token,
                "end": tokenizer.sep_token,
                "pad": tokenizer.pad_token,
                "suffix": tokenizer.suffix_indicator,
            },
            **_interface(words),
        },
        "image": {
            "file": "image.tflite",
            "size": size,
            "tile": size or _FREE_TILE,
            "overlap": _OVERLAP if size else _FREE_OVERLAP,
            "multiple": backbone.multiple,
            **_interface(image),
        },
        "diagnosis": {
            "file": "diagnosis.tflite",
            "side": size or CROP,
            "sure": SURE,
            **_interface(diagnosis),
        },
    }
    with written_whole(folder) as fresh:
        (fresh / "words.tflite").write_bytes(words)
        (fresh / "image.tflite").write_bytes(image)
        (fresh / "diagnosis.tflite").write_bytes(diagnosis)
        pieces = tokenizer.get_vocabulary()
        (fresh / "vocabulary.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
        text = json.dumps(description, indent=1, ensure_ascii=False)
        (fresh / "model.json").write_text(text, encoding="utf-8")


def _words(restorer):
    """The text branch, the function to convert, and its arguments."""
    import tensorflow as tf

    encoder, length = restorer.backbone.text_encoder, restorer.preprocessor.sequence_length

    def words(token_ids, padding_mask):
        read = encoder({"token_ids": token_ids, "padding_mask": padding_mask}, training=False)
        return {
            "embedding": read["embedding"],
            "probabilities": tf.sigmoid(read["intent_logits"]),
        }

    names = ("token_ids", "padding_mask")
    return encoder, words, [tf.TensorSpec([1, length], tf.int32, name) for name in names]


def _image(restorer, size, quantize):
    """The picture's half, the function to convert, and its arguments."""
    import tensorflow as tf

    network, width = restorer.backbone.image_network, restorer.backbone.embedding_width

    def image(image, embedding):
        picture = tf.cast(image, tf.float32) / 255.0
        inputs = {
            "image": picture,
            "mask": tf.ones_like(picture[..., :1]),
            "embedding": embedding,
        }
        restored = network(inputs, training=False)["image"]
        clipped = tf.clip_by_value(restored, 0, 1)
        if quantize == "int8":  # the converter makes these floats the 256 levels of a uint8
            return {"image": clipped}
        return {"image": tf.cast(tf.round(clipped * 255), tf.uint8)}

    specs = [
        tf.TensorSpec([1, size, size, 3], tf.uint8, "image"),
        tf.TensorSpec([1, width], tf.float32, "embedding"),
    ]
    return network, image, specs


def _diagnosis(restorer, size):
    """The picture's half again, the function to convert, and its argument."""
    import tensorflow as tf

    network, width = restorer.backbone.image_network, restorer.backbone.embedding_width

    def diagnosis(image):
        picture = tf.cast(image, tf.float32) / 255.0
        inputs = {
            "image": picture,
            "mask": tf.ones_like(picture[..., :1]),
            "embedding": tf.zeros((1, width)),
        }
        told = network(inputs, training=False)
        severity = tf.clip_by_value(told["severity"], 0.0, 1.0)
        return {"probabilities": tf.sigmoid(told["logits"]), "severity": severity}

    return network, diagnosis, [tf.TensorSpec([1, size, size, 3], tf.uint8, "image")]


def convert(
    model, function: Callable, specs: list, quantize: str = "none", rows: Callable | None = None
) -> bytes:
    """Converts a function of a model to LiteRT with builtin operations only.

    It goes by way of a SavedModel: straight from Keras the converter loses the weights.

    Args:
        model: the Keras model whose weights the function uses.
        function: to a dict of outputs.
        specs: a `tf.TensorSpec` for each argument.
        quantize: one of `QUANTIZATIONS`.
        rows: for `int8`, gives dicts of arguments to calibrate on.

    Returns:
        What a `.tflite` file holds.
    """
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", function, input_signature=specs)
    with tempfile.TemporaryDirectory() as saved:
        archive.write_out(saved, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, signature_keys=["serve"])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize == "int8":
            converter.representative_dataset = lambda: (("serve", row) for row in rows())
            converter.inference_output_type = tf.uint8
        return converter.convert()


def _calibration(restorer, photos, side) -> Callable[[], Iterator[dict]]:
    """Photos with each of the degradations, and the embedding of words that ask for its removal."""
    import numpy as np

    from tfimg.degradations import NAMES, degrade
    from tfimg.pixels import middle, to_float, to_uint8
    from tfimg.text.remedies import REMEDIES

    nothing = restorer.embed("leave it as it is")[None]

    def rows():
        # Black and white both, so that the 256 levels of the output are those of a picture.
        ramp = np.linspace(0, 255, side, dtype=np.uint8)[None, :, None, None]
        yield {"image": ramp.repeat(side, 0).swapaxes(0, 2).repeat(3, 3), "embedding": nothing}
        for number, photo in enumerate(photos):
            missing = [(0, max(0, side - length)) for length in photo.shape[:2]]
            filled = np.pad(photo, (*missing, (0, 0)), "reflect")
            clean = to_float(middle(filled, side))[None]
            yield {"image": to_uint8(clean), "embedding": nothing}
            for index, name in enumerate(NAMES):
                present = np.arange(len(NAMES))[None] == index
                severity = np.full((1, len(NAMES)), 0.5, np.float32)
                degraded, _ = degrade(clean, present, severity, number)
                words = restorer.embed(REMEDIES["en"][name])[None]
                yield {"image": to_uint8(np.asarray(degraded)), "embedding": words}

    return rows


def _interface(model: bytes) -> dict:
    """The inputs and outputs in the order of the file, as an app without signatures needs them."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    runner = interpreter.get_signature_runner()

    def told(details, order):
        places = {detail["index"]: place for place, detail in enumerate(order)}
        rows = [
            {
                "name": name,
                "dtype": detail["dtype"].__name__,
                "shape": [int(side) for side in detail["shape_signature"]],
                "place": places[detail["index"]],
                # Of what an int8 model gives: 1/255, so that a level is a level.
                **(
                    {"scale": float(detail["quantization"][0])} if detail["quantization"][0] else {}
                ),
            }
            for name, detail in details.items()
        ]
        return sorted(rows, key=lambda row: row["place"])

    return {
        "inputs": told(runner.get_input_details(), interpreter.get_input_details()),
        "outputs": told(runner.get_output_details(), interpreter.get_output_details()),
    }


def calibration_photos(folder: Path | None = None) -> list:
    """Returns the photos to calibrate on, uint8: a folder's, or the sample that ships."""
    from tfimg import files, presets
    from tfimg.pixels import to_uint8

    paths = files.list_pictures(folder) if folder else [presets.sample_path()]
    if not paths:
        raise ValueError(f"{folder}: the folder holds no pictures")
    return [to_uint8(files.read_picture(path).pixels) for path in paths]


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
