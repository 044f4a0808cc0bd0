"""The command line: arguments in, one clear line and exit status 2 out when something is wrong."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable

from tfimg import commands, demo, generation, jobs
from tfimg.arguments import Parser, named, refuse
from tfimg.text.prompts import STYLES
from tfimg.text.remedies import PASSES

_ENHANCE = "more vivid colours"
_FOLDERS = (
    "A folder in gives a folder out with the same file names (subfolders are left out). Pictures "
    "that cannot be read or written are skipped, the others are done, and the bad ones are "
    "listed at the end with exit status 2."
)

_GRID = (
    "A file gets all pictures side by side, a folder gets one file a seed. Larger pictures are "
    "enlarged by the restorer."
)


class _Parser(Parser):
    """Takes the words in any place."""

    def parse_args(self, args=None, namespace=None):
        """Takes words after options too: `restore IN -o OUT "remove the noise"`."""
        args, more = self.parse_known_args(args, namespace)
        if more and ("words" not in args or any(word.startswith("-") for word in more)):
            self.error(f"unrecognized arguments: {' '.join(more)}")
        if more:
            args.words += more
        return args


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        Exit status: 0, or 2 if something could not be done (130 if interrupted).
    """
    # Before TensorFlow is loaded: its C++ log is not for people who restore a photo.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    args = _build_parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning
        try:
            refused = args.command(args)
        except (OSError, ValueError) as error:
            return refuse("tfimg", str(error))
        except KeyboardInterrupt:
            print("tfimg: stopped", file=sys.stderr)
            return 130
    return refuse("tfimg", jobs.summary(refused)) if refused else 0


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"tfimg: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tfimg", description="Restores photos from words, in English or Chinese."
    )
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        name: str,
        command: Callable,
        summary: str,
        details: str = "",
        default: str = "restorer_small",
    ) -> _Parser:
        added = subparsers.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}. {details}".strip()
        )
        added.set_defaults(command=command)
        added.add_argument(
            "--preset",
            metavar="NAME",
            help=f"a name from `presets`, or a folder (default: {default})",
        )
        return added

    sample = add("demo", demo.demo, "restore a sample photo, write a before/after sheet")
    sample.add_argument("-o", "--output", default="demo.png", metavar="OUT", help="the sheet")
    _add_json(sample)

    restore = add("restore", commands.restore, "restore pictures from words", _FOLDERS)
    restore.set_defaults(default_instruction=None)
    _add_restoring(restore, '"remove the noise"', "without one, the pictures are diagnosed")

    enhance = add("enhance", commands.restore, "make pictures look better", _FOLDERS)
    enhance.set_defaults(default_instruction=_ENHANCE)
    _add_restoring(enhance, f'"{_ENHANCE}"', f'"{_ENHANCE}" without one')

    classify = add("classify", commands.classify, "tell which faults pictures have, and how sure")
    classify.add_argument("words", nargs="+", metavar="IN", help="files or folders")
    said = "what is known of them, for a preset with labels of your own"
    classify.add_argument("--description", metavar="WORDS", help=said)
    _add_json(classify)

    describe = add(
        "describe", commands.describe, "say what is wrong with pictures, what to ask for"
    )
    describe.add_argument("words", nargs="+", metavar="IN", help="files or folders")
    describe.add_argument(
        "--language", choices=("en", "zh"), default="en", help="of the sentences (default: en)"
    )
    _add_json(describe)

    interpret = add("interpret", commands.interpret, "tell what words are taken to mean")
    interpret.add_argument("words", nargs="*", metavar="SENTENCE", help="what you would type")
    interpret.add_argument("--file", help="one sentence a line, UTF-8; empty lines are left out")
    _add_json(interpret)

    generate = add(
        "generate", generation.generate, "make small pictures from words", _GRID, generation.PRESET
    )
    generate.add_argument("prompt", metavar="PROMPT", help='e.g. "a red apple", in en or zh')
    generate.add_argument(
        "--style", metavar="STYLE", help=f"{', '.join(STYLES)} (default: what the prompt says)"
    )
    generate.add_argument("--count", type=int, default=1, metavar="N", help="how many (default: 1)")
    generate.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the first; the next has S + 1"
    )
    generate.add_argument(
        "--steps", type=int, default=1, metavar="N", help="passes through the network (default: 1)"
    )
    sizes = ", ".join(map(str, generation.SIZES))
    generate.add_argument(
        "--size",
        type=int,
        metavar="SIDE",
        help=f"in pixels: {sizes} (default: what the preset makes)",
    )
    generate.add_argument(
        "-o", "--output", required=True, type=named, metavar="OUT", help="a file or folder"
    )
    _add_json(generate)

    summary = "list what ships: task, size, licence, scores"
    presets = add("presets", commands.presets, summary, default="all that ship")
    _add_json(presets)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def _add_restoring(parser: argparse.ArgumentParser, example: str, default: str) -> None:
    parser.usage = '%(prog)s IN... ["INSTRUCTION"] -o OUT [options]'
    parser.add_argument(
        "words",
        nargs="+",
        metavar="IN",
        help=f"files or folders, and last the instruction, e.g. {example} ({default})",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=named,
        metavar="OUT",
        help="a file (png, jpg, webp, tif, bmp, gif) for one picture, else a folder",
    )
    parser.add_argument(
        "--strength",
        type=float,
        metavar="0..1",
        help="how much of the change to keep (default: what the words say, or 1)",
    )
    parser.add_argument(
        "--insist",
        action="store_true",
        help="do what the words ask for though the picture seems not to need it",
    )
    parser.add_argument(
        "--passes",
        type=int,
        default=PASSES,
        metavar="N",
        help="without an instruction: how often to diagnose and restore at most (default: "
        f"{PASSES})",
    )
    parser.add_argument(
        "--mask", metavar="MASK.png", help="same size as IN; white = keep, black = repair"
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "mixed_bfloat16"),
        default="auto",
        help="of the network's inside; auto is bfloat16 on GPUs and on processors that multiply it "
        "natively, else float32",
    )
    parser.add_argument(
        "--match-colour",
        action="store_true",
        help="give the result the colour mean and spread of its input",
    )
