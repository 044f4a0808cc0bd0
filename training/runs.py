"""The parts of a run: the network it starts from, its batches, what watches it, what it leaves."""

import functools
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

import tfimg
from tfimg.data.photos import photos_from_folders
from tfimg.data.pipeline import diagnosis_batches, pack_crops, training_batches
from tfimg.text.build import untrained_bert, untrained_tokenizer
from training.descriptions import description_batches, untrained_describer
from training.recipes import Describing, Diagnosis, Restorer, Words
from training.sentences import sentence_batches

# Crops are packed larger than they are used, so that each is seen at many places.
_PACKED = 4 / 3


def start(
    recipe, init: str | None, text_encoder: str | None, precision: str
) -> tfimg.ImageRestorer | tfimg.Describer:
    """Returns the task whose network a run trains: a preset's, or an untrained one.

    Args:
        recipe: what is trained.
        init: preset to start from, or None.
        text_encoder: a KerasHub BERT preset, a folder in KerasHub's or Hugging Face's format, or
            None for our own small BERT; for an untrained network only.
        precision: dtype policy.
    """
    if isinstance(recipe, Describing):
        if init is not None:
            return tfimg.Describer.from_preset(init, dtype=precision)
        return untrained_describer(recipe, precision)
    if init is not None:
        return tfimg.ImageRestorer.from_preset(init, dtype=precision)
    size = recipe.size if isinstance(recipe, Restorer) else "small"
    if text_encoder is not None:
        tokenizer = keras_hub.models.BertTokenizer.from_preset(text_encoder)
        bert = keras_hub.models.BertBackbone.from_preset(text_encoder)
    else:
        tokenizer = untrained_tokenizer()
        bert = untrained_bert(tokenizer.vocabulary_size())
    backbone = tfimg.TextGuidedBackbone.from_size(size, bert, dtype=precision)
    return tfimg.ImageRestorer(backbone, tfimg.InstructionPreprocessor(tokenizer))


def source(recipe, task, folders, steps: int, seed: int) -> Callable[[int], tf.data.Dataset]:
    """Returns a function from the number of the first step to a run's batches."""
    if isinstance(recipe, Describing):
        return lambda first: description_batches(recipe, task.causal_lm.preprocessor, seed, first)
    if isinstance(recipe, Words):
        return lambda first: sentence_batches(recipe, task.preprocessor, seed, first)
    diagnosis = isinstance(recipe, Diagnosis)
    largest = recipe.crop_size if diagnosis else max(size for _, size in recipe.crop_sizes)
    packed = int(largest * _PACKED)
    crops = pack_crops(photos_from_folders(folders), packed)
    print(f"{len(crops)} crops of {packed}x{packed}, {crops.nbytes / 1e6:.0f} MB", flush=True)
    with tf.device("CPU"):
        crops = tf.constant(crops)  # one copy for all stages
    if diagnosis:
        width, mixture = task.backbone.embedding_width, recipe.mixture()
        return lambda first: diagnosis_batches(
            crops, recipe.batch_size, recipe.crop_size, mixture, width, seed, first
        )
    stage_starts = [(round(share * steps), size) for share, size in recipe.crop_sizes]

    def batches(first):
        ends = [begin for begin, _ in stage_starts[1:]] + [None]
        stages = []
        for (begin, crop_size), end in zip(stage_starts, ends, strict=True):
            if end is not None and end <= first:
                continue
            begin = max(begin, first)
            stage = training_batches(
                crops, recipe.batch_size, crop_size, seed=seed, first_step=begin
            )
            stages.append(stage if end is None else stage.take(end - begin))
        return functools.reduce(tf.data.Dataset.concatenate, stages)

    return batches


def trained_part(recipe, task) -> keras.Model:
    """Returns the model of a task that a recipe trains, frozen where it is not to change."""
    if isinstance(recipe, Describing):
        # The task itself would tokenise its batches, which hold tokens already.
        return keras.Model(task.causal_lm.input, task.causal_lm.output, name="causal_lm")
    model = getattr(task.backbone, recipe.part)
    if isinstance(recipe, Diagnosis):
        for layer in model.layers:
            layer.trainable = layer.name.startswith(recipe.head)
    return model


def observers(recipe, batches: Callable, out: Path, first: int, steps: int) -> list:
    """Returns the callbacks that show a run: progress, TensorBoard scalars and pictures."""
    writer = tf.summary.create_file_writer(str(out / "tensorboard"))
    watching = [ProgressBar(first, steps, recipe.batch_size), Scalars(writer, first)]
    if isinstance(recipe, Restorer):
        # The very first batch, which every run of a seed shares, is what the pictures show.
        watching.append(BeforeAndAfter(writer, first, next(iter(batches(0)))))
    return watching


def save_preset(task, folder: Path) -> None:
    """Saves a preset; an old one is replaced only when the new one is whole."""
    if isinstance(task, tfimg.ImageRestorer):
        for part in (task.backbone.text_encoder, task.backbone.image_network):
            # Keras would save a part's optimiser with its weights, three times their size.
            part.optimizer = None
    fresh = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(fresh, ignore_errors=True)
    task.save_to_preset(str(fresh))
    # In float32, because KerasHub's own loader stumbles over the name of a mixed policy.
    type(task).from_preset(str(fresh), dtype="float32").save_to_preset(str(fresh))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


class ProgressBar(keras.callbacks.Callback):
    """A bar with the loss and the pictures (or sentences) a second."""

    def __init__(self, first: int, steps: int, batch_size: int):
        super().__init__()
        self.first, self.steps, self.batch_size = first, steps, batch_size

    def on_train_begin(self, logs=None):
        columns = ("{task.completed}/{task.total}", "{task.fields[note]}")
        self.bar = Progress(BarColumn(), *(TextColumn(c) for c in columns), TimeRemainingColumn())
        self.row = self.bar.add_task("", total=self.steps, completed=self.first, note="")
        self.began, self.done = time.monotonic(), 0
        self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        rate = self.done * self.batch_size / (time.monotonic() - self.began)
        note = f"loss {float(logs['loss']):.4f}  {rate:.1f} pictures/s"
        self.bar.update(self.row, completed=self.first + self.done, note=note)

    def on_train_end(self, logs=None):
        self.bar.stop()


class Scalars(keras.callbacks.Callback):
    """Writes the losses to TensorBoard."""

    def __init__(self, writer, first: int, every: int = 50):
        super().__init__()
        self.writer, self.step, self.every = writer, first, every

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every == 0:
            with self.writer.as_default(step=self.step):
                for name, value in (logs or {}).items():
                    tf.summary.scalar(name, np.asarray(value))


class BeforeAndAfter(keras.callbacks.Callback):
    """Writes pictures to TensorBoard: input, output and target side by side."""

    def __init__(self, writer, first: int, batch: tuple[dict, ...], every: int = 500):
        super().__init__()
        self.writer, self.step, self.every = writer, first, every
        self.x = {name: value[:4] for name, value in batch[0].items()}
        self.target = batch[1]["image"][:4]

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every:
            return
        output = tf.cast(self.model(self.x, training=False)["image"], tf.float32)
        rows = tf.concat([self.x["image"], output, self.target], axis=2)
        with self.writer.as_default(step=self.step):
            tf.summary.image("input | output | target", tf.clip_by_value(rows, 0, 1), max_outputs=4)
