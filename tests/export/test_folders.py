"""Folders that appear whole: beside the wanted one, and then in its place."""

from pathlib import Path

import pytest

from export.folders import written_whole


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_appears_when_it_is_whole(there, tmp_path):
    folder = tmp_path / "above" / "phone"
    if there:
        folder.mkdir(parents=True)
    with written_whole(folder) as fresh:
        (fresh / "inner").mkdir()
        (fresh / "inner" / "file").write_text("whole")
        assert folder.exists() == there and not list(folder.glob("*"))
    assert (folder / "inner" / "file").read_text() == "whole"
    assert [path.name for path in folder.parent.iterdir()] == ["phone"]


def test_it_may_be_where_one_stands(tmp_path, monkeypatch):
    (tmp_path / "phone").mkdir()
    monkeypatch.chdir(tmp_path / "phone")
    with written_whole(Path(".")) as fresh:
        (fresh / "file").write_text("whole")
    assert [path.read_text() for path in Path(".").iterdir()] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["phone"]


def test_nothing_is_left_of_what_fails(tmp_path):
    with pytest.raises(ValueError, match="no luck"), written_whole(tmp_path / "phone") as fresh:
        (fresh / "file").write_text("half")
        raise ValueError("no luck")
    assert not list(tmp_path.iterdir())


def test_what_came_in_meanwhile_stays(tmp_path):
    folder = tmp_path / "phone"
    folder.mkdir()
    with pytest.raises(FileExistsError, match="not empty"), written_whole(folder) as fresh:
        (fresh / "file").write_text("ours")
        (folder / "file").write_text("theirs")
    assert (folder / "file").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["phone"]
