"""Evaluation protocols against their published definitions."""

import io

import numpy as np
import pytest
from PIL import Image

from tfimg.degradations import parse_protocol

Y, X = np.mgrid[:60, :72] / 60
IMAGE = np.stack([X / 1.2, Y, 0.5 + 0.4 * np.sin(9 * X + 5 * Y)], -1).astype("float32")


def test_noise_is_added_in_float_and_not_clipped():
    noise = np.stack([parse_protocol("noise:25").apply(IMAGE, i) - IMAGE for i in range(4)])
    assert abs(noise.std() * 255 - 25) < 0.4
    assert abs(noise.mean() * 255) < 0.5
    assert (noise + IMAGE).min() < 0 and (noise + IMAGE).max() > 1
    assert np.all(noise[0] != noise[1])
    # A fixed generator: these two numbers are the same on every machine.
    np.testing.assert_allclose(noise[0, 0, 0, :2] * 255 / 25, [1.764052, 0.400157], atol=1e-4)


def test_camera_noise_is_the_same_noise_in_a_file():
    noisy = parse_protocol("noise:25").apply(IMAGE, 3)
    camera = parse_protocol("noise:25:camera").apply(IMAGE, 3)
    np.testing.assert_allclose(camera, np.round(np.clip(noisy, 0, 1) * 255) / 255, atol=1e-6)


def test_compression_is_pillows_file():
    file = io.BytesIO()
    levels = np.round(IMAGE * 255).astype("uint8")
    Image.fromarray(levels).save(file, "JPEG", quality=10, subsampling=2)
    expected = np.asarray(Image.open(file))
    degraded = parse_protocol("compression:10").apply(IMAGE, 0)
    np.testing.assert_array_equal(np.round(degraded * 255), expected)


def test_low_resolution_is_pillows_bicubic():
    expected = Image.fromarray(IMAGE[..., 2]).resize((18, 15), Image.Resampling.BICUBIC)
    expected = np.asarray(expected.resize((72, 60), Image.Resampling.BICUBIC))
    degraded = parse_protocol("low_resolution:4").apply(IMAGE, 0)
    np.testing.assert_array_equal(degraded[..., 2], expected)


def test_gaussian_blur_matches_its_formula():
    impulse = np.zeros((31, 31, 3), "float32")
    impulse[15, 15] = 1
    response = parse_protocol("blur:1.5").apply(impulse, 0)[..., 0]
    line = np.exp(-((np.arange(31) - 15) ** 2) / (2 * 1.5**2))
    np.testing.assert_allclose(response, np.outer(line, line) / line.sum() ** 2, atol=1e-5)


@pytest.mark.parametrize("name", ["blur", "low_light", "faded", "rain:0.8", "haze", "damage"])
def test_training_operations_have_fixed_seeds(name):
    protocol = parse_protocol(name)
    first, known = protocol.apply_with_mask(IMAGE, 1)
    assert first.shape == IMAGE.shape and first.dtype == np.float32
    assert known.shape == (60, 72, 1)
    assert np.any(known == 0) == (name == "damage")
    np.testing.assert_array_equal(first, parse_protocol(name).apply(IMAGE, 1))
    assert np.any(first != protocol.apply(IMAGE, 2))


def test_mixture_is_ordered_and_parts_can_be_left_out():
    protocol = parse_protocol("noise:25+rain:0.7")
    assert protocol.degradations == {"noise", "rain"}
    assert protocol.label == "rain 0.7 + noise 25"
    rain, noise = parse_protocol("rain:0.7"), parse_protocol("noise:25")
    both = protocol.apply(IMAGE, 2)
    np.testing.assert_array_equal(both, noise.apply(rain.apply(IMAGE, 2), 2))
    np.testing.assert_array_equal(protocol.apply(IMAGE, 2, {"rain"}), noise.apply(IMAGE, 2))
    np.testing.assert_array_equal(protocol.apply(IMAGE, 2, {"noise"}), rain.apply(IMAGE, 2))
    np.testing.assert_array_equal(protocol.apply(IMAGE, 2, {"rain", "noise"}), IMAGE)
    with pytest.raises(ValueError, match="haze"):
        protocol.apply(IMAGE, 2, {"haze"})


def test_clean_pictures_stay_as_they_are():
    protocol = parse_protocol("clean")
    assert protocol.degradations == frozenset() and protocol.label == "clean"
    np.testing.assert_array_equal(protocol.apply(IMAGE, 2), IMAGE)
    with pytest.raises(ValueError, match="clean"):
        parse_protocol("clean+noise:25")


@pytest.mark.parametrize("name", ["fog", "", "noise", "noise:a", "noise:25:film", "rain:0.5:1"])
def test_unknown_names_list_the_known(name):
    with pytest.raises(ValueError, match=f"unknown protocol '{name}'.*compression:Q"):
        parse_protocol(name)


@pytest.mark.parametrize(
    "name",
    ["rain:3", "compression:0", "compression:9.5", "low_resolution:1", "noise:-1", "haze:nan"],
)
def test_values_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}.*expected .* found"):
        parse_protocol(name)


def test_a_degradation_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        parse_protocol("noise:5+noise:9")
