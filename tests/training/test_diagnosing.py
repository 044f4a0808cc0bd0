"""The report on diagnoses, against figures worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tfimg.degradations import INTENTS, NAMES
from training import diagnosing


def test_report_by_hand():
    present = np.zeros((4, 10), bool)
    present[0, 0] = present[1, 0] = present[2, 1] = present[3, 9] = True
    said = np.full((4, 10), 0.05)
    said[0, 0] = 0.95  # a hit
    said[1, 1] = 0.65  # noise missed, blur seen instead
    said[2, 1] = 0.95  # a hit
    said[3, 9] = 0.85  # clean and called none
    errors = np.full((4, 9), np.nan)
    errors[0, 0], errors[1, 0], errors[2, 1] = 0.1, 0.3, 0.2
    errors[:1, 2:] = 0.0
    report = diagnosing._report(present, said, errors)
    noise, blur = report["rows"][:2]
    assert (noise["precision"], noise["recall"], noise["f1"]) == (1, 0.5, 0.6667)
    assert (blur["precision"], blur["recall"], blur["f1"]) == (0.5, 1, 0.6667)
    assert noise["severity_error"] == 0.2 and blur["severity_error"] == 0.2
    assert report["macro_f1"] == pytest.approx(2 * 0.6667 / 9, abs=1e-4)
    assert report["exact"] == 0.75 and report["clean_called_none"] == 1
    # 36 values of 0.05, one of them true; 0.65 false; twice 0.95 and 0.85 true.
    gaps = 36 * abs(0.05 - 1 / 36) + 0.65 + 2 * 0.05 + 0.15
    assert report["calibration_error"] == pytest.approx(gaps / 40, abs=1e-4)
    assert [row["count"] for row in report["reliability"]] == [36, 1, 1, 2]


def test_every_photo_is_diagnosed_clean_and_with_everything(tmp_path, restorer):
    picture = Image.fromarray((tiny.picture(40, 48) * 255).astype(np.uint8))
    picture.save(tmp_path / "a.png")
    done = []
    report = diagnosing.measure(restorer, [tmp_path / "a.png"] * 2, lambda: done.append(1))
    assert report["pictures"] == 2 * 14 and len(done) == 2
    assert [row["name"] for row in report["rows"]] == list(NAMES)
    assert sum(row["count"] for row in report["rows"]) == 2 * (9 + 8)
    assert sum(row["count"] for row in report["reliability"]) == 28 * len(INTENTS)
    assert report == diagnosing.measure(restorer, [tmp_path / "a.png"] * 2)
