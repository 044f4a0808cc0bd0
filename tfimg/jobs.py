"""Which files a command reads and writes, settled before any work starts."""

import os
from dataclasses import dataclass
from pathlib import Path

from tfimg import files


@dataclass(frozen=True)
class Job:
    """One picture to read, and where its result goes (None where nothing is written)."""

    source: Path
    target: Path | None
    size: tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """The pictures that can be worked on, and a line for each one that cannot."""

    jobs: list[Job]
    refused: list[str]


def split_words(words: list[str]) -> tuple[list[str], str | None]:
    """Tells the inputs from the instruction that may follow them.

    The last word is the instruction unless it is a file or folder that exists or is named like a
    picture; the first word is always an input.

    Args:
        words: What was typed, e.g. ["photo.jpg", "remove the noise"].

    Returns:
        The inputs, and the instruction or None.

    Raises:
        ValueError: If the instruction is empty.
    """
    last = words[-1]
    if len(words) == 1 or files.has_picture_suffix(last) or os.path.exists(last):
        return words, None
    if not last.strip():
        raise ValueError(f"the instruction is empty ({last!r}); say what to do, or leave it out")
    return words[:-1], last


def plan(inputs: list[str], output: str | None = None) -> Plan:
    """Lists the pictures behind the inputs, checks each one, and names its output.

    Args:
        inputs: Files and folders.
        output: A file for a single picture, otherwise a folder, where the names stay the same;
            None where nothing is written.

    Returns:
        The plan. Pictures that cannot be read are refused one by one, as long as one is left.

    Raises:
        FileNotFoundError: If an input does not exist.
        ValueError: If no picture is left, or an output cannot be written.
    """
    sources = []
    for name in inputs:
        path = Path(name)
        if not os.path.exists(name):
            raise FileNotFoundError(f"{name or repr(name)}: no such file or folder")
        found = files.list_pictures(path) if path.is_dir() else [path]
        if not found:
            raise ValueError(f"{name}: the folder holds no pictures")
        sources += found
    several = len(inputs) > 1 or Path(inputs[0]).is_dir()
    targets = [None] * len(sources)
    if output is not None:
        targets = _targets(sources, output, several)

    accepted, refused = [], []
    for source, target in zip(sources, targets, strict=True):
        try:
            size = files.check_picture(source)
        except (OSError, ValueError) as error:
            refused.append(str(error))
            continue
        if target is not None:
            files.check_output(target, [source], size)
        accepted.append(Job(source, target, size))
    if not accepted:
        raise ValueError(summary(refused))
    return Plan(accepted, refused)


def is_folder(output: str) -> bool:
    """Whether an output is a folder: one that exists, or a name that ends like one's."""
    return Path(output).is_dir() or output.endswith(("/", "\\"))


def summary(refused: list[str]) -> str:
    """What to say about pictures that could not be used: one line, or a headline and one each."""
    if len(refused) == 1:
        return refused[0]
    return "\n  ".join([f"{len(refused)} pictures could not be used:", *refused])


def _targets(sources: list[Path], output: str, several: bool) -> list[Path]:
    folder = Path(output)
    if not several and not is_folder(output):
        return [folder]
    if folder.is_file() or (several and files.has_picture_suffix(folder)):
        raise ValueError(f"output {output!r} is one file; expected a folder for several pictures")
    by_name: dict[str, Path] = {}
    for source in sources:
        if source.name in by_name:
            raise ValueError(
                f"{by_name[source.name]} and {source} would both become {folder / source.name}"
            )
        by_name[source.name] = source
    return [folder / source.name for source in sources]
