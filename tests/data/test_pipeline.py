"""The training pipeline: packed crops, batches by number."""

import numpy as np
import pytest

import tfimg
from tfimg.data.pairs import Instructions, Mixture
from tfimg.data.pipeline import diagnosis_batches, pack_crops, paired_batches, training_batches
from tfimg.degradations import NAMES

CROPS = np.random.default_rng(0).integers(0, 255, (5, 40, 40, 3), np.uint8)


def test_crops_cover_a_photo_to_its_edges():
    photo = np.arange(50 * 70 * 3, dtype=np.uint32).reshape(50, 70, 3) % 251
    crops = pack_crops([photo.astype(np.uint8), np.zeros((10, 90, 3), np.uint8)], 32, 24)
    assert crops.shape == (2 * 3, 32, 32, 3), "rows at 0, 18; columns at 0, 24, 38"
    np.testing.assert_array_equal(crops[-1], photo[18:50, 38:70].astype(np.uint8))


def test_no_photo_large_enough_is_refused():
    with pytest.raises(ValueError, match="at least 64x64"):
        pack_crops([np.zeros((10, 90, 3), np.uint8)], 64)


def test_of_too_many_crops_a_fair_choice_is_kept():
    numbers = np.arange(1000, dtype=np.uint16)
    crops = pack_crops((np.full((8, 8, 1), number) for number in numbers), 8, most=200)
    kept = crops[:, 0, 0, 0].astype(int)
    assert len(kept) == len(set(kept)) == 200
    # Of a fair choice the mean is 499.5, give or take 18.
    assert abs(kept.mean() - 499.5) < 80
    assert 70 < np.sum(kept < 500) < 130


def test_batches_depend_on_seed_and_number_alone():
    def batches(first, count, seed=0):
        stream = training_batches(CROPS, 8, 32, seed=seed, first_step=first)
        return [(x["image"].numpy(), y["image"].numpy()) for x, y, _ in stream.take(count)]

    from_the_start, from_the_third = batches(0, 4), batches(2, 2)
    for (a, b), (c, d) in zip(from_the_start[2:], from_the_third, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
    assert not np.array_equal(from_the_start[0][1], from_the_start[1][1])
    assert not np.array_equal(from_the_start[0][1], batches(0, 1, seed=1)[0][1])


def test_shapes_and_words():
    stream = training_batches(CROPS, 4, 32, instructions=Instructions(sentences=16))
    x, target = next(iter(stream))
    assert x["image"].shape == target.shape == (4, 32, 32, 3)
    assert x["mask"].shape == (4, 32, 32, 1)
    assert all(sentence.decode().strip() for sentence in x["instruction"].numpy())


def test_pairs_are_cut_at_the_same_place():
    clean = np.random.default_rng(0).integers(0, 200, (50, 70, 3), np.uint8)
    pairs = [(clean + np.uint8(9), clean), (clean[:10], clean[:10])]
    stream = paired_batches(pairs, "too bright", 5, 24)
    x, target = next(iter(stream))
    assert x["image"].shape == target.shape == (5, 24, 24, 3)
    np.testing.assert_allclose(x["image"] - target, 9 / 255, atol=1e-6)
    assert set(x["instruction"].numpy()) == {b"too bright"}
    again, _ = next(iter(paired_batches(pairs, "too bright", 5, 24)))
    np.testing.assert_array_equal(x["image"], again["image"])
    with pytest.raises(ValueError):
        paired_batches([(clean, clean[1:])], "too bright", 5, 24)


@pytest.mark.parametrize("paired", [False, True])
def test_a_restorer_fits_such_a_stream(preset, paired):
    if paired:
        stream = paired_batches([(CROPS[0], CROPS[1])], "remove the noise", 4, 16)
    else:
        stream = training_batches(CROPS, 4, 16, instructions=Instructions(sentences=16))
    restorer = tfimg.ImageRestorer.from_preset(str(preset))
    restorer.compile(jit_compile=False)
    history = restorer.fit(stream, steps_per_epoch=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and "psnr" in history


def test_diagnosis_batches_say_what_was_done():
    mixture = Mixture(clean=0.3)
    x, y = next(iter(diagnosis_batches(CROPS, 64, 32, mixture, embedding_width=10)))
    assert x["image"].shape == (64, 32, 32, 3) and (x["mask"].numpy() == 1).all()
    np.testing.assert_array_equal(x["embedding"], np.zeros((64, 10)))
    present, severity = y["logits"].numpy()[:, :9] > 0, y["severity"].numpy()
    np.testing.assert_array_equal(y["logits"][:, 9] > 0, ~present.any(axis=1))
    np.testing.assert_array_equal(severity >= 0, present)
    assert 0 < present.any(axis=1).sum() < 64
    assert severity[present].min() >= 0.15 and severity.max() <= 1


def test_pictures_weigh_by_what_is_wrong_and_asked():
    only_noise = tuple(float(name == "noise") for name in NAMES)
    heavy_noise = tuple(3.0 if name == "noise" else 1.0 for name in NAMES)
    alone = {"clean": 0, "double": 0, "triple": 0, "wrong": 0, "weights": only_noise}
    mixture = Mixture(**alone, nothing_asked=0.5, pull=heavy_noise, pull_nothing=0.25)
    x, y, weights = next(iter(training_batches(CROPS, 64, 32, mixture=mixture)))
    changed = np.abs(x["image"] - y["image"]).max(axis=(1, 2, 3)) > 0
    assert 0 < changed.sum() < 64
    np.testing.assert_array_equal(weights["image"], np.where(changed, 3, 0.75))


@pytest.mark.parametrize(("batch", "crop", "message"), [(6, 32, "multiple of 4"), (4, 64, "64")])
def test_sizes_that_do_not_fit_are_refused(batch, crop, message):
    with pytest.raises(ValueError, match=message):
        training_batches(CROPS, batch, crop)
