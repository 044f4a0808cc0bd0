"""Times our network beside the textbook one and a NAFNet, in one run on one machine.

    python -m export.benchmark [--size 256] [--runtime keras litert] [--json]

Milliseconds are medians; each round times every network once, so a slow moment hits all of them.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_SENTENCE = "it is too dark and grainy, please fix it"
_RUNTIMES = ("keras", "litert")


def main(arguments=None) -> int:
    """Prints the table."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.size < 64 or args.size % 16:
        return refuse(
            parser.prog, f"--size must be a multiple of 16 and at least 64, found {args.size}"
        )
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
    except ValueError as error:
        return refuse(parser.prog, one_line(error))
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    timed = {}
    with tempfile.TemporaryDirectory() as scratch:
        if "keras" in args.runtime:
            timed |= keras_subjects(preset, args.size)
        if "litert" in args.runtime:
            timed |= litert_subjects(preset, args.size, args.threads, Path(scratch))
        rows = table(measure(timed, args.rounds))
    if args.json:
        print(json.dumps({"size": args.size, "threads": args.threads, "rows": rows}, indent=1))
        return 0
    from rich.console import Console
    from rich.table import Table

    shown = Table(
        *("runtime", "network", "median, ms", "p95, ms", "times faster than textbook, NAFNet"),
        title=f"{args.size}x{args.size}, {args.threads} threads, {args.rounds} rounds",
    )
    for row in rows:
        ratios = (row[f"times faster than {peer}"] for peer in ("textbook", "NAFNet"))
        ratios = ", ".join("" if ratio is None else f"{ratio:.1f}" for ratio in ratios)
        shown.add_row(
            *(row["runtime"], row["network"], f"{row['median']:.1f}", f"{row['p95']:.1f}", ratios)
        )
    Console().print(shown)
    return 0


def keras_subjects(preset: str, size: int) -> dict:
    """Returns what is timed in Keras: `(runtime, network)` to a function without arguments.

    With the words cached only the picture's half runs; without, the sentence is encoded as well.
    """
    import numpy as np
    import tensorflow as tf

    import tfimg
    from export.peers import bert_base, nafnet, textbook_network

    image = tf.random.uniform((1, size, size, 3), seed=0)
    mask = tf.ones((1, size, size, 1))

    restorer = tfimg.ImageRestorer.from_preset(preset)
    tokens = restorer.preprocessor.tokenize([_SENTENCE])
    backbone, pixels = restorer.backbone, restorer.backbone.image_network
    cached = tf.constant(restorer.embed(_SENTENCE)[None])

    textbook, bert, peer = textbook_network(), bert_base(), nafnet()
    length = int(np.sum(tokens["padding_mask"]))
    words = {
        "token_ids": tf.ones((1, length), tf.int32),
        "segment_ids": tf.zeros((1, length), tf.int32),
        "padding_mask": tf.ones((1, length), tf.int32),
    }

    def compiled(function, *inputs):
        graph = tf.function(function)
        return lambda: graph(*inputs)

    return {
        ("Keras, words cached", "textbook"): compiled(
            lambda x: textbook(x, training=False),
            {"image": image, "embedding": tf.zeros((1, 768))},
        ),
        ("Keras, words encoded", "textbook"): compiled(
            lambda x, y: textbook(
                {"image": x, "embedding": bert(y, training=False)["pooled_output"]}, training=False
            ),
            image,
            words,
        ),
        ("Keras, words cached", "NAFNet"): compiled(lambda x: peer(x, training=False), image),
        ("Keras, words cached", preset): compiled(
            lambda x: pixels(x, training=False)["image"],
            {"image": image, "mask": mask, "embedding": cached},
        ),
        ("Keras, words encoded", preset): compiled(
            lambda x: backbone(x, training=False)["image"],
            {"image": image, "mask": mask, **tokens},
        ),
    }


def litert_subjects(preset: str, size: int, threads: int, scratch: Path) -> dict:
    """Returns what is timed in LiteRT: `(runtime, network)` to a function without arguments.

    The peers run in float32, ours in every precision; the words are cached.
    """
    import numpy as np
    import tensorflow as tf

    import tfimg
    from export import tflite
    from export.peers import nafnet, textbook_network

    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (1, size, size, 3), np.uint8)
    floats = {"image": image.astype(np.float32) / 255}

    textbook, peer = textbook_network(), nafnet()
    pixels = tf.TensorSpec([1, size, size, 3], tf.float32, "image")
    words = tf.TensorSpec([1, 768], tf.float32, "embedding")

    def textbook_function(image, embedding):
        return {"image": textbook({"image": image, "embedding": embedding}, training=False)}

    def peer_function(image):
        return {"image": peer(image, training=False)}

    def runner(model, inputs):
        from ai_edge_litert.interpreter import Interpreter

        run = Interpreter(model_content=model, num_threads=threads).get_signature_runner()
        return lambda: run(**inputs)

    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    ours = {"image": image, "embedding": restorer.embed(_SENTENCE)[None]}
    timed = {
        ("LiteRT", "textbook"): runner(
            tflite.convert(textbook, textbook_function, [pixels, words]),
            {**floats, "embedding": np.zeros((1, 768), np.float32)},
        ),
        ("LiteRT", "NAFNet"): runner(tflite.convert(peer, peer_function, [pixels]), floats),
    }
    for quantize in tflite.QUANTIZATIONS:
        tflite.write(restorer, scratch / quantize, quantize, size, tflite.calibration_photos())
        name = f"{preset}, {'float32' if quantize == 'none' else quantize}"
        model = (scratch / quantize / "image.tflite").read_bytes()
        timed["LiteRT", name] = runner(model, ours)
    return timed


def measure(timed: dict, rounds: int) -> dict:
    """Returns the milliseconds of each subject in each round, after one round that is not kept."""
    milliseconds = {name: [] for name in timed}
    for number in range(rounds + 1):
        for name, run in timed.items():
            began = time.perf_counter()
            run()
            if number:
                milliseconds[name].append(1000 * (time.perf_counter() - began))
    return milliseconds


def table(milliseconds: dict) -> list[dict]:
    """Returns a row a subject: median, 95th percentile, and how many times faster it is.

    A ratio is to the peer in the same runtime; None where that was not timed, or is the row itself.
    """
    medians = {name: statistics.median(times) for name, times in milliseconds.items()}
    rows = []
    for (runtime, network), times in milliseconds.items():
        row = {
            "runtime": runtime,
            "network": network,
            "median": medians[runtime, network],
            "p95": sorted(times)[int(0.95 * (len(times) - 1))],
        }
        for peer in ("textbook", "NAFNet"):
            other = medians.get((runtime, peer)) if network not in ("textbook", peer) else None
            row[f"times faster than {peer}"] = other and other / row["median"]
        rows.append(row)
    return rows


def _parser():
    parser = Parser(
        prog="python -m export.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--size", type=int, default=256, help="side of the picture in pixels")
    parser.add_argument("--runtime", nargs="+", default=_RUNTIMES, choices=_RUNTIMES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
