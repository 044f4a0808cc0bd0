"""The smallest network that has every part, for tests."""

import keras
import keras_hub
import numpy as np

import tfimg

WORDS = ("remove", "the", "noise", "rain", "haze", "make", "it", "bright", "去", "掉", "噪", "点")
LENGTH = 8


def tokenizer() -> keras_hub.models.BertTokenizer:
    """A tokenizer of a dozen words."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    return keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)


def bert(hidden_dim: int = 16) -> keras_hub.models.BertBackbone:
    """A BERT of one layer."""
    return keras_hub.models.BertBackbone(
        vocabulary_size=5 + len(WORDS),
        num_layers=1,
        num_heads=2,
        hidden_dim=hidden_dim,
        intermediate_dim=16,
        max_sequence_length=LENGTH,
    )


def backbone(**options) -> tfimg.TextGuidedBackbone:
    """A network of three levels as it is before training."""
    keras.utils.set_random_seed(0)
    sizes = {"widths": (4, 6, 8), "encoder_blocks": (0, 0, 1), "decoder_blocks": (0, 1)}
    return tfimg.TextGuidedBackbone(bert(), **sizes, **options)


def preprocessor() -> tfimg.InstructionPreprocessor:
    """A preprocessor that cuts sentences after `LENGTH` tokens."""
    return tfimg.InstructionPreprocessor(tokenizer(), sequence_length=LENGTH)


def restorer(**options) -> tfimg.ImageRestorer:
    """A restorer as it is before training."""
    return tfimg.ImageRestorer(backbone(**options), preprocessor())


def perturb(model, seed: int = 0):
    """Adds noise to every weight, those that start at zero included, and returns the model."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        fan_in = max(1, int(np.prod(variable.shape[:-1])))
        noise = rng.normal(0, 0.5 / np.sqrt(fan_in), variable.shape)
        value = keras.ops.convert_to_numpy(variable) + noise
        variable.assign(np.abs(value) + 0.1 if "variance" in variable.path else value)
    return model


def picture(height: int = 16, width: int = 24, seed: int = 0) -> np.ndarray:
    """A float picture `(height, width, 3)` of random pixels."""
    return np.random.default_rng(seed).random((height, width, 3), np.float32)
