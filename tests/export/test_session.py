"""The C++ runtime through its C API: arrays and strings in and out, and errors in words."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from export import comparison
from export.runtime import Failed
from export.session import Session, TensorSpec, main

tf = pytest.importorskip("tensorflow")
ROOT = Path(__file__).parents[2]
TEXTS = [b"", b"short", b"x" * 22, b"y" * 23, b"z" * 5000, "去掉噪点 🌧".encode(), b"\0\xff\0"]


class _Module(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def double(self, text):
        return {"same": text, "twice": text + text, "length": tf.strings.length(text)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3], tf.float32, "a"),
            tf.TensorSpec([], tf.int32, "b"),
            tf.TensorSpec(None, tf.uint8, "c"),
        ]
    )
    def numbers(self, a, b, c):
        tf.debugging.assert_greater(b, 0, "b is too small")
        return {"sum": a + tf.cast(b, tf.float32), "b": b > 3, "c": c}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64, "count")])
    def zeros(self, count):
        return {"zeros": tf.fill([count], 0.0)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, module = tmp_path_factory.mktemp("saved"), _Module()
    signatures = {name: getattr(module, name) for name in ("double", "numbers", "zeros")}
    tf.saved_model.save(module, str(path), signatures)
    return path


@pytest.fixture(scope="module")
def session(folder):
    with Session(folder) as session:
        yield session


def _numbers(**changes):
    return {"a": np.ones((2, 3), np.float32), "b": 4, "c": np.zeros((1, 2), np.uint8), **changes}


def test_signatures_are_told(session):
    assert list(session.signatures) == ["double", "numbers", "zeros"]
    inputs = session.signatures["numbers"].inputs
    found = {name: (spec.dtype, spec.shape) for name, spec in inputs.items()}
    assert found == {"a": ("float32", (None, 3)), "b": ("int32", ()), "c": ("uint8", None)}
    outputs = session.signatures["double"].outputs
    assert isinstance(outputs["twice"], TensorSpec) and outputs["twice"].dtype == object


def test_strings_of_any_length_go_in_and_out(session):
    out = session.run("double", {"text": TEXTS})
    assert out["same"].tolist() == TEXTS
    assert out["twice"].tolist() == [text + text for text in TEXTS]
    assert out["length"].tolist() == [len(text) for text in TEXTS]


@pytest.mark.parametrize("text", [["去"], np.array(["去"]), np.array(["去"], object)])
def test_unicode_strings_are_utf8(session, text):
    assert session.run("double", {"text": text})["same"].tolist() == ["去".encode()]


def test_no_strings_at_all(session):
    assert session.run("double", {"text": []})["twice"].shape == (0,)


def test_numbers_keep_their_dtype_and_shape(session):
    out = session.run("numbers", _numbers())
    np.testing.assert_array_equal(out["sum"], np.full((2, 3), 5, np.float32))
    assert out["b"].dtype == bool and out["b"].shape == () and out["b"]
    assert out["c"].dtype == np.uint8 and out["c"].shape == (1, 2)


def test_arrays_in_another_memory_order(session):
    a = np.arange(6, dtype=np.float32).reshape(3, 2).T
    np.testing.assert_array_equal(session.run("numbers", _numbers(a=a))["sum"], a + 4)


@pytest.mark.parametrize(
    "changes,error,pattern",
    [
        ({"a": np.ones((2, 4), np.float32)}, ValueError, r"'a' has shape \(2, 4\)"),
        ({"b": [4]}, ValueError, r"'b' has shape \(1,\)"),
        ({"b": 4.5}, TypeError, "'b' has dtype float64; expected int32"),
        ({"c": np.zeros(2, np.int64)}, TypeError, "'c' has dtype int64; expected uint8"),
        ({"d": 1}, ValueError, r"takes \['a', 'b', 'c'\], found .*'d'"),
        ({"b": 0}, ValueError, "(?s)'numbers' failed.*b is too small"),
    ],
)
def test_bad_inputs_are_named(session, changes, error, pattern):
    with pytest.raises(error, match=pattern):
        session.run("numbers", _numbers(**changes))


def test_what_no_request_is_to_blame_for_is_another_error(session):
    with pytest.raises(Failed, match="(?s)'zeros' failed.*OOM") as caught:
        session.run("zeros", {"count": 2**50})
    assert caught.value.code == 8  # RESOURCE_EXHAUSTED
    assert not isinstance(caught.value, ValueError)
    assert session.run("zeros", {"count": 2})["zeros"].tolist() == [0, 0]


def test_what_is_no_string_is_named(session):
    with pytest.raises(TypeError, match="holds 3"):
        session.run("double", {"text": ["a", 3]})


def test_an_unknown_signature_is_named(session):
    with pytest.raises(ValueError, match=r"no signature 'triple'.*double"):
        session.run("triple", {})


def test_a_missing_or_broken_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"saved_model\.pb is missing"):
        Session(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot load"):
        Session(tmp_path)


def test_unknown_tags_are_named(folder):
    with pytest.raises(ValueError, match="training"):
        Session(folder, tags=("training",))


def test_a_closed_session_says_so(folder):
    session = Session(folder)
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run("double", {"text": []})


def test_it_sees_what_loading_in_python_does_not(tmp_path):
    """A Keras model that is saved without an ExportArchive loses its variables on a server."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    module = tf.Module()
    module.model = model
    module.serve = tf.function(model, input_signature=[tf.TensorSpec([None, 2], name="x")])
    tf.saved_model.save(module, str(tmp_path), {"serve": module.serve})
    x = np.ones((1, 2), np.float32)
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.serve(x), model(x))
    with Session(tmp_path) as session, pytest.raises(Failed, match="Could not find variable") as e:
        session.run("serve", {"x": x})
    assert e.value.code in (5, 9)  # NOT_FOUND or FAILED_PRECONDITION: no request is to blame


def test_tensorflow_is_neither_imported_nor_in_the_way(folder):
    program = """
import sys
from export.session import Session
session = Session(sys.argv[1])
assert session.run("double", {"text": [b"ab"]})["twice"][0] == b"abab"
assert not [name for name in sys.modules if name.split(".")[0] == "tensorflow"]
import tensorflow as tf
assert tf.constant(1).numpy() == 1
assert tf.saved_model.load(sys.argv[1]).double(tf.constant(["a"]))["twice"].numpy()[0] == b"aa"
print("fine")
"""
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "fine\n", done.stderr


def _broken_zip():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, text=np.array([b"abc" * 99]))
    content = bytearray(buffer.getvalue())
    content[60:70] = bytes(10)
    return bytes(content)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and no more", _broken_zip()])
def test_inputs_that_are_broken_are_refused_in_one_line(folder, content, tmp_path, capsys):
    inputs, outputs = tmp_path / "inputs.npz", tmp_path / "outputs.npz"
    inputs.write_bytes(content)
    assert main([str(folder), "double", str(inputs), str(outputs)]) == 2
    error = capsys.readouterr().err.strip()
    assert f"{inputs} is no whole .npz file" in error and "\n" not in error
    assert not outputs.exists()


def test_a_process_that_is_killed_without_a_word_is_told(tmp_path, monkeypatch):
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setattr(comparison, "sys", SimpleNamespace(executable=str(killed)))
    with pytest.raises(ValueError, match="ended with status -9 and said nothing"):
        comparison.run_outside(tmp_path, "double", text=["a"])
