"""Which degradations a picture has, or which class of your own it is."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from tfimg import pixels
from tfimg.degradations import INTENTS, NAMES
from tfimg.tasks.preprocessor import NOTHING_KNOWN
from tfimg.tasks.task import TextGuidedTask

# A square from the middle is enough to tell, and keeps time and memory bounded.
CROP = 512


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a picture.

    Attributes:
        probabilities: each of the ten names in `INTENTS` to how likely it is.
        severity: each of the nine in `NAMES` to how bad it is where it is there, 0..1.
    """

    probabilities: dict[str, float]
    severity: dict[str, float]


@keras.saving.register_keras_serializable("tfimg")
class ImageClassifier(TextGuidedTask):
    """Tells what is wrong with a picture, or which class of your own it is.

    Args:
        backbone: a `TextGuidedBackbone`, whose `labels` it tells. Of the ten in `INTENTS` several
            can hold at once, of others exactly one holds.
        preprocessor: an `InstructionPreprocessor`.

    Raises:
        ValueError: if the backbone has a canvas, so it makes pictures from words.

    Example:

    ```python
    classifier = tfimg.ImageClassifier.from_preset("restorer_small")
    classifier.classify(image)  # {"noise": 0.97, "blur": 0.02, ..., "none": 0.01}

    mine = tfimg.ImageClassifier.from_preset("restorer_small", labels=["apple", "pear"])
    mine.compile()
    mine.fit(dataset)  # of ({"image": ..., "instruction": ...}, number of the label)
    mine.classify(image, "a fruit from the market")  # {"apple": 0.9, "pear": 0.1}
    ```
    """

    output_name = "logits"

    def __init__(self, backbone, preprocessor, **kwargs):
        if backbone.canvas is not None:
            raise ValueError("the preset makes pictures from words; expected one that classifies")
        self.labels = backbone.labels  # KerasHub compiles before the backbone is there
        super().__init__(backbone, preprocessor, **kwargs)
        # Behind a function: Keras would save it as a part.
        self._network = functools.cache(lambda: backbone.heads("logits", "severity"))

    @classmethod
    def from_preset(cls, preset: str, labels: Sequence[str] | None = None, **kwargs):
        """Loads a classifier; see `TextGuidedTask.from_preset`.

        Args:
            preset: what to load.
            labels: names of your own classes, for a fresh last layer on the preset's features.
            **kwargs: passed to KerasHub.

        Raises:
            ValueError: for an unknown name, or a folder that is no preset or a broken one.
        """
        task = super().from_preset(preset, **kwargs)
        if labels is None:
            return task
        return cls(task.backbone.with_labels(labels), task.preprocessor)

    @property
    def diagnoses(self) -> bool:
        """Whether its labels are the ten in `INTENTS`, so that `diagnose` works."""
        return self.labels == INTENTS

    def default_loss(self):
        if self.diagnoses:
            return keras.losses.BinaryCrossentropy(from_logits=True)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def default_metrics(self):
        if self.diagnoses:
            return [keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")]
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def classify(self, image, description: str | None = None) -> dict[str, float]:
        """Tells how likely each label is.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1, any size.
            description: what is known of the picture, in words; for labels of your own, by
                default `NOTHING_KNOWN`.

        Returns:
            Each label with its probability, 0..1; those of your own sum to 1.

        Raises:
            TypeError, ValueError: for a wrong dtype, rank or content.
        """
        logits = self._look(image, description)["logits"].astype("float64")
        if self.diagnoses:
            probabilities = 1 / (1 + np.exp(-logits))
        else:
            odds = np.exp(logits - logits.max())
            probabilities = odds / odds.sum()
        return dict(zip(self.labels, map(float, probabilities), strict=True))

    def diagnose(self, image) -> Diagnosis:
        """Tells what is wrong with a picture, how sure that is and how bad.

        Args:
            image: `(H, W, 3)`, uint8, uint16 or float 0..1, any size.

        Returns:
            A `Diagnosis`.

        Raises:
            TypeError, ValueError: for a wrong dtype, rank or content.
            ValueError: if the classifier has labels of your own.
        """
        if not self.diagnoses:
            raise ValueError(
                f"the labels are {', '.join(self.labels)}; to diagnose, expected "
                + ", ".join(INTENTS)
            )
        told = self._look(image)
        probabilities = 1 / (1 + np.exp(-told["logits"].astype("float64")))
        return Diagnosis(
            dict(zip(INTENTS, map(float, probabilities), strict=True)),
            dict(zip(NAMES, map(float, np.clip(told["severity"], 0, 1)), strict=True)),
        )

    def _look(self, image, description=None):
        """The network's outputs for the middle of a picture."""
        image = np.asarray(image)
        pixels.check(image)
        if image.ndim != 3:
            raise ValueError(f"image has shape {image.shape}; expected (H, W, 3)")
        crop = pixels.to_float(pixels.middle(image, CROP))
        multiple = self.backbone.multiple
        fill = [(0, -size % multiple) for size in crop.shape[:2]]
        crop = np.pad(crop, (*fill, (0, 0)), mode="reflect")[None]
        if description is None and self.diagnoses:
            embedding = np.zeros(self.backbone.embedding_width, "float32")
        else:
            embedding = self.embed(NOTHING_KNOWN if description is None else description)
        told = self._network().predict_on_batch(
            {
                "image": crop,
                "mask": np.ones_like(crop[..., :1]),
                "embedding": embedding[None],
            }
        )
        return {name: value[0] for name, value in told.items()}
