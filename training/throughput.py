"""Measures how fast a recipe trains here: its batches alone, its step alone, and both together.

    python -m training.throughput --recipe restorer_small --data PHOTOS

Where the last column is near 100 %, the pipeline never lets the step wait. Pictures (or sentences)
a second, medians of several rounds on one machine; nothing is saved.
"""

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich import box
from rich.table import Table

from tfimg import show
from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.machine import choose_jit, choose_precision
from training.recipes import RECIPES


def main(arguments=None) -> int:
    """Prints one row a precision."""
    parser = _parser()
    args = parser.parse_args(arguments)
    from training.kinds import Options, kind_of

    rows = []
    try:
        for choice in args.mixed_precision:
            precision, jit = choose_precision(choice), choose_jit(args.jit)
            recipe = RECIPES[args.recipe]
            options = Options(
                tuple(args.data or ()), args.init, args.text_encoder, precision=precision
            )
            rates = measure(kind_of(recipe), recipe, options, jit, args.steps, args.rounds)
            rows.append({"precision": precision, "jit": jit, **rates})
    except (ImportError, OSError, TypeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    if args.json:
        show.print_json(rows)
        return 0
    table = Table("precision", "XLA", box=box.SIMPLE_HEAD, title=f"{args.recipe}, a second")
    for heading in ("batches alone", "step alone", "together", "of the step"):
        table.add_column(heading, justify="right")
    for row in rows:
        rates = (f"{row[name]:.1f}" for name in ("batches", "step", "together"))
        share = f"{100 * row['together'] / row['step']:.0f} %"
        table.add_row(row["precision"], "on" if row["jit"] else "off", *rates, share)
    show.print_table(table)
    return 0


def measure(kind, recipe, options, jit: bool, steps: int, rounds: int) -> dict[str, float]:
    """Times a recipe.

    Args:
        kind: the module of the recipe's kind.
        recipe: what is trained.
        options: data, seed, precision.
        jit: whether the step is compiled with XLA.
        steps: of a round.
        rounds: whose median counts.

    Returns:
        Pictures or sentences a second of the `batches`, of the `step` on batches that are there
        already, and of both `together`.
    """
    from training.fit import compile_model

    task = kind.start(recipe, options)
    batches = iter(kind.source(recipe, task, options, recipe.steps)(0))
    model = kind.trained(recipe, task)
    compile_model(model, recipe, kind.losses(recipe), recipe.steps, jit)
    ready = list(itertools.islice(batches, steps))
    model.make_train_function()
    train = model.train_function
    for batch in ready:  # every shape is traced before anything is timed
        train(iter([batch]))

    def rate(work: Callable[[], None]) -> float:
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return steps * recipe.batch_size / statistics.median(times)

    def wait_for_batches():
        for _ in range(steps):
            next(batches)

    def step():
        for batch in ready:
            train(iter([batch]))

    def both():
        for _ in range(steps):
            train(batches)

    return {"batches": rate(wait_for_batches), "step": rate(step), "together": rate(both)}


def _parser():
    parser = Parser(
        prog="python -m training.throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipe", required=True, choices=RECIPES)
    parser.add_argument("--data", nargs="+", type=Path, help="as for training.fit")
    parser.add_argument("--init", help="as for training.fit")
    parser.add_argument("--text-encoder", metavar="BERT", help="as for training.fit")
    parser.add_argument(
        "--mixed-precision", nargs="+", default=["auto"], help="one or more Keras dtype policies"
    )
    parser.add_argument("--jit", default="auto", choices=("auto", "on", "off"))
    parser.add_argument("--steps", type=positive, default=40, help="of a round (default: 40)")
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
