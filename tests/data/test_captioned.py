"""Captioned pictures: on which background, in which words, how often."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from tfimg.data.captioned import (
    Captioned,
    Wording,
    captioned_batches,
    on_background,
    put_into_words,
    read_captioned,
)
from tfimg.data.folder_builder import PictureFolder
from tfimg.text.prompts import BACKGROUNDS

ROW = {
    "name": "red apple",
    "name_zh": "红苹果",
    "keywords": ["fruit", "red"],
    "keywords_zh": ["水果"],
    "caption": "an apple",
    "caption_zh": "一个苹果",
    "style": "pixel art",
}


def _words(row=ROW, colour=None, count=200, **wording):
    rng = np.random.default_rng(0)
    return {put_into_words(row, colour, Wording(**wording), rng) for _ in range(count)}


def test_a_picture_is_laid_on_its_background_by_alpha():
    picture = np.zeros((1, 3, 4), np.uint8)
    picture[0, :, 3] = 0, 51, 255
    np.testing.assert_array_equal(on_background(picture)[0, :, 0], [255, 204, 0])
    np.testing.assert_array_equal(on_background(picture, (16, 40, 99))[0, 0], [16, 40, 99])


def test_words_come_in_the_ways_that_are_asked_for():
    always = {"keyword": 0, "caption": 0, "style": 1}
    assert _words(chinese=0, **always) == {"pixel art of red apple"}
    assert _words(chinese=1, **always) == {"红苹果的像素画"}
    assert _words(chinese=0, keyword=0, caption=1) == {"an apple"}
    keywords = _words(chinese=0, keyword=1, caption=0, style=0)
    assert keywords == {"fruit", "red", "fruit, red", "red, fruit"}
    assert _words(colour="blue", chinese=0, caption=1) == {"an apple on a blue background"}
    assert len(_words()) > 5


def test_a_row_without_chinese_is_put_into_english():
    row = {**ROW, "name_zh": "", "caption_zh": "苹果", "keywords_zh": []}
    assert all(words.isascii() for words in _words(row, chinese=1.0))


def test_named_backgrounds_are_there_and_others_are_pale():
    pictures = np.zeros((1, 4, 4, 4), np.uint8)
    captioned = Captioned(pictures, [ROW], np.ones(1))
    rng = np.random.default_rng(0)
    made, prompts, _ = captioned.draw(60, Wording(background=0.5, chinese=0), rng)
    unnamed = set()
    for picture, words in zip(made, prompts, strict=True):
        if "background" in words:
            colour = words.split(" background")[0].split()[-1]
            np.testing.assert_array_equal(picture[0, 0], BACKGROUNDS[colour]["rgb"])
        else:
            assert picture.min() > 180
            unnamed.add(picture.tobytes())
    assert 15 < len(unnamed) < 45


def test_chance_varies_what_no_word_says():
    picture = np.full((1, 2, 2, 4), 255, np.uint8)
    picture[0, :, 0, :3] = 100, 120, 140
    still = np.array([1.0, 0.5, *[0.5] * 3, *[0.0] * 3])

    def varied(row=ROW, colour=None, **changes):
        chances = still.copy()
        for place, value in changes.items():
            chances[int(place[1:])] = value
        return Captioned(picture, [row], np.ones(1)).picture(0, colour, chances, 0.5)

    np.testing.assert_array_equal(varied(), picture[0, :, :, :3])
    np.testing.assert_array_equal(varied(_0=0.4), picture[0, :, ::-1, :3])
    np.testing.assert_array_equal(varied({**ROW, "name": "left arrow"}, _0=0.4), varied())
    np.testing.assert_array_equal(varied(_1=0)[0, 0], [106, 120, 134])
    np.testing.assert_array_equal(varied(_2=1, _4=0)[0, 0], [115, 120, 119])
    picture[0, :, 1, 3] = 0
    np.testing.assert_array_equal(varied(_5=1, _7=0.5)[0, 1], [185, 255, 220])
    np.testing.assert_array_equal(varied(colour="pink", _5=1)[0, 1], BACKGROUNDS["pink"]["rgb"])


def test_batches_depend_on_seed_and_number_alone():
    pictures = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 4), np.uint8)
    captioned = Captioned(pictures, [ROW] * 5, np.full(5, 0.2))
    first = list(captioned_batches(captioned, Wording(), 3, seed=1).take(3))
    later = next(iter(captioned_batches(captioned, Wording(), 3, seed=1, first_step=2)))
    np.testing.assert_array_equal(first[2][0], later[0])
    np.testing.assert_array_equal(first[2][1], later[1])
    assert first[0][0].dtype == "float32" and float(first[0][0].numpy().max()) <= 1
    other = next(iter(captioned_batches(captioned, Wording(), 3, seed=2)))
    assert np.abs(first[0][0] - other[0]).max() > 0


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioned")
    rows = []
    for number, name in enumerate(["sun", "hand: dark", "hand: light", "hand", "hand"]):
        side = (8, 16, 12, 16, 16)[number]
        picture = np.full((side, side, 4), 255, np.uint8)
        picture[:, : side // 2, :3] = 0
        Image.fromarray(picture).save(folder / f"{number}.png")
        rows.append({"file": f"{number}.png", "name": name, "style": "photo", "keywords": ["k"]})
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "rows.jsonl").write_text(text)
    builder = PictureFolder(folder, channels=4, data_dir=folder / "prepared")
    builder.download_and_prepare()
    return builder


def test_rows_and_pictures_are_read_through_the_builder(builder):
    parts = [read_captioned([builder], split, 16) for split in builder.info.splits]
    rows = [row for part in parts for row in part.rows]
    assert sorted(row["file"] for row in rows) == [f"{n}.png" for n in range(5)]
    assert all(row["keywords"] == ["k"] for row in rows)
    pictures = np.concatenate([part.pictures for part in parts])
    assert pictures.shape == (5, 16, 16, 4)
    for picture, row in zip(pictures, rows, strict=True):
        if row["file"] != "2.png":  # which is not a whole number of times smaller
            assert set(np.unique(picture[:, :8, :3])) == {0}, "pixels are repeated, not smoothed"
    for part in parts:
        assert part.weights.sum() == pytest.approx(1)


def test_what_comes_often_weighs_little(builder):
    captioned = read_captioned([builder], "train", 16)
    weights = {row["file"]: w for row, w in zip(captioned.rows, captioned.weights, strict=True)}
    hands = [weights[file] for file in weights if file != "0.png"]
    assert len(hands) > 1 and hands == pytest.approx([hands[0]] * len(hands))
    if "0.png" in weights:
        assert hands[0] == pytest.approx(weights["0.png"] * len(hands) ** -0.5)


def _builder(pictures, **columns):
    """A data set of the rows given."""
    rows = tf.data.Dataset.from_tensor_slices({"image": pictures, **columns})
    return SimpleNamespace(as_dataset=lambda split: rows, info=SimpleNamespace(features={}))


def test_rows_without_a_name_are_told_apart_by_their_captions():
    captions = ["a cat", "a dog", "a dog", "a cow"]
    builder = _builder(np.zeros((4, 4, 4, 3), np.uint8), name=[""] * 4, caption=captions)
    weights = read_captioned([builder], "train", 4).weights
    assert weights / weights[0] == pytest.approx([1, 0.5**0.5, 0.5**0.5, 1])


def test_grey_pictures_have_three_equal_colours():
    grey = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    found = read_captioned([_builder(grey, name=["seven"])], "train", 4).pictures
    np.testing.assert_array_equal(found[..., :3], np.concatenate([grey] * 3, axis=-1))
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("name", ["oxford_flowers102", "coco_captions"])
def test_sets_of_tensorflow_datasets_bring_their_words(name):
    """With random pictures and captions in the place of the real ones."""
    with tfds.testing.mock_data(num_examples=3):
        builder = tfds.builder(name)
        captioned = read_captioned([builder], "train", 32)
    assert captioned.pictures.shape == (3, 32, 32, 4)
    if name == "oxford_flowers102":
        flowers = builder.info.features["label"].names
        assert all(row["name"] in flowers for row in captioned.rows)
    else:
        assert all(row["caption"] and isinstance(row["caption"], str) for row in captioned.rows)
    assert len(captioned.draw(4, Wording(), np.random.default_rng(0))[1]) == 4


def test_of_an_oblong_picture_the_middle_is_taken(tmp_path):
    picture = np.zeros((8, 24, 3), np.uint8)
    picture[:, 8:16] = 255
    for number in range(2):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    rows = [{"file": f"{number}.png", "name": "stripe"} for number in range(2)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    builder = PictureFolder(tmp_path, channels=4, data_dir=tmp_path / "prepared")
    builder.download_and_prepare()
    captioned = read_captioned([builder], next(iter(builder.info.splits)), 8)
    assert (captioned.pictures == 255).all()


def test_pictures_without_words_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png")
    builder = PictureFolder(tmp_path, data_dir=tmp_path / "prepared")
    builder.download_and_prepare()
    with pytest.raises(ValueError, match="name or a caption"):
        read_captioned([builder], next(iter(builder.info.splits)), 4)
