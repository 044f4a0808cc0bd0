"""A picture and a sentence in, a better picture out."""

from collections.abc import Callable

import keras
import numpy as np

from tfimg import pixels
from tfimg.losses import RestorationLoss
from tfimg.metrics import PSNR
from tfimg.postprocess import check_strength, match_colours, postprocess
from tfimg.tasks.image_classifier import ImageClassifier
from tfimg.tasks.task import TextGuidedTask
from tfimg.text.remedies import intention, prescribe
from tfimg.tiling import restore_tiled


@keras.saving.register_keras_serializable("tfimg")
class ImageRestorer(TextGuidedTask):
    """Restores and enhances pictures as the words say.

    Args:
        backbone: a `TextGuidedBackbone`.
        preprocessor: an `InstructionPreprocessor`.

    Example:

    ```python
    restorer = tfimg.ImageRestorer.from_preset("restorer_small")
    out = restorer.restore(image, "remove the noise")
    out = restorer.restore(image)  # no words: it diagnoses first

    restorer.compile()
    restorer.fit(dataset)  # of ({"image": ..., "instruction": ...}, target picture)
    ```
    """

    output_name = "image"

    def default_loss(self):
        """What the presets are trained with."""
        return RestorationLoss()

    def default_metrics(self):
        return [PSNR()]

    def restore(
        self,
        image,
        instruction: str | None = None,
        strength: float = 1.0,
        mask=None,
        *,
        match_colour: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Restores one picture or a batch of them.

        Args:
            image: `(H, W, 3)` or `(B, H, W, 3)`, any size; uint8, uint16 or float 0..1.
            instruction: what to do, in English or Chinese. Without it the picture is diagnosed,
                what will be done is printed, and it is done.
            strength: 0 returns the input, 1 the full effect.
            mask: `(H, W)` or `(H, W, 1)`, 1 = known pixel, 0 = to be filled in.
            match_colour: gives the result the input's mean and contrast of each colour.
            progress: called as `progress(done, total)` after each tile of a large picture.

        Returns:
            An array of the input's shape and dtype.

        Raises:
            TypeError: for a dtype that is none of the above.
            ValueError: for a wrong rank, NaN, an empty instruction, a strength outside 0..1, or a
                mask of another size.
        """
        image = np.asarray(image)
        pixels.check(image)
        check_strength(strength)
        if image.ndim == 4:
            options = {"match_colour": match_colour, "progress": progress}
            return np.stack(
                [self.restore(one, instruction, strength, mask, **options) for one in image]
            )
        if instruction is None:
            instruction = self._diagnosed(image)
            if instruction is None:
                return image.copy()
        embedding = self.embed(instruction)[None]

        def network(tile):
            known = tile[..., 3:] if mask is not None else np.ones_like(tile[..., :1])
            return self.backbone.image_network.predict_on_batch(
                {"image": tile[..., :3], "mask": known, "embedding": embedding}
            )["image"]

        restored = restore_tiled(
            network,
            image,
            multiple=self.backbone.multiple,
            mask=mask,
            finish=lambda restored, source: postprocess(restored, source, strength),
            progress=progress,
        )
        return match_colours(restored, image) if match_colour else restored

    def _diagnosed(self, image):
        found = ImageClassifier(self.backbone, self.preprocessor).classify(image)
        print(intention(found))
        return prescribe(found)
