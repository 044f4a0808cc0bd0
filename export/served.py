"""A served model: what comes in is checked before it waits, and runs in batches."""

import io
import os
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from PIL import Image
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from export.batching import Batcher, QueueFull
from export.session import Session, Signature
from tfimg.limits import LONGEST_INSTRUCTION

_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class BadRequest(ValueError):
    """The request cannot be answered, and sending it again will not help."""


class NotFound(LookupError):
    """There is no such model, version or signature."""


class ServedModel:
    """A version of a model, open for requests from many threads.

    Args:
        folder: `NAME/VERSION`, a SavedModel; or `NAME`, of which the latest version is served.
        name: what clients call it; by default the folder's.
        max_pixels: of the pictures of one request together, and of requests that are joined.
        max_rows: pictures or sentences of one request.
        max_words: bytes of one instruction or prompt.
        capacity: requests that wait; one more is refused.
        patience: seconds that a request waits for others to join.
        workers: batches under way at a time.

    Raises:
        FileNotFoundError, ValueError: if there is no SavedModel, or a broken one.
        RuntimeError: if TensorFlow's runtime itself cannot be loaded.
    """

    def __init__(
        self,
        folder: Path,
        name: str | None = None,
        max_pixels: int = 4096 * 4096,
        max_rows: int = 64,
        max_words: int = LONGEST_INSTRUCTION,
        capacity: int = 64,
        patience: float = 0.002,
        workers: int = 1,
    ):
        # Absolute, because "." and "1" have no name; links stay, because versions may be links.
        folder = version_folder(Path(os.path.abspath(folder)))
        self.name, self.version = name or folder.parent.name, int(folder.name)
        self._session = Session(folder)
        self._max_pixels, self._max_rows, self._max_words = max_pixels, max_rows, max_words
        self._batcher = Batcher(
            self._session.run,
            max_pixels=max_pixels,
            patience=patience,
            capacity=capacity,
            workers=workers,
        )
        self.metrics = CollectorRegistry()
        labels = ("signature", "outcome")
        self._requests = Counter("requests", "Requests", labels, registry=self.metrics)
        self._seconds = Histogram(
            "request_seconds",
            "From arrival to answer",
            labels[:1],
            buckets=_BUCKETS,
            registry=self.metrics,
        )
        waiting = Gauge("requests_waiting", "Requests in the queue", registry=self.metrics)
        waiting.set_function(lambda: self._batcher.waiting)
        self._closing = threading.Event()

    @property
    def signatures(self) -> dict[str, Signature]:
        """What the model offers."""
        return self._session.signatures

    @property
    def holds(self) -> int:
        """How many requests it can have at a time."""
        return self._batcher.holds

    @property
    def ready(self) -> bool:
        """Whether it takes requests."""
        return not self._closing.is_set()

    def check_name(self, name: str, version: int | None = None) -> None:
        """Refuses another model or version with NotFound."""
        if name != self.name:
            raise NotFound(f"no model {name!r}; this server has {self.name!r}")
        if version is not None and version != self.version:
            raise NotFound(f"no version {version} of {name!r}; this server has {self.version}")

    def predict(self, signature: str, inputs: dict, seconds: float) -> Future:
        """Queues a request.

        Args:
            signature: its name; empty for `serving_default`.
            inputs: for each input an array, or a list of bytes or str.
            seconds: how long the caller waits for an answer.

        Returns:
            A future of a dict of arrays. It fails with `DeadlinePassed`, with the runtime's
            ValueError, which says what is wrong with the request, or with its `Failed`.

        Raises:
            BadRequest, NotFound, QueueFull: at once, before anything costs.
        """
        signature = signature or "serving_default"
        began = time.monotonic()
        label = signature if signature in self.signatures else "unknown"
        try:
            if not self.ready:
                raise QueueFull("the server is shutting down")
            arrays, pixels = self._checked(signature, inputs)
            future = self._batcher.submit(signature, arrays, began + seconds, pixels)
        except (BadRequest, NotFound, QueueFull) as error:
            self._requests.labels(label, type(error).__name__).inc()
            raise

        def settled(future):
            error = None if future.cancelled() else future.exception()
            outcome = "cancelled" if future.cancelled() else type(error).__name__ if error else "ok"
            self._requests.labels(label, outcome).inc()
            self._seconds.labels(label).observe(time.monotonic() - began)

        future.add_done_callback(settled)
        return future

    def drain(self) -> None:
        """Takes no more requests; what was taken goes on."""
        self._closing.set()

    def close(self) -> None:
        """Finishes what was taken, and frees the model."""
        self.drain()
        self._batcher.close()
        self._session.close()

    def _checked(self, name, inputs):
        """The inputs as arrays, and how many pixels their pictures have."""
        if name not in self.signatures:
            raise NotFound(f"no signature {name!r}; expected one of {[*self.signatures]}")
        wanted = self.signatures[name].inputs
        if set(inputs) != set(wanted):
            raise BadRequest(f"signature {name!r} takes {[*wanted]}, found {sorted(inputs)}")
        arrays = {}
        for key, spec in wanted.items():
            try:
                arrays[key] = spec.feedable(key, inputs[key])
            except (OverflowError, TypeError, ValueError) as error:
                raise BadRequest(str(error)) from error
        rows = {key: len(array) for key, array in arrays.items()}
        if len(set(rows.values())) > 1:
            raise BadRequest(f"the inputs differ in their number of rows: {rows}")
        count = next(iter(rows.values()))
        if not 0 < count <= self._max_rows:
            raise BadRequest(f"the request has {count} rows; expected 1 to {self._max_rows}")
        for key in ("instruction", "prompt"):
            for sentence in arrays.get(key, ()):
                self._check_words(key, sentence)
        sizes = [self._size_of(picture) for picture in arrays.get("image_bytes", ())]
        if "image" in arrays:
            sizes += [arrays["image"].shape[1:3]] * count
        total = sum(height * width for height, width in sizes)
        if not all(map(all, sizes)) or total > self._max_pixels:
            found = ", ".join(f"{width}x{height}" for height, width in sizes[:3])
            found += ", ..." if len(sizes) > 3 else ""
            raise BadRequest(
                f"the request's pictures have {total} pixels ({found}); expected 1 or more each, "
                f"and together at most {self._max_pixels}"
            )
        return arrays, total

    def _check_words(self, key, sentence):
        sentence = sentence.encode() if isinstance(sentence, str) else sentence
        if not isinstance(sentence, bytes):
            raise BadRequest(f"{key} must be a string, found {sentence!r}")
        if len(sentence) > self._max_words:
            raise BadRequest(f"{key} has {len(sentence)} bytes; expected at most {self._max_words}")
        try:
            empty = not sentence.decode().strip()
        except UnicodeDecodeError as error:
            raise BadRequest(f"{key} is not UTF-8: {error}") from error
        if empty:
            raise BadRequest(f"{key} is empty; say in words what is wanted")

    def _size_of(self, data):
        """Height and width, from the header; nothing is decoded."""
        if not isinstance(data, bytes):
            raise BadRequest("image_bytes must be bytes (in JSON an object with the key b64)")
        try:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
                return picture.height, picture.width
        except Image.DecompressionBombError as error:
            raise BadRequest(f"a picture is too large: {error}") from error
        except Exception as error:
            start = data[:16]
            raise BadRequest(f"image_bytes holds no PNG or JPEG; it starts with {start}") from error


def version_folder(folder: Path) -> Path:
    """Returns the folder of a version: the one given, or the latest of a model's.

    Raises:
        FileNotFoundError: if it has none.
    """
    if folder.name.isdigit():
        return folder
    versions = [path for path in folder.glob("*") if path.name.isdigit()]
    if not versions:
        raise FileNotFoundError(f"{folder} has no version, such as {folder / '1'}")
    return max(versions, key=lambda path: int(path.name))
