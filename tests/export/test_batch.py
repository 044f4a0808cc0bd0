"""Many pictures through Apache Beam: all of them, once, and a line for each that failed."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("apache_beam", reason="Apache Beam is an extra, installed by .ci/run")

from export import batch, saved_model

WORDS = "remove the noise"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model(restorer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "restorer" / "1"
    saved_model.write(restorer, folder, "nowhere", 100_000)
    return folder


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.jpg", "deep/c.webp", "deep/er/d.jpeg"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size = rng.integers(5, 40, 2)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    (tmp_path / "in" / ".hidden.png").write_bytes(b"of a program that is still writing")
    return tmp_path / "in"


def _run(photos, model, output, *more):
    arguments = ["--input", f"{photos}/**", "--output", str(output), "--instruction", WORDS]
    return batch.main([*arguments, "--model", str(model), *more])


def _made(output):
    return sorted(str(path.relative_to(output)) for path in output.rglob("*.png"))


def test_every_picture_has_its_result_and_every_failure_its_line(
    photos, model, restorer, tmp_path, capsys
):
    output = tmp_path / "out"
    assert _run(photos, model, output) == 2
    assert "5 found, 0 there already, 4 written, 1 failed" in capsys.readouterr().out
    assert _made(output) == ["a.png.png", "b.jpg.png", "deep/c.webp.png", "deep/er/d.jpeg.png"]
    picture = np.asarray(Image.open(photos / "a.png"))
    expected = restorer.restore(picture, WORDS).astype(int)
    assert np.abs(np.asarray(Image.open(output / "a.png.png")) - expected).max() <= 1
    (listed,) = output.glob("failed*.jsonl")
    (line,) = listed.read_text().splitlines()
    row = json.loads(line)
    assert row["file"].endswith("broken.png") and row["error"] and "\n" not in row["error"]


def test_an_output_among_the_pictures_is_not_restored_again(photos, model, tmp_path, capsys):
    output = photos / "better"
    (photos / "broken.png").unlink()
    for said in ("4 found, 0 there already, 4 written", "4 found, 4 there already, 0 written"):
        assert _run(photos, model, output) == 0
        assert said in capsys.readouterr().out
    assert len(_made(output)) == 4


def test_pictures_are_upright(model, restorer, tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held on its side
    (tmp_path / "in").mkdir()
    Image.fromarray(picture).save(tmp_path / "in" / "a.png", exif=turned)
    assert _run(tmp_path / "in", model, tmp_path / "out") == 0
    expected = restorer.restore(np.rot90(picture, -1), WORDS).astype(int)
    found = np.asarray(Image.open(tmp_path / "out" / "a.png.png"))
    assert found.shape == (30, 20, 3) and np.abs(found - expected).max() <= 1


def test_a_second_run_does_only_what_is_missing(photos, model, tmp_path, capsys):
    output = tmp_path / "out"
    (photos / "broken.png").unlink()
    assert _run(photos, model, output) == 0
    assert "4 written, 0 failed" in capsys.readouterr().out
    kept = (output / "a.png.png").stat().st_mtime_ns
    (output / "deep" / "c.webp.png").unlink()
    assert _run(photos, model, output) == 0
    assert "4 found, 3 there already, 1 written, 0 failed" in capsys.readouterr().out
    assert (output / "a.png.png").stat().st_mtime_ns == kept
    assert len(_made(output)) == 4


def test_a_run_that_is_killed_goes_on_and_loses_nothing(model, tmp_path, capsys):
    photos, output = tmp_path / "in", tmp_path / "out"
    photos.mkdir()
    for number in range(30):
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(photos / f"{number}.png")
    command = [sys.executable, "-m", "export.batch", "--input", f"{photos}/*", "--output"]
    command += [str(output), "--instruction", WORDS, "--model", str(model)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(_made(output)) < 3:
        pass
    process.kill()
    process.wait()
    done = len(_made(output))
    assert done >= 3
    for path in output.rglob("*.png"):
        if not path.name.startswith("."):
            Image.open(io.BytesIO(path.read_bytes())).load()
    assert _run(photos, model, output) == 0
    finished = [path for path in output.rglob("*.png") if not path.name.startswith(".")]
    assert len(finished) == 30
    said = capsys.readouterr().out
    assert ("0 failed" in said and f"{30 - done} written" in said) or done == 30


def test_what_cannot_be_run_is_refused(photos, model, tmp_path, capsys):
    arguments = ["--input", f"{photos}/*", "--output", str(tmp_path / "out")]
    assert batch.main([*arguments, "--instruction", " ", "--model", str(model)]) == 2
    assert "empty" in capsys.readouterr().err
    assert batch.main([*arguments, "--instruction", WORDS, "--model", str(tmp_path)]) == 2
    assert "export.saved_model" in capsys.readouterr().err
    arguments += ["--instruction", WORDS, "--model", str(model)]
    assert batch.main([*arguments, "--output", str(tmp_path)]) == 2
    assert "holds the pictures" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert batch.main([*arguments, "--input", f"{tmp_path}/*.gif"]) == 2
    assert "matches no picture" in capsys.readouterr().err
