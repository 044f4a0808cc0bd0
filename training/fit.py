"""Trains one part of a network by a recipe.

    python -m training.fit --recipe restorer_small --data PHOTOS --out runs/restorer_small
    python -m training.fit --recipe words --init runs/restorer_small/preset --out runs/words
    python -m training.fit --recipe diagnosis --init runs/words/preset --data PHOTOS --out runs/all
    python -m training.fit --recipe describer --out runs/describer
    python -m training.fit --recipe things --data SETS DICT.u8 --text-encoder BERT --out runs/things
    python -m training.fit --recipe icons_draft --init runs/things/preset --data SETS --out runs/1

Several GPUs of a machine are used together. Several machines are as well, where `TF_CONFIG` names
them as TensorFlow's documentation says, the same command is started on each, and `--out` is a
folder that all can read; when one dies, all stop, and `--resume` goes on from the last checkpoint.

A run's folder holds `checkpoint.npz`, `history.jsonl`, TensorBoard events and, at the end,
`preset`.
"""

import argparse
import sys
from pathlib import Path

import keras

from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.machine import choose_jit, choose_precision
from tfimg.trainer import Checkpoint, FreshMetrics, History
from training.recipes import RECIPES, Describing, Drawing, Restorer, Words

_WARM_UP = 300
_AVERAGING = 0.999
# What a run leaves, of which none may be lost; a history alone is of a run that came to nothing.
_LEFT = ("checkpoint.npz", "preset")


def compile_model(model, recipe, losses: dict, steps: int, jit: bool) -> None:
    """Compiles the part that a recipe trains: AdamW, warm-up and cosine, averaged weights.

    Args:
        model: a `keras.Model`.
        recipe: what it is trained by.
        losses: the other arguments of its `compile`.
        steps: optimiser steps of the whole run, over which the rate falls.
        jit: whether the step is compiled with XLA.
    """
    warm_up = min(_WARM_UP, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-6,
        max(1, steps - warm_up),
        0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=max(1, warm_up),
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        beta_1=recipe.momentum,
        weight_decay=recipe.weight_decay,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=_AVERAGING,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "steer"])
    model.compile(optimizer, jit_compile=jit, **losses)


def main(arguments=None) -> int:
    """Trains what the arguments say, and leaves a preset.

    Args:
        arguments: without the program's name; those of the process by default.

    Returns:
        Exit status: 0, or 2 if something could not be done.
    """
    parser = _parser()
    args = parser.parse_args(arguments)
    recipe = RECIPES[args.recipe]
    steps = args.steps or recipe.steps
    if not isinstance(recipe, (Words, Describing)) and not args.data:
        return refuse(parser.prog, f"recipe {args.recipe} needs --data, what it learns from")
    left = [name for name in _LEFT if (args.out / name).exists()]
    if left and "checkpoint.npz" not in left:
        return refuse(
            parser.prog,
            f"{args.out} holds {left[0]} of a run and no checkpoint.npz; give another --out",
        )
    if left and not args.resume:
        return refuse(
            parser.prog, f"{args.out} holds a run already; give --resume or another --out"
        )
    if args.init and args.text_encoder and not isinstance(recipe, Words):
        return refuse(parser.prog, "--init brings its own text encoder; leave out --text-encoder")
    if args.words and (args.init or args.text_encoder or not isinstance(recipe, Restorer)):
        return refuse(
            parser.prog,
            "--words is for the recipes restorer_…, without --init and without --text-encoder",
        )
    from training import runs, workers
    from training.kinds import Options, kind_of

    kind = kind_of(recipe)
    checkpoint = Checkpoint(args.out / "checkpoint.npz", args.checkpoint_every)
    try:
        keras.utils.set_random_seed(args.seed)
        if workers.processes() > 1 and isinstance(recipe, Drawing) and recipe.critic:
            raise ValueError(f"recipe {args.recipe} has a critic; train it in one process")
        spread = workers.strategy()
        precision, jit = choose_precision(args.mixed_precision), choose_jit(args.jit)
        options = Options(
            tuple(args.data or ()), args.init, args.text_encoder, args.words, precision, args.seed
        )
        with workers.scope(spread):
            task = kind.start(recipe, options)
            model = kind.trained(recipe, task)
            compile_model(model, recipe, kind.losses(recipe), steps, jit)
            resumed = args.resume and checkpoint.path.exists()
            first = checkpoint.restore(model) if resumed else 0
        batches = kind.source(recipe, task, options, steps)
    except (ImportError, OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    args.out.mkdir(parents=True, exist_ok=True)
    print(
        f"recipe {args.recipe}: {model.count_params():,} parameters, {precision}, "
        f"{'XLA' if jit else 'no XLA'}, steps {first} to {steps}",
        flush=True,
    )
    callbacks = []
    if workers.is_chief():
        callbacks = [
            # A step is told before it is kept, so that a kill between the two loses no line.
            History(args.out / "history.jsonl", first, args.log_every),
            checkpoint,
            *runs.observers(recipe, batches, args.out, first, steps),
        ]
    if first >= steps:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    elif workers.several(spread):
        workers.fit(spread, model, batches(first), steps - first, callbacks)
    else:
        callbacks.append(FreshMetrics(first, args.log_every))
        model.fit(
            batches(first), steps_per_epoch=steps - first, epochs=1, verbose=0, callbacks=callbacks
        )
    # Either way the model now holds the moving average of its weights.
    if workers.is_chief():
        runs.save_preset(task, args.out / "preset")
        print(f"saved {args.out / 'preset'}")
    return 0


def _parser():
    parser = Parser(
        prog="python -m training.fit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipe", required=True, choices=RECIPES)
    parser.add_argument(
        "--data",
        nargs="+",
        type=Path,
        help="what to learn from: folders of photos; for things, icons_… and pictures…, captioned "
        "sets (folders, or names that TensorFlow Datasets knows); for things, dictionaries too",
    )
    parser.add_argument("--out", required=True, type=Path, help="the run's folder")
    parser.add_argument("--init", help="preset to start from; by default an untrained network")
    parser.add_argument(
        "--text-encoder",
        metavar="BERT",
        help="KerasHub BERT preset, or folder (KerasHub, Hugging Face), to build on; with --init "
        "for the recipe words alone, which teaches it to steer a trained preset",
    )
    parser.add_argument(
        "--words",
        metavar="PRESET",
        help="a trained restorer whose text branch is taken, where the image network is new",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--steps", type=positive, help="instead of the recipe's number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mixed-precision", default="auto", help="auto or a Keras dtype policy")
    parser.add_argument("--jit", default="auto", choices=("auto", "on", "off"))
    parser.add_argument("--checkpoint-every", type=positive, default=1000, help="steps")
    parser.add_argument(
        "--log-every", type=positive, default=100, help="steps between two loss lines"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
