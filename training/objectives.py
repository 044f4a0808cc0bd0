"""What each recipe minimises and reports."""

import keras

from tfimg.losses import RestorationLoss
from training.recipes import Words


def for_recipe(recipe) -> dict:
    """Returns the losses of a recipe, as arguments of `compile`."""
    if isinstance(recipe, Words):
        smooth = keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=recipe.label_smoothing
        )
        return {"loss": {"intent_logits": smooth, "embedding": None}}
    return {
        "loss": {
            "image": RestorationLoss(),
            "logits": keras.losses.BinaryCrossentropy(from_logits=True),
        },
        "loss_weights": {"image": 1.0, "logits": recipe.classifier_weight},
    }
