"""The parts of a run that all kinds share: what watches it, and what it leaves."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tfimg.files import write_atomically
from tfimg.tasks.task import TextGuidedTask
from training.recipes import Drawing, Restorer


def observers(recipe, batches: Callable, out: Path, first: int, steps: int) -> list:
    """Returns the callbacks that show a run: progress, TensorBoard scalars and pictures."""
    writer = tf.summary.create_file_writer(str(out / "tensorboard"))
    watching = [ProgressBar(first, steps, recipe.batch_size), Scalars(writer, first)]
    if isinstance(recipe, (Drawing, Restorer)):
        # The very first batch, which every run of a seed shares, is what the pictures show.
        watching.append(BeforeAndAfter(writer, first, next(iter(batches(0)))))
    return watching


def save_preset(task, folder: Path) -> None:
    """Saves a preset in half precision; an old one is replaced when the new one is whole."""
    if isinstance(task, TextGuidedTask):
        for part in (task.backbone.text_encoder, task.backbone.image_network):
            # Keras would save a part's optimiser with its weights, three times their size.
            part.optimizer = None
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(fresh, ignore_errors=True)
    task.save_to_preset(str(fresh))
    # In float32, because KerasHub's own loader stumbles over the name of a mixed policy.
    type(task).from_preset(str(fresh), dtype="float32").save_to_preset(str(fresh))
    halve(fresh / "model.weights.h5")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def halve(path: Path) -> None:
    """Rewrites the weights of a file in half precision; they load into float32 as before."""

    def copied(source, target):
        target.attrs.update(source.attrs)
        for name, part in source.items():
            if isinstance(part, h5py.Group):
                copied(part, target.create_group(name))
                continue
            values = part[()]
            single = values.dtype == np.float32
            made = target.create_dataset(name, data=values.astype(np.float16) if single else values)
            made.attrs.update(part.attrs)

    def write(fresh):
        with h5py.File(path) as source, h5py.File(fresh, "w") as target:
            copied(source, target)

    write_atomically(path, write)


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
