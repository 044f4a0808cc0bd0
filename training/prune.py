"""Leaves out the channels of a restorer that do least, level by level.

    python -m training.prune --preset restorer_small --widths 16 28 40 56 --out runs/pruned
    python -m training.fit --recipe restorer_small --init runs/pruned --data PHOTOS --out runs/less

A channel of a level is one and the same in all that the level's residual blocks add up, so it is
left out of every layer at once. It counts by how strongly it is written times how strongly it is
read. What is left is an ordinary preset with other widths, which fine-tuning then mends.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import tfimg
from tfimg import commands
from tfimg.arguments import Parser, one_line, positive, refuse

# Axes of a kernel: of a convolution, of a transposed one, of the words' shifts and scales.
_IN, _OUT = 2, 3
_UP_IN, _UP_OUT = 3, 2
_SAID_OUT = 1


def main(arguments=None) -> int:
    """Prunes what the arguments say, and leaves a preset."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.out.exists():
        return refuse(parser.prog, f"{args.out} exists already; give another --out")
    try:
        restorer = commands.load("ImageRestorer", commands.check_preset(args.preset))
        less = pruned(restorer, args.widths)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    from training import runs

    runs.save_preset(less, args.out)
    before, after = (task.backbone.image_network.count_params() for task in (restorer, less))
    print(f"saved {args.out}: {after:,} parameters for pictures, before {before:,}")
    return 0


def pruned(restorer: tfimg.ImageRestorer, widths: Sequence[int]) -> tfimg.ImageRestorer:
    """Returns a restorer with fewer channels.

    Args:
        restorer: what is pruned; it stays as it is.
        widths: channels to be left at each level, the full-resolution one first.

    Returns:
        Another one, which computes the same where all that was left out was zero.

    Raises:
        ValueError: for another number of levels, or more channels than there are.

    Reference: Li et al., "Pruning Filters for Efficient ConvNets", 2017.
    """
    size = restorer.backbone.size
    fits = len(widths) == len(size.widths) and all(map(int.__le__, widths, size.widths))
    if not fits or min(widths) < 1:
        raise ValueError(
            f"widths are {[*widths]}; expected one a level, at most {[*size.widths]} each"
        )
    made = type(restorer.backbone).from_config(
        restorer.backbone.get_config() | {"widths": tuple(widths)}
    )
    made.text_encoder.set_weights(restorer.backbone.text_encoder.get_weights())
    weights = {layer.name: layer.get_weights() for layer in restorer.backbone.image_network.layers}
    kept = _cut(weights, size, widths)
    for layer in made.image_network.layers:
        layer.set_weights(kept[layer.name])
    return type(restorer)(made, restorer.preprocessor)


def _cut(weights, size, widths):
    """The weights by layer, without the channels that do least."""
    kept = dict(weights)

    def cut(name, axis, places):
        kernel, *bias = kept[name]
        given = axis in (_OUT, _SAID_OUT)  # a bias goes with what a layer gives
        kept[name] = [kernel.take(places, axis), *(b.take(places) if given else b for b in bias)]

    def thin(written, read, width):
        places = _strongest(weights, written, read, width)
        for name, axis in written + read:
            cut(name, axis, places)
        return places

    for level, width in enumerate(widths):
        blocks = [f"encoder{level}_{number}" for number in range(size.encoder_blocks[level])]
        written = [(f"down{level}" if level else "stem", _OUT)]
        read = [(f"up{level - 1}", _UP_IN) if level else ("to_image", _IN)]
        if level + 1 < len(widths):
            blocks += [f"decoder{level}_{number}" for number in range(size.decoder_blocks[level])]
            written.append((f"up{level}", _UP_OUT))
            read.append((f"down{level + 1}", _IN))
        written += [(f"{block}_conv2", _OUT) for block in blocks]
        read += [(f"{block}_conv1", _IN) for block in blocks]
        places = thin(written, read, width)
        head = f"classifier_level{level}"
        # The head's own detectors come first, then the level's channels.
        own = weights[head][0].shape[_IN] - size.widths[level]
        cut(head, _IN, np.concatenate([np.arange(own), own + places]))
        for block in blocks:
            places = thin([(f"{block}_conv1", _OUT)], [(f"{block}_conv2", _IN)], width)
            for part in ("words", "scale"):
                cut(f"{block}_{part}", _SAID_OUT, places)
    return kept


def _strongest(weights, written, read, count):
    """The numbers, in their order, of the channels that are written and read most strongly."""

    def strength(layers):
        kernels = (np.moveaxis(weights[name][0], axis, 0) for name, axis in layers)
        return sum(np.square(kernel).reshape(len(kernel), -1).sum(axis=1) for kernel in kernels)

    order = np.argsort(-strength(written) * strength(read), kind="stable")
    return np.sort(order[:count])


def _parser():
    parser = Parser(
        prog="python -m training.prune",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--preset", help="a restorer, a bundled name or a folder")
    parser.add_argument(
        "--widths", required=True, nargs="+", type=positive, help="channels left at each level"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder for the preset")
    return parser


if __name__ == "__main__":
    sys.exit(main())
