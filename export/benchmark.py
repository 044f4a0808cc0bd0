"""Times our network beside the textbook one and a NAFNet, in one run on one machine.

    python -m export.benchmark [--size 256] [--runtime keras saved_model server litert] [--json]

Milliseconds a picture are medians; each round times every network once, so a slow moment hits all
of them. GMAC counts multiplications and additions of convolutions and matrix products; the share
is of what a large float32 matrix product reaches on the same threads. `--size` may also be
`1920x1080` or `4000x3000`: then only ours are timed, whole files through `restore`.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tfimg.arguments import Parser, one_line, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_SENTENCE = "it is too dark and grainy, please fix it"
_RUNTIMES = ("keras", "saved_model", "server", "litert")
_CLIENTS = 16
# Above this many pixels the textbook network takes minutes and tens of gigabytes.
_WITH_PEERS = 512 * 512
# Side of the tiles in LiteRT for larger pictures.
_TILE = 512


@dataclass(frozen=True)
class Subject:
    """What is timed.

    Attributes:
        run: does its work once.
        pictures: how many pictures that makes.
        gmac: multiplications and additions a picture, in thousands of millions, or None.
    """

    run: Callable[[], object]
    pictures: int = 1
    gmac: float | None = None


def main(arguments=None) -> int:
    """Prints the table."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        width, height = _sides(args.size)
    except ValueError as error:
        return refuse(parser.prog, str(error))
    from tfimg import presets

    try:
        preset = args.preset or presets.default()
        presets.resolve(preset)
    except ValueError as error:
        return refuse(parser.prog, one_line(error))
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.get_logger().setLevel("ERROR")
    subjects: dict[tuple[str, str], Subject] = {}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if width * height > _WITH_PEERS:
            subjects = large_subjects(preset, width, height, args.threads, scratch)
        else:
            if "keras" in args.runtime:
                subjects |= keras_subjects(preset, width, height)
            if {"saved_model", "server"} & {*args.runtime}:
                subjects |= served_subjects(preset, width, height, args.runtime, scratch, stack)
            if "litert" in args.runtime:
                subjects |= litert_subjects(preset, width, height, args.threads, scratch)
        peak = peak_gflops()
        rows = table(measure(subjects, args.rounds), subjects, peak)
    about = {"size": f"{width}x{height}", "threads": args.threads, "peak GFLOP/s": round(peak)}
    if args.json:
        print(json.dumps({**about, "rows": rows}, indent=1))
    else:
        _show(rows, about, args.rounds)
    return 0


def keras_subjects(preset: str, width: int, height: int) -> dict:
    """Returns what is timed in Keras: `(runtime, network)` to a `Subject`.

    With the words cached only the picture's half runs; without, the sentence is encoded as well.
    """
    import numpy as np
    import tensorflow as tf

    import tfimg
    from export.peers import bert_base, nafnet, textbook_network

    image = tf.random.uniform((1, height, width, 3), seed=0)
    mask = tf.ones((1, height, width, 1))

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
        graph = tf.function(function).get_concrete_function(*inputs)
        return Subject(lambda: graph(*inputs), gmac=_gmac(graph.graph))

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


