"""Measures a preset: PSNR and SSIM per degradation and instruction, and how words are understood.

    python -m training.evaluate --preset P --data FOLDER --degradation noise:25 rain+noise:25
    python -m training.evaluate --preset P --inputs A --targets B --instruction "remove the rain"
    python -m training.evaluate --preset P --interpret held-out
    python -m training.evaluate --preset P --diagnose FOLDER --out FIGURES
    python -m training.evaluate --preset P --task text_to_image --data CAPTIONED --matcher FILE

Pictures are RGB in 0..1. Outputs are clipped, not rounded; scores are means over pictures, and
chance is fixed, so that a score can be measured again.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfimg import commands, files, show
from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.sheet import contact_sheet
from tfimg.text.remedies import PASSES
from training.requests import KINDS, LANGUAGES, Request, requests_for


def main(argv: list[str] | None = None) -> int:
    """Measures a preset and prints the scores.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        Exit status: 0, or 2 if something could not be done (130 if interrupted).
    """
    parser = _build_parser()
    args = parser.parse_args(argv)
    _check_combination(parser, args)
    try:
        evaluate(args)
    except (ImportError, OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    except KeyboardInterrupt:
        print("training.evaluate: stopped", file=sys.stderr)
        return 130
    return 0


@dataclass(frozen=True)
class Series:
    """Pictures that share a degradation, and what is asked about them.

    Attributes:
        name: The degradation as it was given, or "pairs".
        cases: What `training.measuring.measure` takes.
        count: How many these are.
        requests: What is asked about each.
    """

    name: str
    cases: Iterable
    count: int
    requests: list[Request]


def evaluate(args: argparse.Namespace) -> None:
    """Does what the arguments say; everything is checked before anything is measured."""
    if args.task == "text_to_image":
        from training.maker_report import report  # loads TensorFlow

        report(args)
        return
    preset = commands.check_preset(args.preset)
    from training import diagnosing, figures, reading, tables  # these load TensorFlow

    planned = plan(args)
    sentences = reading.read_sentences(args.interpret) if args.interpret else []
    examined = pictures(args.diagnose, limit=args.limit) if args.diagnose else []
    figure = Path(args.out) / "reliability.png" if args.out and examined else None
    if figure is not None:
        figures.check_installed()
        files.check_output(figure)
    restorer = commands.load("ImageRestorer", preset)
    told = [request.instruction for series in planned for request in series.requests]
    if examined or any(words is None or restorer.plan(words) is None for words in told):
        commands.check_diagnoses(restorer, preset, "expected one that can, or clear words")

    document = {"preset": preset}
    if planned:
        document["rows"] = [row for one in planned for row in run(one, restorer, args.out)]
    if sentences:
        with show.bars("sentences", len(sentences)) as (advance, _, _):
            document["interpret"] = reading.accuracy(restorer, sentences, advance)
    if examined:
        with show.bars("diagnoses", len(examined)) as (advance, _, _):
            document["diagnose"] = diagnosing.measure(restorer, examined, advance)
    if figure is not None:
        files.write_picture(files.Picture(figures.reliability(document["diagnose"])), figure)

    if args.json:
        show.print_json(document)
        return
    if planned:
        show.print_table(tables.scores_table(document["rows"]))
    if sentences:
        show.print_table(tables.reading_table(document["interpret"]["rows"]))
    if examined:
        for table in tables.diagnosis_tables(document["diagnose"]):
            show.print_table(table)


def plan(args: argparse.Namespace) -> list[Series]:
    """Finds the pictures and what is asked about them; raises ValueError for bad arguments."""
    from tfimg.data.paired_folders import pairs_from_folders
    from tfimg.degradations import parse_protocol
    from training import measuring

    planned = []
    if args.inputs is not None:
        pairs = pairs_from_folders(args.inputs, args.targets)[: args.limit]
        words = [Request("given", instruction=text) for text in args.instruction or []]
        cases = measuring.paired_cases(pairs)
        planned.append(Series("pairs", cases, len(pairs), words or [Request("none")]))
    if args.data is not None:
        protocols = [parse_protocol(name) for name in args.degradation]
        photos = pictures(args.data, args.list, args.limit)
        for protocol in protocols:
            cases = measuring.degraded_cases(protocol, photos)
            planned.append(Series(protocol.name, cases, len(photos), _requests(protocol, args)))
    for series in planned if args.out is not None else []:
        files.check_output(_sheet_path(args.out, series.name))
    return planned


def run(series: Series, restorer, sheets: str | None = None) -> list[dict[str, Any]]:
    """Measures a series, and draws its sheet into a folder if one is given; returns the rows."""
    from training import measuring

    with show.bars(series.name, series.count) as (advance, _, _):
        result = measuring.measure(restorer, series.cases, series.requests, advance)
    if sheets is not None:
        sheet = contact_sheet(result.cells, columns=3)
        files.write_picture(files.Picture(sheet), _sheet_path(sheets, series.name))
    return [{"degradation": series.name, **row} for row in result.rows]


def pictures(folder: str, ids: str | None = None, limit: int | None = None) -> list[Path]:
    """Chooses test pictures.

    Args:
        folder: Folder with the pictures.
        ids: A text file with one file name without suffix a line; only these are taken.
        limit: How many to take at most.

    Returns:
        The files, sorted by name.

    Raises:
        FileNotFoundError, ValueError: If the folder or the list is missing or empty, or a name of
            the list is not in the folder.
    """
    from tfimg.data.photos import pictures_under

    found = pictures_under(folder)
    if ids is not None:
        wanted = {line.strip() for line in commands.read_sentences(ids)}
        missing = sorted(wanted - {path.stem for path in found})
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise ValueError(f"{ids} lists {', '.join(missing[:5])}{more}, not found in {folder}")
        found = [path for path in found if path.stem in wanted]
    return found[:limit]


def _requests(protocol, args):
    kinds = args.instruction_kind
    requests = requests_for(protocol.degradations, kinds, args.language, args.mask, args.passes)
    if not requests:
        raise ValueError(f"{protocol.name!r} has no words of kind {', '.join(kinds)}")
    return requests


def _sheet_path(folder, name):
    return Path(folder) / f"{name.replace(':', '-')}.png"


def _weights(text):
    if not text.endswith(".weights.h5"):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a name in .weights.h5")
    return Path(text)


def _check_combination(parser, args):
    if args.task == "text_to_image":
        if args.data is None or args.matcher is None:
            parser.error("expected --data CAPTIONED and --matcher FILE")
        if args.degradation or args.inputs or args.interpret or args.diagnose:
            parser.error("--task text_to_image measures made pictures and nothing else")
        return
    if not any((args.data, args.inputs, args.interpret, args.diagnose)):
        parser.error("nothing to measure; expected --data, --inputs, --interpret or --diagnose")
    if args.data is not None and args.inputs is not None:
        parser.error("expected --data or --inputs, found both")
    if (args.data is None) != (args.degradation is None):
        parser.error("--data and --degradation belong together")
    if (args.inputs is None) != (args.targets is None):
        parser.error("--inputs and --targets belong together")
    if args.instruction is not None and args.inputs is None:
        parser.error("--instruction is for --inputs; expected --instruction-kind with --data")
    if args.list is not None and args.data is None:
        parser.error("--list chooses pictures of --data, which is missing")
    if args.mask and args.data is None:
        parser.error("--mask is for the damage of --data, which is missing")
    if any(not words.strip() for words in args.instruction or []):
        parser.error("the instruction is empty; say what to do in words")


def _build_parser():
    parser = Parser(
        prog="python -m training.evaluate",
        description="Measures a preset: PSNR and SSIM per degradation and instruction.",
    )
    add = parser.add_argument
    said = "a bundled name or a folder (default: restorer_small; for text_to_image icons_small)"
    add("--preset", metavar="P", help=said)
    add("--out", metavar="DIR", help="write sheets of the first pictures, or figures, there")
    add("--limit", type=positive, metavar="N", help="only the first N pictures")
    add("--json", action="store_true", help="print JSON for programs")

    add("--task", choices=("restoration", "text_to_image"), default="restoration")

    add = parser.add_argument_group("clean pictures, degraded here").add_argument
    add("--data", metavar="FOLDER", help="the clean pictures")
    add("--list", metavar="IDS", help="a text file: only the pictures of these names, one a line")
    what = "what is done to them, such as noise:25 compression:10 low_resolution:4 rain+noise:25"
    add("--degradation", nargs="+", metavar="D", help=what)
    add("--mask", action="store_true", help="measure damage also with the known pixels told")
    said = f"without words, measure 1 to N passes of diagnosis and restoration (default: {PASSES})"
    add("--passes", type=positive, default=PASSES, metavar="N", help=said)
    said = f"what is said: {', '.join(KINDS)} (default: all; partial only for mixtures)"
    options = {"nargs": "+", "default": KINDS, "choices": KINDS, "metavar": "KIND"}
    add("--instruction-kind", **options, help=said)
    options = {"nargs": "+", "default": LANGUAGES, "choices": LANGUAGES, "metavar": "L"}
    add("--language", **options, help=f"in which language: {', '.join(LANGUAGES)} (default: all)")

    add = parser.add_argument_group("pictures degraded elsewhere").add_argument
    add("--inputs", metavar="A", help="the degraded pictures")
    add("--targets", metavar="B", help="the clean ones")
    said = "what is said, one or more sentences (default: nothing, they are diagnosed)"
    add("--instruction", nargs="+", metavar="WORDS", help=said)

    add = parser.add_argument_group("sentences").add_argument
    said = 'JSON lines {"text", "language", "named"}, or held-out: 532 of the corpus a language'
    add("--interpret", metavar="FILE", help=said)

    add = parser.add_argument_group("pictures made from words, --data being captioned").add_argument
    said = "weights of the judge, such as matcher.weights.h5; trained first where there are none"
    add("--matcher", type=_weights, metavar="FILE", help=said)
    said = "passes through the network, one or more numbers (default: 1)"
    add("--steps", type=positive, nargs="+", default=[1], metavar="N", help=said)

    add = parser.add_argument_group("diagnosis").add_argument
    said = "clean pictures; degraded here by chance, as in training, and diagnosed; --out gets a "
    said += "figure of how true the probabilities are, which needs the extra figures"
    add("--diagnose", metavar="FOLDER", help=said)
    return parser


if __name__ == "__main__":
    sys.exit(main())
