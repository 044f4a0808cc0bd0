"""Times our network beside the textbook one, in one run on one machine.

    python -m export.benchmark [--preset restorer_small] [--size 256] [--json]

Milliseconds are medians; each round times every network once, so a slow moment hits all of them.
"""

import argparse
import json
import os
import statistics
import sys
import time

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_SENTENCE = "it is too dark and grainy, please fix it"


def main(arguments=None) -> int:
    """Prints the table."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.size < 8 or args.size % 8:
        return refuse(parser.prog, f"--size must be a multiple of 8, found {args.size}")
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
    except ValueError as error:
        return refuse(parser.prog, one_line(error))
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    timed = measure(subjects(preset, args.size), args.rounds)
    rows = table(timed)
    if args.json:
        print(json.dumps({"size": args.size, "threads": args.threads, "rows": rows}, indent=1))
        return 0
    from rich.console import Console
    from rich.table import Table

    shown = Table(
        *("network", "words", "median, ms", "p95, ms", "times faster"),
        title=f"Keras, {args.size}x{args.size}, {args.threads} threads, {args.rounds} rounds",
    )
    for row in rows:
        times = f"{row['ratio']:.0f}" if row["network"] != "textbook" else ""
        shown.add_row(
            row["network"], row["words"], f"{row['median']:.1f}", f"{row['p95']:.1f}", times
        )
    Console().print(shown)
    return 0


def subjects(preset: str, size: int) -> dict:
    """Returns what is timed: `(network, words)` to a function without arguments.

    With the words cached only the picture's half runs; without, the sentence is encoded as well.
    """
    import numpy as np
    import tensorflow as tf

    import tfimg
    from export.peers import bert_base, textbook_network

    image = tf.random.uniform((1, size, size, 3), seed=0)
    mask = tf.ones((1, size, size, 1))

    restorer = tfimg.ImageRestorer.from_preset(preset)
    tokens = restorer.preprocessor.tokenize([_SENTENCE])
    backbone, pixels = restorer.backbone, restorer.backbone.image_network
    cached = tf.constant(restorer.embed(_SENTENCE)[None])

    textbook, bert = textbook_network(), bert_base()
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
        ("textbook", "cached"): compiled(
            lambda x: textbook(x, training=False),
            {"image": image, "embedding": tf.zeros((1, 768))},
        ),
        ("textbook", "encoded"): compiled(
            lambda x, y: textbook(
                {"image": x, "embedding": bert(y, training=False)["pooled_output"]}, training=False
            ),
            image,
            words,
        ),
        (preset, "cached"): compiled(
            lambda x: pixels(x, training=False)["image"],
            {"image": image, "mask": mask, "embedding": cached},
        ),
        (preset, "encoded"): compiled(
            lambda x: backbone(x, training=False)["image"],
            {"image": image, "mask": mask, **tokens},
        ),
    }


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
    """Returns a row a subject: median, 95th percentile, and how many times faster it is."""
    rows = []
    for (network, words), times in milliseconds.items():
        median = statistics.median(times)
        rows.append(
            {
                "network": network,
                "words": words,
                "median": median,
                "p95": sorted(times)[int(0.95 * (len(times) - 1))],
                "ratio": statistics.median(milliseconds["textbook", words]) / median,
            }
        )
    return rows


def _parser():
    parser = Parser(
        prog="python -m export.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--size", type=int, default=256, help="side of the picture in pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