def served_subjects(preset: str, width: int, height: int, runtimes, scratch, stack) -> dict:
    """Returns what is timed in the C++ runtime, bare and behind the server.

    A picture goes to the server as PNG over REST and comes back as one; with many clients the time
    is that of all of them, shared out.
    """
    import numpy as np

    import tfimg
    from export import saved_model
    from export.client import Client
    from export.launch import served
    from export.session import Session
    from export.signatures import MAX_PIXELS
    from tfimg import presets

    folder = scratch / "restorer" / "1"
    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    saved_model.write(restorer, folder, presets.resolve(preset), MAX_PIXELS)
    image = _photo(width, height)
    subjects = {}
    if "saved_model" in runtimes:
        session = stack.enter_context(Session(folder))
        inputs = {"image": image[None], "embedding": restorer.embed(_SENTENCE)[None]}
        subjects["SavedModel, words cached", preset] = Subject(
            lambda: session.run("restore_embedded", inputs)
        )
        words = {"image": image[None], "instruction": np.array([_SENTENCE.encode()], object)}
        subjects["SavedModel, words encoded", preset] = Subject(
            lambda: session.run("restore", words)
        )
    if "server" in runtimes:
        server = stack.enter_context(served(folder))
        clients = [Client(server.rest, server.model) for _ in range(_CLIENTS)]
        pool = stack.enter_context(ThreadPoolExecutor(_CLIENTS))
        subjects["server, 1 client", preset] = Subject(lambda: clients[0].restore(image, _SENTENCE))
        subjects[f"server, {_CLIENTS} clients", preset] = Subject(
            lambda: list(pool.map(lambda client: client.restore(image, _SENTENCE), clients)),
            pictures=_CLIENTS,
        )
    return subjects


def litert_subjects(preset: str, width: int, height: int, threads: int, scratch: Path) -> dict:
    """Returns what is timed in LiteRT: `(runtime, network)` to a `Subject`.

    The peers run in float32, ours in every precision; the words are cached.
    """
    import numpy as np
    import tensorflow as tf

    import tfimg
    from export import tflite
    from export.peers import nafnet, textbook_network

    image = _photo(width, height)[None]
    floats = {"image": image.astype(np.float32) / 255}

    textbook, peer = textbook_network(), nafnet()
    pixels = tf.TensorSpec([1, height, width, 3], tf.float32, "image")
    words = tf.TensorSpec([1, 768], tf.float32, "embedding")

    def textbook_function(image, embedding):
        return {"image": textbook({"image": image, "embedding": embedding}, training=False)}

    def peer_function(image):
        return {"image": peer(image, training=False)}

    def runner(model, inputs):
        from ai_edge_litert.interpreter import Interpreter

        run = Interpreter(model_content=model, num_threads=threads).get_signature_runner()
        return Subject(lambda: run(**inputs))

    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    ours = {"image": image, "embedding": restorer.embed(_SENTENCE)[None]}
    subjects = {
        ("LiteRT", "textbook"): runner(
            tflite.convert(textbook, textbook_function, [pixels, words]),
            {**floats, "embedding": np.zeros((1, 768), np.float32)},
        ),
        ("LiteRT", "NAFNet"): runner(tflite.convert(peer, peer_function, [pixels]), floats),
    }
    for quantize in tflite.QUANTIZATIONS:
        size = width if width == height else None
        tflite.write(restorer, scratch / quantize, quantize, size, tflite.calibration_photos())
        name = f"{preset}, {'float32' if quantize == 'none' else quantize}"
        model = (scratch / quantize / "image.tflite").read_bytes()
        subjects["LiteRT", name] = runner(model, ours)
    return subjects


def large_subjects(preset: str, width: int, height: int, threads: int, scratch: Path) -> dict:
    """Returns whole photos through `restore`, in tiles: in Keras and in LiteRT."""
    import tfimg
    from export import tflite
    from export.lite import LiteRestorer

    restorer = tfimg.ImageRestorer.from_preset(preset, dtype="float32")
    image = _photo(width, height)
    subjects = {("Keras, tiles", preset): Subject(lambda: restorer.restore(image, _SENTENCE))}
    for quantize in ("none", "dynamic"):
        tflite.write(restorer, scratch / quantize, quantize, _TILE, [])
        lite = LiteRestorer(scratch / quantize, threads)
        name = f"{preset}, {'float32' if quantize == 'none' else quantize}"
        subjects["LiteRT, tiles", name] = Subject(lambda lite=lite: lite.restore(image, _SENTENCE))
    return subjects


def peak_gflops(side: int = 2048, rounds: int = 5) -> float:
    """Returns what a float32 matrix product reaches here, in GFLOP/s: the best of some rounds."""
    import tensorflow as tf

    matrix = tf.random.uniform((side, side), seed=0)
    best = min(
        measure({"product": Subject(lambda: tf.matmul(matrix, matrix).numpy())}, rounds)["product"]
    )
    return 2 * side**3 / best / 1e6


