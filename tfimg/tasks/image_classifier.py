"""Which degradations a picture has, or which class of your own it is."""

import keras
import numpy as np

from tfimg import pixels
from tfimg.degradations import INTENTS
from tfimg.tasks.task import TextGuidedTask

# A square from the middle is enough to tell, and keeps time and memory bounded.
CROP = 512


@keras.saving.register_keras_serializable("tfimg")
class ImageClassifier(TextGuidedTask):
    """Tells what is wrong with a picture.

    Args:
        backbone: a `TextGuidedBackbone`.
        preprocessor: an `InstructionPreprocessor`.

    Example:

    ```python
    classifier = tfimg.ImageClassifier.from_preset("restorer_small")
    classifier.classify(image)  # {"noise": 0.97, "blur": 0.02, ..., "none": 0.01}
    ```
    """

    output_name = "logits"

    def default_loss(self):
        """Several degradations can be present at once."""
        return keras.losses.BinaryCrossentropy(from_logits=True)

    def default_metrics(self):
        return [keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")]

    def classify(self, image) -> dict[str, float]:
        """Returns a probability for each of the ten names in `INTENTS`.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1, any size.

        Raises:
            TypeError, ValueError: for a wrong dtype, rank or content.
        """
        image = np.asarray(image)
        pixels.check(image)
        if image.ndim != 3:
            raise ValueError(f"image has shape {image.shape}; expected (H, W, 3)")
        height, width = image.shape[:2]
        top, left = max(0, height - CROP) // 2, max(0, width - CROP) // 2
        crop = pixels.to_float(image[top : top + CROP, left : left + CROP])
        multiple = self.backbone.multiple
        fill = [(0, -size % multiple) for size in crop.shape[:2]]
        crop = np.pad(crop, (*fill, (0, 0)), mode="reflect")[None]
        logits = self.backbone.image_network.predict_on_batch(
            {
                "image": crop,
                "mask": np.ones_like(crop[..., :1]),
                "embedding": np.zeros((1, self.backbone.embedding_width), "float32"),
            }
        )["logits"][0]
        probabilities = 1 / (1 + np.exp(-logits.astype("float64")))
        return dict(zip(INTENTS, map(float, probabilities), strict=True))
