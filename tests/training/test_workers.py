"""Several processes train as one does, and go on when one of them is killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

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


def _arguments(photos, out):
    """Those of `training.fit` for a short run."""
    options = ["--recipe", "restorer_small", "--mixed-precision", "float32"]
    options += ["--steps", str(STEPS), "--checkpoint-every", "2", "--log-every", "1"]
    return [*options, "--data", str(photos), "--out", str(out)]


def _start(photos, out, count, *more):
    """Starts a run in so many processes."""
    command = [sys.executable, "-m", "training.fit", *_arguments(photos, out), *more]
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


@pytest.fixture(scope="module")
def alone(photos, tmp_path_factory):
    """The folder of a run in one process on one device."""
    out = tmp_path_factory.mktemp("alone")
    _finish(_start(photos, out, 1))
    assert sorted(_losses(out)) == list(range(1, STEPS + 1))
    return out


def test_two_processes_equal_one_and_survive_a_kill(alone, photos, tmp_path):
    """Before the kill and after it two compute, so what is left in the end is of two throughout."""
    killed = tmp_path / "killed"
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
    assert _losses(killed) == pytest.approx(_losses(alone), rel=1e-4)
    whole, shared = _saved(alone), _saved(killed)
    for name, values in whole.items():
        np.testing.assert_allclose(shared[name], values, rtol=2e-3, atol=2e-5)


_MIRRORED = """
import sys
import tensorflow as tf
from training import fit, workers

processor = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(processor, [half, half])
workers.strategy = lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
sys.exit(fit.main(sys.argv[1:]))
"""


def test_two_devices_of_a_process_nearly_equal_one(alone, photos, tmp_path):
    """Each clips the gradients of its own share, so the losses drift apart step by step."""
    command = [sys.executable, "-c", _MIRRORED, *_arguments(photos, tmp_path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    _finish([subprocess.Popen(command, cwd=ROOT, **pipes)])
    expected, found = _losses(alone), _losses(tmp_path)
    assert found[1] == pytest.approx(expected[1], rel=1e-5)
    assert found == pytest.approx(expected, rel=0.1)
    assert _saved(tmp_path)["step"] == STEPS


def _told(monkeypatch, config):
    text = config if isinstance(config, str) else json.dumps(config)
    monkeypatch.setenv("TF_CONFIG", text)


_TWO = ["a:1", "b:1"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "TF_CONFIG is no JSON object"),
        ("[1]", "TF_CONFIG is no JSON object"),
        ({"cluster": {"worker": _TWO, "chief": ["c:1"]}}, "names chief; expected worker"),
        ({"cluster": {"chief": ["c:1"]}}, "names chief; expected worker"),
        ({"cluster": {"worker": _TWO, "ps": ["c:1"]}}, "names ps; expected worker"),
        ({"cluster": {"worker": _TWO}}, "expected type worker, index 0..1"),
        (
            {"cluster": {"worker": _TWO}, "task": {"type": "worker", "index": 2}},
            "expected type worker, index 0..1",
        ),
        (
            {"cluster": {"worker": _TWO}, "task": {"type": "evaluator", "index": 0}},
            "expected type worker, index 0..1",
        ),
    ],
)
def test_a_cluster_of_anything_but_workers_is_refused(config, message, monkeypatch):
    _told(monkeypatch, config)
    with pytest.raises(ValueError, match=re.escape(message)):
        workers.strategy()


@pytest.mark.parametrize(("devices", "accepted"), [(2, True), (4, False)])
def test_each_process_has_one_device(devices, accepted, monkeypatch):
    _told(monkeypatch, {"cluster": {"worker": _TWO}, "task": {"type": "worker", "index": 1}})
    # Two real processes would have to meet; how many devices these have is all that matters here.
    spread = SimpleNamespace(num_replicas_in_sync=devices)
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: spread)
    if accepted:
        assert workers.strategy() is spread
    else:
        with pytest.raises(ValueError, match="2 processes have 4 devices; expected one each"):
            workers.strategy()


def test_one_process_on_one_device_is_not_spread(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert workers.strategy() is None and workers.is_chief()
    with workers.scope(None):
        pass
    monkeypatch.setenv("TF_CONFIG", json.dumps({"task": {"type": "worker", "index": 1}}))
    assert not workers.is_chief()
