"""Averaging weights: what lies between two networks, and what has no between."""

import numpy as np
import pytest

import tfimg
from tests import tiny
from training import average


def _pair():
    return tiny.perturb(tiny.restorer()), tiny.perturb(tiny.restorer(), 1)


def test_every_weight_lies_between_at_the_share_that_is_asked(tmp_path):
    before, after = _pair()
    for number, task in enumerate((before, after)):
        task.save_to_preset(str(tmp_path / str(number)))
    argv = ["--preset", str(tmp_path / "0"), "--tuned", str(tmp_path / "1"), "--share", "0.25"]
    assert average.main([*argv, "--out", str(tmp_path / "made")]) == 0
    made = tfimg.ImageRestorer.from_preset(str(tmp_path / "made"))
    both = zip(before.backbone.get_weights(), after.backbone.get_weights(), strict=True)
    expected = [0.75 * one + 0.25 * other for one, other in both]
    for found, wanted in zip(made.backbone.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("share", [0, 1])
def test_at_the_ends_it_is_one_or_the_other(share):
    pair = _pair()
    expected = [weights.copy() for weights in pair[share].backbone.get_weights()]
    made = average.averaged(*pair, share)
    for found, wanted in zip(made.backbone.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("share", ["-0.1", "1.5"])
def test_shares_outside_are_refused(restored_preset, tmp_path, capsys, share):
    argv = ["--preset", restored_preset, "--tuned", restored_preset, f"--share={share}"]
    assert average.main([*argv, "--out", str(tmp_path / "made")]) == 2
    assert f"share is {share}; expected 0 to 1" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_it_leans_by_as_much_as_is_said(restored_preset, tmp_path):
    argv = ["--preset", restored_preset, "--tuned", restored_preset, "--share", "0.5"]
    lean = ["--lean", "haze=0.5", "low_light=-0.4"]
    assert average.main([*argv, *lean, "--out", str(tmp_path / "made")]) == 0
    image = tiny.picture(16, 16)
    odds = []
    for preset in (restored_preset, str(tmp_path / "made")):
        told = tfimg.ImageClassifier.from_preset(preset).classify(image)
        odds.append({name: np.log(value / (1 - value)) for name, value in told.items()})
    moved = {name: odds[1][name] - odds[0][name] for name in odds[0]}
    expected = dict.fromkeys(moved, 0.0) | {"haze": 0.5, "low_light": -0.4}
    assert moved == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("lean", "reason"),
    [
        ("fog=1", "lean names ['fog']; expected names out of ['noise', "),
        ("haze", "expected NAME=NUMBER, found 'haze'"),
    ],
)
def test_a_lean_to_nowhere_is_refused(restored_preset, tmp_path, capsys, lean, reason):
    argv = ["--preset", restored_preset, "--tuned", restored_preset, "--share", "0.5"]
    try:
        status = average.main([*argv, "--lean", lean, "--out", str(tmp_path / "made")])
    except SystemExit as error:
        status = error.code
    assert status == 2 and reason in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_networks_of_two_sizes_have_no_average():
    before, _ = _pair()
    size = before.backbone.size
    more = (size.encoder_blocks[0] + 1, *size.encoder_blocks[1:])
    other = before.backbone.with_size(type(size)(size.widths, more, size.decoder_blocks))
    with pytest.raises(ValueError, match="sizes are .* expected the same network"):
        average.averaged(before, tfimg.ImageRestorer(other, before.preprocessor), 0.5)


def test_what_is_there_is_not_written_over(restored_preset, tmp_path, capsys):
    argv = ["--preset", restored_preset, "--tuned", restored_preset, "--share", "0.5"]
    assert average.main([*argv, "--out", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.fixture
def restored_preset(tmp_path):
    path = tmp_path / "preset"
    tiny.restorer().save_to_preset(str(path))
    return str(path)
