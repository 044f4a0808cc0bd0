"""Every degradation: the same everywhere, repeatable, ordered by severity, and right in itself."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfimg.degradations import CATALOGUE, NAMES, StatelessSeeds
from tfimg.degradations.blur import convolve, random_kernels
from tfimg.degradations.compression import jpeg
from tfimg.degradations.damage import damage_with_mask
from tfimg.degradations.fields import smooth_noise
from tfimg.degradations.resolution import low_resolution

SEED = np.array([3, 14], "int64")


def photos(count=4, size=64):
    """Draws pictures with edges, gradients and texture, the same each time."""
    y, x = np.mgrid[:size, :size] / size
    generator = np.random.RandomState(0)
    pictures = []
    for _ in range(count):
        channels = []
        for _ in range(3):
            fx, fy, phase = generator.uniform(1, 9, 3)
            wave = np.sin(fx * x * 6 + phase) * np.cos(fy * y * 6)
            block = (x > generator.uniform(0.2, 0.8)) & (y > generator.uniform(0.2, 0.8))
            channels.append(0.45 + 0.25 * wave + 0.25 * block)
        pictures.append(np.stack(channels, -1))
    return np.clip(pictures, 0, 1).astype("float32")


def psnr(a, b):
    return -10 * np.log10(np.mean((np.clip(a, 0, 1) - b) ** 2))


def run(name, images, severity, seed=SEED):
    severity = np.full(len(images), severity, "float32")
    return np.asarray(CATALOGUE[name].apply(tf.constant(images), severity, seed))


@pytest.mark.parametrize("name", NAMES)
def test_eager_and_tf_data_agree(name):
    images = photos(2, 40)
    severity = np.array([0.2, 0.9], "float32")
    eager = CATALOGUE[name].apply(tf.constant(images), severity, SEED)
    dataset = tf.data.Dataset.from_tensors((images, severity, SEED)).map(CATALOGUE[name].apply)
    mapped = next(iter(dataset))
    # Rounding to 8 bit may fall either way at a tie: allow one level on a few pixels.
    difference = np.abs(eager - mapped)
    assert mapped.dtype == tf.float32
    assert difference.max() < 1.01 / 255
    assert np.mean(difference > 1e-4) < 0.002


@pytest.mark.parametrize("name", NAMES)
def test_seed_decides(name):
    images = photos(2, 40)
    first = run(name, images, 0.7)
    np.testing.assert_array_equal(first, run(name, images, 0.7))
    random = name not in ("compression", "low_resolution")
    assert np.any(first != run(name, images, 0.7, SEED + 1)) == random


@pytest.mark.parametrize("name", NAMES)
def test_severity_orders_quality(name):
    images = photos(8)
    values = [psnr(run(name, images, severity), images) for severity in (0.0, 0.5, 1.0)]
    assert values[0] > values[1] > values[2]
    assert values[0] < 45  # mild, but there


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 3, 5, 3), (1, 33, 50, 3)])
@pytest.mark.parametrize("name", NAMES)
def test_odd_sizes_keep_their_shape(name, shape):
    degraded = run(name, np.full(shape, 0.4, "float32"), 1.0)
    assert degraded.shape == shape
    assert np.isfinite(degraded).all()


@pytest.mark.parametrize("quality", [8, 20, 40, 60, 90])
def test_jpeg_matches_pillow(quality):
    image = photos(1, 90)[0, :75]
    file = io.BytesIO()
    levels = np.round(image * 255).astype("uint8")
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    real = np.asarray(Image.open(file), "float32") / 255
    simulated = np.asarray(jpeg(image[None], np.array([quality], "float32")))[0]
    # A coefficient at a rounding tie may fall either way and then changes its whole block.
    assert psnr(simulated, real) > 38
    assert abs(psnr(simulated, image) - psnr(real, image)) < 0.3


@pytest.mark.parametrize(("severity", "factor"), [(0.1, 2), (0.5, 3), (1.0, 4)])
def test_low_resolution_matches_pillow(severity, factor):
    image = photos(1, 62)[0, :50]
    simulated = np.asarray(low_resolution(image[None], np.array([severity], "float32"), 0))[0]
    small = -(-62 // factor), -(-50 // factor)
    plane = Image.fromarray(image[..., 0]).resize(small, Image.Resampling.BICUBIC)
    plane = np.asarray(plane.resize((62, 50), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(simulated[..., 0], plane, atol=1e-5)


def test_blur_kernels_are_averages_of_their_own_shape():
    severity = np.linspace(0, 1, 24, dtype="float32")
    kernels = np.asarray(random_kernels(severity, 0))
    assert kernels.shape == (24, 15, 15)
    assert kernels.min() >= 0
    np.testing.assert_allclose(kernels.sum((1, 2)), 1, rtol=1e-5)
    impulse = np.zeros((24, 31, 33, 3), "float32")
    impulse[:, 15, 16] = 1
    response = np.asarray(convolve(impulse, kernels))
    np.testing.assert_allclose(response[:, 8:23, 9:24, 2], kernels, atol=1e-6)
    assert np.abs(response.sum((1, 2)) - 1).max() < 1e-4


def test_blur_mirrors_the_border():
    image = photos(1, 24)
    kernel = np.asarray(random_kernels(np.array([1.0], "float32"), 5))
    padded = np.pad(image[0], ((7, 7), (7, 7), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (15, 15), axis=(0, 1))
    expected = np.einsum("hwcij,ij->hwc", windows, kernel[0, ::-1, ::-1])
    np.testing.assert_allclose(np.asarray(convolve(image, kernel))[0], expected, atol=1e-5)


def _noises(images, severity):
    """What noise changes in 8-bit levels: where it is Gaussian, and where it is a camera's."""
    residual = 255 * (run("noise", images, severity) - images)
    off_levels = np.abs((residual + 255 * images + 0.5) % 1 - 0.5)
    camera = off_levels.max(axis=(1, 2, 3)) < 0.01
    return residual[~camera], residual[camera]


