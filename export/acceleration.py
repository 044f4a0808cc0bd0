"""Times what makes a restorer fast, one step at a time, and scores its pictures after each.

    python -m export.acceleration CID22_VALIDATION [--preset restorer_small] [--limit 12]

The same weights run in every row, which names the one thing that it does otherwise than an earlier
row. Milliseconds are those of one picture of 256x256, medians of rounds in which all take turns;
megabytes those of the picture's half; the score is what camera noise of 25, in 8 bits, is restored
to in the middles of the folder's photos.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfimg.arguments import Parser, one_line, positive, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_SIDE, _SMALL_TILE = 256, 128
_TOGETHER = 8
_PROTOCOL, _WORDS = "noise:25", "remove the noise"


@dataclass(frozen=True)
class Step:
    """One way to run a restorer.

    Attributes:
        name: what is done otherwise than in the step that it is compared with.
        run: from uint8 `(256, 256, 3)` to the same.
        megabytes: of the weights of the picture's half, as they lie in memory or in the file.
        since: the name of the step it is compared with, or None.
        together: how many pictures are restored at once when it is timed.
    """

    name: str
    run: Callable[[np.ndarray], np.ndarray]
    megabytes: float
    since: str | None = None
    together: int = 1


def main(arguments=None) -> int:
    """Prints the table."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from tfimg import files, presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
        photos = files.list_pictures(args.photos)[: args.limit]
        if not photos:
            raise ValueError(f"{args.photos}: the folder holds no pictures")
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.get_logger().setLevel("ERROR")
    try:
        pairs = noisy(photos)
        rows = measured(steps(preset, args.threads), pairs, args.rounds)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    if args.json:
        from tfimg import show

        show.print_json({"preset": preset, "threads": args.threads, "rows": rows})
    else:
        _show(rows, preset, args)
    return 0


def noisy(photos: list[Path]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the middles of photos with noise, uint8, and without, both `(256, 256, 3)`.

    Raises:
        OSError, ValueError: if a photo cannot be read or is smaller.
    """
    from tfimg.data.photos import read_rgb
    from tfimg.degradations import parse_protocol
    from tfimg.pixels import middle, to_float, to_uint8

    protocol, pairs = parse_protocol(_PROTOCOL), []
    for index, path in enumerate(photos):
        clean = to_float(middle(read_rgb(path), _SIDE))
        if clean.shape[:2] != (_SIDE, _SIDE):
            raise ValueError(f"{path} is smaller than {_SIDE}x{_SIDE}")
        pairs.append((to_uint8(protocol.apply(clean, index)), clean))
    return pairs


def steps(preset: str, threads: int) -> list[Step]:
    """Lists what is measured.

    Args:
        preset: a bundled name or a folder.
        threads: of LiteRT's interpreter.
    """
    import tfimg

    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    return [*_in_keras(preset, restorer), *_in_litert(restorer, threads)]


def _in_keras(preset, restorer):
    import tensorflow as tf

    import tfimg
    from export.conversion import as_levels
    from export.subjects import precisions

    def compiled(restorer, together=1):
        pixels = restorer.backbone.heads("image")

        @tf.function
        def network(image, embedding):
            given = {
                "image": tf.cast(image, tf.float32) / 255,
                "mask": tf.ones_like(image[..., :1], tf.float32),
                "embedding": tf.repeat(embedding, together, 0),
            }
            return as_levels(pixels(given, training=False)["image"], "none")

        embedding = tf.constant(restorer.embed(_WORDS)[None])
        return lambda image, said=embedding: network(
            np.repeat(image[None], together, 0), said
        ).numpy()[0]

    cached, together = compiled(restorer), compiled(restorer, _TOGETHER)
    encoder = tf.function(restorer.backbone.text_encoder)

    def encoded(image):
        tokens = dict(restorer.preprocessor.tokenize([_WORDS]))
        return cached(image, encoder(tokens, training=False)["embedding"])

    size = 4 * restorer.backbone.image_network.count_params() / 1e6
    first, second = "Keras, words encoded each time", "Keras, words encoded once"
    yield Step(first, encoded, size)
    yield Step(second, cached, size, first)
    yield Step(f"Keras, {_TOGETHER} pictures at once", together, size, second, _TOGETHER)
    for name, precision in precisions().items():
        if precision != "float32":
            half = compiled(tfimg.ImageRestorer.from_preset(preset, dtype=precision))
            yield Step(name, half, size, second)


def _in_litert(restorer, threads):
    from export import phone_restorer, tflite

    models = {}

    def exported(name, quantize, size=_SIDE, threads=threads, since=None):
        if (quantize, size) not in models:
            photos = tflite.calibration_photos(size)
            models[quantize, size] = phone_restorer.image_model(restorer, quantize, size, photos)
        model = models[quantize, size]
        run = _runner(model, threads, restorer)
        if size == _SMALL_TILE:
            run = _in_tiles(run, restorer.backbone.multiple)
        return Step(name, run, len(model) / 1e6, since)

    kept = _as_trained(restorer)
    first, second, last = "LiteRT, layers as trained", "LiteRT, layers lowered", "LiteRT, int8"
    yield Step(first, _runner(kept, threads, restorer), len(kept) / 1e6)
    yield exported(second, "none", since=first)
    yield exported("LiteRT, float16 weights", "float16", since=second)
    yield exported("LiteRT, dynamic range", "dynamic", since=second)
    yield exported(last, "int8", since=second)
    yield exported("LiteRT, int8, one thread", "int8", threads=1, since=last)
    yield exported("LiteRT, int8, a size left open", "int8", None, since=last)
    yield exported(f"LiteRT, int8, tiles of {_SMALL_TILE}", "int8", _SMALL_TILE, since=last)


def _as_trained(restorer):
    """The picture's half in LiteRT, layer by layer as Keras has it."""
    import tensorflow as tf

    from export.conversion import as_levels, convert

    network = restorer.backbone.image_network

    def image(image, embedding):
        given = {
            "image": tf.cast(image, tf.float32) / 255,
            "mask": tf.ones((1, _SIDE, _SIDE, 1)),
            "embedding": embedding,
        }
        return {"image": as_levels(network(given, training=False)["image"], "none")}

    specs = [
        tf.TensorSpec([1, _SIDE, _SIDE, 3], tf.uint8, "image"),
        tf.TensorSpec([1, restorer.backbone.embedding_width], tf.float32, "embedding"),
    ]
    return convert(network, image, specs)


def _in_tiles(run, multiple):
    """Runs a model of small pictures on a larger one."""
    from export.phone_restorer import OVERLAP
    from tfimg.pixels import to_float, to_uint8
    from tfimg.tiling import restore_tiled

    def of_a_tile(tile):
        return to_float(run(to_uint8(tile[0])))[None]

    return lambda image: restore_tiled(of_a_tile, image, _SMALL_TILE, OVERLAP, multiple, fixed=True)


def _runner(model, threads, restorer):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_content=model, num_threads=threads).get_signature_runner()
    embedding = restorer.embed(_WORDS)[None]
    return lambda image: run(image=image[None], embedding=embedding)["image"][0]


