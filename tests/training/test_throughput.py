"""The benchmark of training: what it prints, and what it refuses."""

import json
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import recipes, throughput
from training.kinds import Options

RECIPE = recipes.Words(steps=10, batch_size=8)


def _kind(wait):
    """A recipe whose batches take `wait` seconds each, and whose step takes next to nothing."""

    def batches(first):
        def batch(number):
            time.sleep(wait)
            return np.ones((8, 1), np.float32)

        def pair(number):
            x = tf.ensure_shape(tf.numpy_function(batch, [number], tf.float32), (8, 1))
            return x, x

        return tf.data.Dataset.counter(first).map(pair)

    def trained(recipe, task):
        x = keras.Input((1,))
        return keras.Model(x, keras.layers.Dense(1)(x))

    return SimpleNamespace(
        start=lambda recipe, options: None,
        source=lambda recipe, task, options, steps: batches,
        trained=trained,
        losses=lambda recipe: {"loss": "mse"},
    )


def test_slow_batches_are_told_from_a_fast_step():
    rates = throughput.measure(_kind(0.05), RECIPE, Options(), False, steps=6, rounds=3)
    assert rates["batches"] == pytest.approx(8 / 0.05, rel=0.25)
    assert rates["step"] > 2 * rates["batches"]
    assert rates["together"] < 1.1 * rates["batches"]


def test_fast_batches_never_let_the_step_wait():
    rates = throughput.measure(_kind(0.0), RECIPE, Options(), False, steps=6, rounds=3)
    assert rates["batches"] > rates["together"]
    assert rates["together"] > 0.3 * rates["step"]


def test_the_command_prints_a_row_a_precision(capsys, monkeypatch):
    monkeypatch.setattr("training.kinds.kind_of", lambda recipe: _kind(0.0))
    arguments = ["--recipe", "words", "--steps", "2", "--rounds", "1", "--mixed-precision"]
    assert throughput.main([*arguments, "float32", "mixed_bfloat16", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["precision"] for row in rows] == ["float32", "mixed_bfloat16"]
    assert all(row[name] > 0 for row in rows for name in ("batches", "step", "together"))


def test_what_cannot_be_timed_is_refused(capsys):
    assert throughput.main(["--recipe", "words", "--mixed-precision", "float7"]) == 2
    assert "float7" in capsys.readouterr().err
