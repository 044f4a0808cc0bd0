"""The benchmark: what it compares with, and how it counts."""

import keras
import numpy as np
import pytest

from export import benchmark
from export.peers import nafnet, textbook_network


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
    rows = benchmark.table(
        {
            ("cached", "textbook"): [300.0, 100.0, 200.0],
            ("encoded", "textbook"): [500.0, 500.0, 500.0],
            ("cached", "NAFNet"): [30.0, 10.0, 20.0],
            ("cached", "ours"): [2.0, 1.0, 9.0],
            ("encoded", "ours"): [5.0, 5.0, 5.0],
        }
    )
    found = {(row["runtime"], row["network"]): row for row in rows}
    assert found["cached", "ours"]["median"] == 2.0
    assert found["cached", "ours"]["times faster than textbook"] == 100.0
    assert found["cached", "ours"]["times faster than NAFNet"] == 10.0
    assert found["cached", "NAFNet"]["times faster than textbook"] == 10.0
    assert found["encoded", "ours"]["times faster than textbook"] == 100.0
    assert found["encoded", "ours"]["times faster than NAFNet"] is None
    assert found["cached", "textbook"]["times faster than textbook"] is None


def test_every_subject_runs_once_a_round_after_one_to_warm_up():
    calls = []
    timed = benchmark.measure({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert calls == ["a", "b"] * 4
    assert all(len(times) == 3 and min(times) >= 0 for times in timed.values())


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--size", "100"], "100"), (["--preset", "nowhere"], "nowhere")]
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, capsys):
    assert benchmark.main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
