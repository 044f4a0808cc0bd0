"""The text branch: padding does not count, and the embedding is what the words ask for."""

import keras
import numpy as np
import pytest

from tests import tiny
from tfimg.text.encoder import masked_mean, text_encoder

TOKENS = np.array([[2, 5, 6, 7, 3]])


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    return tiny.perturb(text_encoder(tiny.bert(), 10))


def _read(encoder, token_ids, padding_mask=None):
    padding_mask = np.ones_like(token_ids) if padding_mask is None else padding_mask
    outputs = encoder({"token_ids": token_ids, "padding_mask": padding_mask})
    return {name: np.asarray(value) for name, value in outputs.items()}


def test_masked_mean_is_the_mean_of_what_is_there():
    features = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
    expected = [features[0].mean(0), features[1, :2].mean(0), np.zeros(2)]
    np.testing.assert_allclose(masked_mean((features, mask)), expected, atol=1e-6)


def test_padding_does_not_count(encoder):
    padded = np.array([[2, 5, 6, 7, 3, 0, 9, 11]])
    mask = np.array([[1, 1, 1, 1, 1, 0, 0, 0]])
    expected, found = _read(encoder, TOKENS), _read(encoder, padded, mask)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_other_words_and_another_order_read_otherwise(encoder):
    first = _read(encoder, TOKENS)["intent_logits"]
    for other in ([[2, 5, 6, 8, 3]], [[2, 7, 6, 5, 3]]):
        assert np.abs(_read(encoder, np.array(other))["intent_logits"] - first).max() > 1e-3


def test_the_embedding_is_the_probability_of_each_intent(encoder):
    found = _read(encoder, TOKENS)
    np.testing.assert_allclose(
        found["embedding"], 1 / (1 + np.exp(-found["intent_logits"])), rtol=1e-5
    )


def test_the_embedding_may_have_a_width_of_its_own():
    found = _read(tiny.perturb(text_encoder(tiny.bert(), 10, 7)), TOKENS)
    assert found["embedding"].shape == (1, 7) and found["intent_logits"].shape == (1, 10)
