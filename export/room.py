"""How many bytes of requests a server holds at a time."""

import contextlib
import threading
from collections.abc import Iterator

from export.batching import QueueFull

# Requests of the largest size that may be here at a time; those of a usual size are many more.
_LARGEST = 8


class Room:
    """Counts the bytes of the requests that are here, so that many large ones do not fill memory.

    Args:
        max_bytes: of one request; there is room for eight of these.
    """

    def __init__(self, max_bytes: int):
        self._left = _LARGEST * max_bytes
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Takes room for so many bytes.

        Raises:
            QueueFull: if there is less.
        """
        with self._lock:
            if size > self._left:
                raise QueueFull("the server holds as many bytes of requests as it may")
            self._left -= size

    def give_back(self, size: int) -> None:
        """Gives back what was taken."""
        with self._lock:
            self._left += size

    @contextlib.contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Takes room for as long as a `with` block lasts.

        Raises:
            QueueFull: if there is too little.
        """
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)
