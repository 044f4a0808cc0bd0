"""The steps that make a restorer fast: all of them restore the picture, and are compared fairly."""

import time

import numpy as np
import pytest
from PIL import Image

import tfimg
from export import acceleration
from export.acceleration import Step


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos of 260x300 pixels; below, a folder with one that is too small and one with none."""
    folder = tmp_path_factory.mktemp("photos")
    pixels = np.random.default_rng(0).integers(60, 200, (10, 12, 3), np.uint8)
    for name in "ab":
        Image.fromarray(pixels).resize((300, 260)).save(folder / f"{name}.png")
    (folder / "small").mkdir()
    (folder / "empty").mkdir()
    Image.fromarray(pixels).save(folder / "small" / "c.png")
    return folder


def test_the_noise_is_that_of_the_protocol(folder):
    for degraded, clean in acceleration.noisy([folder / "a.png", folder / "b.png"]):
        assert degraded.dtype == np.uint8 and degraded.shape == clean.shape == (256, 256, 3)
        assert np.std(degraded - 255 * clean) == pytest.approx(25, rel=0.02)


def test_every_step_restores_the_picture(preset, folder):
    steps = acceleration.steps(str(preset), 2)
    ((image, _),) = acceleration.noisy([folder / "a.png"])
    expected = tfimg.ImageRestorer.from_preset(str(preset)).restore(image, "remove the noise")
    assert np.abs(expected - image.astype(float)).max() > 20
    names = [step.name for step in steps]
    assert len({*names}) == len(names) >= 11
    for step in steps:
        assert step.since is None or step.since in names[: names.index(step.name)]
        found = step.run(image)
        assert found.dtype == np.uint8
        away = np.abs(found.astype(float) - expected)
        coarse = any(part in step.name for part in ("bfloat16", "dynamic", "int8"))
        assert away.mean() < (6 if coarse else 0.1), step.name
        assert coarse or away.max() <= 1, step.name
    sizes = {step.name: step.megabytes for step in steps}
    assert sizes["LiteRT, int8"] < sizes["LiteRT, layers lowered"]


def test_times_are_shared_and_compared_and_pictures_are_scored():
    clean = np.full((4, 4, 3), 0.5)
    tenth = np.full((4, 4, 3), round(255 * 0.6), np.uint8)

    def lasting(seconds):
        def run(image):
            time.sleep(seconds)
            return image

        return run

    steps = [
        Step("slow", lasting(0.08), 2.0),
        Step("quick", lasting(0.02), 1.0, "slow"),
        Step("eight", lasting(0.08), 1.0, "slow", together=8),
    ]
    slow, quick, eight = acceleration.measured(steps, [(tenth, clean)], rounds=3)
    assert slow["times faster"] is None and slow["megabytes"] == 2
    assert quick["times faster"] == pytest.approx(4, rel=0.2)
    assert eight["times faster"] == pytest.approx(8, rel=0.2)
    # 0.1 away everywhere: 10 log10(1 / 0.01).
    assert [row["psnr"] for row in (slow, quick, eight)] == pytest.approx([20] * 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere"),
        ([".", "--preset", "no_such_preset"], "no_such_preset"),
        (["{}/small"], "is smaller than 256x256"),
        (["{}/empty"], "the folder holds no pictures"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message, folder, capsys, monkeypatch):
    # Other tests have begun to compute, after which the number of threads is fixed.
    first, *rest = arguments
    monkeypatch.setattr("tensorflow.config.threading.set_intra_op_parallelism_threads", id)
    assert acceleration.main([first.format(folder), *rest]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
