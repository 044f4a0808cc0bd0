"""What an artefact gives beside what Keras gives, and whether that is near enough."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from export.client import Client

_LEVELS = {"saved_model": 1, "none": 1, "float16": 2}
# Of probabilities and embeddings.
_NUMBERS = {"saved_model": 1e-4, "none": 1e-4, "float16": 0.01, "dynamic": 0.1, "int8": 0.1}
_DECIBELS = 0.3
_ALIKE = 30.0


@dataclass(frozen=True)
class Row:
    """One comparison with Keras.

    Attributes:
        artefact: what was run.
        what: which of its outputs.
        difference: the largest, in levels of 255 for pictures.
        psnr: of its pictures, dB: against the clean ones of what was restored, against Keras' own
            of what was made from words; None for numbers.
        change: by how much restored pictures differ from Keras' own in that, dB, or None.
        tolerance: in words.
        passed: whether it is within its tolerance.
    """

    artefact: str
    what: str
    difference: float
    psnr: float | None
    change: float | None
    tolerance: str
    passed: bool


def picture_row(
    artefact: str, what: str, kind: str, pictures: np.ndarray, truth: np.ndarray, clean=None
) -> Row:
    """Compares pictures.

    Args:
        artefact: what made them.
        what: which of its outputs.
        kind: `"saved_model"` or how it is quantised, which decides the tolerance.
        pictures: uint8 `(N, H, W, 3)`.
        truth: what Keras made, alike.
        clean: what they should be, float `(N, H, W, 3)` in 0..1; None for pictures from words.
    """
    from tfimg.metrics import psnr
    from tfimg.pixels import to_float

    levels = int(np.abs(pictures.astype(int) - truth).max())

    def score(images, against):
        return float(np.mean([psnr(to_float(a), b) for a, b in zip(images, against, strict=True)]))

    if clean is None:
        value, change = score(pictures, to_float(truth)), None
        lossy = (f"{_ALIKE:g} dB to Keras'", value >= _ALIKE)
    else:
        value = score(pictures, clean)
        change = value - score(truth, clean)
        lossy = (f"{_DECIBELS} dB", change >= -_DECIBELS)
    exact = _LEVELS.get(kind)
    tolerance, passed = lossy if exact is None else (f"{exact}/255", levels <= exact)
    return Row(artefact, what, levels, value, change, tolerance, passed)


def named(folder: Path) -> str:
    """Returns the last two parts of a path, which tell artefacts apart."""
    return "/".join(folder.parts[-2:])


def number_row(artefact: str, what: str, kind: str, found, expected) -> Row:
    """Compares probabilities or embeddings; `kind` as in `picture_row`."""
    difference = float(np.abs(np.asarray(found) - np.asarray(expected)).max())
    tolerance = _NUMBERS[kind]
    return Row(artefact, what, difference, None, None, f"{tolerance:g}", difference <= tolerance)


def server_rows(
    folder: Path, ask: Callable[["Client"], np.ndarray], truth: np.ndarray, clean=None
) -> list[Row]:
    """Compares what a server of a SavedModel answers, over each protocol.

    Args:
        folder: of the SavedModel.
        ask: from a client to its pictures, uint8 `(N, H, W, 3)`.
        truth: what Keras made, alike.
        clean: as in `picture_row`.

    Raises:
        OSError: if the server does not start.
    """
    from export.client import Client
    from export.launch import served

    with (
        served(folder) as server,
        Client(server.rest, server.model) as rest,
        Client(server.grpc, server.model, "grpc") as grpc,
    ):
        pictures = {"REST": ask(rest), "gRPC": ask(grpc)}
    name = f"server of {named(folder)}"
    return [picture_row(name, p, "saved_model", m, truth, clean) for p, m in pictures.items()]


def run_outside(folder: Path, signature: str, **inputs) -> dict[str, np.ndarray]:
    """Runs a signature in the C++ loader, in a process where tensorflow is never imported.

    Args:
        folder: of a SavedModel.
        signature: its name.
        inputs: arrays, and lists of str or bytes.

    Returns:
        An array for each output; strings as fixed-width bytes.

    Raises:
        ValueError: with what the loader or the runtime says.
    """
    with tempfile.TemporaryDirectory() as scratch:
        given, taken = Path(scratch) / "inputs.npz", Path(scratch) / "outputs.npz"
        # Words as UTF-8, because fixed-width bytes are what both sides can load safely.
        encoded = {
            name: [v.encode() if isinstance(v, str) else v for v in value]
            for name, value in inputs.items()
        }
        np.savez(given, **encoded)
        command = [sys.executable, "-m", "export.session", folder, signature, given, taken]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            silent = f"export.session ended with status {done.returncode} and said nothing"
            raise ValueError((done.stderr.strip() or silent).splitlines()[-1])
        with np.load(taken) as outputs:
            return dict(outputs)
