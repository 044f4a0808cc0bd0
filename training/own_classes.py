"""Fits the classifier on pictures with names of your own, with and without a word about them.

    python -m training.own_classes --data captioned/grocery64.jsonl --label name \\
        --description coarse --split split --epochs 12 --out runs/own_classes
    python -m training.own_classes --data animals/ --out runs/animals  # one subfolder a class

The pictures are read through TensorFlow Datasets' folder builder. One classifier sees the picture
alone; with `--description` another is told something of it, too, which is how words help: a shop
knows the shelf, a clinic knows the organ. Each accuracy is printed, and the better classifier is
saved as a preset with its labels.

It is fitted on squares from the middles of the pictures, as large as the smallest of them allows
and at most what `ImageClassifier.classify` looks at; `--side` sets another size. The accuracy is
that of `classify` on the pictures held out, as large as they are.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from tfimg import commands, files
from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.pixels import middle

# Of learning, at its highest.
_RATE = 1e-3


def main(arguments=None) -> int:
    """Fits the classifiers and prints how often each is right."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.out.exists():
        return refuse(parser.prog, f"{args.out} exists already; give another --out")
    import keras

    try:
        files.check_place(args.out)
        commands.load("ImageClassifier", commands.check_preset(args.preset))  # before all is read
        train, test, labels = read(args.data, args.label, args.description, args.split, args.side)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    counts = [len(part["label"]) for part in (train, test)]
    print(f"{counts[0]} pictures to fit on, {counts[1]} to test, {len(labels)} names", flush=True)
    fitted = {}
    for told in (False, True) if args.description else (False,):
        keras.utils.set_random_seed(args.seed)
        classifier = fit(args.preset, labels, train, told, args.epochs, args.batch_size)
        accuracy = right(classifier, test, told)
        fitted[accuracy] = classifier
        what = "picture and description" if told else "picture alone"
        print(f"{what}: {100 * accuracy:.1f} % right", flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    fitted[max(fitted)].save_to_preset(str(args.out))
    print(f"saved {args.out}")
    return 0


def read(
    data: Path, label: str, description: str | None, split: str | None, side: int | None = None
) -> tuple[dict, dict, list[str]]:
    """Reads pictures, numbers of labels and descriptions through TensorFlow Datasets.

    Args:
        data: a folder or a `.jsonl` file, as `PictureFolder` reads them.
        label: the column with the name; "label" where subfolders are the classes.
        description: the column with what is told, or None.
        split: the column that says "train" or something else; None to test with a tenth of the
            pictures, chosen by the hash of their paths.
        side: what is fitted on is cut or filled up to this; by default the shortest side of all,
            and at most what `classify` looks at.

    Returns:
        Two dicts of `image`, `label` `(N,)` int and, if there are any, `description` `(N,)` str, to
        fit on and to test; and the names. Numbers are read as their text. Images to fit on are
        `(N, side, side, 3)` float32; those to test with a list of `(H, W, 3)` uint8.

    Raises:
        ValueError: if there is no such column, a picture has no name, fewer than two names are
            learnt, or no picture to test with has one of them.
    """
    from tfimg.data.folder_builder import PictureFolder, held_out
    from tfimg.tasks.image_classifier import CROP
    from tfimg.tasks.preprocessor import NOTHING_KNOWN

    builder = PictureFolder(data)
    builder.download_and_prepare()
    columns = set(builder.info.features)
    for column in filter(None, (label, description, split)):
        if column not in columns:
            raise ValueError(f"{data} has no column {column!r}; expected one of {sorted(columns)}")
        if builder.info.features[column].shape:
            raise ValueError(f"{data}: column {column!r} holds lists; expected strings or numbers")
    # Where subfolders are the classes, rows hold numbers that stand for their names.
    name_of = getattr(builder.info.features[label], "int2str", _text)
    parts = {"train": [], "test": []}
    for own in builder.info.splits:
        for row in builder.as_dataset(split=own).as_numpy_iterator():
            file = row["file"].decode()
            if not name_of(row[label]).strip():
                raise ValueError(f"{data}: {file!r} has no {label}")
            tests = held_out(file) if split is None else _text(row[split]) != "train"
            parts["test" if tests else "train"].append(row)
    labels = sorted({name_of(row[label]) for row in parts["train"]})
    if len(labels) < 2:
        raise ValueError(f"{data}: the names to fit on are {labels}; expected two or more")
    numbers = {name: number for number, name in enumerate(labels)}
    known = [row for row in parts["test"] if name_of(row[label]) in numbers]
    if not known:
        raise ValueError(f"{data}: no picture to test with has a {label} that is learnt")

    def in_columns(rows):
        columns = {
            "image": [row["image"] for row in rows],
            "label": np.array([numbers[name_of(row[label])] for row in rows]),
        }
        if description is not None:
            told = [_text(row[description]).strip() or NOTHING_KNOWN for row in rows]
            columns["description"] = np.array(told)
        return columns

    train, test = in_columns(parts["train"]), in_columns(known)
    if side is None:
        side = min(CROP, *(length for image in train["image"] for length in image.shape[:2]))
    train["image"] = np.stack([_square(image, side) for image in train["image"]])
    return train, test, labels


def fit(preset: str, labels: list[str], train: dict, told: bool, epochs: int, batch_size: int):
    """Returns a classifier fitted on a preset's features, the picture's and the words'.

    Args:
        preset: a bundled name or a folder.
        labels: names of the classes.
        train: from `read`.
        told: whether it is given the descriptions.
        epochs: how often it sees all pictures.
        batch_size: pictures a step.
    """
    import keras

    import tfimg

    classifier = tfimg.ImageClassifier.from_preset(preset, labels=labels)
    steps = epochs * -(-len(train["label"]) // batch_size)
    warm_up = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        _RATE / 100, max(1, steps - warm_up), warmup_target=_RATE, warmup_steps=warm_up
    )
    # Without warming up and clipping, many classes put out the head's ReLUs at once, and for good.
    classifier.compile(optimizer=keras.optimizers.AdamW(rate, global_clipnorm=1.0))
    classifier.fit(
        _told(train, told), train["label"], batch_size=batch_size, epochs=epochs, verbose=2
    )
    return classifier


def right(classifier, test: dict, told: bool) -> float:
    """Returns how often a classifier is right, as people use it.

    Args:
        classifier: from `fit`.
        test: from `read`.
        told: whether it is given the descriptions.
    """
    words = test["description"].tolist() if told else [None] * len(test["label"])
    hits = []
    for image, number, description in zip(test["image"], test["label"], words, strict=True):
        found = classifier.classify(image, description)
        hits.append(max(found, key=found.get) == classifier.labels[number])
    return float(np.mean(hits))


def _told(part, told):
    words = {"instruction": part["description"]} if told else {}
    return {"image": part["image"], **words}


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _square(image, side):
    crop = middle(image, side)
    fill = [(0, side - length) for length in crop.shape[:2]]
    return np.pad(crop, (*fill, (0, 0)), "edge").astype(np.float32) / 255


def _parser():
    parser = Parser(
        prog="python -m training.own_classes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, type=Path, help="a folder or a .jsonl file")
    parser.add_argument("--label", default="label", help="column with the class (default: label)")
    parser.add_argument("--description", help="column with what is told of a picture")
    parser.add_argument("--split", help="column that says train (default: by chance)")
    parser.add_argument("--preset", default="restorer_small", help="whose features are used")
    parser.add_argument("--out", required=True, type=Path, help="the preset that is written")
    parser.add_argument(
        "--side",
        type=positive,
        help="in pixels, of the squares that are fitted on (default: what the smallest picture "
        "allows, at most 512)",
    )
    parser.add_argument("--epochs", type=positive, default=12)
    parser.add_argument("--batch-size", type=positive, default=32)
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
