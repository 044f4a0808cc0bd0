"""Batches of sentences and what they ask for, to train the text branch."""

import random

import numpy as np
import tensorflow as tf

from tfimg.degradations import NAMES
from tfimg.text.corpus import LANGUAGES, Corpus

# How many degradations a sentence names: none, one, two, three.
_COUNTS = (0.22, 0.55, 0.18, 0.05)
# Share of the sentences that only wish for something better. They ask for none of the ten: neither
# for a degradation to be removed nor for the picture to be left alone.
_VAGUE = 0.08
_CHUNK = 4096


def draw_sentences(count: int, split: str, seed: int) -> tuple[list[str], np.ndarray]:
    """Draws sentences in both languages by turns.

    Args:
        count: how many.
        split: "train" or "test", whose phrasings are used.
        seed: where chance comes from.

    Returns:
        The sentences, and what they ask for as `(count, 10)` float32 in the order of `INTENTS`;
        all zeros for vague ones.
    """
    rng = random.Random(f"{split}-{seed}")
    corpora = [Corpus(language, split) for language in LANGUAGES]
    sentences, labels = [], np.zeros((count, len(NAMES) + 1), np.float32)
    for row in range(count):
        corpus = corpora[row % len(corpora)]
        if rng.random() < _VAGUE:
            sentences.append(corpus.vague(rng))
            continue
        named = rng.sample(NAMES, rng.choices(range(4), _COUNTS)[0])
        sentences.append(corpus.sentence(named, rng))
        labels[row, [NAMES.index(name) for name in named] or [-1]] = 1.0
    return sentences, labels


def tokenized(sentences: list[str], preprocessor) -> tuple[np.ndarray, np.ndarray]:
    """Returns the token ids and padding masks of many sentences, int32 `(N, L)`."""
    chunks = [
        preprocessor.tokenize(sentences[start : start + _CHUNK])
        for start in range(0, len(sentences), _CHUNK)
    ]
    ids, mask = (
        np.concatenate([np.asarray(chunk[name]) for chunk in chunks]).astype(np.int32)
        for name in ("token_ids", "padding_mask")
    )
    return ids, mask


def dropped(
    ids: np.ndarray, mask: np.ndarray, share: float, unknown: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts the padding that a batch does not need, and hides a share of its tokens.

    Args:
        ids, mask: `(B, L)` token ids and padding mask.
        share: of the tokens that become `unknown`.
        unknown: the id of `[UNK]`.
        rng: where chance comes from.

    Returns:
        Both as `(B, K)`, K being the longest sentence's length, rounded up to a multiple of 8.
    """
    length = -(-mask.sum(1).max() // 8) * 8
    ids, mask = ids[:, :length].copy(), mask[:, :length]
    # The first five ids are the reserved tokens; they stay.
    ids[(rng.random(ids.shape) < share) & (ids > 4)] = unknown
    return ids, mask


def sentence_batches(recipe, preprocessor, seed: int, first_step: int) -> tf.data.Dataset:
    """An endless stream of batches; batch number n depends on `seed` and n alone.

    Sentences of a batch have similar lengths, so that little time goes into padding.

    Args:
        recipe: how many sentences are drawn, how many a batch has, and what is hidden of them.
        preprocessor: a `tfimg.InstructionPreprocessor`.
        seed: int.
        first_step: number of the first batch.
    """
    sentences, labels = draw_sentences(recipe.sentences, "train", seed)
    tokens, padding = tokenized(sentences, preprocessor)
    unknown = preprocessor.tokenizer.token_to_id("[UNK]")
    by_length = np.argsort(padding.sum(1), kind="stable")
    pool = min(8 * recipe.batch_size, len(sentences))
    count = min(recipe.batch_size, pool)

    def batch(number):
        rng = np.random.default_rng((seed, int(number)))
        start = rng.integers(0, len(by_length) - pool + 1)
        rows = rng.choice(by_length[start : start + pool], count, replace=False)
        ids, mask = dropped(tokens[rows], padding[rows], recipe.token_dropout, unknown, rng)
        return ids, mask, labels[rows]

    def numbered(number):
        ids, mask, asked = tf.numpy_function(
            batch, [number], (tf.int32, tf.int32, tf.float32), stateful=False
        )
        ids.set_shape((count, None))
        mask.set_shape((count, None))
        asked.set_shape((count, len(NAMES) + 1))
        return {"token_ids": ids, "padding_mask": mask}, {"intent_logits": asked}

    return tf.data.Dataset.counter(first_step).map(numbered).prefetch(4)
