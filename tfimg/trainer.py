"""What a training run needs besides Keras: exact resume, and a history without gaps."""

import json
import time
from pathlib import Path

import keras
import numpy as np

from tfimg.files import write_atomically


class Checkpoint(keras.callbacks.Callback):
    """Saves everything that a run needs to go on exactly where it was.

    The model's variables, the optimiser's (its moving average of the weights included) and the
    number of steps done go into one file, written beside the old one and renamed, so a run killed
    at any moment leaves a whole checkpoint.

    Args:
        path: an `.npz` file.
        every: steps between two checkpoints.
    """

    def __init__(self, path: Path, every: int):
        super().__init__()
        self.path = Path(path)
        self.every = every
        self.step = 0

    def restore(self, model: keras.Model) -> int:
        """Puts a saved state into a compiled model and returns the number of steps it has done.

        Raises:
            ValueError: if the checkpoint is of another network.
        """
        model.optimizer.build(model.trainable_variables)
        with np.load(self.path) as saved:
            variables = _state(model)
            if set(saved.files) != {*variables, "step"}:
                raise ValueError(f"{self.path} is a checkpoint of another network")
            for name, variable in variables.items():
                if saved[name].shape != tuple(variable.shape):
                    raise ValueError(
                        f"{self.path}: {variable.path} has shape {saved[name].shape}, "
                        f"expected {tuple(variable.shape)}"
                    )
                variable.assign(saved[name])
            self.step = int(saved["step"])
        return self.step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        # The end of `fit` is too late: Keras has put the averaged weights in place by then.
        if self.step % self.every == 0 or batch + 1 == self.params["steps"]:
            self.save()

    def save(self):
        """Writes the checkpoint now."""
        values = {name: np.asarray(v) for name, v in _state(self.model).items()}
        write_atomically(self.path, lambda path: np.savez(path, step=self.step, **values))


def _state(model):
    """Variables by position: their names depend on what else a process has built."""
    variables = [*model.variables, *model.optimizer.variables]
    return {f"{position:04d}": variable for position, variable in enumerate(variables)}


class History(keras.callbacks.Callback):
    """Appends the losses to a file, one JSON object a line.

    Args:
        path: a `.jsonl` file.
        first_step: steps done before; later lines of an earlier run are dropped.
        every: steps between two lines; a line is the mean over these steps.
    """

    def __init__(self, path: Path, first_step: int, every: int = 1):
        super().__init__()
        self.path = Path(path)
        self.step = first_step
        self.every = every
        kept = []
        if first_step and self.path.exists():
            rows = (json.loads(line) for line in self.path.read_text().splitlines() if line)
            kept = [row for row in rows if row["step"] <= first_step]
        text = "".join(json.dumps(row) + "\n" for row in kept)
        write_atomically(self.path, lambda path: path.write_text(text))
        self._began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every:
            return
        row = {"step": self.step, "seconds": round(time.monotonic() - self._began, 1)}
        row |= {name: float(value) for name, value in (logs or {}).items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


class FreshMetrics(keras.callbacks.Callback):
    """Starts Keras' means anew, which would go back to the start of a run that is one long epoch.

    Args:
        first_step: steps done before.
        every: steps between two starts.
    """

    def __init__(self, first_step: int, every: int):
        super().__init__()
        self.step = first_step
        self.every = every

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every == 0:
            self.model.reset_metrics()
