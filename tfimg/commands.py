"""What the commands do once their arguments are read. TensorFlow is loaded last, in `load`."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from tfimg import files, jobs, show
from tfimg.arguments import one_line
from tfimg.postprocess import check_strength
from tfimg.text.remedies import in_words

_DESCRIBER = "describer"


def restore(args: argparse.Namespace) -> list[str]:
    """Restores files and folders; returns a line for each picture that could not be used."""
    inputs, instruction = jobs.split_words(args.words)
    # Who asks for more vivid colours does not say that they have faded.
    insist = args.insist or (instruction is None and args.default_instruction is not None)
    instruction = instruction or args.default_instruction
    if args.strength is not None:
        check_strength(args.strength)
    if args.passes < 1:
        raise ValueError(f"--passes is {args.passes}; expected 1 or more")
    plan = jobs.plan(inputs, args.output)
    mask = None if args.mask is None else _read_mask(args.mask, plan.jobs)
    preset = check_preset(args.preset)

    restorer = load("ImageRestorer", preset, args.precision)
    steps = None
    if instruction is not None:
        steps = restorer.plan(instruction)
        print("understood:", _understood(restorer, steps, args.strength), flush=True)
    describer = None
    if steps is None:
        check_diagnoses(restorer, preset, "say in words what to do")
        describer = load("Describer", _DESCRIBER)

    def work(job: jobs.Job, progress: Callable[[int, int], None], say: Callable) -> None:
        picture = files.read_picture(job.source)
        if picture.note:
            say(f"{job.source}: {picture.note}")
        result = restorer.restore(
            picture.pixels,
            instruction,
            strength=args.strength,
            mask=mask,
            passes=args.passes,
            describer=describer,
            insist=insist,
            match_colour=args.match_colour,
            progress=progress,
            say=lambda line: say(f"{job.source}: {line}"),
        )
        note = files.write_picture(replace(picture, pixels=result), job.target)
        say(f"{job.target}: {note or 'written'}")

    return run(plan, work, "restoring")


def classify(args: argparse.Namespace) -> list[str]:
    """Tells what is wrong with pictures; returns a line for each that could not be used."""
    plan = jobs.plan(args.words)
    classifier = load("ImageClassifier", check_preset(args.preset))
    if args.description is not None and classifier.diagnoses:
        raise ValueError("--description is for presets with labels of their own")
    found: list[dict[str, Any]] = []

    def work(job: jobs.Job, progress: Callable[[int, int], None], say: Callable) -> None:
        picture = files.read_picture(job.source)
        if picture.note and not args.json:
            say(f"{job.source}: {picture.note}")
        row = {"file": str(job.source)}
        if classifier.diagnoses:
            diagnosis = classifier.diagnose(picture.pixels)
            row["probabilities"] = show.plain(diagnosis.probabilities)
            row["severity"] = show.plain(diagnosis.severity)
        else:
            told = classifier.classify(picture.pixels, args.description)
            row["probabilities"] = show.plain(told)
        found.append(row)

    refused = run(plan, work, "classifying")
    if args.json:
        show.print_json(found)
    else:
        show.print_probabilities("file", [(row["file"], row["probabilities"]) for row in found])
    return refused


def interpret(args: argparse.Namespace) -> list[str]:
    """Shows what the words are taken to mean."""
    sentences = list(args.words)
    if args.file is not None:
        sentences += read_sentences(args.file)
    if not sentences:
        raise ValueError("no sentence given; expected one or more, or --file FILE")
    for number, sentence in enumerate(sentences, 1):
        if not sentence.strip():
            raise ValueError(f"sentence {number} is empty ({sentence!r})")
    restorer = load("ImageRestorer", check_preset(args.preset))
    meanings = []
    with show.bars("interpreting", len(sentences)) as (advance, _, _):
        for sentence in sentences:
            meanings.append(show.plain(restorer.interpret([sentence])[0]))
            advance()
    if args.json:
        show.print_json(meanings)
    else:
        show.print_probabilities("sentence", list(zip(sentences, meanings, strict=True)))
    return []


def describe(args: argparse.Namespace) -> list[str]:
    """Says in a sentence what is wrong with pictures, and what to ask for."""
    plan = jobs.plan(args.words)
    preset = check_preset(args.preset)
    classifier = load("ImageClassifier", preset)
    check_diagnoses(classifier, preset, "expected one that restores")
    describer = load("Describer", _DESCRIBER)
    found: list[dict[str, Any]] = []

    def work(job: jobs.Job, progress: Callable[[int, int], None], say: Callable) -> None:
        picture = files.read_picture(job.source)
        diagnosis = classifier.diagnose(picture.pixels)
        written = describer.describe(diagnosis.probabilities, diagnosis.severity, args.language)
        row = {"state": written.state, "instruction": written.instruction}
        found.append({"file": str(job.source), **row})
        if not args.json:
            say(f"{job.source}: {written.state} {written.instruction}")

    refused = run(plan, work, "describing")
    if args.json:
        show.print_json(found)
    return refused


def presets(args: argparse.Namespace) -> list[str]:
    """Lists what ships with the package."""
    from tfimg import presets

    names = presets.names() if args.preset is None else [check_preset(args.preset)]
    cards = {name: presets.card(name) for name in names}
    if args.json:
        show.print_json([{"name": name, **card} for name, card in cards.items()])
        return []
    table = Table("name", "task", "parameters", "size", "speed", "licence", "scores")
    for name, card in cards.items():
        table.add_row(
            name,
            str(card.get("task", "")),
            f"{card['parameters'] / 1e6:.2f} M" if "parameters" in card else "",
            f"{card['size'] / 1e6:.1f} MB" if "size" in card else "",
            str(card.get("speed", "")),
            str(card.get("licence", "")),
            "\n".join(f"{key} {value}" for key, value in card.get("scores", {}).items()),
        )
    show.print_table(table)
    return []


def check_preset(name: str | None, default: str | None = None) -> str:
    """The preset's name, or the default (a restorer); raises ValueError if there is none."""
    from tfimg import presets

    name = name or default
    if name is None:
        return presets.default()
    presets.resolve(name)
    return name


