"""Descriptions to train the describer on, and the describer before training."""

import random
import tempfile

import keras_hub
import numpy as np
import tensorflow as tf
from tokenizers import ByteLevelBPETokenizer

import tfimg
from tfimg.degradations import NAMES
from tfimg.text.corpus import LANGUAGES
from tfimg.text.descriptions import LEVELS, describe, prompt

_END = "<|endoftext|>"
# How many degradations a picture has: none, one, two, three, four.
_COUNTS = (0.06, 0.34, 0.34, 0.2, 0.06)


def draw_descriptions(count: int, seed: int) -> list[tuple[str, str]]:
    """Draws questions and their answers, in both languages by turns.

    Args:
        count: how many.
        seed: where chance comes from.

    Returns:
        Pairs of what the describer is asked and what it is to say.
    """
    rng = random.Random(seed)
    drawn = []
    for row in range(count):
        names = rng.sample(NAMES, rng.choices(range(len(_COUNTS)), _COUNTS)[0])
        faults = {name: rng.choice(LEVELS) for name in names}
        language = LANGUAGES[row % len(LANGUAGES)]
        drawn.append((prompt(faults, language), describe(faults, language, rng)))
    return drawn


def untrained_describer(recipe, precision: str) -> tfimg.Describer:
    """Builds a small GPT-2, and learns its byte-pair vocabulary from the descriptions.

    Reference: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
    """
    learner = ByteLevelBPETokenizer()
    learner.train_from_iterator(
        (question + answer for question, answer in draw_descriptions(recipe.descriptions, 0)),
        vocab_size=recipe.vocabulary,
        special_tokens=[_END],
        show_progress=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        _, merges = learner.save_model(folder)
        tokenizer = keras_hub.models.GPT2Tokenizer(vocabulary=_numbered(learner), merges=merges)
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=recipe.layers,
        num_heads=recipe.heads,
        hidden_dim=recipe.width,
        intermediate_dim=recipe.inner,
        dropout=0.0,
        max_sequence_length=recipe.length,
        dtype=precision,
    )
    preprocessor = keras_hub.models.GPT2CausalLMPreprocessor(
        tokenizer, sequence_length=recipe.length
    )
    return tfimg.Describer(keras_hub.models.GPT2CausalLM(backbone, preprocessor))


def _numbered(learner):
    """Tokens and their numbers; the end of a sentence must not be 0, with which KerasHub pads."""
    numbers = learner.get_vocab()
    first = next(token for token, number in numbers.items() if number == 1)
    return {**numbers, _END: 1, first: 0}


def description_batches(recipe, preprocessor, seed: int, first_step: int) -> tf.data.Dataset:
    """An endless stream of batches; batch number n depends on `seed` and n alone.

    Only the answer counts in the loss: the question is given.

    Args:
        recipe: how many descriptions are drawn, how many a batch has, and how long they may be.
        preprocessor: of the describer's `causal_lm`.
        seed: int.
        first_step: number of the first batch.
    """
    drawn = draw_descriptions(recipe.descriptions, seed)
    x, following, weights = preprocessor([question + answer for question, answer in drawn])
    asked = [len(row) for row in preprocessor.tokenizer([question for question, _ in drawn])]
    # Position p predicts token p + 1, and the start token stands before the question.
    answers = np.arange(recipe.length)[None] >= np.array(asked)[:, None]
    tensors = [
        np.asarray(x["token_ids"], np.int32),
        np.asarray(x["padding_mask"]),
        np.asarray(following, np.int32),
        np.asarray(weights, np.float32) * answers,
    ]

    def batch(number):
        rows = np.random.default_rng((seed, int(number))).integers(0, len(drawn), recipe.batch_size)
        length = -(-tensors[1][rows].sum(1).max() // 16) * 16
        return [tensor[rows, :length] for tensor in tensors]

    def numbered(number):
        kinds = (tf.int32, tf.bool, tf.int32, tf.float32)
        ids, mask, target, counted = tf.numpy_function(batch, [number], kinds, stateful=False)
        for tensor in (ids, mask, target, counted):
            tensor.set_shape((recipe.batch_size, None))
        return {"token_ids": ids, "padding_mask": mask}, target, counted

    return tf.data.Dataset.counter(first_step).map(numbered).prefetch(4)
