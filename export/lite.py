"""Restores photos with an exported LiteRT folder; no TensorFlow, no Keras.

    python -m export.lite FOLDER IN… "remove the noise" -o OUT

It needs `numpy` and `ai-edge-litert`, and Pillow to read and write files. An app does the same
with the same models, the vocabulary and `model.json`.
"""

import argparse
import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from export.pictures import restore_files, settle
from export.wordpiece import WordPiece
from tfimg import pixels
from tfimg.arguments import Parser, one_line, refuse
from tfimg.postprocess import check_strength, postprocess
from tfimg.tiling import restore_tiled


class LiteRestorer:
    """A restorer that runs in LiteRT.

    Args:
        folder: what `export.tflite` wrote.
        threads: of the interpreter.

    Raises:
        FileNotFoundError, ValueError: if the folder is none or lacks a file.

    Example:

    ```python
    restorer = LiteRestorer("phone", threads=2)
    out = restorer.restore(image, "remove the noise")
    ```
    """

    def __init__(self, folder: str | Path, threads: int = 2):
        from ai_edge_litert.interpreter import Interpreter

        self.folder = folder = Path(folder)
        if not (folder / "model.json").is_file():
            raise FileNotFoundError(f"no exported model in {str(folder)!r}: model.json is missing")
        self.description = json.loads((folder / "model.json").read_text(encoding="utf-8"))

        def load(part):
            path = folder / self.description[part]["file"]
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing")
            return Interpreter(str(path), num_threads=threads)

        words = self.description["words"]
        self._tokenize = WordPiece(folder / words["vocabulary"], **words["tokenizer"])
        self._words = load("words").get_signature_runner()
        self._image = load("image").get_signature_runner()
        self._diagnosis = load("diagnosis").get_signature_runner()
        self._size = self.description["image"]["size"]
        self._read = lru_cache(1024)(self._read_uncached)

    def embed(self, instruction: str) -> np.ndarray:
        """Returns the text embedding `(D,)` of a sentence; computed once a sentence."""
        return self._read(instruction)["embedding"][0]

    def interpret(self, instruction: str) -> dict[str, float]:
        """Returns a probability for each label."""
        probabilities = self._read(instruction)["probabilities"][0]
        return dict(zip(self.description["labels"], map(float, probabilities), strict=True))

    def classify(self, image: np.ndarray) -> dict[str, float]:
        """Returns how likely each label is wrong with a picture, by a square from its middle.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1.
        """
        side, multiple = (
            self.description["diagnosis"]["side"],
            self.description["image"]["multiple"],
        )
        crop = pixels.to_uint8(pixels.to_float(pixels.middle(image, side)))
        missing = [side - length if self._size else -length % multiple for length in crop.shape[:2]]
        crop = np.pad(crop, (*((0, more) for more in missing), (0, 0)), "reflect")
        probabilities = self._diagnosis(image=crop[None])["probabilities"][0]
        return dict(zip(self.description["labels"], map(float, probabilities), strict=True))

    def restore(self, image: np.ndarray, instruction: str, strength: float = 1.0) -> np.ndarray:
        """Restores a picture of any size, tile by tile where the model has a fixed size.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1; the model sees it with 8 bits.
            instruction: what to do, in English or Chinese. Where it wishes for something better and
                does not say what, the picture is diagnosed and what is found is undone.
            strength: 0 returns the input, 1 the full effect.

        Returns:
            An array of the input's shape and dtype.

        Raises:
            TypeError, ValueError: for what is no such picture, an empty instruction, or a strength
                outside 0..1.
        """
        image = np.asarray(image)
        pixels.check(image)
        if image.ndim != 3:
            raise ValueError(f"image has shape {image.shape}; expected (H, W, 3)")
        check_strength(strength)
        embedding = self._meant(image, instruction)
        part = self.description["image"]
        height, width = image.shape[:2]
        if self._size:
            # A picture smaller than the model is filled up, so that every tile has its size.
            missing = [(0, max(0, self._size - side)) for side in (height, width)]
            image = np.pad(image, (*missing, (0, 0)), "reflect")
        restored = restore_tiled(
            lambda tile: self._run(tile, embedding),
            image,
            tile=self._size or part["tile"],
            overlap=part["overlap"],
            multiple=part["multiple"],
            finish=lambda restored, source: postprocess(restored, source, strength),
        )
        return restored[:height, :width]

    def _meant(self, image, instruction):
        sure = self.description["diagnosis"]["sure"]
        if max(self.interpret(instruction).values()) >= sure:
            return self.embed(instruction)
        *found, _ = (value >= sure for value in self.classify(image).values())
        return np.array([*found, not any(found)], np.float32)

    def _run(self, tile, embedding):
        inputs = {"image": pixels.to_uint8(tile), "embedding": embedding[None]}
        return pixels.to_float(self._image(**inputs)["image"])

    def _read_uncached(self, instruction):
        token_ids, padding_mask = self._tokenize(instruction)
        return self._words(token_ids=token_ids, padding_mask=padding_mask)


def main(arguments=None) -> int:
    """Restores the files that the arguments name."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        plan, instruction = settle(args.words, args.output)
        check_strength(args.strength)
        restorer = LiteRestorer(args.folder, args.threads)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    return restore_files(
        parser.prog, plan, lambda image: restorer.restore(image, instruction, args.strength)
    )


def _parser():
    parser = Parser(
        prog="python -m export.lite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="what export.tflite wrote")
    parser.add_argument(
        "words", nargs="+", metavar="IN", help="pictures or folders, then the words"
    )
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
