"""The network as a whole: what it does before training, and what may influence what."""

import keras
import keras_hub
import numpy as np
import pytest

import tfimg
from tests import tiny
from tfimg.degradations import INTENTS
from tfimg.network import SIZES, ImageSize, image_network, multiple_of


def _run(network, image, embedding=None, mask=None):
    image = np.asarray(image, "float32")[None]
    embedding = np.zeros(10) if embedding is None else embedding
    mask = np.ones(image.shape[:3]) if mask is None else mask[None]
    outputs = network(
        {
            "image": image,
            "mask": mask[..., None].astype("float32"),
            "embedding": np.asarray(embedding, "float32")[None],
        }
    )
    return {name: np.asarray(value)[0] for name, value in outputs.items()}


@pytest.mark.parametrize("size", ["tiny", "small", "base"])
def test_every_size_starts_as_the_identity(size):
    network = image_network(SIZES[size], 10, 4)
    image = tiny.picture(16, 24)
    outputs = _run(network, image, np.arange(10))
    np.testing.assert_array_equal(outputs["image"], image)
    assert outputs["logits"].shape == (4,)


def test_a_tone_multiplies_and_lifts_the_known_picture():
    network, image = image_network(SIZES["tiny"], 10, 4), tiny.picture()
    network.get_layer("tone_gain").bias.assign([0, 0.5, 0])
    network.get_layer("tone_offset").bias.assign([0, 0.125, 0])
    expected = image * [1, 1.5, 1] + [0, 0.125, 0]
    np.testing.assert_allclose(_run(network, image)["image"], expected, atol=1e-6)


def test_a_head_alone_gives_what_it_gives_with_the_others():
    backbone = tiny.perturb(tiny.backbone())
    image = tiny.picture()
    whole = _run(backbone.image_network, image)
    for names in (["image"], ["logits", "severity"]):
        some = _run(backbone.heads(*names), image)
        assert sorted(some) == names
        for name in names:
            np.testing.assert_allclose(some[name], whole[name], rtol=1e-5, atol=1e-6)
    decoder = {layer.name for layer in backbone.heads("logits").layers}
    assert "to_image" not in decoder and "classifier_hidden" in decoder


def test_with_a_canvas_it_starts_as_black_and_has_no_tone():
    size = ImageSize((8, 24, 48), (0, 0, 1), (1, 1))
    network = image_network(size, 10, 4, canvas=12)
    picture = tiny.picture(12, 12)
    assert multiple_of(size, canvas=12) == 4
    made = _run(network, picture)
    assert set(made) == {"image"}, "it diagnoses nothing"
    np.testing.assert_array_equal(made["image"], np.zeros_like(picture))
    with pytest.raises(ValueError, match="canvas is 10"):
        image_network(SIZES["tiny"], 10, 4, canvas=10)


def test_words_lay_out_a_canvas():
    """Where everything else says the same everywhere, the layout still tells places apart."""
    network = tiny.perturb(image_network(SIZES["tiny"], 10, 4, canvas=32))
    middles = []
    for row in np.eye(10)[:2]:
        made = _run(network, np.full((32, 32, 3), 0.5), row)["image"]
        middles.append(made[12:20, 12:20] - made[12:20, 20:28])
    assert np.abs(middles[0] - middles[1]).mean() > 1e-3


def test_the_words_change_the_picture(restorer):
    network, image = restorer.backbone.image_network, tiny.picture()
    noise, rain = (_run(network, image, row)["image"] for row in np.eye(10)[:2])
    assert np.abs(noise - rain).mean() > 1e-3


def test_the_words_do_not_change_every_picture_alike(restorer):
    network = restorer.backbone.image_network
    changes = []
    for seed in (0, 1):
        image = tiny.picture(seed=seed)
        noise, rain = (_run(network, image, row)["image"] for row in np.eye(10)[:2])
        changes.append(noise - rain)
    assert np.abs(changes[0] - changes[1]).max() > 1e-4


def test_unknown_pixels_have_no_influence(restorer):
    network, image = restorer.backbone.image_network, tiny.picture()
    mask = np.ones(image.shape[:2])
    mask[4:9, 10:17] = 0
    other = np.where(mask[..., None] == 0, 1 - image, image)
    expected, found = _run(network, image, mask=mask), _run(network, other, mask=mask)
    np.testing.assert_array_equal(found["image"], expected["image"])
    np.testing.assert_array_equal(found["logits"], expected["logits"])
    assert np.abs(_run(network, other)["image"] - _run(network, image)["image"]).max() > 0.01


def test_the_mask_itself_has_an_influence(restorer):
    network, black = restorer.backbone.image_network, np.zeros((16, 24, 3))
    known, unknown = _run(network, black), _run(network, black, mask=np.zeros((16, 24)))
    assert np.abs(known["image"] - unknown["image"]).max() > 0.01


def test_a_picture_moved_by_the_multiple_gives_the_result_moved(restorer):
    backbone = restorer.backbone
    step = backbone.multiple
    image = np.zeros((256, 256, 3), "float32")
    image[124:132, 120:132] = tiny.picture(8, 12)
    moved = np.roll(image, (step, 2 * step), (0, 1))
    expected = np.roll(_run(backbone.image_network, image)["image"], (step, 2 * step), (0, 1))
    found = _run(backbone.image_network, moved)["image"]
    inner = np.s_[96:160, 96:160]  # away from the borders, which do not move
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


@pytest.mark.parametrize("height,width", [(1, 1), (1, 5), (3, 2)])
def test_any_multiple_fits(restorer, height, width):
    backbone = restorer.backbone
    assert backbone.multiple == 8
    image = tiny.picture(height * backbone.multiple, width * backbone.multiple)
    assert _run(backbone.image_network, image)["image"].shape == image.shape


