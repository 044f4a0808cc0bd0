"""The recipes that made the shipped weights: a recipe says all that a run depends on."""

from dataclasses import dataclass


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
        crop_sizes: pairs of a share of the run (rising, 0 first) and the side in pixels of the
            crops from there on. Small ones give more steps an hour; fog and greyness are told
            apart in large ones.
        learning_rate: at the end of the warm-up.
        classifier_weight: weight of the classifier head's loss beside the picture's. Only pictures
            without words, one in nine, count in it.
    """

    size: str
    steps: int
    batch_size: int = 16
    crop_sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.85, 96))
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    classifier_weight: float = 0.05
    part: str = "image_network"


RECIPES = {
    "words": Words(steps=10_000),
    "restorer_tiny": Restorer(size="tiny", steps=36_000),
    "restorer_small": Restorer(size="small", steps=36_000),
}
