"""Teaches the text branch of a maker of pictures what words mean."""

import re
from collections.abc import Callable

import keras
import tensorflow as tf
import tensorflow_datasets as tfds

import tfimg
from tfimg.data.captioned import Captioned, read_captioned
from tfimg.data.folder_builder import PictureFolder
from tfimg.text.build import THINGS, untrained_bert, untrained_tokenizer
from training import distilling
from training.kinds import Options

_SEQUENCE_LENGTH = 32
_DICTIONARIES = (".u8", ".txt")
# The pictures themselves do not matter to the words.
_SIDE = 8


def start(recipe, options: Options) -> tfimg.TextToImage:
    if options.init is not None:
        return tfimg.TextToImage.from_preset(options.init, dtype=options.precision)
    tokenizer = untrained_tokenizer(THINGS)
    backbone = tfimg.TextGuidedBackbone.from_size(
        recipe.size,
        untrained_bert(tokenizer.vocabulary_size()),
        embedding_dim=recipe.embedding_dim,
        canvas=recipe.canvas,
        dtype=options.precision,
    )
    preprocessor = tfimg.InstructionPreprocessor(tokenizer, sequence_length=_SEQUENCE_LENGTH)
    return tfimg.TextToImage(backbone, preprocessor)


def source(recipe, task, options: Options, steps: int) -> Callable[[int], tf.data.Dataset]:
    if options.text_encoder is None:
        raise ValueError("the teacher is missing: name a pretrained BERT with --text-encoder")
    teacher = distilling.Teacher(options.text_encoder)
    prompts, words = read_pairs(options.data, recipe.prompts, options.seed)
    words += [(word, "") for word in distilling.teacher_words(teacher.tokenizer)]
    print(f"{len(prompts)} prompts, {len(words)} words", flush=True)
    lessons = distilling.learnt(teacher, prompts + words, recipe.embedding_dim, task.preprocessor)
    return lambda first: distilling.lesson_batches(
        recipe, lessons, len(prompts), task.preprocessor, options.seed, first
    )


def read_pairs(data, count: int, seed: int):
    """Reads English and Chinese words for the same.

    Args:
        data: paths of captioned sets and of dictionaries.
        count: prompts that are drawn from the sets.
        seed: of these draws.

    Returns:
        The pairs of the prompts, and those of the dictionaries.

    Raises:
        OSError, ValueError: if one of them cannot be read.
    """
    dictionaries = [path for path in data if path.suffix in _DICTIONARIES]
    folders = [path for path in data if path not in dictionaries]
    prompts = distilling.prompt_pairs(captioned_sets(folders, "train", _SIDE), count, seed)
    return prompts, [pair for path in dictionaries for pair in distilling.dictionary_pairs(path)]


def captioned_sets(sets, split: str, side: int) -> Captioned:
    """Reads a split of captioned pictures.

    Args:
        sets: paths of folders or `.jsonl` files, or names that TensorFlow Datasets knows, such as
            `coco_captions/2014`.
        split: "train" or "test".
        side: pictures are brought to `(side, side)`.

    Raises:
        OSError, ValueError: if a set is neither, cannot be read, or has no words.
    """
    known, builders = set(tfds.list_builders()), []
    for one in sets:
        # A configuration or a version may follow the name.
        is_name = not one.exists() and re.split("[/:]", str(one))[0] in known
        builders.append(tfds.builder(str(one)) if is_name else PictureFolder(one, channels=4))
        builders[-1].download_and_prepare()
    return read_captioned(builders, split, side)


def trained(recipe, task) -> keras.Model:
    return task.backbone.text_encoder


def losses(recipe) -> dict:
    return {"loss": {"embedding": "mse", "intent_logits": None}}
