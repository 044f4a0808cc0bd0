"""Writes a preset as a SavedModel that TF Serving takes as it is.

    python -m export.saved_model --preset restorer_small --out served/restorer/1

The last part of `--out` is the version, a number. Pictures and words go in as they are: decoding
and tokenising happen in the graph. Beside it, in `assets.extra`, lie the labels, the preset's card
and requests that TF Serving runs once to warm up.
"""

import argparse
import json
import math
import os
import sys
from pathlib import Path

import numpy as np

from export.folders import copy_card, written_whole
from tfimg.arguments import Parser, one_line, positive, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_WARM_UP_SIDE = 256


def main(arguments=None) -> int:
    """Writes what the arguments say and prints what was written."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if not args.out.name.isdigit():
        return refuse(
            parser.prog, f"--out must end in a version, such as {args.out / '1'}, found {args.out}"
        )
    if args.out.exists():
        return refuse(parser.prog, f"{args.out} exists; give the next version")
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
    except ValueError as error:
        return refuse(parser.prog, one_line(error))
    from export.loading import load
    from export.signatures import MAX_PIXELS

    try:
        write(load(preset), args.out, presets.resolve(preset), args.max_pixels or MAX_PIXELS)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    size = sum(file.stat().st_size for file in args.out.rglob("*") if file.is_file())
    print(f"saved {args.out} ({size / 1e6:.1f} MB)")
    return 0


def write(task, folder: Path, card: str | Path, max_pixels: int) -> None:
    """Exports a task; the folder appears whole or not at all.

    Args:
        task: a `tfimg.ImageRestorer` or a `tfimg.TextToImage`.
        folder: `NAME/VERSION`, must not exist.
        card: folder of the preset; its `card.json` and `README.md` go along where it has them.
        max_pixels: the largest picture that is decoded.

    Raises:
        ValueError: if the graph holds an operation that older servers lack.
        OSError: if the folder cannot be written.
    """
    import keras

    import tfimg
    from export.maker_signatures import maker_signatures
    from export.operations import unexpected
    from export.signatures import restorer_signatures

    restores = isinstance(task, tfimg.ImageRestorer)
    archive = keras.export.ExportArchive()
    if not task.preprocessor.built:
        task.preprocessor.build(None)
    archive.track(task.backbone)
    archive.track(task.preprocessor)
    signatures = restorer_signatures(task, max_pixels) if restores else maker_signatures(task)
    for name, (function, specs) in signatures.items():
        archive.add_endpoint(name, function, input_signature=specs)

    with written_whole(folder) as fresh:
        archive.write_out(str(fresh), verbose=False)
        if found := unexpected(fresh):
            raise ValueError(f"the graph holds operations that servers may lack: {sorted(found)}")
        extra = fresh / "assets.extra"
        extra.mkdir()
        if restores:
            (extra / "labels.json").write_text(json.dumps(task.backbone.labels))
        copy_card(card, extra)
        requests = _restoring(task, max_pixels) if restores else _making(task)
        model = folder.absolute().parent.name  # because "1" has no parent that is named
        _write_warm_up(extra / "tf_serving_warmup_requests", model, requests)


def _restoring(restorer, max_pixels):
    """One real request for each signature of a restorer."""
    import tensorflow as tf

    from tfimg import presets
    from tfimg.tasks.preprocessor import NOTHING_KNOWN

    photo = tf.io.decode_png(presets.sample_path().read_bytes(), channels=3)
    # A server does not load what fails one of these.
    side = min(_WARM_UP_SIDE, math.isqrt(max_pixels))
    photo = tf.image.resize_with_crop_or_pad(photo, side, side)
    sentence, image = ["remove the noise"], photo[None]
    known = {} if restorer.diagnoses else {"instruction": [NOTHING_KNOWN]}
    return {
        "serving_default": {"image_bytes": [tf.io.encode_png(photo)], "instruction": sentence},
        "restore": {"image": image, "instruction": sentence},
        "restore_embedded": {"image": image, "embedding": restorer.embed(*sentence)[None]},
        "encode_text": {"instruction": sentence},
        "interpret": {"instruction": sentence},
        "classify": {"image": image, **known},
    }


def _making(maker):
    """One real request for each signature of a maker of pictures."""
    prompt, seed = ["a red apple"], np.array([0], np.int64)
    return {
        "serving_default": {"prompt": prompt, "seed": seed},
        "generate": {"prompt": prompt, "seed": seed},
        "generate_embedded": {"embedding": maker.embed(*prompt)[None], "seed": seed},
        "encode_text": {"prompt": prompt},
    }


def _write_warm_up(path, model, requests):
    """Writes requests in the format that TF Serving replays."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = model, signature
            for name, value in inputs.items():
                value = tf.convert_to_tensor(value).numpy()
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _parser():
    parser = Parser(
        prog="python -m export.saved_model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--out", required=True, type=Path, metavar="NAME/VERSION")
    parser.add_argument(
        "--max-pixels",
        type=positive,
        help="largest picture that is decoded; 16.8 million by default",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
