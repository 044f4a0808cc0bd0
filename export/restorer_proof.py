"""The same photos and sentences through Keras and every artefact of a restorer."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.comparison import Row, named, number_row, picture_row, run_outside, server_rows
from export.pictures import from_png, to_png

SIDE = 256
# What is done to the photos, and what people say about it.
_REQUESTS = (
    ("noise:25:camera", "remove the noise"),
    ("noise:25:camera", "去掉噪点"),
    ("low_light", "it is far too dark"),
    ("compression:10", "clean up the jpeg artifacts"),
    ("haze", "去雾"),
    ("blur", "sharpen it"),
)


@dataclass(frozen=True)
class Case:
    """One picture to restore: uint8 `(SIDE, SIDE, 3)`, the words, and the clean picture."""

    image: np.ndarray
    words: str
    clean: np.ndarray


def photos(folder: Path | None) -> list[np.ndarray]:
    """Returns uint8 photos of at least `SIDE`: a folder's, or the sample that ships.

    Args:
        folder: with picture files, or None for the sample.

    Raises:
        OSError, ValueError: if a file cannot be read, or no photo is large enough.
    """
    from tfimg import files, presets
    from tfimg.pixels import to_uint8

    paths = files.list_pictures(folder) if folder else [presets.sample_path()]
    found = [to_uint8(files.read_picture(path).pixels) for path in paths]
    found = [photo for photo in found if min(photo.shape[:2]) >= SIDE]
    if not found:
        raise ValueError(f"{folder}: no photo of at least {SIDE}x{SIDE} pixels")
    return found


def cases(photos: list[np.ndarray]) -> list[Case]:
    """Degrades the middle of each photo in several ways.

    Args:
        photos: uint8 `(H, W, 3)`, both sides `SIDE` or more.

    Returns:
        A case for each photo and request, the same ones every time.
    """
    from tfimg.degradations import parse_protocol
    from tfimg.pixels import middle, to_float, to_uint8

    made = []
    for number, photo in enumerate(photos):
        clean = to_float(middle(photo, SIDE))
        for protocol, words in _REQUESTS:
            image = to_uint8(np.clip(parse_protocol(protocol).apply(clean, number), 0, 1))
            made.append(Case(image, words, clean))
    return made


def compare(restorer, cases: list[Case], saved_model: Path | None, lite: list[Path]) -> list[Row]:
    """Runs all cases through Keras and through every artefact.

    Args:
        restorer: a `tfimg.ImageRestorer`, the truth.
        cases: what is restored.
        saved_model: folder of a SavedModel, or None.
        lite: folders that `export.tflite` wrote.

    Returns:
        A row for each comparison.
    """
    truth = _restored(restorer, cases)
    clean = [case.clean for case in cases]
    rows = []
    if saved_model:
        rows += _saved_model_rows(restorer, cases, truth, clean, saved_model)

        def ask(client):
            return np.stack([client.restore(case.image, case.words) for case in cases])

        rows += server_rows(saved_model, ask, truth, clean)
    for folder in lite:
        rows += _lite_rows(restorer, cases, truth, clean, folder)
    return rows


def _restored(restorer, cases, insist=False):
    def restored(case):
        return restorer.restore(case.image, case.words, insist=insist, say=lambda line: None)

    return np.stack([restored(case) for case in cases])


def _saved_model_rows(restorer, cases, truth, clean, folder):
    from tfimg.degradations import INTENTS
    from tfimg.tasks.image_classifier import ImageClassifier

    images, words = np.stack([case.image for case in cases]), [case.words for case in cases]
    embeddings = np.stack([restorer.embed(sentence) for sentence in words])
    intents = [[row[name] for name in INTENTS] for row in restorer.interpret(words)]
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    diagnoses = [classifier.diagnose(image) for image in images]
    found = [[*told.probabilities.values(), *told.severity.values()] for told in diagnoses]

    run = functools.partial(run_outside, folder)
    served = run("serving_default", image_bytes=[*map(to_png, images)], instruction=words)
    embedded = run("restore_embedded", image=images, embedding=embeddings)
    pictures = {
        "serving_default": np.stack([*map(from_png, served["image_bytes"])]),
        "restore": run("restore", image=images, instruction=words)["image"],
        "restore_embedded": embedded["image"],
    }
    told = run("classify", image=images)
    numbers = {
        "encode_text": (run("encode_text", instruction=words)["embedding"], embeddings),
        "interpret": (run("interpret", instruction=words)["probabilities"], intents),
        "classify": (np.hstack([told["probabilities"], told["severity"]]), found),
    }
    name = named(folder)
    # What is embedded is done as it says, needed or not.
    truths = {"restore_embedded": _restored(restorer, cases, insist=True)}
    return [
        *(
            picture_row(name, what, "saved_model", made, truths.get(what, truth), clean)
            for what, made in pictures.items()
        ),
        *(number_row(name, what, "saved_model", *pair) for what, pair in numbers.items()),
    ]


def _lite_rows(restorer, cases, truth, clean, folder):
    from export.lite import LiteRestorer
    from tfimg.tasks.image_classifier import ImageClassifier

    model = LiteRestorer(folder)
    quantize = model.description["quantize"]
    name = f"{named(folder)} ({quantize})"
    pictures = np.stack([model.restore(case.image, case.words) for case in cases])
    told = {"words": [], "diagnosis": []}
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    for case in cases:
        told["words"].append([which.embed(case.words) for which in (model, restorer)])
        found = (which.classify(case.image) for which in (model, classifier))
        told["diagnosis"].append([[*one.values()] for one in found])
    return [
        picture_row(name, "image", quantize, pictures, truth, clean),
        *(
            number_row(name, what, quantize, *zip(*pairs, strict=True))
            for what, pairs in told.items()
        ),
    ]
