"""Folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Yields a folder to write beside the wanted one, and renames it when all went well.

    Args:
        folder: must not exist or be empty; its parents are made. An empty one stays the same and
            gets the contents, because somebody may be in it.

    Raises:
        OSError: if it cannot be written.
    """
    folder = Path(os.path.abspath(folder))  # because "." has no name
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        yield fresh
        if not folder.exists():
            fresh.rename(folder)
        elif any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty any more")
        else:
            for path in [*fresh.iterdir()]:
                path.rename(folder / path.name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def copy_card(preset: str | Path, folder: Path) -> None:
    """Copies what tells of a preset's scores and licence beside its export, where it has that.

    Args:
        preset: its folder.
        folder: where `card.json` and `README.md` go.
    """
    for name in ("card.json", "README.md"):
        if (Path(preset) / name).is_file():
            shutil.copy(Path(preset) / name, folder / name)
