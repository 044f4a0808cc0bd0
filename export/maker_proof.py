"""The same words and seeds through Keras and every artefact of a maker of pictures."""

import functools
from pathlib import Path

import numpy as np

from export.comparison import Row, named, number_row, picture_row, run_outside, server_rows
from export.pictures import from_png

# What is asked for, each with a seed of its own.
PROMPTS = (
    "flat emoji icon of sun", "3D emoji of red apple", "pixel art of sword", "a photo of banana",
    "月亮的扁平表情图标", "猫的立体表情图标", "a house on a blue background", "日落",
)  # fmt: skip


def compare(maker, saved_model: Path | None, lite: list[Path]) -> list[Row]:
    """Makes the pictures of all prompts in Keras and in every artefact.

    Args:
        maker: a `tfimg.TextToImage`, the truth.
        saved_model: folder of a SavedModel, or None.
        lite: folders that `export.tflite` wrote.

    Returns:
        A row for each comparison.
    """
    rows = []
    if saved_model:
        truth = np.concatenate([maker.generate(p, seed=n) for n, p in enumerate(PROMPTS)])
        rows += _saved_model_rows(maker, truth, saved_model)

        def ask(client):
            return np.stack([client.generate(p, n) for n, p in enumerate(PROMPTS)])

        rows += server_rows(saved_model, ask, truth)
    for folder in lite:
        rows += _lite_rows(maker, folder)
    return rows


def _saved_model_rows(maker, truth, folder):
    words, seeds = [*PROMPTS], np.arange(len(PROMPTS), dtype=np.int64)
    embeddings = np.stack([maker.embed(prompt) for prompt in words])
    run = functools.partial(run_outside, folder)
    served = run("serving_default", prompt=words, seed=seeds)
    embedded = run("generate_embedded", embedding=embeddings, seed=seeds)
    pictures = {
        "serving_default": np.stack([*map(from_png, served["image_bytes"])]),
        "generate": run("generate", prompt=words, seed=seeds)["image"],
        "generate_embedded": embedded["image"],
    }
    read = run("encode_text", prompt=words)["embedding"]
    return [
        *(
            picture_row(named(folder), what, "saved_model", p, truth)
            for what, p in pictures.items()
        ),
        number_row(named(folder), "encode_text", "saved_model", read, embeddings),
    ]


def _lite_rows(maker, folder):
    from export.lite_maker import LiteMaker
    from tfimg.pixels import to_uint8

    model = LiteMaker(folder)
    quantize, side = model.description["quantize"], maker.backbone.canvas
    name = f"{named(folder)} ({quantize})"
    noise = np.random.default_rng(0).integers(0, 256, (len(PROMPTS), side, side, 3), np.uint8)
    embeddings = np.stack([maker.embed(prompt) for prompt in PROMPTS])
    canvases = {
        "image": noise / np.float32(255),
        "mask": np.zeros((len(PROMPTS), side, side, 1), np.float32),
        "embedding": embeddings,
    }
    truth = to_uint8(
        np.clip(maker.backbone.image_network.predict_on_batch(canvases)["image"], 0, 1)
    )
    pairs = zip(noise, embeddings, strict=True)
    rows = [picture_row(name, "image", quantize, np.stack([model.draw(*p) for p in pairs]), truth)]
    if quantize == "none":
        words = [model.embed(prompt) for prompt in PROMPTS]
        rows.append(number_row(name, "words", quantize, words, embeddings))
    return rows
