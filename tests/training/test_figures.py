"""Figures: that what is drawn lies where the numbers say."""

import sys

import numpy as np
import pytest

from training import evaluate, figures
from training.frontier import Point
from training.scaling import Size

_RED = [214, 39, 40]


def _red(picture):
    return (picture == _RED).all(-1)


@pytest.fixture
def matplotlib():
    return pytest.importorskip("matplotlib", reason="which only the extra `figures` brings")


def test_points_are_drawn_in_their_colours(matplotlib):
    others = [Point("a textbook's", 2000.0, None, "measured"), Point("old", 5.0, 29.0, "measured")]
    points = [Point("ours", 20.0, 30.0, "ours"), *others]
    first, without = figures.frontier(points, 25), figures.frontier(points[1:], 25)
    assert 20 < _red(first).sum() < 1000 and not _red(without).any()
    moved = figures.frontier([Point("ours", 200.0, 30.0, "ours"), *others], 25)
    # The legend is on the left of both.
    assert np.argwhere(_red(moved))[:, 1].max() > np.argwhere(_red(first))[:, 1].max()


@pytest.mark.parametrize(("true", "below"), [((0.0, 0.5), True), ((0.5, 1.0), False)])
def test_claims_that_seldom_come_true_lie_below_the_line(matplotlib, true, below):
    bins = [
        {"count": 9, "said": 0.25, "true": true[0]},
        {"count": 9, "said": 0.75, "true": true[1]},
    ]
    picture = figures.reliability({"reliability": bins, "calibration_error": 0.25})
    rows, columns = np.argwhere(_red(picture)).mean(axis=0)
    height, width = picture.shape[:2]
    # The line runs from the lower left to the upper right.
    assert (rows > height * (1 - columns / width)) == below


def test_without_the_extra_it_says_what_to_install(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status = evaluate.main(["--diagnose", str(photos), "--out", str(tmp_path / "out")])
    error = capsys.readouterr().err.strip()
    assert status == 2 and "figures" in error and "\n" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("memory", "level"), [((900.0, 900.0), True), ((100.0, 900.0), False)])
def test_memory_that_stays_is_a_level_line(matplotlib, memory, level):
    picture = figures.scaling([Size(1.0, 1.0, memory[0]), Size(10.0, 10.0, memory[1])])
    assert 20 < _red(picture).sum() < 3000, "time is drawn, too"
    blue = np.argwhere((picture == [31, 119, 180]).all(-1))
    line = blue[blue[:, 1] < 0.6 * picture.shape[1], 0]  # the legend is on the right
    assert (np.ptp(line) < 12) == level