def load(task: str, preset: str, precision: str = "float32") -> Any:
    """Loads one of the public tasks, and TensorFlow with it.

    Args:
        task: "ImageRestorer", "ImageClassifier", "Describer" or "TextToImage".
        preset: Name of a preset.
        precision: A dtype policy, or "auto", see `tfimg.machine.choose_precision`; float32 by
            default, whatever Keras' own policy is.

    Returns:
        The task.

    Raises:
        ValueError: If the preset cannot be loaded, for whatever reason, or no policy has that name.
    """
    import tfimg
    from tfimg.machine import choose_precision

    dtype = choose_precision(precision)
    try:
        return getattr(tfimg, task).from_preset(preset, dtype=dtype)
    except Exception as error:
        reason = one_line(error)
        if isinstance(error, ValueError) and repr(preset) in reason:
            raise ValueError(reason) from error
        reason = one_line(f"{type(error).__name__}: {error}")
        raise ValueError(f"cannot load preset {preset!r}: {reason}") from error


def check_diagnoses(task: Any, preset: str, otherwise: str) -> None:
    """Refuses a preset that cannot diagnose.

    Args:
        task: An `ImageRestorer` or `ImageClassifier`.
        preset: What it was loaded from.
        otherwise: What the person may do instead.

    Raises:
        ValueError: If it has classes of its own.
    """
    if not task.diagnoses:
        raise ValueError(
            f"preset {preset!r} has classes of its own and cannot tell what is wrong; {otherwise}"
        )


def _understood(restorer: Any, steps: list | None, strength: float | None) -> str:
    """What the words ask for, e.g. "noise 98 %; then blur 95 %, strength 0.5"."""
    if steps is None:
        return "to be made better; each picture is looked at for what is wrong"
    told = []
    for step in steps:
        wanted = step.strength if strength is None else strength
        meaning = in_words(restorer.interpret([step.words])[0])
        told.append(meaning if wanted is None else f"{meaning}, strength {wanted:g}")
    return "; then ".join(told)


def run(plan: jobs.Plan, work: Callable, label: str) -> list[str]:
    """Works through a plan with a progress bar; a picture that fails does not stop the others.

    Args:
        plan: What to do.
        work: Called as `work(job, progress, say)`; `progress(done, total)` moves the bar of this
            picture, `say(line)` prints above it.
        label: What the bar says.

    Returns:
        A line for each picture that could not be used.
    """
    refused = list(plan.refused)
    with show.bars(label, len(plan.jobs)) as (advance, progress, say):
        for job in plan.jobs:
            try:
                work(job, progress, say)
            except (OSError, ValueError, MemoryError) as error:
                line = one_line(error) or "not enough memory"
                refused.append(line if str(job.source) in line else f"{job.source}: {line}")
            advance()
    return refused


def read_sentences(path: str) -> list[str]:
    """The lines of a UTF-8 text file, without empty ones."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text ({error.reason})") from None
    sentences = [line for line in lines if line.strip()]
    if not sentences:
        raise ValueError(f"{path}: holds no sentence")
    return sentences


def _read_mask(path: str, planned: list[jobs.Job]) -> np.ndarray:
    """White = keep (1 = known pixel), black = repair, as bool (H, W, 1)."""
    size = files.check_picture(path)
    for job in planned:
        files.check_output(job.target, [path])
        if job.size != size:
            raise ValueError(
                f"mask {path} is {size[1]}x{size[0]}, but {job.source} is "
                f"{job.size[1]}x{job.size[0]}; expected the same size"
            )
    brightness = files.luma(files.read_picture(path).pixels)
    return brightness[..., None] > np.iinfo(brightness.dtype).max // 2
