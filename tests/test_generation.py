"""`generate` on the command line: files and grids, and one line for what cannot be made."""

import contextlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tfimg import cli, commands, show
from tfimg.generation import grid


class Maker:
    """Makes pictures whose colour is their seed; remembers what was asked."""

    def __init__(self, side=64):
        self.calls = []
        self.backbone = SimpleNamespace(canvas=side)

    def generate(self, prompt, num_images, seed, style, steps=1, progress=None):
        self.calls.append((prompt, num_images, seed, style, steps))
        progress(1, 1)
        shape = (self.backbone.canvas, self.backbone.canvas, 3)
        return np.stack(
            [np.full(shape, value, np.uint8) for value in range(seed, seed + num_images)]
        )


class Restorer:
    """Adds one to every pixel."""

    def restore(self, image, instruction, insist):
        assert instruction == "increase the resolution" and insist
        return image + 1


@pytest.fixture
def maker(monkeypatch):
    tasks = {"TextToImage": Maker(), "ImageRestorer": Restorer()}
    monkeypatch.setattr(commands, "load", lambda task, preset: tasks[task])
    monkeypatch.setattr(commands, "check_preset", lambda name, default=None: name or default)
    return tasks["TextToImage"]


def _run(*words):
    return cli.main(["generate", *words])


def _pixels(path):
    return np.asarray(Image.open(path))


def test_one_picture_goes_into_one_file(maker, tmp_path):
    out = tmp_path / "sun.png"
    assert _run("a sun", "--seed", "7", "--style", "photo", "-o", str(out)) == 0
    assert maker.calls == [("a sun", 1, 7, "photo", 1)]
    assert (_pixels(out) == 7).all() and _pixels(out).shape == (64, 64, 3)


def test_several_make_a_grid_in_a_file_and_files_in_a_folder(maker, tmp_path):
    assert _run("a sun", "--count", "6", "-o", str(tmp_path / "grid.png")) == 0
    laid = _pixels(tmp_path / "grid.png")
    assert laid.shape == (2 * 64, 3 * 64, 3)
    np.testing.assert_array_equal(laid[::64, ::64, 0], [[0, 1, 2], [3, 4, 5]])
    assert _run("a sun", "--count", "3", "--seed", "4", "-o", str(tmp_path / "suns")) == 0
    assert {path.name: _pixels(path)[0, 0, 0] for path in (tmp_path / "suns").iterdir()} == {
        "4.png": 4,
        "5.png": 5,
        "6.png": 6,
    }


@pytest.mark.parametrize("name", ["out.v2", "set.1/"])
def test_a_folder_may_have_a_dot_in_its_name(maker, tmp_path, name):
    (tmp_path / "out.v2").mkdir()
    assert _run("a sun", "--count", "2", "-o", f"{tmp_path}/{name}") == 0
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["0.png", "1.png"]


def test_the_size_is_the_presets_own_or_larger(maker, tmp_path, capsys):
    maker.backbone.canvas = 128
    assert _run("a sun", "--seed", "9", "-o", str(tmp_path / "o.png")) == 0
    assert _pixels(tmp_path / "o.png").shape == (128, 128, 3)
    assert (_pixels(tmp_path / "o.png") == 9).all(), "nothing to enlarge"
    assert _run("a sun", "--size", "64", "-o", str(tmp_path / "small.png")) == 2
    error = capsys.readouterr().err
    assert "--size is 64, but preset 'icons_small' makes pictures of 128x128" in error
    assert error.count("\n") == 1 and not (tmp_path / "small.png").exists()


def test_making_moves_a_bar(maker, tmp_path, monkeypatch):
    moved = []

    @contextlib.contextmanager
    def bars(label, count):
        yield None, lambda *counts: moved.append((label, *counts)), print

    monkeypatch.setattr(show, "bars", bars)
    assert _run("a sun", "-o", str(tmp_path / "o.png")) == 0
    assert moved == [("making", 1, 1)]


def test_a_larger_size_goes_through_the_restorer(maker, tmp_path):
    assert _run("a sun", "--size", "256", "--seed", "9", "-o", str(tmp_path / "o.png")) == 0
    assert _pixels(tmp_path / "o.png").shape == (256, 256, 3)
    assert (_pixels(tmp_path / "o.png") == 10).all()


def test_json_names_the_files(maker, tmp_path, capsys):
    assert _run("日落", "--count", "2", "--json", "-o", str(tmp_path / "o")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prompt"] == "日落" and told["seeds"] == [0, 1]
    assert told["files"] == [str(tmp_path / "o" / f"{seed}.png") for seed in (0, 1)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 16, 50, 100])
def test_a_grid_holds_every_picture_once_on_white(count):
    laid = grid(np.full((count, 2, 2, 3), 9, np.uint8))
    assert (laid == 9).sum() == count * 12 and ((laid == 9) | (laid == 255)).all()
    assert laid.shape[1] <= 16 and laid.shape[0] * laid.shape[1] < (count + 8) * 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["", "-o", "{}/o.png"], "prompt is empty"),
        ([" \t", "-o", "{}/o.png"], "prompt is empty"),
        (["x" * 10_000, "-o", "{}/o.png"], "10000 characters"),
        (["sun", "-o", "{}/o.png", "--seed", "-1"], "seed is -1"),
        (["sun", "-o", "{}/o.png", "--seed", "1e3"], "'1e3'"),
        (["sun", "-o", "{}/o.png", "--count", "0"], "is 0"),
        (["sun", "-o", "{}/o.png", "--count", "10000"], "is 10000"),
        (["sun", "-o", "{}/o.png", "--steps", "99"], "is 99"),
        (["sun", "-o", "{}/o.png", "--size", "7"], "--size is 7"),
        (["sun", "-o", "{}/o.png", "--style", "oil"], "'oil'"),
        (["sun", "-o", "{}/o.xyz"], "'.xyz'"),
        (["sun", "-o", "/proc/o.png"], "cannot be written"),
        (["sun", "-o", "/proc/o", "--count", "2"], "cannot be written"),
        (["sun", "-o", ""], "found '', expected the name of a file or folder"),
        (["sun"], "-o"),
    ],
)
def test_what_generate_refuses_before_anything_is_loaded(
    monkeypatch, tmp_path, capsys, words, message
):
    monkeypatch.setattr(commands, "load", None)
    words = [word.format(tmp_path) if "{}" in word else word for word in words]
    try:
        status = _run(*words)
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
