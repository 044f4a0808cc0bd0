"""Making pictures: what a seed fixes, what the words change, what is refused."""

import h5py
import keras
import numpy as np
import pytest

import tfimg
from tfimg.tasks.text_to_image import canvases
from training.runs import save_preset

SIDE = 16


def test_a_seed_is_a_picture_whatever_stands_beside_it(maker):
    four = maker.generate("make it bright", num_images=4, seed=5)
    assert four.shape == (4, SIDE, SIDE, 3) and four.dtype == np.uint8
    for number in range(4):
        alone = maker.generate("make it bright", seed=5 + number)[0]
        assert np.abs(alone.astype(int) - four[number]).max() <= 1
        assert np.abs(alone.astype(int) - four[number - 1]).max() > 2


def test_more_pictures_than_go_through_together(maker):
    many = maker.generate("rain", num_images=40)
    assert np.abs(many[39].astype(int) - maker.generate("rain", seed=39)[0]).max() <= 1


def test_progress_is_told_after_each_pass(maker):
    told = []
    maker.generate("rain", num_images=33, steps=2, progress=lambda *counts: told.append(counts))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_words_and_styles_change_the_picture(maker):
    pictures = [
        maker.generate("noise"),
        maker.generate("rain"),
        maker.generate("去掉噪点"),
        maker.generate("the rain", style="photo"),
    ]
    for place, one in enumerate(pictures):
        for other in pictures[:place]:
            assert np.abs(one.astype(int) - other).max() > 1  # more than rounding


def test_the_first_step_sees_noise_alone_and_the_next_its_own_picture(maker):
    seen = []
    network = maker.backbone.image_network
    original = network.predict_on_batch
    network.predict_on_batch = lambda x: seen.append(x) or original(x)
    try:
        maker.generate("rain", seed=3, steps=2)
    finally:
        del network.predict_on_batch
    noise = np.asarray(canvases(np.array([3], np.int64), SIDE))
    np.testing.assert_array_equal(seen[0]["image"], noise)
    assert (seen[0]["mask"] == 0).all() and (seen[1]["mask"] == 0.5).all()
    first = np.clip(original(seen[0])["image"], 0, 1)
    np.testing.assert_allclose(seen[1]["image"], (noise + first) / 2, atol=1e-6)


def test_canvases_are_uniform_noise():
    noise = np.asarray(canvases(np.arange(40, dtype=np.int64), 16))
    assert noise.min() >= 0 and noise.max() < 1
    assert abs(noise.mean() - 0.5) < 0.01 and abs(noise.std() - 12**-0.5) < 0.01
    large = np.asarray(canvases(np.array([0, 1, 2**31, 2**61], np.int64), 16))
    assert len({row.tobytes() for row in large}) == 4


def test_a_saved_preset_draws_the_same(maker, tmp_path):
    maker.save_to_preset(str(tmp_path / "preset"))
    loaded = tfimg.TextToImage.from_preset(str(tmp_path / "preset"))
    expected = maker.generate("rain", num_images=2)
    assert np.abs(loaded.generate("rain", num_images=2).astype(int) - expected).max() <= 1
    with pytest.raises(ValueError, match="makes pictures"):
        tfimg.ImageRestorer.from_preset(str(tmp_path / "preset"))


def test_a_restorer_makes_nothing(preset):
    with pytest.raises(ValueError, match="restores pictures"):
        tfimg.TextToImage.from_preset(str(preset))


def test_it_fits_pictures_to_words(maker, tmp_path):
    maker.save_to_preset(str(tmp_path / "preset"))
    fitted = tfimg.TextToImage.from_preset(str(tmp_path / "preset"))
    noise = np.asarray(canvases(np.arange(2, dtype=np.int64), SIDE))
    x = {
        "image": noise,
        "mask": np.zeros((2, SIDE, SIDE, 1), "float32"),
        "instruction": np.array([b"rain", b"haze"]),
    }
    y = np.stack([np.zeros((SIDE, SIDE, 3)), np.ones((SIDE, SIDE, 3))]).astype("float32")
    keras.utils.set_random_seed(0)
    fitted.compile(optimizer=keras.optimizers.Adam(1e-2), jit_compile=False)
    losses = fitted.fit(x, y, epochs=25, verbose=0).history["loss"]
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompt": " "}, "empty"),
        ({"prompt": "x" * 10_000}, "10000 characters"),
        ({"prompt": "rain", "seed": -1}, "seed is -1"),
        ({"prompt": "rain", "num_images": 0}, "is 0"),
        ({"prompt": "rain", "num_images": 10_000}, "is 10000"),
        ({"prompt": "rain", "steps": 0}, "steps is 0"),
        ({"prompt": "rain", "style": "oil"}, "'oil'"),
    ],
)
def test_what_cannot_be_made_is_refused(maker, arguments, message):
    with pytest.raises(ValueError, match=message):
        maker.generate(**arguments)


def test_a_prompt_is_a_string(maker):
    with pytest.raises(TypeError, match="int"):
        maker.generate(7)


def test_a_run_saves_it_in_half_the_size(maker, tmp_path):
    maker.save_to_preset(str(tmp_path / "whole"))
    save_preset(maker, tmp_path / "half")
    with h5py.File(tmp_path / "half" / "model.weights.h5") as file:
        kinds = []
        file.visititems(lambda _, part: kinds.append(getattr(part, "dtype", None)))
    assert {kind for kind in kinds if kind is not None} == {np.dtype("float16")}
    loaded = tfimg.TextToImage.from_preset(str(tmp_path / "half"))
    for found, expected in zip(loaded.backbone.weights, maker.backbone.weights, strict=True):
        assert found.dtype == "float32"
        halved = np.asarray(expected).astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(np.asarray(found), halved)
