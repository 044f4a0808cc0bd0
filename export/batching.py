"""Joins requests into batches, within a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

Arrays = dict[str, np.ndarray]


class QueueFull(RuntimeError):
    """The server has as much work as it can take; try again later."""


class DeadlinePassed(TimeoutError):
    """Nobody waits for the answer any more."""


@dataclass(eq=False)  # a request is itself alone, and arrays have no one answer to ==
class _Request:
    signature: str
    inputs: Arrays
    deadline: float | None
    pixels: int
    answer: Future = field(default_factory=Future)

    @property
    def rows(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def kind(self) -> tuple:
        """What requests must share to be joined: all but the number of rows."""
        shapes = ((name, a.dtype.str, a.shape[1:]) for name, a in sorted(self.inputs.items()))
        return self.signature, tuple(shapes)


class Batcher:
    """Runs requests in the order of their arrival, several at once where they fit together.

    A batch that fails is run again one request at a time, so a broken picture fails alone.

    Args:
        run: `(signature, inputs) -> outputs`, arrays whose first side is the batch.
        max_rows: rows of a batch; a larger request is run by itself.
        max_pixels: of the pictures of a batch, likewise.
        patience: seconds that a request waits for company.
        capacity: requests that wait; one more is refused.
        workers: batches under way at a time.

    Example:

    ```python
    with Batcher(session.run) as batcher:
        future = batcher.submit("restore", {"image": image[None], "instruction": words})
        outputs = future.result()
    ```
    """

    def __init__(
        self,
        run: Callable[[str, Arrays], Arrays],
        max_rows: int = 16,
        max_pixels: int = 4096 * 4096,
        patience: float = 0.002,
        capacity: int = 64,
        workers: int = 1,
    ):
        self._run, self._patience, self._capacity = run, patience, capacity
        self._max_rows, self._max_pixels = max_rows, max_pixels
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for worker in self._workers:
            worker.start()

    def submit(
        self, signature: str, inputs: Arrays, deadline: float | None = None, pixels: int = 0
    ) -> Future:
        """Queues a request.

        Args:
            signature: which of the model's.
            inputs: arrays with the same number of rows.
            deadline: `time.monotonic()` after which the answer is of no use, or None.
            pixels: of its pictures, which the arrays do not tell where these are encoded.

        Returns:
            A future of the outputs. It fails with `DeadlinePassed`, or as the model does. Who
            cancels it makes room for another request.

        Raises:
            QueueFull: if too many requests wait, or the batcher is closed.
        """
        request = _Request(signature, inputs, deadline, pixels)
        request.answer.add_done_callback(self._forget)
        with self._changed:
            if self._closed:
                raise QueueFull("the server is shutting down")
            if len(self._waiting) >= self._capacity:
                raise QueueFull(f"{self._capacity} requests are waiting already; try again later")
            self._waiting.append(request)
            # All, because one may be waiting for company that this request is not.
            self._changed.notify_all()
        return request.answer

    @property
    def holds(self) -> int:
        """How many requests it can have at a time: those that wait and those under way."""
        return self._capacity + len(self._workers) * self._max_rows

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Takes no more requests, finishes those that it has, and returns."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _forget(self, answer):
        """Takes what was cancelled out of the queue, and with it its arrays."""
        if answer.cancelled():
            with self._changed:
                self._waiting = deque(r for r in self._waiting if r.answer is not answer)

    def _work(self):
        while batch := self._next():
            self._serve(batch)

    def _next(self):
        """The oldest request and those that fit to it; an empty list at the end."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return []
                self._changed.wait()
            first = self._waiting.popleft()
            batch, rows, pixels = [first], first.rows, first.pixels
            until = time.monotonic() + self._patience
            while True:
                for request in [r for r in self._waiting if r.kind == first.kind]:
                    more_rows, more_pixels = rows + request.rows, pixels + request.pixels
                    if more_rows <= self._max_rows and more_pixels <= self._max_pixels:
                        self._waiting.remove(request)
                        batch.append(request)
                        rows, pixels = more_rows, more_pixels
                full = rows >= self._max_rows or pixels >= self._max_pixels
                left = until - time.monotonic()
                if full or left <= 0 or self._closed:
                    return batch
                self._changed.wait(left)

    def _serve(self, batch):
        now, alive = time.monotonic(), []
        for request in batch:
            # What was cancelled takes no answer, not even that it is late.
            if not request.answer.set_running_or_notify_cancel():
                continue
            if request.deadline is not None and request.deadline < now:
                request.answer.set_exception(DeadlinePassed("the deadline passed in the queue"))
            else:
                alive.append(request)
        if len(alive) > 1 and not self._answer(alive):
            for request in alive:
                self._answer([request])
        elif len(alive) == 1:
            self._answer(alive)

    def _answer(self, batch) -> bool:
        try:
            names = batch[0].inputs
            joined = {name: np.concatenate([r.inputs[name] for r in batch]) for name in names}
            outputs = self._run(batch[0].signature, joined)
            answers, start = [], 0
            for request in batch:
                rows = slice(start, start + request.rows)
                answers.append({name: array[rows] for name, array in outputs.items()})
                start += request.rows
        except Exception as error:  # whatever it is, it belongs to whoever asked
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
            return False
        for request, answer in zip(batch, answers, strict=True):
            request.answer.set_result(answer)
        return True
