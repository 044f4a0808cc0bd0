"""The network as int8 needs it gives the same pictures, from narrower values."""

import keras
import numpy as np

from export.integers import with_fused_shifts
from tests import tiny


def _inputs(embedding):
    image = tiny.picture()[None]
    return {"image": image, "mask": np.ones_like(image[..., :1]), "embedding": embedding[None]}


def test_the_same_pictures_for_all_that_words_ask():
    network = tiny.perturb(tiny.restorer()).backbone.image_network
    fused = with_fused_shifts(network)
    assert {id(v) for v in fused.variables} >= {id(v) for v in network.trainable_variables}
    for embedding in (*np.eye(10, dtype=np.float32), np.ones(10, np.float32)):
        expected, found = (model(_inputs(embedding))["image"] for model in (network, fused))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_added_to_the_words_is_never_negative():
    network = tiny.perturb(tiny.restorer()).backbone.image_network
    fused = with_fused_shifts(network)
    names = [layer.name for layer in fused.layers if layer.name.endswith("_words_fused")]
    assert names and not any(layer.name.endswith("_words") for layer in fused.layers)
    name = names[0].removesuffix("_fused")
    before = keras.Model(network.input, network.get_layer(name).output)
    after = keras.Model(fused.input, fused.get_layer(f"{name}_fused").output)
    inputs = _inputs(np.eye(10, dtype=np.float32)[0])
    wide, narrow = np.asarray(before(inputs)), np.asarray(after(inputs))
    np.testing.assert_allclose(np.maximum(narrow, 0), np.maximum(wide, 0), atol=1e-5)
    assert np.ptp(narrow) < np.ptp(wide)
