"""A maker against its critic: who learns what from one step."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import tiny
from tfimg.image.discriminator import discriminator
from training.adversary import Adversary, _confusion

SIDE = 16


def _adversary(**weights):
    keras.utils.set_random_seed(0)
    network = tiny.perturb(tiny.backbone(canvas=SIDE, embedding_dim=7)).image_network
    network.get_layer("to_image").bias.assign([0.5] * 3)
    critic = discriminator(SIDE, 7, (4, 8))
    options = {"mismatch": 0.5, "steepness": 0.1, "matching": 1.0, "likeness": 1.0} | weights
    return Adversary(network, critic, **options)


def _batch(count=8, seed=0):
    rng = np.random.default_rng(seed)
    x = {
        "image": rng.random((count, SIDE, SIDE, 3), np.float32),
        "mask": np.zeros((count, SIDE, SIDE, 1), "float32"),
        "embedding": rng.normal(size=(count, 7)).astype("float32"),
    }
    return x, {"image": rng.random((count, SIDE, SIDE, 3), np.float32)}


def _values(model):
    return [np.asarray(variable) for variable in model.trainable_variables]


def _changed(before, after):
    return any((a != b).any() for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("count", [2, 8])
def test_one_step_trains_both(count):
    adversary = _adversary()
    adversary.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    maker, critic = _values(adversary.network), _values(adversary.critic)
    told = adversary.train_on_batch(*_batch(count), return_dict=True)
    assert set(told) == {"loss", "critic_loss", "fooled", "error"}
    assert all(np.isfinite(float(value)) for value in told.values())
    assert _changed(maker, _values(adversary.network))
    assert _changed(critic, _values(adversary.critic))


def test_the_maker_learns_nothing_from_the_critics_loss():
    """With no weight on anything but fooling, a blind critic moves the maker nowhere."""
    adversary = _adversary(matching=0.0, likeness=0.0, steepness=0.0)
    for name in ("real", "words"):
        layer = adversary.critic.get_layer(name)
        layer.set_weights([np.zeros_like(value) for value in layer.get_weights()])
    adversary.compile(keras.optimizers.SGD(1.0), jit_compile=False)
    before = _values(adversary.network)
    adversary.train_on_batch(*_batch())
    for old, new in zip(before, _values(adversary.network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_critic_learns_to_tell_real_from_made():
    adversary = _adversary(mismatch=0.0, steepness=0.0)
    adversary.network.trainable = False
    adversary.compile(keras.optimizers.Adam(3e-3), jit_compile=False)
    x, y = _batch()
    y["image"] = np.clip(y["image"] * 0.2 + [0.8, 0.1, 0.1], 0, 1).astype("float32")
    losses = [float(adversary.train_on_batch(x, y, return_dict=True)["critic_loss"])]
    for _ in range(60):
        told = adversary.train_on_batch(x, y, return_dict=True)
        adversary.reset_metrics()
    assert float(told["critic_loss"]) < 0.3 < losses[0]


def test_the_slope_is_that_of_the_critic():
    """A critic that sums what it sees times 3 has a squared slope of 9 a value."""
    adversary = _adversary()

    class Sum(keras.Model):
        def call(self, x):
            return {"score": 3 * ops.sum(x["image"], axis=(1, 2, 3))}

    adversary.critic = Sum()
    image = np.random.default_rng(0).random((400, SIDE, SIDE, 3), np.float32)
    judged = {"score": 3 * image.sum((1, 2, 3))}
    slope = float(adversary._slope(ops.convert_to_tensor(image), judged, np.zeros((400, 7))))
    assert slope == pytest.approx(9 * SIDE * SIDE * 3, rel=0.3)


def test_real_and_made_pictures_are_augmented_alike():
    adversary = _adversary()
    image = np.random.default_rng(0).random((4, SIDE, SIDE, 3), np.float32)
    seen = np.asarray(adversary._augmented(np.concatenate([image, image])))
    np.testing.assert_allclose(seen[:4], seen[4:], atol=1e-6)
    again = np.asarray(adversary._augmented(np.concatenate([image, image])))
    assert np.abs(seen - again).max() > 0.05


def test_the_critic_judges_the_match_of_words_and_picture():
    critic = discriminator(SIDE, 7, (4, 8))
    x, y = _batch(6)
    own, turned = (
        critic({"image": y["image"], "embedding": np.roll(x["embedding"], turn, 0)})
        for turn in (0, 1)
    )
    matching, change = np.asarray(own["matching"]), turned["score"] - own["score"]
    assert matching.shape == (6, 6) and np.abs(change).min() > 1e-4
    others = [matching[place, place - 1] - matching[place, place] for place in range(6)]
    np.testing.assert_allclose(change, others, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="side is 18"):
        discriminator(18, 7, (4, 8))


def test_confusion_is_the_surprise_at_the_right_words():
    assert float(_confusion(np.zeros((8, 8), "float32"))) == pytest.approx(np.log(8))
    found = np.array([[9.0, 0.0], [0.0, 9.0]], "float32")
    assert float(_confusion(found)) == pytest.approx(np.log1p(np.exp(-9)), rel=1e-3)
    assert float(_confusion(found[::-1])) == pytest.approx(9, rel=1e-3)


def test_the_maker_learns_to_be_found_by_its_words():
    after = []
    for mismatch in (0.0, 1.0):
        adversary = _adversary(matching=0.0, likeness=0.0, steepness=0.0, mismatch=mismatch)
        adversary.compile(keras.optimizers.SGD(1.0), jit_compile=False)
        adversary.train_on_batch(*_batch())
        after.append(_values(adversary.network))
    assert _changed(*after)
