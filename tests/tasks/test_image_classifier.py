"""Diagnosing a picture."""

import numpy as np
import pytest

import tfimg
from tests import tiny
from tfimg.degradations import INTENTS


@pytest.fixture(scope="module")
def classifier(restorer):
    return tfimg.ImageClassifier(restorer.backbone, restorer.preprocessor)


def test_ten_probabilities_that_are_the_sigmoid_of_the_logits(classifier):
    image = tiny.picture(16, 24)
    outputs = classifier.backbone.image_network(
        {
            "image": image[None],
            "mask": np.ones((1, 16, 24, 1)),
            "embedding": np.zeros((1, classifier.backbone.embedding_width)),
        }
    )
    expected = 1 / (1 + np.exp(-np.asarray(outputs["logits"])[0]))
    found = classifier.classify(image)
    assert tuple(found) == INTENTS
    np.testing.assert_allclose([*found.values()], expected, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (5, 6), (600, 530)])
def test_any_size(classifier, size):
    found = classifier.classify((tiny.picture(*size) * 255).astype(np.uint8))
    assert np.isfinite([*found.values()]).all()


def test_a_large_picture_is_judged_by_its_middle(classifier):
    image = tiny.picture(600, 530)
    expected = classifier.classify(image)
    image[:44] = 0  # outside the middle 512x512
    image[:, :9] = 1
    assert classifier.classify(image) == expected
    image[300, 265] = 1 - image[300, 265]
    assert classifier.classify(image) != expected


@pytest.mark.parametrize(
    "value,error,pattern",
    [
        (np.zeros((2, 4, 4, 3), np.uint8), ValueError, r"\(2, 4, 4, 3\)"),
        (np.zeros((4, 4, 3), np.int32), TypeError, "int32"),
        (np.full((4, 4, 3), np.nan), ValueError, "NaN"),
        ([[1, 2]], TypeError, "dtype"),
    ],
)
def test_what_is_no_picture_is_refused(classifier, value, error, pattern):
    with pytest.raises(error, match=pattern):
        classifier.classify(value)
