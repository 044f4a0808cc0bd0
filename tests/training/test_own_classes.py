"""A person's own classes, from a folder with rows to a preset that knows them."""

import json

import numpy as np
import pytest
from PIL import Image

import tfimg
from training import own_classes


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """Twelve pictures, dark and bright, of which four are to test."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    (tmp_path / "shop").mkdir()
    lines = []
    for number in range(12):
        shade = 40 if number % 2 else 210
        noise = np.random.default_rng(number).integers(-20, 20, (20, 17, 3))
        name = f"shop/{number}.png"
        Image.fromarray((shade + noise).astype(np.uint8)).save(tmp_path / name)
        row = {"file": name, "name": ["bright", "dark"][number % 2], "shelf": f"haze {number % 2}"}
        lines.append(json.dumps({**row, "part": "val" if number > 7 else "train"}))
    path = tmp_path / "shop.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_rows_become_pictures_numbers_and_words(rows):
    train, test, labels = own_classes.read(rows, "name", "shelf", "part", side=16)
    assert labels == ["bright", "dark"]
    assert train["image"].shape == (8, 16, 16, 3) and len(test["label"]) == 4
    for part in (train, test):
        brightness = part["image"].mean(axis=(1, 2, 3))
        np.testing.assert_array_equal(brightness < 0.5, part["label"] == 1)
        assert [words[-1] for words in part["description"]] == [str(n) for n in part["label"]]
    with pytest.raises(ValueError, match="no column 'colour'"):
        own_classes.read(rows, "name", "colour", None, side=16)


def test_the_command_fits_tests_and_saves(rows, preset, tmp_path, capsys):
    out = tmp_path / "mine"
    arguments = ["--data", str(rows), "--label", "name", "--description", "shelf"]
    arguments += ["--split", "part"]
    arguments += ["--preset", str(preset), "--out", str(out), "--side", "16", "--epochs", "2"]
    assert own_classes.main(arguments) == 0
    said = capsys.readouterr().out
    assert "8 pictures to fit on, 4 to test, 2 names" in said
    assert "picture alone" in said and "picture and description" in said
    mine = tfimg.ImageClassifier.from_preset(str(out))
    assert mine.labels == ("bright", "dark")
    assert own_classes.main(arguments) == 2, "it does not overwrite"


def test_subfolders_are_classes(rows, preset, tmp_path, capsys):
    for number in range(30):
        folder = tmp_path / "animals" / ("cat" if number % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        shade = np.full((16, 16, 3), 99 * (number % 2) + number, np.uint8)
        Image.fromarray(shade).save(folder / f"{number}.png")
    train, test, labels = own_classes.read(tmp_path / "animals", "label", None, None, side=16)
    assert labels == ["cat", "dog"] and len(train["label"]) + len(test["label"]) == 30
    assert 0 < len(test["label"]) < 10
    for part in (train, test):
        np.testing.assert_array_equal(part["image"].mean(axis=(1, 2, 3)) > 0.35, part["label"] == 0)
    out = tmp_path / "mine"
    arguments = ["--data", str(tmp_path / "animals"), "--preset", str(preset), "--out", str(out)]
    assert own_classes.main([*arguments, "--side", "16", "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    assert "picture alone" in said and "description" not in said


def test_names_that_are_never_learnt_cannot_be_tested(rows):
    rows.write_text(rows.read_text().replace('"part": "val"', '"part": "val", "name": "new"'))
    with pytest.raises(ValueError, match="no picture to test with has a name that is learnt"):
        own_classes.read(rows, "name", None, "part", side=16)


@pytest.mark.parametrize("preset", ["nowhere", "describer"])
def test_a_preset_that_is_none_is_refused_before_anything_is_read(
    preset, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(own_classes, "read", lambda *_: pytest.fail("it was read"))
    arguments = ["--data", "x.jsonl", "--description", "shelf", "--out", str(tmp_path / "mine")]
    assert own_classes.main([*arguments, "--preset", preset]) == 2
    error = capsys.readouterr().err.strip()
    assert preset in error and "\n" not in error
