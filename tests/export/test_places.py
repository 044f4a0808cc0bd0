"""Which files are restored, and where their results go."""

import pytest

from export.places import fixed_part, is_input, lies_in, target


@pytest.mark.parametrize(
    ("pattern", "root"),
    [("in/*.png", "in"), ("in/**", "in"), ("in/a/b.png", "in/a"), ("/x/y?/z/*", "/x"), ("*", "")],
)
def test_outputs_mirror_what_no_wildcard_touches(pattern, root):
    assert fixed_part(pattern) == root
    assert target(f"{root}/deep/a.jpg", root, "out/") == "out/deep/a.jpg.png"


@pytest.mark.parametrize(
    ("path", "root", "output", "restored"),
    [
        ("in/a.png", "in", "out", True),
        ("in/deep/a.WEBP", "in", "in/out", True),
        ("in/outside.png", "in", "in/out", True),
        ("in/notes.txt", "in", "out", False),
        ("in/.a.png", "in", "out", False),
        ("in/.cache/a.png", "in", "out", False),
        ("/home/.me/in/a.png", "/home/.me/in", "out", True),
        ("in/out/a.jpg.png", "in", "in/out", False),
        ("in/out/a.jpg.png", "in", "./in/out/", False),
        ("in/out/a.jpg.png", "in", "HERE/in/out", False),
        ("a.png", "", "out", True),
        ("out/a.jpg.png", "", "out", False),
        ("gs://b/in/out/a.png", "gs://b/in", "gs://b/in/out", False),
        ("gs://b/in/a.png", "gs://b/in", "gs://b/in/out", True),
    ],
)
def test_neither_hidden_files_nor_results_are_restored(
    path, root, output, restored, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert is_input(path, root, output.replace("HERE", str(tmp_path))) is restored


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [("in", "in", True), ("in", ".", True), ("in", "/", True), ("in", "in/out", False),
     ("inner", "in", False), ("gs://b/in", "gs://b/in/", True)],
)  # fmt: skip
def test_a_folder_lies_in_itself_and_in_those_above(path, folder, inside):
    assert lies_in(path, folder) is inside
