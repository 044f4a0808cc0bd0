"""What each kind of recipe does: one module a kind, each with the same four functions.

- `start(recipe, options)` returns the task whose network is trained: a preset's, or an untrained
  one around a BERT of the user's choice or our own.
- `source(recipe, task, options, steps)` returns a function from the number of the first step to an
  endless `tf.data.Dataset` of batches. It raises ValueError or OSError for unusable data.
- `trained(recipe, task)` returns the model that `fit` is called on.
- `losses(recipe)` returns the arguments of its `compile` beside the optimiser.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from training import recipes


@dataclass(frozen=True)
class Options:
    """What a user may choose beside the recipe.

    Args:
        data: folders and files to learn from.
        init: preset to start from, or None.
        text_encoder: a KerasHub BERT preset, a folder in KerasHub's or Hugging Face's format, or
            None for our own small BERT: what an untrained network is built on, or learns from.
        words: restorer's preset whose text branch an untrained image network is built on, or None.
        precision: dtype policy.
        seed: of everything that is drawn.
    """

    data: tuple[Path, ...] = ()
    init: str | None = None
    text_encoder: str | None = None
    words: str | None = None
    precision: str = "float32"
    seed: int = 0


_MODULES = {
    recipes.Words: "words",
    recipes.Restorer: "restoring",
    recipes.Diagnosis: "diagnosis",
    recipes.Describing: "describing",
    recipes.Things: "things",
    recipes.Drawing: "drawing",
}


def kind_of(recipe: recipes.Recipe) -> ModuleType:
    """Returns the module of a recipe's kind."""
    return importlib.import_module(f"training.kinds.{_MODULES[type(recipe)]}")