def test_the_backbone_is_the_composition_of_its_halves(restorer):
    backbone = restorer.backbone
    words = {
        "token_ids": np.array([[2, 5, 6, 7, 3, 0]]),
        "padding_mask": np.array([[1, 1, 1, 1, 1, 0]]),
    }
    image = tiny.picture()
    whole = backbone({"image": image[None], "mask": np.ones((1, 16, 24, 1)), **words})
    read = backbone.text_encoder(words)
    made = _run(backbone.image_network, image, np.asarray(read["embedding"])[0])
    np.testing.assert_allclose(whole["image"][0], made["image"], atol=1e-6)
    np.testing.assert_allclose(whole["logits"][0], made["logits"], atol=1e-5)
    np.testing.assert_allclose(whole["intent_logits"], read["intent_logits"], atol=1e-6)


def test_gradients_reach_every_weight_of_the_picture(restorer):
    tf = pytest.importorskip("tensorflow")
    network = restorer.backbone.image_network
    with tf.GradientTape() as tape:
        outputs = network(
            {
                "image": tiny.picture()[None],
                "mask": np.ones((1, 16, 24, 1), "float32"),
                "embedding": np.eye(10, dtype="float32")[:1],
            }
        )
        loss = sum(tf.reduce_mean(output**2) for output in outputs.values())
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_weights])
    for weight, gradient in zip(network.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.abs(gradient).max() > 0, weight.path


def test_more_blocks_begin_where_the_others_are(restorer):
    backbone = restorer.backbone
    more = backbone.with_size(ImageSize(backbone.size.widths, (0, 1, 1), (1, 1)))
    fresh = [n for n in ("encoder1_0", "decoder0_0") if more.image_network.get_layer(f"{n}_conv2")]
    for name in fresh:
        layer = more.image_network.get_layer(f"{name}_conv2")
        layer.set_weights([np.zeros_like(layer.get_weights()[0])])
    image = tiny.picture()
    expected, found = (_run(b.image_network, image) for b in (backbone, more))
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    with pytest.raises(ValueError, match=r"widths: \(4, 6, 9\)"):
        backbone.with_size(ImageSize((4, 6, 9), (0, 0, 1), (0, 1)))
    with pytest.raises(ValueError, match="patch: 2; expected 1"):
        backbone.with_size(ImageSize(backbone.size.widths, (0, 0, 1), (0, 1), patch=2))


def test_layers_that_start_anew_leave_the_others_as_they_are(restorer):
    anew = restorer.backbone.with_fresh("classifier", "logits")
    image = tiny.picture()
    expected, found = (_run(b.image_network, image) for b in (restorer.backbone, anew))
    np.testing.assert_array_equal(found["image"], expected["image"])
    assert not np.allclose(found["logits"], expected["logits"])
    for layer in anew.image_network.layers:
        same = [
            np.array_equal(*pair)
            for pair in zip(
                layer.get_weights(),
                restorer.backbone.image_network.get_layer(layer.name).get_weights(),
                strict=True,
            )
        ]
        if not layer.name.startswith(("classifier", "logits")):
            assert all(same)
        elif same:
            assert not any(same)
    with pytest.raises(ValueError, match="no layer's name begins with 'sorter'"):
        restorer.backbone.with_fresh("classifier", "sorter")


@pytest.mark.parametrize("hidden_dim", [8, 32])
def test_any_bert_fits(hidden_dim):
    backbone = tfimg.TextGuidedBackbone.from_size("tiny", tiny.bert(hidden_dim))
    restorer = tfimg.ImageRestorer(backbone, tiny.preprocessor())
    image = tiny.picture(5, 6)
    np.testing.assert_array_equal(restorer.restore(image, "remove the noise"), image)
    (found,) = restorer.interpret(["remove the noise"])
    assert tuple(found) == INTENTS


def test_a_bert_loaded_from_a_folder_fits(tmp_path):
    tiny.perturb(tiny.bert(24)).save_to_preset(str(tmp_path))
    bert = keras_hub.models.BertBackbone.from_preset(str(tmp_path))
    backbone = tfimg.TextGuidedBackbone.from_size("tiny", bert, embedding_dim=5)
    assert backbone.embedding_width == 5
    assert backbone.text_encoder.output["embedding"].shape == (None, 5)


def test_from_size_names_the_size_it_does_not_know():
    with pytest.raises(ValueError, match=r"tiny.*found 'huge'"):
        tfimg.TextGuidedBackbone.from_size("huge", tiny.bert())


def test_a_configuration_survives_json(restorer):
    config = keras.saving.serialize_keras_object(restorer.backbone)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.size == restorer.backbone.size
    assert copy.count_params() == restorer.backbone.count_params()


@pytest.mark.parametrize("labels", [("dark", "bright"), INTENTS])
def test_labels_of_ones_own_keep_learnt_statistics_after_saving(labels):
    backbone = tiny.backbone(labels=labels)
    config = keras.saving.serialize_keras_object(backbone)
    copy = keras.saving.deserialize_keras_object(config)
    for network in (backbone.image_network, copy.image_network):
        statistics = network.get_layer("classifier_standardised").non_trainable_variables[-2:]
        before = [np.array(value) for value in statistics]
        inputs = {
            "image": tiny.picture()[None],
            "mask": np.ones((1, 16, 24, 1), "float32"),
            "embedding": np.zeros((1, 10), "float32"),
        }
        network(inputs, training=True)
        same = [np.array_equal(*pair) for pair in zip(before, statistics, strict=True)]
        assert same == [labels != INTENTS] * 2
