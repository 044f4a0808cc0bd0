"""`training.evaluate --task text_to_image` from end to end, on tiny pictures and networks."""

import json

import numpy as np
import pytest
from PIL import Image

import tfimg
from tests import tiny
from training import evaluate
from training.kinds.things import captioned_sets
from training.matcher import Matcher

SIDE = 16
# Names are longer than the tiny text branch can read.
pytestmark = pytest.mark.filterwarnings("ignore:the instruction has")


@pytest.fixture(scope="module")
def captioned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioned")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(130):
        picture = np.full((SIDE, SIDE, 3), rng.integers(0, 256, 3), np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png")
        row = {"file": f"{number}.png", "name": f"thing {number}", "style": "photo"}
        rows.append(json.dumps(row))
    (folder / "rows.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "maker"
    backbone = tiny.backbone(canvas=SIDE, embedding_dim=7)
    tfimg.TextToImage(tiny.perturb(backbone), tiny.preprocessor()).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def matcher(maker, captioned, tmp_path_factory):
    judge = Matcher(tfimg.TextToImage.from_preset(str(maker)))
    judge.fit(captioned_sets([captioned], "train", SIDE), steps=2)
    path = tmp_path_factory.mktemp("judge") / "matcher.weights.h5"
    judge.save(path)
    return path


def _arguments(maker, captioned, matcher):
    arguments = ["--task", "text_to_image", "--preset", str(maker), "--data", str(captioned)]
    return [*arguments, "--matcher", str(matcher)]


def test_everything_is_measured_and_shown(maker, captioned, matcher, tmp_path, capsys):
    arguments = _arguments(maker, captioned, matcher)
    assert evaluate.main([*arguments, "--steps", "1", "2", "--out", str(tmp_path), "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [report["steps"] for report in reports] == [1, 2]
    for report in reports:
        (row,) = report["rows"]  # too few unseen names to look among a hundred
        assert row["names"] == "seen" and row["count"] == 100
        assert 0 <= row["r1"] <= row["r5"] <= 1 and 0 <= row["real_r1"] <= row["real_r5"] <= 1
        assert np.isfinite([report["kid"], report["kid_floor"]]).all()
        assert 0 < report["diversity"] < 1
    for sheet in ("made.png", "seeds.png"):
        assert np.asarray(Image.open(tmp_path / sheet)).std() > 1


def test_a_judge_is_the_same_after_it_was_saved(maker, matcher):
    task = tfimg.TextToImage.from_preset(str(maker))
    judges = [Matcher(task) for _ in range(2)]
    pictures = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
    fresh = judges[0].see(pictures)["placed"]
    for judge in judges:
        judge.load(matcher)
    one, other = (judge.see(pictures)["placed"] for judge in judges)
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.abs(one - fresh).max() > 1e-3
    np.testing.assert_allclose(
        np.linalg.norm(judges[0].read(["rain", "haze"]), axis=1), 1, rtol=1e-5
    )


def test_too_few_names_are_refused_before_a_judge_is_trained(
    maker, captioned, tmp_path, capsys, monkeypatch
):
    few = tmp_path / "few"
    few.mkdir()
    rows = (captioned / "rows.jsonl").read_text().splitlines()[:60]
    for number in range(60):
        (few / f"{number}.png").write_bytes((captioned / f"{number}.png").read_bytes())
    (few / "rows.jsonl").write_text("\n".join(rows))
    monkeypatch.setattr(Matcher, "fit", lambda *_: pytest.fail("it was trained"))
    assert evaluate.main(_arguments(maker, few, tmp_path / "new.weights.h5")) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]  # below the bars of TFDS
    assert "names to learn from; expected 100 or more" in error and error.endswith("looked for")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--matcher": "judge.bin"}, ".weights.h5"),
        ({"--matcher": "no/such/folder/m.weights.h5"}, "no such folder"),
        ({"--data": "no_such_folder"}, "no such folder"),
        ({"--steps": "0"}, "expected 1 or more"),
        ({"--steps": "17"}, "--steps is 17; expected 1..16"),
        ({"--degradation": "rain"}, "nothing else"),
    ],
)
def test_what_cannot_be_measured_is_refused(maker, captioned, matcher, capsys, change, message):
    arguments = _arguments(maker, captioned, matcher)
    for name, value in change.items():
        arguments += [name, value]  # the last one counts
    try:
        status = evaluate.main(arguments)
    except SystemExit as error:
        status = error.code
    assert status == 2 and message in capsys.readouterr().err
