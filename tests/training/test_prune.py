"""Leaving channels out: what was zero is not missed, and what is strong stays."""

import numpy as np
import pytest

import tfimg
from tests import tiny
from training import fit, prune


@pytest.fixture(scope="module")
def restorer():
    return tiny.perturb(tiny.restorer())


def inputs():
    return {
        "image": tiny.picture(24, 32)[None],
        "mask": np.ones((1, 24, 32, 1), "float32"),
        "embedding": np.random.default_rng(1).uniform(0, 1, (1, 10)).astype("float32"),
    }


def silence(network, dead):
    """Makes some channels of the middle level and of its block give nothing."""
    for name, axis in (("down1", 3), ("up1", 2), ("decoder1_0_conv2", 3), ("decoder1_0_conv1", 3)):
        layer = network.get_layer(name)
        kernel = np.moveaxis(layer.get_weights()[0], axis, 0)
        kernel[dead] = 0
        layer.set_weights([np.moveaxis(kernel, 0, axis)])
    for name in ("decoder1_0_words", "decoder1_0_scale"):
        kernel, bias = network.get_layer(name).get_weights()
        kernel[:, dead], bias[dead] = 0, 0
        network.get_layer(name).set_weights([kernel, bias])


@pytest.mark.parametrize("dead", [[0, 5], [2], [1, 3, 4]])
def test_channels_that_give_nothing_are_not_missed(dead):
    restorer = tiny.perturb(tiny.restorer())
    silence(restorer.backbone.image_network, dead)
    less = prune.pruned(restorer, (4, 6 - len(dead), 8))
    assert less.backbone.size.widths == (4, 6 - len(dead), 8)
    whole, rest = (task.backbone.image_network(inputs()) for task in (restorer, less))
    for name in whole:
        np.testing.assert_allclose(whole[name], rest[name], rtol=1e-4, atol=1e-5)


def test_nothing_is_left_out_of_nothing(restorer):
    same = prune.pruned(restorer, restorer.backbone.size.widths)
    for mine, theirs in zip(same.backbone.weights, restorer.backbone.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_every_level_can_be_narrower(restorer):
    less = prune.pruned(restorer, (2, 3, 5))
    made = less.backbone.image_network(inputs())
    assert made["image"].shape == (1, 24, 32, 3) and made["logits"].shape == (1, 10)
    stem = less.backbone.image_network.get_layer("stem").get_weights()[0]
    found = restorer.backbone.image_network.get_layer("stem").get_weights()[0]
    places = [
        int(np.flatnonzero((found == stem[..., [channel]]).all(axis=(0, 1, 2)))[0])
        for channel in range(2)
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("widths", [(4, 6), (4, 6, 9), (0, 6, 8), (4, 6, 8, 8)])
def test_widths_that_do_not_fit_are_refused(restorer, widths):
    with pytest.raises(ValueError, match="at most \\[4, 6, 8\\]"):
        prune.pruned(restorer, widths)


def test_the_command_leaves_a_preset(restorer, tmp_path, capsys):
    restorer.save_to_preset(str(tmp_path / "whole"))
    command = ["--preset", str(tmp_path / "whole"), "--out", str(tmp_path / "less")]
    assert prune.main([*command, "--widths", "4", "4", "6"]) == 0
    assert "parameters for pictures, before" in capsys.readouterr().out
    less = tfimg.ImageRestorer.from_preset(str(tmp_path / "less"))
    assert less.backbone.size.widths == (4, 4, 6)
    assert less.restore(tiny.picture(), "remove the noise").shape == (16, 24, 3)
    assert prune.main([*command, "--widths", "4", "4", "6"]) == 2
    assert "exists already" in capsys.readouterr().err


def test_too_wide_is_one_line(restorer, tmp_path, capsys):
    restorer.save_to_preset(str(tmp_path / "whole"))
    command = ["--preset", str(tmp_path / "whole"), "--out", str(tmp_path / "less")]
    assert prune.main([*command, "--widths", "4", "7", "8"]) == 2
    assert "expected one a level" in capsys.readouterr().err
    assert not (tmp_path / "less").exists()


def test_training_goes_on_with_what_is_left(restorer, photos, tmp_path):
    less = prune.pruned(restorer, (3, 4, 6))
    less.save_to_preset(str(tmp_path / "less"))
    command = ["--recipe", "restorer_tiny", "--steps", "2", "--data", str(photos)]
    assert (
        fit.main([*command, "--init", str(tmp_path / "less"), "--out", str(tmp_path / "run")]) == 0
    )
    trained = tfimg.ImageRestorer.from_preset(str(tmp_path / "run" / "preset"))
    assert trained.backbone.size == less.backbone.size
    stem = [task.backbone.image_network.get_layer("stem") for task in (less, trained)]
    before, after = (layer.get_weights()[0] for layer in stem)
    assert before.shape == after.shape and not np.array_equal(before, after)
