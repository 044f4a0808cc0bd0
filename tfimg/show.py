"""What the commands show: bars, tables, JSON."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tfimg.text.remedies import SURE, in_words

_FILE_WIDTH = 150


@contextlib.contextmanager
def bars(label: str, count: int) -> Iterator[tuple[Callable, Callable, Callable]]:
    """A bar for the pictures and one for the tiles of the current picture, on stderr.

    Args:
        label: What the bar says.
        count: Number of pictures.

    Yields:
        `advance()` for a finished picture, `progress(done, total)` for tiles, and `say(line)`,
        which prints a line to stdout above the bars.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # elsewhere it is a pipe or a file, not the screen
    ) as shown:
        pictures = shown.add_task(label, total=count, visible=count > 1)
        tiles = shown.add_task(label if count == 1 else "tiles", total=1, visible=False)

        def progress(done: int, total: int) -> None:
            shown.update(tiles, completed=done, total=total, visible=total > 1)

        yield lambda: shown.advance(pictures), progress, lambda line: print(line, flush=True)


def plain(probabilities: dict[str, Any]) -> dict[str, float]:
    """The same with Python floats, rounded to what a person or a program can use."""
    return {name: round(float(value), 6) for name, value in probabilities.items()}


def print_json(value: Any) -> None:
    """Prints JSON with text as it is, not escaped."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    print()


def print_table(table: Table) -> None:
    """Prints a table whose cells are plain text, whatever brackets and colons they hold."""
    # Where nobody is looking, in a pipe or a file, lines may be long.
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    Console(width=width, markup=False, emoji=False, highlight=False).print(table)


def print_probabilities(label: str, rows: list[tuple[str, dict[str, float]]]) -> None:
    """A table with what is likely first."""
    table = Table(label, "likely", "next")
    for name, probabilities in rows:
        ranked = sorted(probabilities.items(), key=lambda item: -item[1])
        likely = sum(value >= SURE for _, value in ranked) or 1
        rest = ranked[likely : likely + 2]
        table.add_row(
            name,
            in_words(probabilities),
            ", ".join(f"{other} {100 * value:.0f} %" for other, value in rest),
        )
    print_table(table)
