"""The benchmark: what it compares with, and how it counts."""

import json
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from export import benchmark, subjects
from export.peers import nafnet, textbook_network
from export.subjects import Subject, gmac, precisions

ROOT = Path(__file__).parents[2]


def test_the_textbook_network_is_the_one_described():
    kernels = [w for w in textbook_network().trainable_variables if w.name == "kernel"]
    products = sum(int(w.shape.num_elements()) for w in kernels) * 256 * 256
    assert round(products / 1e9) == 203
    assert [w.shape[-1] for w in kernels] == [64, 128, 256, 256, 128, 64, 3]
    assert kernels[3].shape[2] == 256 + 768


def test_the_nafnet_has_the_depths_and_the_cost_that_it_states():
    network = nafnet()
    convolutions = [layer for layer in network.layers if "conv2d" in layer.name]
    probe = keras.Model(network.input, [layer.output for layer in convolutions])
    products = 0
    for layer, output in zip(convolutions, probe(np.zeros((1, 64, 64, 3))), strict=True):
        # A depthwise kernel's last side is 1, as its channels do not mix.
        products += int(np.prod(layer.kernel.shape)) * output.shape[1] * output.shape[2]
    assert round(products * 16 / 1e9, 1) == 12.8
    assert sum("depthwise" in layer.name for layer in convolutions) == 2 + 2 + 4 + 8 + 4 + 8


def test_ratios_compare_like_with_like():
    milliseconds = {
        ("cached", "textbook"): [300.0, 100.0, 200.0],
        ("encoded", "textbook"): [500.0, 500.0, 500.0],
        ("cached", "NAFNet"): [30.0, 10.0, 20.0],
        ("cached", "ours"): [2.0, 1.0, 9.0],
        ("encoded", "ours"): [5.0, 5.0, 5.0],
    }
    subjects = {name: Subject(list) for name in milliseconds}
    subjects["cached", "ours"] = Subject(list, gmac=0.05)
    rows = benchmark.table(milliseconds, subjects, peak=100, memory={("cached", "ours"): 7.0})
    found = {(row["runtime"], row["network"]): row for row in rows}
    assert found["cached", "ours"]["median"] == 2.0
    # 0.05 GMAC are 0.1 GFLOP, in 2 ms 50 GFLOP/s.
    assert found["cached", "ours"]["share of peak"] == pytest.approx(0.5)
    assert found["encoded", "ours"]["share of peak"] is None
    assert [row["memory"] for row in rows if row["memory"]] == [7.0]
    assert found["cached", "ours"]["times faster than textbook"] == 100.0
    assert found["cached", "ours"]["times faster than NAFNet"] == 10.0
    assert found["cached", "NAFNet"]["times faster than textbook"] == 10.0
    assert found["encoded", "ours"]["times faster than textbook"] == 100.0
    assert found["encoded", "ours"]["times faster than NAFNet"] is None
    assert found["cached", "textbook"]["times faster than textbook"] is None


@pytest.mark.parametrize(("rounds", "expected"), [(1, 1), (7, 7), (19, 19), (20, 19), (100, 95)])
def test_the_percentile_is_passed_by_no_more_than_a_twentieth(rounds, expected):
    times = list(map(float, range(rounds, 0, -1)))
    name = ("cached", "ours")
    (row,) = benchmark.table({name: times}, {name: Subject(list)}, 1, {})
    assert row["p95"] == expected
    assert sum(time > expected for time in times) <= rounds / 20


def test_quick_subjects_run_several_times_a_round_and_slow_ones_once(monkeypatch):
    calls, now = [], [0.0]
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: now[0])

    def lasting(name, seconds):
        def run():
            calls.append(name)
            now[0] += seconds

        return Subject(run)

    subjects = {"quick": lasting("quick", 0.0375), "slow": lasting("slow", 0.125)}
    timed = benchmark.measure(subjects, 2)
    # 100 ms are filled by three runs of 37.5 ms, of which the last ends later.
    assert calls == ["quick", "slow"] * 2 + ["quick", "quick", "quick", "slow"] * 2
    assert timed == {"quick": pytest.approx([37.5] * 2), "slow": pytest.approx([125.0] * 2)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "100"], "100"),
        (["--size", "large"], "large"),
        (["--size", "1920x8"], "1920x8"),
        (["--preset", "nowhere"], "nowhere"),
        (["--size", "1024", "--runtime", "litert"], "--runtime is for restorers"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, capsys):
    assert benchmark.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error


