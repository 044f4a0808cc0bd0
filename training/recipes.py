"""The recipes that made the shipped weights: a recipe says all that a run depends on."""

from dataclasses import dataclass

from tfimg.data.pairs import Mixture


@dataclass(frozen=True)
class Words:
    """Trains the text branch on the corpus: what do these words ask for?

    Args:
        steps: optimiser steps.
        batch_size: sentences a step.
        sentences: sentences drawn from the corpus, half of them in each language.
        learning_rate: at the end of the warm-up.
        token_dropout: share of tokens replaced by `[UNK]`, so that unseen words do no harm.
        label_smoothing: keeps the probabilities from saturating.
    """

    steps: int
    batch_size: int = 128
    sentences: int = 400_000
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    token_dropout: float = 0.08
    label_smoothing: float = 0.02
    part: str = "text_encoder"


@dataclass(frozen=True)
class Restorer:
    """Trains the image network on degraded crops, steered by what the words would ask for.

    Args:
        size: a name in `tfimg.network.SIZES`.
        steps: optimiser steps.
        batch_size: crops a step.
        crop_size: side of a crop in pixels.
        learning_rate: at the end of the warm-up.
        classifier_weight: weight of the classifier head's loss beside the picture's. Only pictures
            without words, one in nine, count in it.
        curriculum: pairs of a share of the run (rising, 0 first) and the mixture of training pairs
            that comes from there on.
    """

    size: str
    steps: int
    batch_size: int = 16
    crop_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    classifier_weight: float = 0.5
    curriculum: tuple[tuple[float, Mixture], ...] = ((0.0, Mixture()),)
    part: str = "image_network"


# Large errors crowd sharpening out for good unless it is learnt first; haze can be learnt late.
_SUBTLE_FIRST = (
    (0.0, Mixture(pull=(1.0, 6.0, 4.0, 4.0, 1.0, 2.0, 1.0, 1.0, 2.0))),
    (0.58, Mixture()),
)

RECIPES = {
    "words": Words(steps=10_000),
    "restorer_tiny": Restorer(size="tiny", steps=50_000, curriculum=_SUBTLE_FIRST),
    "restorer_small": Restorer(size="small", steps=50_000, curriculum=_SUBTLE_FIRST),
}
