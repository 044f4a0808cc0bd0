"""Tokenising: what the numbers are, eagerly and inside tf.data."""

import keras
import numpy as np
import pytest

from tests import tiny
from tfimg.tasks.preprocessor import NOTHING_KNOWN

tf = pytest.importorskip("tensorflow")
SENTENCES = ["Remove the NOISE", "去掉噪点", "the 🌧 rain", "noise " * 20]
# [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, then the words of `tiny.WORDS` from 5 on.
EXPECTED = [
    [2, 5, 6, 7, 3, 0, 0, 0],
    [2, 13, 14, 15, 16, 3, 0, 0],
    [2, 6, 1, 8, 3, 0, 0, 0],
    [2, 7, 7, 7, 7, 7, 7, 3],
]


@pytest.fixture(scope="module")
def preprocessor():
    return tiny.preprocessor()


def _batch():
    image = np.stack([tiny.picture(4, 5, seed) for seed in range(len(SENTENCES))])
    return {"image": image, "instruction": np.array(SENTENCES)}


def test_words_become_the_numbers_of_the_vocabulary(preprocessor):
    found = preprocessor(_batch())
    np.testing.assert_array_equal(found["token_ids"], EXPECTED)
    np.testing.assert_array_equal(found["padding_mask"], np.not_equal(EXPECTED, 0))


def test_pictures_go_through_and_every_pixel_is_known(preprocessor):
    batch = _batch()
    found = preprocessor(batch)
    np.testing.assert_array_equal(found["image"], batch["image"])
    np.testing.assert_array_equal(found["mask"], np.ones((4, 4, 5, 1)))


def test_a_mask_and_targets_go_through(preprocessor):
    batch = {**_batch(), "mask": np.zeros((4, 4, 5, 1), "float32")}
    x, y, weight = preprocessor(batch, {"image": batch["image"]}, np.arange(4))
    np.testing.assert_array_equal(x["mask"], 0)
    np.testing.assert_array_equal(y["image"], batch["image"])
    np.testing.assert_array_equal(weight, np.arange(4))


def test_integers_are_refused(preprocessor):
    batch = {**_batch(), "image": np.zeros((4, 4, 5, 3), np.uint8)}
    with pytest.raises(TypeError, match=r"image has dtype uint8; expected floats 0\.\.1"):
        preprocessor(batch)


def test_where_nothing_is_said_the_same_is_said_of_all(preprocessor):
    batch = {"image": _batch()["image"]}
    said = {**batch, "instruction": np.array([NOTHING_KNOWN] * 4)}
    for found in (preprocessor(batch), *tf.data.Dataset.from_tensors(batch).map(preprocessor)):
        np.testing.assert_array_equal(found["token_ids"], preprocessor(said)["token_ids"])


def test_the_same_inside_tf_data(preprocessor):
    batch = _batch()
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(2).map(preprocessor)
    parts = [{k: v.numpy() for k, v in part.items()} for part in dataset]
    expected = preprocessor(batch)
    for name, value in expected.items():
        np.testing.assert_array_equal(np.concatenate([p[name] for p in parts]), value)


@pytest.mark.parametrize("sentence,count", [(SENTENCES[0], 5), (SENTENCES[3], 22)])
def test_tokens_are_counted_before_the_cut(preprocessor, sentence, count):
    assert preprocessor.count_tokens(sentence) == count


def test_pictures_stay_exact_under_mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = tiny.preprocessor()(_batch())
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(found["image"], _batch()["image"])
