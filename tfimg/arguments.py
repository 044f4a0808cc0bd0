"""The manners of every command: what is wrong is said in one line, with exit status 2."""

import argparse
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argparse parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(refuse(self.prog, one_line(f"{message} (see {self.prog} --help)")))


def positive(text: str) -> int:
    """Reads a whole number of 1 or more, as the `type` of an argument.

    Args:
        text: what was typed.

    Returns:
        The number.

    Raises:
        ValueError, argparse.ArgumentTypeError: if it is none.

    Example:
        >>> parser.add_argument("--steps", type=positive)
    """
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {value}, expected 1 or more")
    return value


def named(text: str) -> str:
    """Reads the name of a file or folder, as the `type` of an argument.

    Args:
        text: what was typed.

    Returns:
        The same.

    Raises:
        argparse.ArgumentTypeError: if it is empty, which would mean the current folder.

    Example:
        >>> parser.add_argument("--output", type=named)
    """
    if not text:
        raise argparse.ArgumentTypeError("found '', expected the name of a file or folder")
    return text


def one_line(reason: object) -> str:
    """Returns what an exception says without its line breaks."""
    return " ".join(str(reason).split())


def refuse(program: str, text: str) -> int:
    """Says on stderr why something cannot be done.

    Args:
        program: who says it, such as "python -m tfimg restore"; only the module is named.
        text: one line, or a headline and indented lines.

    Returns:
        The exit status, 2.
    """
    module = program.removeprefix("python -m ").split()[0]
    print(f"{module}: error: {text}", file=sys.stderr)
    return 2
