"""Averages a preset and what further training made of it, number by number.

    python -m training.average --preset BEFORE --tuned AFTER --share 0.3 --out runs/between

Training on other pictures gains on these and forgets a little of what was known; between the two
lies what has most of both.

    python -m training.average … --lean haze=0.5 low_light=-0.4

also moves how readily a fault is diagnosed: the logarithm of its odds in every picture, by that
much. To imagine darkness costs more than to miss it, with haze it is the other way round.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import tfimg
from tfimg import commands
from tfimg.arguments import Parser, one_line, refuse


def main(arguments=None) -> int:
    """Averages what the arguments say, and leaves a preset."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.out.exists():
        return refuse(parser.prog, f"{args.out} exists already; give another --out")
    try:
        before, after = (
            commands.load("ImageRestorer", commands.check_preset(preset))
            for preset in (args.preset, args.tuned)
        )
        between = leaning(averaged(before, after, args.share), dict(args.lean))
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    from training import runs

    runs.save_preset(between, args.out)
    print(f"saved {args.out}")
    return 0


def averaged(
    before: tfimg.ImageRestorer, after: tfimg.ImageRestorer, share: float
) -> tfimg.ImageRestorer:
    """Returns a restorer whose weights lie between those of two.

    Args:
        before: what training started from. It becomes what is returned.
        after: what training made of it.
        share: of `after`, 0..1.

    Returns:
        `before`, its weights changed.

    Raises:
        ValueError: for another share, or networks that differ in more than their weights.

    Reference: Wortsman et al., "Robust Fine-tuning of Zero-Shot Models", 2022.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; expected 0 to 1")
    mine, theirs = before.backbone.get_weights(), after.backbone.get_weights()
    if [weights.shape for weights in mine] != [weights.shape for weights in theirs]:
        raise ValueError(
            f"sizes are {before.backbone.size} and {after.backbone.size}; expected the same "
            "network, before and after training"
        )
    pairs = zip(mine, theirs, strict=True)
    before.backbone.set_weights([(1 - share) * one + share * other for one, other in pairs])
    return before


def leaning(restorer: tfimg.ImageRestorer, lean: dict[str, float]) -> tfimg.ImageRestorer:
    """Returns a restorer that diagnoses some faults more readily, or less.

    Args:
        restorer: becomes what is returned.
        lean: name of a fault to what is added to the logarithm of its odds.

    Returns:
        `restorer`, its weights changed.

    Raises:
        ValueError: for a name that is none of the classifier head's labels.
    """
    labels = restorer.backbone.labels
    unknown = sorted(set(lean) - set(labels))
    if unknown:
        raise ValueError(f"lean names {unknown}; expected names out of {[*labels]}")
    layer = restorer.backbone.image_network.get_layer("logits")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + np.array([lean.get(label, 0.0) for label in labels])])
    return restorer


def _lean(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        return name, float(amount)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER, found {text!r}") from None


def _parser():
    parser = Parser(
        prog="python -m training.average",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", required=True, help="what training started from")
    parser.add_argument("--tuned", required=True, help="what it made of it")
    parser.add_argument("--share", type=float, required=True, metavar="0..1", help="of the latter")
    parser.add_argument(
        "--lean", nargs="+", type=_lean, default=[], metavar="NAME=NUMBER", help="see above"
    )
    parser.add_argument("--out", required=True, type=Path, help="where the preset is written")
    return parser


if __name__ == "__main__":
    sys.exit(main())
