"""Checkpoints, history and averaged weights."""

import json

import keras
import numpy as np
import pytest

from tfimg import trainer

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5], [3.0]], np.float32)


def model():
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(1)])
    net.compile(keras.optimizers.AdamW(1e-2, use_ema=True, ema_momentum=0.9), "mse")
    return net


def batches(first):
    return ((X[i % 8 * 8 :][:8], Y[i % 8 * 8 :][:8]) for i in range(first, 1000))


def losses(path):
    return {row["step"]: row["loss"] for row in map(json.loads, path.read_text().splitlines())}


def run(net, folder, first, last):
    checkpoint = trainer.Checkpoint(folder / "checkpoint.npz", every=5)
    if first is None:
        first = checkpoint.restore(net)
    callbacks = [checkpoint, trainer.History(folder / "history.jsonl", first)]
    callbacks.append(trainer.FreshMetrics(first, every=1))
    net.fit(batches(first), steps_per_epoch=last - first, verbose=0, callbacks=callbacks)
    return net


def test_resume_repeats_the_uninterrupted_run(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    straight = run(model(), whole, 0, 20)
    run(model(), parts, 0, 10)
    resumed = run(model(), parts, None, 20)
    assert losses(parts / "history.jsonl") == losses(whole / "history.jsonl")
    for a, b in zip(straight.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(straight.optimizer.variables, resumed.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    run(model(), tmp_path, 0, 5)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.compile("adamw", "mse")
    with pytest.raises(ValueError, match="another network"):
        trainer.Checkpoint(tmp_path / "checkpoint.npz", 5).restore(other)
