"""What each recipe minimises and reports."""

import keras

from tfimg.losses import RestorationLoss, SeverityLoss
from training.recipes import Describing, Diagnosis, Words


def for_recipe(recipe) -> dict:
    """Returns the losses of a recipe, as arguments of `compile`."""
    if isinstance(recipe, Words):
        smooth = keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
        return {"loss": {"intent_logits": smooth, "embedding": None}}
    if isinstance(recipe, Describing):
        return {"loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    if isinstance(recipe, Diagnosis):
        present = keras.losses.BinaryCrossentropy(from_logits=True)
        return {"loss": {"image": None, "logits": present, "severity": SeverityLoss()}}
    return {"loss": {"image": RestorationLoss(), "logits": None, "severity": None}}
