"""Words for things: what a small bilingual BERT learns from a large English one."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras_hub
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.progress import track

from tfimg.data.captioned import Captioned, Wording, put_into_words
from tfimg.text.prompts import BACKGROUNDS
from training.sentences import dropped, tokenized

# Tokens of a prompt that the teacher reads; few prompts have more.
_LENGTH = 32
_BATCH = 256
# Words of a dictionary's translation, and characters of its entry, beyond which it is no name.
_LONGEST_GLOSS, _LONGEST_ENTRY = 4, 5


def prompt_pairs(captioned: Captioned, count: int, seed: int) -> list[tuple[str, str]]:
    """Draws prompts in English, each with the same in Chinese ("" where a row has none)."""
    pairs = []
    for number in range(count):
        index = np.random.default_rng((seed, number)).choice(
            len(captioned.rows), p=captioned.weights
        )
        row = captioned.rows[index]
        chooser = random.Random(f"{seed}-{number}")
        colour = chooser.choice([None, *BACKGROUNDS]) if chooser.random() < 0.5 else None
        # The same choices for both languages; keywords of the two do not correspond.
        keyword = 0.0 if row.get("name_zh") else 0.2
        ways = [
            put_into_words(
                row,
                colour,
                Wording(chinese=chinese, keyword=keyword, style=0.8),
                np.random.default_rng((seed, number, 1)),
            )
            for chinese in (0.0, 1.0)
        ]
        pairs.append((ways[0], ways[1] if row.get("name_zh") else ""))
    return pairs


def dictionary_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Reads the short entries of a Chinese-English dictionary in CEDICT's format.

    Each line is `traditional simplified [reading] /meaning/meaning/`.

    Reference: the CC-CEDICT project, https://cc-cedict.org (CC BY-SA 4.0).
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or "/" not in line:
            continue
        entry, *meanings = line.split("/")
        chinese = entry.split(" ")[1]
        meaning = meanings[0].split("(")[0].strip()
        named = meaning and meaning[0].islower() and len(meaning.split()) <= _LONGEST_GLOSS
        if named and len(chinese) <= _LONGEST_ENTRY and "variant of" not in meaning:
            yield meaning.removeprefix("a ").removeprefix("to "), chinese


def teacher_words(tokenizer) -> list[str]:
    """Returns the whole words of a WordPiece vocabulary."""
    vocabulary = tokenizer.get_vocabulary()
    return [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2]


class Teacher:
    """A pretrained BERT whose averaged, normalised features are what a sentence means.

    Args:
        name: a KerasHub BERT preset, or a folder in KerasHub's or Hugging Face's format.

    Reference: Reimers & Gurevych, "Sentence-BERT", 2019.
    """

    def __init__(self, name: str):
        self.tokenizer = keras_hub.models.BertTokenizer.from_preset(name)
        self._bert = keras_hub.models.BertBackbone.from_preset(name)
        self._packer = keras_hub.models.BertTextClassifierPreprocessor(
            self.tokenizer, sequence_length=_LENGTH
        )

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Returns `(N, D)` float32 of unit length; shows how far it is."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        embedded = np.zeros((len(texts), self._bert.hidden_dim), np.float32)

        @tf.function(reduce_retracing=True)
        def mean(x):
            features = self._bert(x)["sequence_output"]
            there = tf.cast(x["padding_mask"], features.dtype)[..., None]
            return tf.math.l2_normalize(tf.reduce_sum(features * there, 1), -1)

        for start in track(
            range(0, len(order), _BATCH), "the teacher reads", console=Console(stderr=True)
        ):
            places = order[start : start + _BATCH]
            x = self._packer([texts[place] for place in places])
            length = -(-int(np.asarray(x["padding_mask"]).sum(1).max()) // 4) * 4
            embedded[places] = mean({key: value[:, :length] for key, value in x.items()})
        return embedded


def principal(embedded: np.ndarray, width: int) -> np.ndarray:
    """Returns the first principal components, `(N, width)`, scaled to a variance of one a point.

    Reference: Su et al., "Whitening Sentence Representations for Better Semantics and Faster
    Retrieval", 2021 (fewer dimensions lose little).
    """
    centred = embedded - embedded.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    kept = centred @ vectors[:, ::-1][:, :width]
    return (kept / kept.std()).astype(np.float32)


def learnt(teacher: Teacher, pairs, width: int, preprocessor) -> dict[str, np.ndarray]:
    """Turns pairs of English and Chinese into tokens and what they should become.

    Returns:
        `token_ids` and `padding_mask`, int32 `(N, 2, L)`, English first, no token where there is
        no Chinese; and `embedding`, float32 `(N, width)`.
    """
    english = sorted({pair[0] for pair in pairs})
    place = {text: number for number, text in enumerate(english)}
    embedded = principal(teacher.embed(english), width)
    texts = [text for pair in pairs for text in pair]
    ids, mask = (tokens.reshape(len(pairs), 2, -1) for tokens in tokenized(texts, preprocessor))
    mask[[not chinese for _, chinese in pairs], 1] = 0
    told = embedded[[place[pair[0]] for pair in pairs]]
    return {"token_ids": ids, "padding_mask": mask, "embedding": told}


def lesson_batches(
    recipe, lessons, num_prompts: int, preprocessor, seed: int, first_step: int
) -> tf.data.Dataset:
    """An endless stream of batches; batch number n depends on `seed` and n alone.

    Args:
        recipe: how many sentences, and how many of them are prompts.
        lessons: from `learnt`, the prompts first.
        num_prompts: how many of them are prompts.
        preprocessor: whose tokeniser knows what `[UNK]` is.
        seed: int.
        first_step: number of the first batch.
    """
    unknown = preprocessor.tokenizer.token_to_id("[UNK]")
    count, prompts = recipe.batch_size, round(recipe.share * recipe.batch_size)

    def batch(number):
        rng = np.random.default_rng((seed, int(number)))
        rows = np.concatenate(
            [
                rng.integers(0, num_prompts, prompts),
                rng.integers(num_prompts, len(lessons["embedding"]), count - prompts),
            ]
        )
        chinese = lessons["padding_mask"][rows, 1].any(1) & (rng.random(count) < 0.5)
        language = chinese.astype(int)
        ids, mask = (lessons[name][rows, language] for name in ("token_ids", "padding_mask"))
        ids, mask = dropped(ids, mask, recipe.token_dropout, unknown, rng)
        return ids, mask, lessons["embedding"][rows]

    def numbered(number):
        ids, mask, embedding = tf.numpy_function(
            batch, [number], (tf.int32, tf.int32, tf.float32), stateful=False
        )
        ids.set_shape((count, None))
        mask.set_shape((count, None))
        embedding.set_shape((count, recipe.embedding_dim))
        return {"token_ids": ids, "padding_mask": mask}, {"embedding": embedding}

    return tf.data.Dataset.counter(first_step).map(numbered).prefetch(4)
