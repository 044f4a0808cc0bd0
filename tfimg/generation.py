"""What `python -m tfimg generate` does: pictures from words, as a grid or one by one."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from tfimg import commands, files, jobs, show
from tfimg.limits import check_request
from tfimg.text.prompts import STYLES

PRESET = "icons_small"
SIZES = (64, 128, 256)
_LARGER = "increase the resolution"
_MOST_COLUMNS = 8


def generate(args: argparse.Namespace) -> list[str]:
    """Makes pictures from words; returns no complaints."""
    check_request(args.prompt, args.count, args.seed, args.steps)
    if args.style is not None and args.style not in STYLES:
        raise ValueError(f"--style is {args.style!r}; expected one of {', '.join(STYLES)}")
    if args.size is not None and args.size not in SIZES:
        raise ValueError(f"--size is {args.size}; expected one of {', '.join(map(str, SIZES))}")
    targets = _targets(args)
    for target in targets:
        files.check_output(target)
    preset = commands.check_preset(args.preset, PRESET)
    maker = commands.load("TextToImage", preset)
    side = maker.backbone.canvas
    size = side if args.size is None else args.size
    if size < side:
        raise ValueError(
            f"--size is {size}, but preset {preset!r} makes pictures of {side}x{side}; expected "
            f"{side} or more"
        )
    with show.bars("making", 1) as (_, progress, _):
        made = maker.generate(
            args.prompt, args.count, args.seed, args.style, steps=args.steps, progress=progress
        )
    if size > side:
        made = _enlarged(made, size)
    if len(targets) == 1:
        made = [grid(made)]
    for picture, target in zip(made, targets, strict=True):
        note = files.write_picture(files.Picture(picture), target)
        if not args.json:
            print(f"{target}: {note or 'written'}")
    if args.json:
        seeds = range(args.seed, args.seed + args.count)
        written = {"prompt": args.prompt, "seeds": list(seeds), "files": list(map(str, targets))}
        show.print_json(written)
    return []


def grid(pictures: np.ndarray) -> np.ndarray:
    """Lays `(N, S, S, 3)` pictures side by side, at most eight in a row, on white."""
    count, side = pictures.shape[:2]
    columns = min(count, max(1, min(_MOST_COLUMNS, round(count**0.5 + 0.49))))
    rows = -(-count // columns)
    filled = np.full((rows * columns, *pictures.shape[1:]), 255, np.uint8)
    filled[:count] = pictures
    laid = filled.reshape(rows, columns, side, side, 3).swapaxes(1, 2)
    return laid.reshape(rows * side, columns * side, 3)


def _targets(args):
    """One file for a grid; in a folder, one a seed."""
    output = Path(args.output)
    if not jobs.is_folder(args.output) and (output.suffix or output.is_file()):
        return [output]
    return [output / f"{seed}.png" for seed in range(args.seed, args.seed + args.count)]


def _enlarged(pictures, side):
    restorer = commands.load("ImageRestorer", commands.check_preset(None))
    done = []
    with show.bars("enlarging", len(pictures)) as (advance, _, _):
        for picture in pictures:
            larger = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)
            done.append(restorer.restore(np.asarray(larger), _LARGER, insist=True))
            advance()
    return np.stack(done)
