"""A person's own classes, from a folder with rows to a preset that knows them."""

import json

import numpy as np
import pytest
from PIL import Image

import tfimg
from tfimg import commands
from tfimg.tasks.preprocessor import NOTHING_KNOWN
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
    assert [image.shape for image in test["image"]] == [(20, 17, 3)] * 4
    for part, peak in ((train, 1), (test, 255)):
        brightness = np.array([image.mean() / peak for image in part["image"]])
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
    for part, peak in ((train, 1), (test, 255)):
        bright = np.array([image.mean() / peak > 0.35 for image in part["image"]])
        np.testing.assert_array_equal(bright, part["label"] == 0)
    out = tmp_path / "mine"
    arguments = ["--data", str(tmp_path / "animals"), "--preset", str(preset), "--out", str(out)]
    assert own_classes.main([*arguments, "--side", "16", "--epochs", "1"]) == 0
    said = capsys.readouterr().out
    assert "picture alone" in said and "description" not in said


def _changed(rows, change):
    """Applies a function to each row."""
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    for number, line in enumerate(lines):
        change(number, line)
    rows.write_text("\n".join(map(json.dumps, lines)))


def test_numbers_are_read_as_their_text(rows):
    _changed(rows, lambda number, row: row.update(name=number % 2 + 7, shelf=number % 2 + 0.5))
    train, test, labels = own_classes.read(rows, "name", "shelf", "part", side=16)
    assert labels == ["7", "8"]
    for part in (train, test):
        assert list(part["description"]) == [f"{number}.5" for number in part["label"]]


def test_a_row_without_a_description_is_told_that_nothing_is_known(rows):
    _changed(rows, lambda number, row: row.pop("shelf") if number == 0 else None)
    train, _, _ = own_classes.read(rows, "name", "shelf", "part", side=16)
    assert sorted({*train["description"]} - {"haze 0", "haze 1"}) == [NOTHING_KNOWN]


def test_what_is_fitted_on_is_what_classify_sees(rows):
    train, _, _ = own_classes.read(rows, "name", None, "part")
    assert train["image"].shape == (8, 17, 17, 3), "the shortest side of all"
    with Image.open(rows.parent / "shop/0.png") as image:
        first = np.asarray(image)[1:18] / 255
    assert np.abs(train["image"] - first).max(axis=(1, 2, 3)).min() < 1e-6


def test_accuracy_is_that_of_classify():
    class Bright:
        labels = ("dark", "bright")

        def classify(self, image, description):
            return {"dark": 0.4, "bright": 0.6 if image.mean() > 9 or description == "sun" else 0.1}

    test = {"image": [np.full((size, 5, 3), 5 * size, np.uint8) for size in (1, 2, 3, 1)]}
    test |= {"label": np.array([0, 1, 0, 1]), "description": np.array(["", "", "", "sun"])}
    assert own_classes.right(Bright(), test, told=False) == 0.5
    assert own_classes.right(Bright(), test, told=True) == 0.75


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda number, row: number == 3 and row.pop("name"), "'shop/3.png' has no name"),
        (lambda number, row: row.update(name="fog"), "are ['fog']; expected two or more"),
        (lambda number, row: row.update(part=1), "are []; expected two or more"),
        (lambda number, row: row.update(name=["a", "b"]), "column 'name' holds lists"),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_it_is(
    rows, change, message, preset, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(own_classes, "fit", lambda *_: pytest.fail("it was fitted"))
    monkeypatch.setattr(commands, "load", lambda *_: None)
    _changed(rows, change)
    arguments = ["--data", str(rows), "--label", "name", "--split", "part", "--preset", str(preset)]
    assert own_classes.main([*arguments, "--out", str(tmp_path / "mine")]) == 2
    lines = capsys.readouterr().err.splitlines()  # bars of progress come before it
    assert lines[-1].startswith("training.own_classes: error: ") and message in lines[-1]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(own_classes, "read", lambda *_: pytest.fail("it was read"))
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "mine"
    assert own_classes.main(["--data", "x.jsonl", "--out", str(out)]) == 2
    error = capsys.readouterr().err.strip()
    assert f"output {str(out)!r} cannot be written" in error and "\n" not in error


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
