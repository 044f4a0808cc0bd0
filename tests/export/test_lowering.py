"""The network as int8 needs it gives the same pictures, from narrower values."""

import keras
import numpy as np
import pytest

from export.lowering import lowered
from tests import tiny
from tfimg.fusion import WordScale, WordShift


def _inputs(embedding):
    image = tiny.picture()[None]
    return {"image": image, "mask": np.ones_like(image[..., :1]), "embedding": embedding[None]}


def test_the_same_pictures_for_all_that_words_ask():
    network = tiny.perturb(tiny.restorer()).backbone.image_network
    fused = lowered(network, int8=True)
    assert {id(v) for v in fused.variables} >= {id(v) for v in network.trainable_variables}
    for embedding in (*np.eye(10, dtype=np.float32), np.ones(10, np.float32)):
        expected, found = (model(_inputs(embedding))["image"] for model in (network, fused))
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("patch", [1, 2])
def test_where_all_is_known_no_mask_is_taken(patch):
    network = tiny.perturb(tiny.restorer(patch=patch)).backbone.image_network
    whole = lowered(network, whole=True)
    assert set(whole.input) == {"image", "embedding"}
    inputs = _inputs(np.eye(10, dtype=np.float32)[0])
    expected = network(inputs)
    found = whole({name: inputs[name] for name in whole.input})
    for name in ("image", "logits", "severity"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, rtol=1e-5)


def test_nothing_is_left_that_is_slow():
    maker = tiny.perturb(tiny.backbone(canvas=16, embedding_dim=7)).image_network
    kinds = {type(layer) for layer in lowered(maker).layers}
    assert not kinds & {keras.layers.Conv2DTranspose, WordScale, WordShift}
    noise = np.random.default_rng(0).uniform(0, 1, (2, 16, 16, 3)).astype("float32")
    words = np.random.default_rng(1).uniform(-1, 1, (2, 7)).astype("float32")
    inputs = {"image": noise, "mask": np.zeros_like(noise[..., :1]), "embedding": words}
    expected, found = (model(inputs)["image"] for model in (maker, lowered(maker)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_added_to_the_words_is_never_negative():
    network = tiny.perturb(tiny.restorer()).backbone.image_network
    fused = lowered(network, int8=True)
    names = [layer.name for layer in fused.layers if layer.name.endswith("_words_lowered")]
    assert names and not any(layer.name.endswith("_words") for layer in fused.layers)
    name = names[0].removesuffix("_lowered")
    before = keras.Model(network.input, network.get_layer(name).output)
    after = keras.Model(fused.input, fused.get_layer(f"{name}_lowered").output)
    inputs = _inputs(np.eye(10, dtype=np.float32)[0])
    wide, narrow = np.asarray(before(inputs)), np.asarray(after(inputs))
    np.testing.assert_allclose(np.maximum(narrow, 0), np.maximum(wide, 0), atol=1e-5)
    assert np.ptp(narrow) < np.ptp(wide)


def test_what_doubtful_words_leave_off_stays_off():
    network = tiny.perturb(tiny.restorer()).backbone.image_network
    words = next(layer for layer in network.layers if isinstance(layer, WordShift))
    # Of the first probability p the shift is p - max(0, 2p - 1): nothing at 0 and 1, else more.
    hidden = network.get_layer("steer")
    kernel, bias = (np.zeros(variable.shape, np.float32) for variable in hidden.weights)
    kernel[0, :2], bias[1] = (1, 2), -1
    hidden.set_weights([kernel, bias])
    kernel, bias = (np.zeros(variable.shape, np.float32) for variable in words.steer.weights)
    kernel[:2] = [[1], [-1]]
    words.steer.set_weights([kernel, bias])
    fused = lowered(network, int8=True)
    before = keras.Model(network.input, network.get_layer(words.name).output)
    after = keras.Model(fused.input, fused.get_layer(f"{words.name}_lowered").output)
    for probability in (0.1, 0.5, 0.8):
        inputs = _inputs(np.eye(10, dtype=np.float32)[0] * np.float32(probability))
        wide, narrow = np.asarray(before(inputs)), np.asarray(after(inputs))
        assert (wide < 0).any() and (wide > 0).any()
        assert np.maximum(narrow, 0)[wide < 0].max() == 0
        assert (np.maximum(narrow, 0) <= np.maximum(wide, 0) + 1e-6).all()
