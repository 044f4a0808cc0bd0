"""Diagnosing a picture."""

import keras
import numpy as np
import pytest

import tfimg
from tests import tiny
from tfimg.degradations import INTENTS, NAMES


@pytest.fixture(scope="module")
def classifier(restorer):
    return tfimg.ImageClassifier(restorer.backbone, restorer.preprocessor)


def test_probabilities_are_sigmoids_of_the_logits_and_severity_is_clipped(classifier):
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
    diagnosis = classifier.diagnose(image)
    assert diagnosis.probabilities == found and tuple(diagnosis.severity) == NAMES
    expected = np.asarray(outputs["severity"])[0].clip(0, 1)
    np.testing.assert_allclose([*diagnosis.severity.values()], expected, rtol=1e-5)


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


LABELS = ["dark", "bright"]


def test_labels_of_your_own_are_learnt_saved_and_loaded(preset, restorer, tmp_path):
    keras.utils.set_random_seed(0)
    mine = tfimg.ImageClassifier.from_preset(str(preset), labels=LABELS)
    for layer in mine.backbone.image_network.layers:
        if layer.name not in ("logits", "severity") and layer.weights:
            twin = restorer.backbone.image_network.get_layer(layer.name)
            np.testing.assert_array_equal(layer.get_weights()[0], twin.get_weights()[0])
    shades = np.linspace(0, 1, 16, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.05, (16, 16, 24, 3)).astype(np.float32)
    images = np.clip(shades[:, None, None, None] + noise, 0, 1)
    inputs = {"image": images, "instruction": np.array(["the noise"] * 16)}
    targets = (shades > 0.5).astype(int)
    mine.compile(optimizer=keras.optimizers.Adam(0.01))
    mine.fit(inputs, targets, epochs=20, batch_size=16, verbose=0)
    assert mine.evaluate(inputs, targets, verbose=0, return_dict=True)["accuracy"] > 0.9
    found = mine.classify(images[0], "the noise")
    assert list(found) == LABELS and sum(found.values()) == pytest.approx(1)
    assert found["dark"] > 0.5 > mine.classify(images[-1], "the noise")["dark"]

    mine.save_to_preset(str(tmp_path / "mine"))
    again = tfimg.ImageClassifier.from_preset(str(tmp_path / "mine"))
    assert again.labels == tuple(LABELS)
    assert again.classify(images[0], "the noise") == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("labels", [["one"], ["one", "two", "one"]])
def test_labels_are_different_names(restorer, labels):
    with pytest.raises(ValueError, match="two or more different names"):
        restorer.backbone.with_labels(labels)


def test_where_nothing_is_said_it_is_what_was_fitted(preset):
    """Without words, `fit` and `classify` mean the same."""
    mine = tfimg.ImageClassifier.from_preset(str(preset), labels=LABELS)
    picture = tiny.picture()
    inputs = mine.preprocessor({"image": picture[None]})
    logits = np.asarray(mine(inputs))[0]
    odds = np.exp(logits - logits.max())
    expected = dict(zip(LABELS, odds / odds.sum(), strict=True))
    assert mine.classify(picture) == pytest.approx(expected, abs=1e-5)
    assert mine.classify(picture) != mine.classify(picture, "the noise")


def test_ten_labels_of_your_own_are_no_diagnosis(preset, tmp_path):
    digits = tfimg.ImageClassifier.from_preset(str(preset), labels=[*"0123456789"])
    digits.save_to_preset(str(tmp_path / "digits"))
    restorer = tfimg.ImageRestorer.from_preset(str(tmp_path / "digits"))
    assert not digits.diagnoses and not restorer.diagnoses
    with pytest.raises(ValueError, match="10 labels of its own"):
        restorer.restore(tiny.picture())


def test_labels_of_your_own_do_not_diagnose(preset):
    mine = tfimg.ImageClassifier.from_preset(str(preset), labels=LABELS)
    assert not mine.diagnoses
    with pytest.raises(ValueError, match="the labels are dark, bright; .* expected noise"):
        mine.diagnose(tiny.picture())
    restorer = tfimg.ImageRestorer(mine.backbone, mine.preprocessor)
    assert not restorer.diagnoses
    with pytest.raises(ValueError, match="2 labels of its own.*say in words") as refusal:
        restorer.restore(tiny.picture())
    assert "\n" not in str(refusal.value)
    assert restorer.restore(tiny.picture(), "remove the noise", strength=0).shape == (16, 24, 3)
