"""Every module through saving, mixed precision, XLA and export to TensorFlow's C++ runtime."""

import functools
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

import tfimg
from tests import tiny
from tests.conformance.table import MODULES

_PRESETS = (keras_hub.models.Backbone, keras_hub.models.Preprocessor, keras_hub.models.Task)


@pytest.fixture(params=MODULES)
def row(request):
    """One row of the table, unless it is excused from the check."""
    row = MODULES[request.param]
    check = request.function.__name__.removeprefix("test_").partition("_")[0]
    if check in row.excused:
        pytest.skip(row.excused[check])
    return row


@pytest.fixture(scope="module")
def worker():
    """A function that runs an exported module in a process without tensorflow."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("worker.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "2"},
    )

    def run(folder, inputs):
        files = {name: str(folder.with_name(f"{name}.npz")) for name in ("inputs", "outputs")}
        np.savez(files["inputs"], **inputs)
        process.stdin.write(json.dumps({"model": str(folder), **files}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline().strip()
        assert answer == "ok", answer
        with np.load(files["outputs"]) as outputs:
            return dict(outputs)

    yield run
    process.stdin.close()
    process.wait(30)


@functools.cache
def _reference(row):
    """The float32 module with random weights, its inputs and its outputs."""
    module, inputs = _build(row), row.inputs()
    return module, inputs, _run(module, inputs)


def _build(row, policy="float32"):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return tiny.perturb(row.build())
    finally:
        keras.config.set_dtype_policy(before)


def _prepared(module, inputs):
    """What the network takes: a task's words are tokenised."""
    return module.preprocessor(inputs) if isinstance(module, keras_hub.models.Task) else inputs


def _run(module, inputs):
    outputs = _named(module(_prepared(module, inputs)))
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}


def _named(outputs):
    """A task has one output, without a name."""
    return outputs if isinstance(outputs, dict) else {"output": outputs}


def _configuration(module):
    return json.loads(json.dumps(module.get_config()))


def _assert_near(outputs, expected, tolerance):
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        scale = np.abs(value).max()
        assert scale > 0, f"{name} is all zero, which proves nothing"
        np.testing.assert_allclose(outputs[name], value, atol=tolerance * scale, err_msg=name)


def test_serialisation_changes_nothing(row, tmp_path):
    module, inputs, expected = _reference(row)
    if isinstance(module, _PRESETS):
        if isinstance(module, keras_hub.models.Preprocessor):
            tiny.backbone().save_to_preset(str(tmp_path))  # there is no preset without one
        module.save_to_preset(str(tmp_path))
        loaded = type(module).from_preset(str(tmp_path))
        assert _configuration(loaded) == _configuration(module)
    else:
        module.save(tmp_path / "module.keras")
        loaded = keras.saving.load_model(tmp_path / "module.keras")
    _assert_near(_run(loaded, inputs), expected, 0)


def test_mixed_precision_stays_near_float32(row):
    exact, inputs, expected = _reference(row)
    mixed = _build(row, "mixed_bfloat16")
    mixed.set_weights(exact.get_weights())
    outputs = _run(mixed, inputs)
    if "image" in outputs:
        assert outputs["image"].dtype == np.float32
    outputs = {name: value.astype("float32") for name, value in outputs.items()}
    _assert_near(outputs, expected, 0.03)
    assert any((outputs[name] != expected[name]).any() for name in expected), "nothing was mixed"


def test_xla_computes_the_same(row):
    module, inputs, expected = _reference(row)
    module.compile(jit_compile=True)
    assert module.jit_compile
    _assert_near(_named(module.predict_on_batch(inputs)), expected, 1e-4)


def test_export_runs_in_the_cpp_runtime(row, tmp_path, worker):
    module, inputs, expected = _reference(row)
    archive = keras.export.ExportArchive()
    archive.track(module)
    if isinstance(module, keras_hub.models.Task):
        archive.track(module.preprocessor)
    archive.add_endpoint(
        "serve",
        lambda batch: _named(module(_prepared(module, batch))),
        input_signature=[{name: _spec(name, value) for name, value in inputs.items()}],
    )
    archive.write_out(str(tmp_path / "model"), verbose=False)
    _assert_near(worker(tmp_path / "model", inputs), expected, 1e-5)


def _spec(name, value):
    """Any batch, any height and width, any number of tokens; a fixed number of channels."""
    if value.dtype.kind == "S":
        return tf.TensorSpec((None,), tf.string, name)
    channels = value.shape[-1] if value.dtype == np.float32 else None
    return tf.TensorSpec((*(None,) * (value.ndim - 1), channels), value.dtype, name)


def test_every_registered_layer_is_in_the_table():
    for module in pkgutil.walk_packages(tfimg.__path__, "tfimg."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    registered = {
        item
        for name, item in keras.saving.get_custom_objects().items()
        if name.startswith("tfimg>") and isinstance(item, type) and issubclass(item, keras.Layer)
    }
    covered = {item for row in MODULES.values() for item in row.covers}
    assert {tfimg.ImageRestorer, tfimg.TextGuidedBackbone} < registered
    assert registered == covered, f"not in both: {registered ^ covered}"
