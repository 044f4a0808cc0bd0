"""Pictures as files and bytes: what the commands that restore share."""

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from tfimg import files, jobs, pixels
from tfimg.arguments import one_line, refuse


def to_png(image: np.ndarray) -> bytes:
    """Encodes a picture, quickly rather than small.

    Args:
        image: uint8 `(H, W, 3)`.

    Returns:
        What a PNG file holds.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def from_png(data: bytes) -> np.ndarray:
    """Decodes what a model or a server answers; uint8 `(H, W, 3)`."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def upright_png(data: bytes) -> bytes:
    """Turns a picture file of any known format into what every signature takes.

    Args:
        data: of the file.

    Returns:
        An upright PNG with 8 bits a channel, without transparency.

    Raises:
        ValueError: if it is no picture, or a broken or too large one.
    """
    with tempfile.NamedTemporaryFile() as file:  # which is what `read_picture` reads
        file.write(data)
        file.flush()
        try:
            picture = files.read_picture(file.name)
        except ValueError as error:
            raise ValueError(str(error).removeprefix(f"{file.name}: ")) from error
    return to_png(pixels.to_uint8(picture.pixels))


def say(line: str) -> None:
    """Prints a line; what stdout cannot show, such as parts of a file's name, is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)


def settle(words: list[str], output: str) -> tuple[jobs.Plan, str | None]:
    """Checks what was typed before any work starts.

    Args:
        words: pictures or folders, and then perhaps what to do.
        output: file or folder.

    Returns:
        The plan, and the instruction or None.

    Raises:
        OSError, ValueError: as `jobs.plan`, or if the instruction is empty.
    """
    inputs, instruction = jobs.split_words(words)
    return jobs.plan(inputs, output), instruction


def restore_files(
    program: str, plan: jobs.Plan, restore: Callable[[np.ndarray], np.ndarray]
) -> int:
    """Works through a plan, a line a picture; one that fails does not stop the others.

    It needs NumPy and Pillow alone, as an app around the LiteRT models does.

    Args:
        program: who says what failed.
        plan: the pictures.
        restore: from an array to one of its shape and dtype.

    Returns:
        The exit status: 2 where a picture failed.
    """
    failed = list(plan.refused)
    for number, job in enumerate(plan.jobs, 1):
        try:
            picture = files.read_picture(job.source)
            restored = replace(picture, pixels=restore(picture.pixels))
            note = files.write_picture(restored, job.target)
        except (MemoryError, OSError, RuntimeError, ValueError) as error:
            line = one_line(error) or "not enough memory"
            failed.append(line if str(job.source) in line else f"{job.source}: {line}")
            continue
        if picture.note:
            say(f"{job.source}: {picture.note}")
        say(f"{job.target}: {note or 'written'} ({number} of {len(plan.jobs)})")
    return refuse(program, jobs.summary(failed)) if failed else 0
