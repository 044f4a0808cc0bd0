"""The benchmark: what it compares with, and how it counts."""

import pytest

from export import benchmark
from export.peers import textbook_network


def test_the_textbook_network_is_the_one_described():
    kernels = [w for w in textbook_network().trainable_variables if w.name == "kernel"]
    products = sum(int(w.shape.num_elements()) for w in kernels) * 256 * 256
    assert round(products / 1e9) == 203
    assert [w.shape[-1] for w in kernels] == [64, 128, 256, 256, 128, 64, 3]
    assert kernels[3].shape[2] == 256 + 768


def test_ratios_compare_like_with_like():
    rows = benchmark.table(
        {
            ("textbook", "cached"): [300.0, 100.0, 200.0],
            ("textbook", "encoded"): [500.0, 500.0, 500.0],
            ("ours", "cached"): [2.0, 1.0, 9.0],
            ("ours", "encoded"): [5.0, 5.0, 5.0],
        }
    )
    found = {(row["network"], row["words"]): row for row in rows}
    assert found["ours", "cached"]["median"] == 2.0
    assert found["ours", "cached"]["ratio"] == 100.0
    assert found["ours", "encoded"]["ratio"] == 100.0


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
