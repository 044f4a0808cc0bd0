"""Times our networks beside the textbook one and a NAFNet, in one run on one machine.

    python -m export.benchmark [--preset P ...] [--size 256]
    python -m export.benchmark --runtime keras saved_model server litert --json

Milliseconds a picture are medians; each round times every network, so a slow moment hits all of
them, and quick ones several times in a row, as an app with many pictures runs them. GMAC counts
multiplications and additions of convolutions and matrix products; the share is of what a large
float32 matrix product reaches on the same threads, of which the server has as many; the memory is
the most that a process needs which restores one file and does nothing else. Where `restore` takes
bfloat16 by itself, restorers and peers are timed in Keras in both precisions; the share is of the
float32 product all the same.
Without `--preset` all restorers that ship are timed. `--size` may also be `1920x1080` or
`4000x3000`: then only ours are timed, whole files through `restore`. A preset that makes pictures
from words is timed alone, at its own size.
"""

import argparse
import json
import math
import os
import re
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from export import subjects
from export.subjects import Subject
from tfimg.arguments import Parser, one_line, positive, refuse

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_RUNTIMES = ("keras", "saved_model", "server", "litert")
_NO_CHOICE = "--runtime is for restorers, on pictures beside which the peers run"
_ALONE = "{} makes pictures from words; time it alone"
# Milliseconds; quick subjects are repeated to fill them, in every round.
_FILLED = 100
# Above this many pixels the textbook network takes minutes and tens of gigabytes.
_WITH_PEERS = 512 * 512


def main(arguments=None) -> int:
    """Prints the table."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        width, height = _sides(args.size)
        if args.runtime and width * height > _WITH_PEERS:
            raise ValueError(_NO_CHOICE)
    except ValueError as error:
        return refuse(parser.prog, str(error))
    from tfimg import presets

    try:
        names = args.preset or presets.restorers()
        for name in names:
            presets.resolve(name)
    except ValueError as error:
        return refuse(parser.prog, one_line(error))
    # What the C++ runtime goes by, in this process and in the server's, which inherits it.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(args.threads)
    import tensorflow as tf

    import tfimg
    from export.loading import load

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.get_logger().setLevel("ERROR")
    try:
        makers = {name: task for name in names if isinstance(task := load(name), tfimg.TextToImage)}
        if makers and (args.runtime or len(names) > 1):
            raise ValueError(_NO_CHOICE if args.runtime else _ALONE.format(*makers))
        for task in makers.values():
            width = height = task.backbone.canvas
        with ExitStack() as stack:
            timed = _subjects(names, makers, width, height, args, stack)
            peak = peak_gflops()
            milliseconds = measure(timed, args.rounds)
            memory = {name: subject.peak_memory() for name, subject in timed.items()}
            rows = table(milliseconds, timed, peak, memory)
    except (OSError, RuntimeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    about = {"size": f"{width}x{height}", "threads": args.threads, "peak GFLOP/s": round(peak)}
    if args.json:
        print(json.dumps({**about, "rows": rows}, indent=1))
    else:
        _show(rows, about, args.rounds)
    return 0


def _subjects(names, makers, width, height, args, stack) -> dict[tuple[str, str], Subject]:
    """What the arguments ask for; `stack` stops and removes it in the end."""
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    if makers:
        from export.maker_subjects import maker_subjects

        ((name, maker),) = makers.items()
        return maker_subjects(maker, name, args.threads, scratch)
    timed, runtimes, large = {}, args.runtime or _RUNTIMES, width * height > _WITH_PEERS
    if not large and "keras" in runtimes:
        timed |= subjects.keras_peers(width, height)
    if not large and "litert" in runtimes:
        timed |= subjects.litert_peers(width, height, args.threads)
    for number, name in enumerate(names):
        folder = scratch / str(number)
        folder.mkdir()
        if large:
            timed |= subjects.large_subjects(name, width, height, args.threads, folder)
            continue
        if "keras" in runtimes:
            timed |= subjects.keras_subjects(name, width, height, folder)
        if {"saved_model", "server"} & {*runtimes}:
            timed |= subjects.served_subjects(name, width, height, runtimes, folder, stack)
        if "litert" in runtimes:
            timed |= subjects.litert_subjects(name, width, height, args.threads, folder)
    return timed


def peak_gflops(side: int = 2048, rounds: int = 5) -> float:
    """Returns what a float32 matrix product reaches here, in GFLOP/s: the best of some rounds."""
    import tensorflow as tf

    matrix = tf.random.uniform((side, side), seed=0)
    best = min(
        measure({"product": Subject(lambda: tf.matmul(matrix, matrix).numpy())}, rounds)["product"]
    )
    return 2 * side**3 / best / 1e6


def measure(timed: dict, rounds: int) -> dict:
    """Returns each subject's milliseconds a picture in each round, after two that are not kept.

    Args:
        timed: of each name a `Subject`.
        rounds: each times every subject, the mean of as many runs in a row as fill 100 ms.

    Returns:
        Of each name a list of as many numbers.
    """

    def taken(subject, runs):
        began = time.perf_counter()
        for _ in range(runs):
            subject.run()
        return 1000 * (time.perf_counter() - began) / runs

    for subject in timed.values():
        subject.run()
    once = {name: taken(subject, 1) for name, subject in timed.items()}
    runs = {name: math.ceil(_FILLED / spent) for name, spent in once.items()}
    milliseconds = {name: [] for name in timed}
    for _ in range(rounds):
        for name, subject in timed.items():
            milliseconds[name].append(taken(subject, runs[name]) / subject.pictures)
    return milliseconds


def table(milliseconds: dict, timed: dict, peak: float, memory: dict) -> list[dict]:
    """Returns a row a subject: median, 95th percentile, cost, and how many times faster it is.

    The percentile is the time that 95 % of the rounds do not pass: of up to 19 rounds the longest.
    A ratio is to the peer in the same runtime; None where that was not timed, or is the row itself.

    Args:
        milliseconds: from `measure`.
        timed: what was measured.
        peak: of this machine, GFLOP/s.
        memory: of each subject in MB, or None.
    """
    medians = {name: statistics.median(times) for name, times in milliseconds.items()}
    rows = []
    for (runtime, network), times in milliseconds.items():
        gmac = timed[runtime, network].gmac
        row = {
            "runtime": runtime,
            "network": network,
            "median": medians[runtime, network],
            "p95": sorted(times)[math.ceil(95 * len(times) / 100) - 1],
            "GMAC": gmac,
            "share of peak": gmac and 2000 * gmac / medians[runtime, network] / peak,
            "memory": memory.get((runtime, network)),
        }
        for peer in ("textbook", "NAFNet"):
            other = medians.get((runtime, peer)) if network not in ("textbook", peer) else None
            row[f"times faster than {peer}"] = other and other / row["median"]
        rows.append(row)
    return rows


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
    from rich.table import Table

    from tfimg import show

    shown = Table(
        *("runtime", "network", "median, ms", "p95, ms", "GMAC", "of peak", "memory, MB"),
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
        memory = "" if row["memory"] is None else f"{row['memory']:.0f}"
        shown.add_row(row["runtime"], row["network"], *times, *cost, memory, ratios)
    show.print_table(shown)


def _parser():
    parser = Parser(
        prog="python -m export.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", nargs="+", help="bundled names or folders")
    parser.add_argument("--size", default="256", help="side of the picture in pixels, or WxH")
    parser.add_argument("--runtime", nargs="+", choices=_RUNTIMES, help="by default all")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
