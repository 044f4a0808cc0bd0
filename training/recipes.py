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
    """

    size: str
    steps: int
    batch_size: int = 16
    crop_sizes: tuple[tuple[float, int], ...] = ((0.0, 64), (0.9, 96))
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    part: str = "image_network"


@dataclass(frozen=True)
class Diagnosis:
    """Trains the classifier head of a trained restorer; the rest of the network stays as it is.

    Args:
        steps: optimiser steps.
        batch_size: crops a step.
        crop_size: side of the crops in pixels.
        clean: share of groups with nothing wrong.
        double: share of groups with two degradations.
        learning_rate: at the end of the warm-up.
        head: how the names of the layers begin that are trained, beside the outputs themselves.
    """

    steps: int
    batch_size: int = 16
    crop_size: int = 96
    clean: float = 0.2
    double: float = 0.3
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    part: str = "image_network"
    head: tuple[str, ...] = ("classifier", "logits", "severity")

    def mixture(self):
        """Returns the `tfimg.data.pairs.Mixture` of its pictures: all degradations alike."""
        from tfimg.data.pairs import Mixture  # loads TensorFlow
        from tfimg.degradations import NAMES

        return Mixture(clean=self.clean, double=self.double, weights=(1.0,) * len(NAMES))


@dataclass(frozen=True)
class Describing:
    """Trains the describer, a small GPT-2 with a vocabulary of its own, on drawn descriptions.

    Args:
        steps: optimiser steps.
        batch_size: descriptions a step.
        descriptions: how many are drawn, half of them in each language.
        learning_rate: at the end of the warm-up.
        vocabulary: byte-pair tokens.
        layers, heads, width, inner: of the transformer.
        length: tokens of the longest description, question included.
    """

    steps: int
    batch_size: int = 64
    descriptions: int = 40_000
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    vocabulary: int = 1500
    layers: int = 3
    heads: int = 4
    width: int = 128
    inner: int = 384
    length: int = 128


RECIPES = {
    "words": Words(steps=14_000),
    "describer": Describing(steps=1_500),
    "diagnosis": Diagnosis(steps=4_500),
    "restorer_tiny": Restorer(size="tiny", steps=66_000),
    "restorer_small": Restorer(size="small", steps=66_000),
}
