"""A server in a process of its own, on free ports, for as long as it is needed."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_STOP_SECONDS = 90


@dataclass(frozen=True)
class Served:
    """Where a server listens.

    Attributes:
        rest: `http://HOST:PORT`.
        grpc: `HOST:PORT`.
        model: what clients call the model.
        process: the server's.
    """

    rest: str
    grpc: str
    model: str
    process: subprocess.Popen


@contextlib.contextmanager
def served(folder: str | Path, *options: object) -> Iterator[Served]:
    """Starts `export.serve`, and stops it at the end as a signal would.

    Args:
        folder: what is served, `NAME` or `NAME/VERSION`.
        *options: of `export.serve`, in its own words.

    Yields:
        Where it listens; it takes requests already.

    Raises:
        OSError: if it does not start, or does not stop and has to be killed.
    """
    ports = ("--rest-port", 0, "--grpc-port", 0)
    place = os.path.abspath(folder)  # it starts in another folder
    process = subprocess.Popen(
        [*map(str, (sys.executable, "-m", "export.serve", place, *ports, *options))],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    try:
        said = process.stdout.readline().strip()
        found = re.search(r"gRPC on (\S+), REST on (\S+)/v1/models/(.+)", said)
        if found is None:
            raise OSError(f"the server did not start: {said or 'it said nothing'}")
        yield Served(found[2], found[1], found[3], process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            said = f"the server did not stop within {_STOP_SECONDS} s and was killed"
            raise OSError(said) from None
        finally:
            process.stdout.close()
