"""A sentence in, a picture out."""

import itertools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from tfimg.degradations.seeds import StatelessSeeds
from tfimg.limits import check_request
from tfimg.losses import PyramidLoss
from tfimg.pixels import to_uint8
from tfimg.tasks.task import TextGuidedTask
from tfimg.text.descriptions import language_of
from tfimg.text.prompts import prompt as worded

# Pictures that go through the network together.
_TOGETHER = 32
# Seeds are split in two halves of this many values.
_HALF = 2**31


@keras.saving.register_keras_serializable("tfimg")
class TextToImage(TextGuidedTask):
    """Makes small pictures from words alone, in one pass.

    Args:
        backbone: a `TextGuidedBackbone` with a `canvas`.
        preprocessor: an `InstructionPreprocessor`.

    Raises:
        ValueError: if the backbone has no canvas, so it restores pictures.

    Example:

    ```python
    maker = tfimg.TextToImage.from_preset("icons_small")
    pictures = maker.generate("a sunset over the sea", num_images=4, style="flat emoji")
    ```
    """

    output_name = "image"

    def __init__(self, backbone, preprocessor, **kwargs):
        if backbone.canvas is None:
            raise ValueError("the preset restores pictures; expected one that makes them")
        super().__init__(backbone, preprocessor, **kwargs)

    def default_loss(self):
        return PyramidLoss()

    def default_metrics(self):
        return ["mse"]

    def generate(
        self,
        prompt: str,
        num_images: int = 1,
        seed: int = 0,
        style: str | None = None,
        *,
        steps: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Makes pictures of what the words say.

        Args:
            prompt: what is to be seen, in English or Chinese: "a red apple", "日落".
            num_images: how many, each from a seed of its own: `seed`, `seed + 1`, ...
            seed: where chance comes from; the same seed gives the same picture.
            style: one of `tfimg.text.prompts.STYLES`, or None for what the prompt itself says.
            steps: passes through the network; from the second on it starts from a mixture of the
                noise and its own last picture.
            progress: called as `progress(done, total)` after each of all passes; 32 pictures go
                through together.

        Returns:
            uint8 `(num_images, S, S, 3)`, S being the preset's side.

        Raises:
            TypeError: if the prompt is no string.
            ValueError: for an empty or overlong prompt, an unknown style, a negative seed, or a
                number out of range.
        """
        check_request(prompt, num_images, seed, steps)
        embedding = self.embed(worded(prompt, language_of(prompt), style))
        made, done = [], itertools.count(1)
        passes = steps * -(-num_images // _TOGETHER)

        def passed():
            if progress is not None:
                progress(next(done), passes)

        for first in range(seed, seed + num_images, _TOGETHER):
            seeds = np.arange(first, min(first + _TOGETHER, seed + num_images), dtype=np.int64)
            words = np.repeat(embedding[None], len(seeds), axis=0)
            noise = canvases(seeds, self.backbone.canvas)
            made.append(self._drawn(words, noise, steps, passed))
        return to_uint8(np.concatenate(made))

    def _drawn(self, embedding, noise, steps, passed):
        noise = ops.convert_to_numpy(noise)
        image = np.zeros_like(noise)
        for step in range(steps):
            share = np.float32(step / steps)
            made = self.backbone.image_network.predict_on_batch(
                {
                    "image": (1 - share) * noise + share * image,
                    "mask": np.full_like(noise[..., :1], share),
                    "embedding": embedding,
                }
            )
            image = np.clip(made["image"], 0, 1)
            passed()
        return image


def canvases(seeds, side: int):
    """Makes canvases of noise, each from its own seed, whatever stands beside it.

    Args:
        seeds: int64 `(B,)`, 0 or more.
        side: of a canvas in pixels.

    Returns:
        float32 `(B, side, side, 3)`, uniform in 0..1.
    """

    def canvas(seed):
        halves = ops.stack([seed % _HALF, seed // _HALF])
        return keras.random.uniform((side, side, 3), seed=StatelessSeeds(halves))

    return ops.map(canvas, ops.convert_to_tensor(seeds))
