"""The same photos and sentences through Keras and every artefact of a restorer."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from export.comparison import Row, number_row, picture_row, run_outside

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
    """Degrades the middle of each photo in several ways."""
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
    truth = np.stack([restorer.restore(case.image, case.words) for case in cases])
    clean = [case.clean for case in cases]
    rows = []
    if saved_model:
        rows += _saved_model_rows(restorer, cases, truth, clean, saved_model)
        rows += _server_rows(cases, truth, clean, saved_model)
    for folder in lite:
        rows += _lite_rows(restorer, cases, truth, clean, folder)
    return rows


def _saved_model_rows(restorer, cases, truth, clean, folder):
    from tfimg.degradations import INTENTS
    from tfimg.tasks.image_classifier import ImageClassifier

    def png(image):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        return buffer.getvalue()

    images, words = np.stack([case.image for case in cases]), [case.words for case in cases]
    embeddings = np.stack([restorer.embed(sentence) for sentence in words])
    intents = [[row[name] for name in INTENTS] for row in restorer.interpret(words)]
    classifier = ImageClassifier(restorer.backbone, restorer.preprocessor)
    found = [[*classifier.classify(image).values()] for image in images]

    def run(signature, **inputs):
        return run_outside(folder, signature, **inputs)

    served = run("serving_default", image_bytes=[*map(png, images)], instruction=words)
    served = np.stack([np.asarray(Image.open(io.BytesIO(data))) for data in served])
    pictures = {
        "serving_default": served,
        "restore": run("restore", image=images, instruction=words),
        "restore_embedded": run("restore_embedded", image=images, embedding=embeddings),
    }
    numbers = {
        "encode_text": (run("encode_text", instruction=words), embeddings),
        "interpret": (run("interpret", instruction=words), intents),
        "classify": (run("classify", image=images), found),
    }
    name = str(folder)
    return [
        *(picture_row(name, what, "saved_model", p, truth, clean) for what, p in pictures.items()),
        *(number_row(name, what, *pair) for what, pair in numbers.items()),
    ]


def _server_rows(cases, truth, clean, folder):
    from export.client import Client
    from export.launch import served

    with served(folder) as server:
        asked = {
            "REST": Client(server.rest, server.model),
            "gRPC": Client(server.grpc, server.model, "grpc"),
        }
        pictures = {
            protocol: np.stack([client.restore(case.image, case.words) for case in cases])
            for protocol, client in asked.items()
        }
    name = f"server of {folder}"
    return [picture_row(name, p, "saved_model", m, truth, clean) for p, m in pictures.items()]


def _lite_rows(restorer, cases, truth, clean, folder):
    from export.lite import LiteRestorer

    model = LiteRestorer(folder)
    quantize = model.description["quantize"]
    name = f"{folder} ({quantize})"
    pictures = np.stack([model.restore(case.image, case.words) for case in cases])
    rows = [picture_row(name, "image", quantize, pictures, truth, clean)]
    if quantize == "none":
        words = [case.words for case in cases]
        ours, theirs = ([which.embed(w) for w in words] for which in (model, restorer))
        rows.append(number_row(name, "words", np.stack(ours), theirs))
    return rows