@pytest.mark.parametrize("option", ["--rounds", "--threads"])
def test_numbers_of_nothing_are_refused_in_one_line(option, capsys):
    with pytest.raises(SystemExit) as stopped:
        benchmark.main([option, "0"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.strip()
    assert option in error and "expected 1 or more" in error and "\n" not in error


@pytest.mark.parametrize(
    ("preset", "options", "message"),
    [
        ("describer", [], "cannot load preset"),
        ("icons_small", ["--runtime", "litert"], "--runtime is for restorers"),
        ("icons_small", ["restorer_small"], "icons_small makes pictures from words"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused(preset, options, message):
    command = [sys.executable, "-m", "export.benchmark", "--preset", preset, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"export.benchmark: error: {message}")


def test_a_command_that_is_killed_without_a_word_is_told():
    command = (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(RuntimeError, match="ended with status 247 and said nothing"):
        Subject(lambda: None, command=command).peak_memory()


def test_many_pictures_at_once_share_the_time():
    subjects = {
        "one": Subject(lambda: time.sleep(0.05)),
        "five": Subject(lambda: time.sleep(0.05), pictures=5),
    }
    timed = benchmark.measure(subjects, 3)
    assert min(timed["one"]) >= 50 and 10 <= min(timed["five"]) < 40


def test_the_profiler_counts_what_a_convolution_costs():
    layer = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)
    graph = tf.function(layer).get_concrete_function(tf.zeros((1, 16, 24, 4))).graph
    assert gmac(graph) == pytest.approx(16 * 24 * 9 * 4 * 8 / 1e9)


def test_half_precision_is_timed_where_it_is_taken(monkeypatch):
    monkeypatch.setattr("tfimg.machine.choose_precision", lambda choice: "float32")
    assert precisions() == {"Keras": "float32"}
    monkeypatch.setattr("tfimg.machine.choose_precision", lambda choice: "mixed_bfloat16")
    assert precisions() == {"Keras": "float32", "Keras in bfloat16": "mixed_bfloat16"}


def test_peers_are_timed_beside_ours_in_each_precision(monkeypatch, preset, tmp_path):
    policies = {"Keras": "float32", "Keras in bfloat16": "mixed_bfloat16"}
    monkeypatch.setattr(subjects, "precisions", lambda: policies)
    monkeypatch.setattr(subjects, "_compiled", lambda function, *inputs, command=None: function)
    monkeypatch.setattr("export.peers.bert_base", lambda: None)
    monkeypatch.setattr(subjects, "_SENTENCE", "remove the noise")  # short enough for tiny words
    built = []
    for name in ("textbook_network", "nafnet"):
        monkeypatch.setattr(
            f"export.peers.{name}", lambda: built.append(keras.config.dtype_policy().name)
        )
    before = keras.config.dtype_policy()
    peers = subjects.keras_peers(64, 64)
    assert keras.config.dtype_policy() == before
    assert built == ["float32"] * 2 + ["mixed_bfloat16"] * 2
    ours = subjects.keras_subjects(str(preset), 64, 64, tmp_path)
    cached = {f"{name}, words cached" for name in policies}
    encoded = {f"{name}, words encoded" for name in policies}
    assert {runtime for runtime, _ in ours} == cached | encoded
    assert {runtime for runtime, name in peers if name == "textbook"} == cached | encoded
    assert {runtime for runtime, name in peers if name == "NAFNet"} == cached


@pytest.mark.parametrize("size", ["64", "600x500"])
def test_the_command_times_everything(preset, size):
    arguments = ["--preset", str(preset), "--size", size, "--rounds", "1", "--json"]
    command = [sys.executable, "-m", "export.benchmark", *arguments]
    if size == "64":
        command += ["--runtime", "saved_model", "server", "litert"]
    # In a process of its own, because the number of threads is set before anything runs.
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["peak GFLOP/s"] > 0
    found = {row["runtime"] for row in report["rows"]}
    if size == "64":
        assert found == {
            "SavedModel, words cached",
            "SavedModel, words encoded",
            "server, 1 client",
            "server, 16 clients",
            "LiteRT",
            "LiteRT, words",
            "LiteRT, diagnosis",
        }
    else:
        assert found == {f"{runtime}, tiles" for runtime in precisions()} | {"LiteRT, tiles"}
    assert all(0 < row["median"] <= row["p95"] * 1.001 for row in report["rows"])
    memory = {row["runtime"]: row["memory"] for row in report["rows"] if row["memory"]}
    served = "SavedModel, words encoded" if size == "64" else "Keras, tiles"
    expected = {served, "LiteRT"} if size == "64" else found
    assert set(memory) == expected
    # Untrained words may ask for anything, so LiteRT runs a diagnosis, too.
    assert 20 < min(memory.values()) < 350 < memory[served] < 2000, "LiteRT loads no TensorFlow"


def test_the_memory_of_a_process_is_the_most_that_it_had():
    code = "x = bytearray({}); x[::1024] = bytes(len(x[::1024])); del x"
    found = [
        Subject(list, command=(sys.executable, "-c", code.format(size << 20))).peak_memory()
        for size in (1, 300)
    ]
    assert found[1] - found[0] == pytest.approx(299 * 1.048576, rel=0.05)
    assert Subject(list).peak_memory() is None
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        Subject(list, command=(sys.executable, "-c", "1 / 0")).peak_memory()
