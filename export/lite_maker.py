"""Makes pictures from words with an exported LiteRT folder; no TensorFlow, no Keras.

    python -m export.lite_maker FOLDER "a red apple" --seed 0 -o apple.png

It needs `numpy` and `ai-edge-litert`, and Pillow to write the file. The canvas of noise comes from
NumPy, so a seed gives another picture here than in Keras; the network is the same.
"""

import argparse
import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from export.wordpiece import WordPiece
from tfimg import files
from tfimg.arguments import Parser, one_line, refuse
from tfimg.limits import check_request


class LiteMaker:
    """A maker of pictures that runs in LiteRT.

    Args:
        folder: what `export.tflite` wrote.
        threads: of the interpreter.

    Raises:
        FileNotFoundError, ValueError: if the folder is none, lacks a file, or restores pictures.

    Example:

    ```python
    picture = LiteMaker("phone", threads=2).generate("a red apple", seed=0)
    ```
    """

    def __init__(self, folder: str | Path, threads: int = 2):
        from ai_edge_litert.interpreter import Interpreter

        folder = Path(folder)
        if not (folder / "model.json").is_file():
            raise FileNotFoundError(f"no exported model in {str(folder)!r}: model.json is missing")
        self.description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if "diagnosis" in self.description:
            raise ValueError(f"{str(folder)!r} restores pictures; use export.lite")

        def load(part):
            path = folder / self.description[part]["file"]
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing")
            return Interpreter(str(path), num_threads=threads).get_signature_runner()

        words = self.description["words"]
        self._tokenize = WordPiece(folder / words["vocabulary"], **words["tokenizer"])
        self._words, self._image = load("words"), load("image")
        self.embed = lru_cache(1024)(self._embed)

    def _embed(self, prompt: str) -> np.ndarray:
        token_ids, padding_mask = self._tokenize(prompt)
        return self._words(token_ids=token_ids, padding_mask=padding_mask)["embedding"][0]

    def draw(self, noise: np.ndarray, embedding: np.ndarray) -> np.ndarray:
        """Makes a picture, uint8 `(S, S, 3)`, of a uint8 canvas of noise and an embedding."""
        return self._image(image=noise[None], embedding=embedding[None])["image"][0]

    def generate(self, prompt: str, seed: int = 0) -> np.ndarray:
        """Makes a picture of what the words say.

        Args:
            prompt: what is to be seen, in English or Chinese.
            seed: where chance comes from.

        Returns:
            uint8 `(S, S, 3)`.

        Raises:
            TypeError, ValueError: for what cannot be made, see `tfimg.limits`.
        """
        check_request(prompt, 1, seed)
        side = self.description["image"]["size"]
        noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
        return self.draw(noise, self.embed(prompt.strip()))


def main(arguments=None) -> int:
    """Makes the picture that the arguments ask for."""
    parser = Parser(
        prog="python -m export.lite_maker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="what export.tflite wrote")
    parser.add_argument("prompt", help='what is to be seen, e.g. "a red apple"')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", required=True, help="a picture file")
    args = parser.parse_args(arguments)
    try:
        files.check_output(args.output)
        picture = LiteMaker(args.folder, args.threads).generate(args.prompt, args.seed)
        files.write_picture(files.Picture(picture), args.output)
    except (OSError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    print(f"{args.output}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