def measured(
    steps: list[Step], pairs: list[tuple[np.ndarray, np.ndarray]], rounds: int
) -> list[dict]:
    """Returns a row a step: milliseconds a picture, times faster, megabytes, and score.

    Args:
        steps: what is run.
        pairs: pictures, uint8, and what they are to become, 0..1.
        rounds: each times every step.
    """
    from export.benchmark import measure
    from export.subjects import Subject
    from tfimg.metrics import psnr
    from tfimg.pixels import to_float

    image, _ = pairs[0]
    subjects = {
        step.name: Subject(lambda step=step: step.run(image), step.together) for step in steps
    }
    medians = {name: statistics.median(times) for name, times in measure(subjects, rounds).items()}
    return [
        {
            "step": step.name,
            "milliseconds": medians[step.name],
            "compared with": step.since,
            "times faster": medians[step.since] / medians[step.name] if step.since else None,
            "megabytes": step.megabytes,
            "psnr": float(np.mean([psnr(to_float(step.run(x)), y) for x, y in pairs])),
        }
        for step in steps
    ]


def _show(rows, preset, args):
    from rich.table import Table

    from tfimg import show

    title = f"{preset}, {args.threads} threads, {args.rounds} rounds"
    shown = Table("step", "ms", "times faster", "than", "MB", "dB", title=title)
    for row in rows:
        ratio = "" if row["times faster"] is None else f"{row['times faster']:.2f}"
        shown.add_row(
            row["step"],
            f"{row['milliseconds']:.1f}",
            ratio,
            row["compared with"] or "",
            f"{row['megabytes']:.2f}",
            f"{row['psnr']:.2f}",
        )
    show.print_table(shown)


def _parser():
    parser = Parser(
        prog="python -m export.acceleration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", type=Path, help="folder of photos of 256x256 or more")
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--limit", type=positive, help="how many photos at most")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