def measure(subjects: dict, rounds: int) -> dict:
    """Returns each subject's milliseconds a picture in each round, after one that is not kept."""
    milliseconds = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            began = time.perf_counter()
            subject.run()
            if number:
                spent = 1000 * (time.perf_counter() - began)
                milliseconds[name].append(spent / subject.pictures)
    return milliseconds


def table(milliseconds: dict, subjects: dict, peak: float) -> list[dict]:
    """Returns a row a subject: median, 95th percentile, cost, and how many times faster it is.

    A ratio is to the peer in the same runtime; None where that was not timed, or is the row itself.

    Args:
        milliseconds: from `measure`.
        subjects: what was measured.
        peak: of this machine, GFLOP/s.
    """
    medians = {name: statistics.median(times) for name, times in milliseconds.items()}
    rows = []
    for (runtime, network), times in milliseconds.items():
        gmac = subjects[runtime, network].gmac
        row = {
            "runtime": runtime,
            "network": network,
            "median": medians[runtime, network],
            "p95": sorted(times)[int(0.95 * (len(times) - 1))],
            "GMAC": gmac,
            "share of peak": gmac and 2000 * gmac / medians[runtime, network] / peak,
        }
        for peer in ("textbook", "NAFNet"):
            other = medians.get((runtime, peer)) if network not in ("textbook", peer) else None
            row[f"times faster than {peer}"] = other and other / row["median"]
        rows.append(row)
    return rows


def _gmac(graph) -> float:
    """Half of the floating-point operations that TensorFlow's profiler counts."""
    import tensorflow as tf

    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    options = options.with_empty_output().build()
    return profiler.profile(graph, options=options).total_float_ops / 2e9


def _photo(width, height):
    """The sample photo, repeated and cut to a size; uint8 `(height, width, 3)`."""
    import numpy as np

    from tfimg import files, presets
    from tfimg.pixels import to_uint8

    photo = to_uint8(files.read_picture(presets.sample_path()).pixels)
    times = [
        -(-wanted // found) for wanted, found in zip((height, width), photo.shape, strict=False)
    ]
    return np.tile(photo, (*times, 1))[:height, :width]


def _sides(size):
    """Width and height of "256" or "1920x1080"."""
    found = re.fullmatch(r"(\d+)(?:x(\d+))?", size)
    width, height = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    peers = width * height <= _WITH_PEERS
    if min(width, height) < 64 or (peers and (width % 16 or height % 16)):
        raise ValueError(
            f"--size must be a side or WIDTHxHEIGHT of 64 or more, in multiples of 16 up to "
            f"{_WITH_PEERS} pixels, found {size}"
        )
    return width, height


def _show(rows, about, rounds):
    from rich.console import Console
    from rich.table import Table

    shown = Table(
        *("runtime", "network", "median, ms", "p95, ms", "GMAC", "of peak"),
        "times faster than textbook, NAFNet",
        title=", ".join(f"{name} {value}" for name, value in about.items()) + f", {rounds} rounds",
    )
    for row in rows:
        ratios = (row[f"times faster than {peer}"] for peer in ("textbook", "NAFNet"))
        ratios = ", ".join("" if ratio is None else f"{ratio:.1f}" for ratio in ratios)
        cost = ("", "")
        if row["GMAC"]:
            cost = (f"{row['GMAC']:.2f}", f"{100 * row['share of peak']:.0f} %")
        times = (f"{row['median']:.1f}", f"{row['p95']:.1f}")
        shown.add_row(row["runtime"], row["network"], *times, *cost, ratios)
    Console().print(shown)


def _parser():
    parser = Parser(
        prog="python -m export.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a bundled name or a folder")
    parser.add_argument("--size", default="256", help="side of the picture in pixels, or WxH")
    parser.add_argument("--runtime", nargs="+", default=_RUNTIMES, choices=_RUNTIMES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
