"""A served model without a SavedModel: any function of `x` takes its place."""

import time

import numpy as np

from export.batching import Batcher
from export.served import ServedModel
from export.session import Signature, TensorSpec

_ROWS = TensorSpec("x:0", np.dtype("int64"), (None,))


class StandIn(ServedModel):
    """Version 3 of the model "m", whose signature "double" is a function.

    Args:
        run: `(signature, inputs) -> outputs`, as of a `Batcher`.
    """

    name, version, ready = "m", 3, True
    signatures = {"double": Signature({"x": _ROWS}, {"y": _ROWS, "z": _ROWS})}  # noqa: RUF012

    def __init__(self, run):
        self._batcher = Batcher(run, patience=0)

    def predict(self, signature, inputs, seconds):
        return self._batcher.submit(signature, inputs, time.monotonic() + seconds)

    @property
    def requests(self) -> list:
        """Those that wait, oldest first."""
        return [*self._batcher._waiting]

    @property
    def waiting(self) -> int:
        return self._batcher.waiting

    def close(self):
        self._batcher.close()


def double(signature, inputs):
    """What the model gives where a test does not say."""
    return {"y": inputs["x"] * 2, "z": inputs["x"]}
