"""What `training.evaluate --task text_to_image` does: a judge, the measures, a sheet."""

import argparse
from pathlib import Path

from tfimg import commands, files, show
from tfimg.generation import PRESET
from tfimg.limits import MOST_STEPS
from tfimg.sheet import contact_sheet
from training import picturing, tables
from training.kinds.things import captioned_sets
from training.matcher import Matcher


def report(args: argparse.Namespace) -> None:
    """Measures pictures that are made from words, and prints how good they are.

    Args:
        args: as `training.evaluate` reads them: `preset`, `data` (captioned pictures), `matcher`
            (the judge's weights, which are made where there are none), `steps`, `out` and `json`.

    Raises:
        OSError, ValueError: for what cannot be measured, before the judge is trained.
    """
    if max(args.steps) > MOST_STEPS:
        raise ValueError(f"--steps is {max(args.steps)}; expected 1..{MOST_STEPS}")
    preset = commands.check_preset(args.preset, PRESET)
    if args.out is not None:
        files.check_output(Path(args.out) / "made.png")
    if not args.matcher.parent.is_dir():
        raise FileNotFoundError(f"{args.matcher.parent}: no such folder, for the judge's weights")
    maker = commands.load("TextToImage", preset)
    train, test = (
        captioned_sets([Path(args.data)], split, maker.backbone.canvas)
        for split in ("train", "test")
    )
    asked = picturing.choose(train, test)
    matcher = Matcher(maker)
    if args.matcher.exists():
        matcher.load(args.matcher)
    else:
        matcher.fit(train)
        matcher.save(args.matcher)
    document = {"preset": preset, "reports": []}
    for steps in args.steps:
        with show.bars(f"{steps} steps", sum(len(one.prompts) for one in asked)) as (advance, *_):
            report = picturing.measure(maker, matcher, asked, train, steps, advance)
        document["reports"].append({"steps": steps, **report})
    if args.out is not None:
        sheets = {"made": (picturing.beside_nearest(maker, train), 8)}
        sheets["seeds"] = (picturing.in_many_seeds(maker), 16)
        for name, (cells, columns) in sheets.items():
            sheet = contact_sheet(cells, columns, cell_width=128)
            files.write_picture(files.Picture(sheet), Path(args.out) / f"{name}.png")
    if args.json:
        show.print_json(document)
        return
    for report in document["reports"]:
        for table in tables.made_tables(report):
            show.print_table(table)
