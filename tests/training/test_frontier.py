"""The figure of quality against time: where its points lie, and what it refuses."""

import json

import numpy as np
import pytest

from training import frontier
from training.frontier import Point

RUNTIME = "Keras, words encoded"


def _speed(folder, **milliseconds):
    rows = [
        {"runtime": RUNTIME, "network": "textbook", "median": 2000.0, "GMAC": 200.0},
        {"runtime": "Keras, words cached", "network": "ours", "median": 9.0, "GMAC": 1.0},
        *({"runtime": RUNTIME, "network": n, "median": m} for n, m in milliseconds.items()),
    ]
    path = folder / "speed.json"
    path.write_text(json.dumps({"rows": rows}))
    return path


def _scores(folder, preset, psnr=30.0, protocol="noise:25"):
    path = folder / f"{preset}.json"
    report = {"preset": preset, "rows": [{"degradation": protocol, "psnr": psnr}]}
    path.write_text(json.dumps(report))
    return path


def test_points_are_where_they_were_measured_or_computed(tmp_path):
    speed = _speed(tmp_path, larger=50.0, ours=20.0, unscored=7.0)
    scores = [_scores(tmp_path, "ours"), _scores(tmp_path, "larger", 31.0)]
    points = {point.name: point for point in frontier.told(speed, scores)}
    assert points["ours"] == Point("ours", 20.0, 30.0, "ours")
    assert points["larger"] == Point("larger", 50.0, 31.0, "ours")
    assert "unscored" not in points
    assert points["textbook network"] == Point("textbook network", 2000.0, None, "measured")
    # 2000 ms for 200 GMAC are 10 ms a GMAC.
    assert points["FFDNet"] == Point("FFDNet", 140.0, 31.21, "published")


def test_what_lacks_a_row_is_refused(tmp_path):
    speed = _speed(tmp_path, ours=20.0)
    for scores in (_scores(tmp_path, "ours", protocol="noise:15"), _scores(tmp_path, "untimed")):
        with pytest.raises(ValueError, match="noise:25, and a preset of .'ours'"):
            frontier.told(speed, [scores])
    speed.write_text(json.dumps({"rows": []}))
    with pytest.raises(ValueError, match="textbook"):
        frontier.told(speed, [])
    speed.write_text("{")
    with pytest.raises(ValueError, match="no JSON"):
        frontier.told(speed, [])


def test_a_method_is_scored_on_noisy_pictures(photos):
    files = sorted(photos.iterdir())
    advanced = []
    same = frontier.scored(lambda noisy: noisy, files, lambda: advanced.append(1))
    # Noise of 25 levels, less what clipping takes away.
    assert same == pytest.approx(20 * np.log10(255 / 25), abs=1.5) and len(advanced) == len(files)
    assert frontier.timed(lambda noisy: noisy) < 100


def test_without_the_extra_it_says_what_to_install(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "bm3d", None)
    speed, scores = _speed(tmp_path, ours=20.0), _scores(tmp_path, "ours")
    out = tmp_path / "frontier.png"
    arguments = ["--speed", str(speed), "--scores", str(scores), "--data", str(photos)]
    assert frontier.main([*arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err.strip()
    assert "figures" in error and "\n" not in error and not out.exists()
