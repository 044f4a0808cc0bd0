"""PSNR, SSIM and luma against other people's numbers."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfimg.metrics import PSNR, luma, psnr, ssim

RANDOM = np.random.default_rng(0)
Y, X = np.mgrid[:40, :52] / 40
SMOOTH = np.stack([X / 1.3, Y, 0.5 + 0.4 * np.sin(9 * X + 5 * Y)], -1)
NOISY = np.clip(SMOOTH + 0.1 * RANDOM.standard_normal(SMOOTH.shape), 0, 1)


def test_psnr_by_hand():
    black = np.zeros((2, 2, 3))
    half = black.copy()
    half[0] = 0.5  # half of the values are off by a half: the mean square is 1/8
    assert psnr(half, black) == pytest.approx(10 * math.log10(8))
    # 8-bit noise of level 25 at full range: the 20.17 dB of the published tables.
    assert psnr(np.full((4, 4, 3), 25 / 255), np.zeros((4, 4, 3))) == pytest.approx(20.17, abs=0.01)
    assert psnr(black, black) == 100


def test_psnr_does_not_clip():
    assert psnr(np.full((1, 1, 3), 2.0), np.ones((1, 1, 3))) == 0


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_shapes_are_refused(metric):
    with pytest.raises(ValueError, match=r"\(40, 52, 3\).*\(40, 51, 3\)"):
        metric(SMOOTH, SMOOTH[:, 1:])
    with pytest.raises(ValueError, match="holds no pixels"):
        metric(SMOOTH[:0], SMOOTH[:0])


@pytest.mark.parametrize(
    "image", [NOISY, 0.5 * SMOOTH, SMOOTH[::-1], np.zeros_like(SMOOTH), 1 - SMOOTH]
)
def test_ssim_is_tensorflows(image):
    expected = tf.image.ssim(tf.constant(image, "float32"), tf.constant(SMOOTH, "float32"), 1.0)
    assert ssim(image, SMOOTH) == pytest.approx(float(expected), abs=2e-5)


def test_ssim_of_equal_pictures_and_of_the_smallest():
    assert ssim(NOISY, NOISY) == pytest.approx(1, abs=1e-6)
    # One window only: two flat pictures differ in luminance alone.
    flat, other = np.full((11, 11, 3), 0.25), np.full((11, 11, 3), 0.75)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(flat, other) == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="11x11"):
        ssim(flat[:10], other[:10])


def test_luma_of_known_colours():
    colours = np.array([[[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]], "float32")
    # ITU-R BT.601: black 16, white 235, red 81, green 145, blue 41.
    np.testing.assert_array_equal(np.round(luma(colours) * 255), [[16, 235, 81, 145, 41]])


def test_metric_is_the_mean_over_clipped_pictures():
    metric = PSNR()
    metric.update_state(np.stack([SMOOTH, SMOOTH]), np.stack([NOISY, SMOOTH + 5]))
    metric.update_state(SMOOTH[None], 0.9 * SMOOTH[None])
    expected = [psnr(image, SMOOTH) for image in (NOISY, np.ones_like(SMOOTH), 0.9 * SMOOTH)]
    assert float(metric.result()) == pytest.approx(np.mean(expected), abs=1e-3)
    metric.reset_state()
    metric.update_state(SMOOTH[None], SMOOTH[None])
    assert float(metric.result()) == pytest.approx(100, abs=1e-3)


def test_metric_is_serialisable_and_a_score_to_maximise(tmp_path):
    image = keras.Input((None, None, 3))
    scale = keras.layers.Dense(
        3, use_bias=False, kernel_initializer=keras.initializers.Identity(0.9)
    )
    model = keras.Model(image, scale(image))
    model.compile(keras.optimizers.SGD(0.0), loss="mae", metrics=[PSNR(name="quality")])
    best = keras.callbacks.ModelCheckpoint(tmp_path / "m.keras", "quality", save_best_only=True)
    model.fit(SMOOTH[None], SMOOTH[None], callbacks=[best], verbose=0)
    assert (tmp_path / "m.keras").is_file()
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    scores = loaded.evaluate(SMOOTH[None], SMOOTH[None], return_dict=True, verbose=0)
    assert scores["quality"] == pytest.approx(psnr(0.9 * SMOOTH, SMOOTH), abs=1e-3)
