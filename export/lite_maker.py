"""Makes pictures from words with an exported LiteRT folder; no TensorFlow, no Keras.

    python -m export.lite_maker FOLDER "a red apple" --seed 0 -o apple.png

It needs `numpy` and `ai-edge-litert`, and Pillow to write the file. The canvas of noise comes from
NumPy, so a seed gives another picture here than in Keras; the network is the same.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from export.lite_model import LiteModel
from export.pictures import say
from tfimg import files
from tfimg.arguments import Parser, one_line, positive, refuse
from tfimg.limits import check_request


class LiteMaker(LiteModel):
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

    restores = False

    def draw(self, noise: np.ndarray, embedding: np.ndarray) -> np.ndarray:
        """Makes a picture of a canvas of noise.

        Args:
            noise: uint8 `(S, S, 3)`, S being the size in the description.
            embedding: float32 `(D,)`, from `embed`.

        Returns:
            uint8 `(S, S, 3)`.
        """
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
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("-o", "--output", required=True, help="a picture file")
    args = parser.parse_args(arguments)
    try:
        files.check_output(args.output)
        picture = LiteMaker(args.folder, args.threads).generate(args.prompt, args.seed)
        files.write_picture(files.Picture(picture), args.output)
    except (OSError, RuntimeError, ValueError) as error:
        return refuse(parser.prog, one_line(error))
    say(f"{args.output}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
