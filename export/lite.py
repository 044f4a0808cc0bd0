"""Restores photos with an exported LiteRT folder; no TensorFlow, no Keras.

    python -m export.lite FOLDER IN… "remove the noise" -o OUT
    python -m export.lite FOLDER IN… -o OUT  # no words: it diagnoses first

It needs `numpy`, `ai-edge-litert` and Pillow. An app does the same with the same models, the
vocabulary and `model.json`; what it has to bring along is `LiteRestorer`, and what that is built
on: `export.lite_model`, `export.wordpiece`, `tfimg.tiling`, `tfimg.postprocess`, `tfimg.pixels`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from export.lite_model import LiteModel
from export.pictures import restore_files, settle
from tfimg import pixels
from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.postprocess import check_strength, postprocess
from tfimg.tiling import restore_tiled


class LiteRestorer(LiteModel):
    """A restorer that runs in LiteRT.

    Args:
        folder: what `export.tflite` wrote.
        threads: of the interpreter.

    Raises:
        FileNotFoundError, ValueError: if the folder is none, lacks a file, makes pictures, or is
            broken.

    Example:

    ```python
    restorer = LiteRestorer("phone", threads=2)
    out = restorer.restore(image, "remove the noise")
    ```
    """

    restores = True

    def _load(self):
        super()._load()
        self._diagnosis = self._runner("diagnosis")
        self._size = self.description["image"]["size"]

    def interpret(self, instruction: str) -> dict[str, float]:
        """Returns a probability for each label: how likely the sentence asks for it.

        Args:
            instruction: what to do, in English or Chinese.

        Raises:
            ValueError: if the sentence is empty.
        """
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

    def restore(
        self,
        image: np.ndarray,
        instruction: str | None = None,
        strength: float = 1.0,
        insist: bool = False,
    ) -> np.ndarray:
        """Restores a picture of any size, tile by tile where the model has a fixed size.

        What the words ask for is done at once and in full. An order ("first denoise, then
        sharpen") or a degree ("slightly") in them is not read, as `tfimg.ImageRestorer.restore`
        does: call it once a step, each time with what the last one gave, and give `strength`.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1; the model sees it with 8 bits.
            instruction: what to do, in English or Chinese. Without it, or where it wishes for
                something better and does not say what, the picture is diagnosed and what is found
                is undone.
            strength: 0 returns the input, 1 the full effect.
            insist: whether what is asked for is done though the picture seems not to need it, see
                `tfimg.ImageRestorer.restore`.

        Returns:
            An array of the input's shape and dtype.

        Raises:
            TypeError, ValueError: for what is no such picture, an empty instruction, a strength
                outside 0..1, or a picture to be diagnosed where the words steer the model by more
                than the labels.
        """
        image = np.asarray(image)
        pixels.check(image)
        if image.ndim != 3:
            raise ValueError(f"image has shape {image.shape}; expected (H, W, 3)")
        check_strength(strength)
        embedding = self._meant(image, instruction, insist)
        if embedding is None:
            return image.copy()
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
            fixed=bool(self._size),
            finish=lambda restored, source: postprocess(restored, source, strength),
        )
        return restored[:height, :width]

    def _meant(self, image, instruction, insist):
        """What the words mean for this picture; None where they mean that it stays as it is."""
        told = self.description["diagnosis"]
        asked = {} if instruction is None else self.interpret(instruction)
        if max(asked.values(), default=0.0) < told["sure"]:
            self._check_steered_by_labels(instruction)
            *sure, _ = (value >= told["sure"] for value in self.classify(image).values())
            return np.array([*sure, 0.0], np.float32) if any(sure) else None
        embedding, labels = self.embed(instruction), self.description["labels"]
        wanted = {name for name in labels[:-1] if asked[name] >= told["sure"]}
        doubtful = wanted.intersection(told["doubted"])
        if max(image.shape[:2]) > told["side"]:  # too fine to be seen in a smaller copy
            doubtful -= {*told["fine"]}
        if insist or not doubtful:
            return embedding
        found = self.classify(pixels.shrunk(image, told["side"]))
        spared = {name for name in doubtful if found[name] < told["absent"]}
        if spared == wanted:
            return None
        return np.where([name in spared for name in labels], np.float32(0), embedding)

    def _check_steered_by_labels(self, instruction):
        width = self._image.get_input_details()["embedding"]["shape"][-1]
        if width != len(self.description["labels"]):
            found = "none" if instruction is None else repr(instruction)
            raise ValueError(
                f"the model is steered by {width} numbers and not by its labels, so what a "
                f"diagnosis finds cannot be undone; expected words that say what to do, found "
                f"{found}"
            )

    def _run(self, tile, embedding):
        inputs = {"image": pixels.to_uint8(tile), "embedding": embedding[None]}
        return pixels.to_float(self._image(**inputs)["image"])


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

    def restore(image):
        return restorer.restore(image, instruction, args.strength, args.insist)

    return restore_files(parser.prog, plan, restore)


def _parser():
    parser = Parser(
        prog="python -m export.lite",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="what export.tflite wrote")
    parser.add_argument(
        "words", nargs="+", metavar="IN", help="pictures or folders, then what to do"
    )
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--strength", type=float, default=1.0, help="0 keeps a picture as it is")
    parser.add_argument(
        "--insist", action="store_true", help="do as it says though a picture seems not to need it"
    )
    parser.add_argument("--threads", type=positive, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
