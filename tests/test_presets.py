"""A preset is data: what is not whole or not plain data is refused in one line."""

import json
import shutil
import sys

import h5py
import keras
import numpy as np
import pytest

import tfimg
from tests import tiny
from tfimg import presets


@pytest.fixture
def copy(preset, tmp_path):
    """A preset that a test may break."""
    return shutil.copytree(preset, tmp_path / "copy")


def _refused(folder, pattern):
    with pytest.raises(ValueError, match=pattern) as refusal:
        tfimg.ImageRestorer.from_preset(str(folder))
    assert "\n" not in str(refusal.value)


def _edit(folder, name, change):
    config = json.loads((folder / name).read_text())
    change(config)
    (folder / name).write_text(json.dumps(config))


def test_a_preset_comes_back_as_it_went(restorer, preset):
    loaded = tfimg.ImageRestorer.from_preset(preset)  # a path, as well as a name
    image, words = tiny.picture(9, 13), "remove the noise"
    weights = zip(loaded.backbone.weights, restorer.backbone.weights, strict=True)
    for found, expected in weights:
        np.testing.assert_array_equal(found, expected)
    # A graph traced for pictures of any size adds up in another order than one of a known size.
    found, expected = loaded.restore(image, words), restorer.restore(image, words)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert loaded.interpret([words]) == restorer.interpret([words])
    assert loaded.preprocessor.sequence_length == tiny.LENGTH


def test_one_preset_serves_both_tasks(restorer, preset):
    classifier = tfimg.ImageClassifier.from_preset(str(preset))
    expected = tfimg.ImageClassifier(restorer.backbone, restorer.preprocessor)
    image = tiny.picture()
    assert classifier.classify(image) == expected.classify(image)


def test_a_preset_loads_in_mixed_precision(restorer, preset):
    loaded = tfimg.ImageRestorer.from_preset(str(preset), dtype="mixed_bfloat16")
    image, words = tiny.picture(9, 13), "remove the noise"
    found, expected = loaded.restore(image, words), restorer.restore(image, words)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 0.05


@pytest.mark.parametrize("name", ["no_such_preset", "no/such/folder", "", "hf:/typo"])
def test_an_unknown_name_is_quoted(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _refused(name, rf"'{name}'")


def test_a_path_is_resolved_like_its_name(preset, tmp_path):
    assert presets.resolve(preset) == presets.resolve(str(preset)) == str(preset)
    with pytest.raises(ValueError, match=f"unknown preset '{tmp_path / 'none'}'"):
        presets.resolve(tmp_path / "none")


def test_a_file_is_no_preset(preset):
    _refused(preset / "config.json", "unknown preset")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    _refused(copy, f"{name} is missing")


@pytest.mark.parametrize("name", ["config.json", "task.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b'{"module": "keras', b"\xff\xfe\x00"])
def test_broken_json_is_named(copy, name, content):
    (copy / name).write_bytes(content)
    _refused(copy, f"broken preset .*{name}")


@pytest.mark.parametrize("content", [b"null", b"[]", b"3", b"{}", b'{"class_name": "Dense"}'])
def test_json_of_something_else_is_refused(copy, content):
    (copy / "config.json").write_bytes(content)
    _refused(copy, "preset")


def test_truncated_weights_are_refused(copy):
    weights = copy / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:2000])
    _refused(copy, "cannot load preset")


def test_weights_that_are_no_weights_are_refused(copy):
    (copy / "model.weights.h5").write_bytes(b"not an HDF5 file" * 100)
    _refused(copy, "cannot load preset")


def test_weights_of_another_network_are_refused(copy):
    def widen(config):
        config["config"]["widths"][-1] += 2

    for name in ("config.json", "task.json"):
        _edit(copy, name, lambda c, n=name: widen(c if n[0] == "c" else c["config"]["backbone"]))
    _refused(copy, "cannot load preset")


def test_weights_with_a_missing_array_are_refused(copy):
    with h5py.File(copy / "model.weights.h5", "r+") as file:
        arrays = []
        file.visititems(lambda n, o: arrays.append(n) if isinstance(o, h5py.Dataset) else None)
        del file[arrays[0]]
    _refused(copy, "cannot load preset")


def test_a_missing_vocabulary_is_refused(copy):
    shutil.rmtree(copy / "assets")
    _refused(copy, "cannot load preset")


_HOSTILE = {
    "a shell command": {"module": "os", "class_name": "system", "config": "touch {canary}"},
    "a function": {
        "module": "builtins",
        "class_name": "function",
        "config": "exec",
        "registered_name": "function",
    },
    "a process": {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["touch", "{canary}"]},
    },
    "a lambda": {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "{code}"}}},
    },
    "a lambda by its path": {
        "module": "keras",
        "class_name": "layers.Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "{code}"}}},
    },
    "a lambda's insides": {"class_name": "__lambda__", "config": {"code": "{code}"}},
    "another program": {
        "module": "keras.layers",
        "class_name": "TFSMLayer",
        "config": {"filepath": "{canary}", "name": "x"},
    },
    "a module of one's own": {"module": "hostile", "class_name": "Layer", "config": {}},
    "a module of one's own, registered": {
        "module": "hostile",
        "class_name": "Layer",
        "config": {},
        "registered_name": "tfimg>Layer",
    },
}


@pytest.mark.parametrize("name", ["config.json", "task.json", "preprocessor.json"])
@pytest.mark.parametrize("attack", _HOSTILE)
def test_a_hostile_preset_runs_no_code(copy, tmp_path, monkeypatch, name, attack):
    canary = tmp_path / "canary"
    (tmp_path / "hostile.py").write_text(f"open({str(canary)!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    touch = eval(f"lambda x: __import__('pathlib').Path({str(canary)!r}).touch()")
    code = json.dumps(keras.src.utils.python_utils.func_dump(touch)[0]).strip('"')
    text = json.dumps(_HOSTILE[attack])
    hostile = json.loads(text.replace("{canary}", str(canary)).replace("{code}", code))

    def plant(config):
        parts = config["config"]
        place = "backbone" if "backbone" in parts else "bert" if "bert" in parts else "tokenizer"
        parts[place] = hostile

    _edit(copy, name, plant)
    _refused(copy, "preset")
    assert not canary.exists()
    assert "hostile" not in sys.modules
    touch(None)
    assert canary.exists(), "the canary cannot sing"


def test_bundled_presets_resolve_and_have_cards():
    for name in presets.names():
        assert presets.resolve(name).endswith(name)
        assert presets.card(name)["size"] > 0
