"""Which files of a pattern are pictures to restore, and where their results go."""

import os

from tfimg.files import has_picture_suffix

_WILD = "*?["


def fixed_part(pattern: str) -> str:
    """Returns the folder of a pattern that no wildcard touches.

    Args:
        pattern: which files, such as `"photos/**"`.

    Returns:
        The folder without a slash at its end; "" for the folder of the process.

    Example:
        >>> fixed_part("photos/2024-*/raw/*.png")
        'photos'
    """
    parts = pattern.split("/")
    wild = next((n for n, part in enumerate(parts) if set(part) & set(_WILD)), len(parts) - 1)
    return "/".join(parts[:wild])


def target(path: str, root: str, output: str) -> str:
    """Returns where the result of a picture goes.

    Args:
        path: of the picture, as the pattern gives it.
        root: the pattern's fixed part.
        output: folder for the results.

    Example:
        >>> target("in/a/b.jpg", "in", "out")
        'out/a/b.jpg.png'
    """
    return f"{output.rstrip('/')}/{path[len(root) :].lstrip('/')}.png"


def is_input(path: str, root: str, output: str) -> bool:
    """Tells whether a file is to be restored: a picture, not hidden, and no result of ours.

    Args:
        path: of the file, as the pattern gives it.
        root: the pattern's fixed part.
        output: folder for the results; it may lie below the root.

    Example:
        >>> is_input("in/out/a.jpg.png", "in", "in/out")
        False
    """
    hidden = any(part.startswith(".") for part in path[len(root) :].split("/"))
    return has_picture_suffix(path) and not hidden and not lies_in(path, output)


def lies_in(path: str, folder: str) -> bool:
    """Tells whether a path is a folder or lies somewhere below it, however both are written."""
    return f"{_absolute(path)}/".startswith(f"{_absolute(folder).rstrip('/')}/")


def _absolute(path):
    """A local path in full; those of other file systems, such as `gs://`, are so already."""
    return path if "://" in path else os.path.abspath(path)
