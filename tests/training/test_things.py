"""Captioned sets by path and by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfimg.data.folder_builder import PictureFolder
from training.kinds import things


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    folder = tmp_path / "set"
    folder.mkdir()
    rows = []
    for number in range(4):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(folder / f"{number}.png")
        rows.append(json.dumps({"file": f"{number}.png", "name": f"thing {number % 2}"}))
    (folder / "rows.jsonl").write_text("\n".join(rows))
    return folder


@pytest.mark.parametrize(
    "name",
    ["tiny_captions", "tiny_captions/2014", "tiny_captions/2014:1.0.0", "tiny_captions:1.0.0"],
)
def test_a_name_may_have_a_configuration_and_a_version(name, folder, monkeypatch):
    asked = []

    def builder(name):
        asked.append(name)
        return PictureFolder(folder, channels=4)

    monkeypatch.setattr(things.tfds, "list_builders", lambda: ["tiny_captions", "other"])
    monkeypatch.setattr(things.tfds, "builder", builder)
    captioned = things.captioned_sets([Path(name)], "train", 8)
    assert asked == [name] and len(captioned.rows) == 4
    assert len(things.captioned_sets([folder], "train", 8).rows) == 4
    assert asked == [name], "a folder is read as it is"


def test_what_is_neither_is_refused(folder, monkeypatch):
    monkeypatch.setattr(things.tfds, "list_builders", lambda: ["tiny_captions"])
    with pytest.raises(FileNotFoundError, match="tiny_caption/2014"):
        things.captioned_sets([Path("tiny_caption/2014")], "train", 8)
