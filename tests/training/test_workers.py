"""Several processes train as one does, and go on when one of them is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from training import workers

ROOT = Path(__file__).parents[2]
STEPS = 6


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _start(photos, out, count, *more):
    """Starts a run in so many processes."""
    command = [sys.executable, "-m", "training.fit", "--recipe", "restorer_tiny"]
    command += ["--steps", str(STEPS), "--checkpoint-every", "2", "--log-every", "1"]
    command += ["--mixed-precision", "float32", "--data", str(photos), "--out", str(out), *more]
    hosts = [f"127.0.0.1:{port}" for port in _free_ports(count)]
    processes = []
    for index in range(count):
        task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        config = {"TF_CONFIG": json.dumps(task)} if count > 1 else {}
        processes.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **config},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    return processes


def _finish(processes):
    for process in processes:
        text, _ = process.communicate(timeout=400)
        assert process.returncode == 0, text[-3000:]


def _losses(out):
    rows = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows}


def _saved(out):
    with np.load(out / "checkpoint.npz") as saved:
        return {name: saved[name] for name in saved.files}


def test_two_processes_equal_one_and_survive_a_kill(photos, tmp_path):
    one, two, killed = (tmp_path / name for name in ("one", "two", "killed"))
    _finish([*_start(photos, one, 1), *_start(photos, two, 2)])
    expected = _losses(one)
    assert sorted(expected) == list(range(1, STEPS + 1))
    assert _losses(two) == pytest.approx(expected, rel=1e-4)
    whole, shared = _saved(one), _saved(two)
    for name, values in whole.items():
        np.testing.assert_allclose(shared[name], values, rtol=2e-3, atol=2e-5)

    processes = _start(photos, killed, 2)
    deadline = time.monotonic() + 300
    while not (killed / "checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(processes[1].pid, signal.SIGKILL)
    time.sleep(1)
    for process in processes:  # as a supervisor does, whose other processes wait for the dead one
        process.kill()
        process.communicate()
    done = int(_saved(killed)["step"])
    assert 0 < done < STEPS, "it was killed half-way"
    assert max(_losses(killed)) - done < 2, "no more than one checkpoint interval is lost"
    _finish(_start(photos, killed, 2, "--resume"))
    assert _losses(killed) == pytest.approx(expected, rel=1e-4)


def test_one_process_on_one_device_is_not_spread(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert workers.strategy() is None and workers.is_chief()
    with workers.scope(None):
        pass
    monkeypatch.setenv("TF_CONFIG", json.dumps({"task": {"type": "worker", "index": 1}}))
    assert not workers.is_chief()