def _correlation(field, lag):
    """Of pixels `lag` apart in rows of `(B, H, W)`."""
    return np.mean(field[:, :, lag:] * field[:, :, :-lag], axis=(1, 2)) / field.var(axis=(1, 2))


@pytest.mark.parametrize(("severity", "camera_deviation"), [(0.5, 6.9), (1.0, 24.0)])
def test_noise_has_the_stated_strength(severity, camera_deviation):
    gaussian, camera = _noises(np.full((32, 48, 48, 3), 0.5, "float32"), severity)
    assert 4 <= len(camera) <= 16, "about a quarter of 32"
    np.testing.assert_allclose(gaussian.std(axis=(1, 2, 3)), 2 + 53 * severity, rtol=0.05)
    # A file loses some of it.
    deviation = camera.std(axis=(1, 2, 3))
    assert (deviation < 1.2 * camera_deviation).all()
    assert (deviation > 0.6 * camera_deviation).all()


def test_camera_noise_grows_with_the_signal():
    images = np.full((32, 48, 96, 3), 0.2, "float32")
    images[:, :, 48:] = 0.7
    gaussian, camera = (
        [half.std(axis=(1, 2, 3)) for half in np.split(noises, 2, axis=2)]
        for noises in _noises(images, 0.5)
    )
    assert (camera[1] > 1.1 * camera[0]).all()
    np.testing.assert_allclose(gaussian[1], gaussian[0], rtol=0.1)


def test_camera_noise_reaches_as_far_as_real_cameras_noise_does():
    """Published photos of PolyU: luma 0.3 to 0.8 one pixel on, colour 0.3 to 0.9 four pixels on."""
    gaussian, camera = _noises(np.full((64, 96, 96, 3), 0.45, "float32"), 0.5)
    luma = camera @ np.array([0.299, 0.587, 0.114])
    colour = camera[..., 0] - luma
    near, far = _correlation(luma, 1), _correlation(luma, 8)
    assert 0.4 < np.median(near) < 0.8
    assert np.abs(far).max() < 0.2
    assert 0.3 < np.median(_correlation(colour, 4)) < 0.9
    assert np.abs(_correlation(gaussian[..., 0], 1)).max() < 0.1


def test_damage_mask_marks_every_large_change():
    images = photos(6, 96)
    damaged, known = map(np.asarray, damage_with_mask(images, np.full(6, 0.5, "float32"), 2))
    assert set(np.unique(known)) == {0.0, 1.0}
    assert np.all(known.mean(axis=(1, 2, 3)) > 0.5)
    assert np.all(known.mean(axis=(1, 2, 3)) < 1)
    # Creases and holes shade their surroundings, by 45 % at most: nothing more may go unmarked.
    change = np.abs(damaged - images) * known
    assert change.max() < 0.6
    assert np.mean(change > 0.2) < 0.05


def test_rain_is_streaks_and_haze_is_smooth():
    images = np.full((4, 96, 96, 3), 0.3, "float32")
    rain = run("rain", images, 0.8)[..., 0]
    along, across = np.abs(np.diff(rain, axis=1)).mean(), np.abs(np.diff(rain, axis=2)).mean()
    assert across > 1.3 * along
    haze = run("haze", images, 0.8)
    assert haze.min() > 0.3
    assert np.abs(np.diff(haze, axis=1)).max() < 0.03


def test_smooth_noise_has_unit_variance_and_its_scale():
    field = np.asarray(smooth_noise(StatelessSeeds(0), 64, 64, 80, 8))
    assert field.shape == (64, 64, 80, 1)
    assert abs(field.std() - 1) < 0.1
    assert abs(np.mean(field[:, :-16] * field[:, 16:])) < 0.25
    assert np.mean(field[:, :-2] * field[:, 2:]) > 0.8


def test_lamps_lose_less_light_in_half_of_the_dark_pictures():
    scene = np.full((64, 8, 8, 3), 0.4, np.float32)
    scene[:, :4] = 1.0  # a lamp
    dark = run("low_light", scene, np.ones(64, np.float32))
    lamp, rest = dark[:, :4].mean((1, 2, 3)), dark[:, 4:].mean((1, 2, 3))
    assert rest.max() < 0.2
    # A lamp that gets no light of its own ends at 0.06 ** (1 / 2.2) = 0.28 of full brightness.
    assert 0.3 < (lamp > 0.35).mean() < 0.7
    assert lamp.min() < 0.32 and lamp.max() > 0.8
