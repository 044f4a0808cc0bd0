"""Files through a function of a picture and back: what the commands that restore share."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tfimg import files, jobs
from tfimg.arguments import one_line, refuse


def settle(words: list[str], output: str) -> tuple[jobs.Plan, str]:
    """Checks what was typed before any work starts.

    Args:
        words: pictures or folders, and then what to do.
        output: file or folder.

    Returns:
        The plan and the instruction.

    Raises:
        OSError, ValueError: as `jobs.plan`, or if there is no instruction.
    """
    inputs, instruction = jobs.split_words(words)
    if instruction is None:
        raise ValueError('say what to do after the pictures, such as "remove the noise"')
    return jobs.plan(inputs, output), instruction


def restore_files(
    program: str, plan: jobs.Plan, restore: Callable[[np.ndarray], np.ndarray]
) -> int:
    """Works through a plan; a picture that fails does not stop the others.

    Args:
        program: who says what failed.
        plan: the pictures.
        restore: from an array to one of its shape and dtype.

    Returns:
        The exit status: 2 where a picture failed.
    """
    failed = list(plan.refused)
    for job in plan.jobs:
        try:
            picture = files.read_picture(job.source)
            restored = replace(picture, pixels=restore(picture.pixels))
            print(f"{job.target}: {files.write_picture(restored, job.target) or 'written'}")
        except (OSError, RuntimeError, ValueError) as error:
            failed.append(f"{job.source}: {one_line(error)}")
    return refuse(program, jobs.summary(failed)) if failed else 0
