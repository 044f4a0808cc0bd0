"""Augmentation: what is changed, by how much, and in how many pictures."""

import itertools

import numpy as np
import tensorflow as tf

from tfimg.data.augmentation import (
    deep_shadows,
    high_key,
    lit_in_part,
    small_lights,
    vivid_colours,
)

CLEAN = np.random.default_rng(0).uniform(0.2, 0.8, (4, 32, 32, 3)).astype(np.float32)


def test_vivid_colours_are_the_same_colours_further_from_grey():
    seed = tf.constant([4, 2], tf.int64)
    clean = np.random.default_rng(0).uniform(0.4, 0.6, (64, 5, 5, 3)).astype("float32")
    vivid = vivid_colours(tf.constant(clean), 0.5, seed).numpy()
    grey = clean.mean(-1, keepdims=True)
    strengths, orders = [], set()
    for before, after, middle in zip(clean, vivid, grey, strict=True):
        # From so near to grey nothing is clipped: of one order the ratio is the same everywhere.
        ratios = {
            order: (after - middle) / (before[..., list(order)] - middle)
            for order in itertools.permutations(range(3))
        }
        order = min(ratios, key=lambda order: np.ptp(ratios[order]))
        assert np.ptp(ratios[order]) < 1e-2
        strengths.append(np.median(ratios[order]))
        orders.add(order)
    assert min(strengths) > 0.99
    assert max(strengths) < 3.01
    assert 16 < np.sum(np.array(strengths) > 1.001) < 48
    assert len(orders) == 6
    strong = vivid_colours(tf.constant(CLEAN), 1.0, seed).numpy()
    assert strong.min() >= 0 and strong.max() <= 1
    np.testing.assert_array_equal(vivid_colours(tf.constant(CLEAN), 0.0, seed), CLEAN)


def test_deep_shadows_keep_white_and_black_and_the_order_of_the_rest():
    seed = tf.constant([4, 2], tf.int64)
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None, None, :, None]
    ramp = np.broadcast_to(ramp, (64, 2, 256, 3))
    deep = deep_shadows(tf.constant(ramp), 0.5, seed).numpy()
    changed = [one for one in deep if (one != ramp[0]).any()]
    assert 16 < len(changed) < 48
    for one in changed:
        assert one.min() == 0 and one.max() == 1
        assert (np.diff(one, axis=1) >= 0).all() and (one <= ramp[0] + 1 / 510).all()
        np.testing.assert_allclose(255 * one, np.round(255 * one), atol=1e-4)
    middle = [one[0, 128, 0] for one in changed]
    assert 0.12 < min(middle) < 0.2 and 0.35 < max(middle) < 0.45
    np.testing.assert_array_equal(deep_shadows(tf.constant(CLEAN), 0.0, seed), CLEAN)


def test_high_key_keeps_white_and_black_and_brightens_the_rest():
    seed = tf.constant([4, 2], tf.int64)
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None, None, :, None]
    ramp = np.broadcast_to(ramp, (64, 2, 256, 3))
    bright = high_key(tf.constant(ramp), 0.5, seed).numpy()
    changed = [one for one in bright if np.abs(one - ramp[0]).max() > 1e-6]
    assert 16 < len(changed) < 48
    for one in changed:
        np.testing.assert_allclose([one.min(), one.max()], [0, 1], atol=1e-6)
        assert (np.diff(one, axis=1) > -1e-6).all() and (one >= ramp[0] - 1 / 509).all()
    middle = [one[0, 127, 0] for one in changed]
    assert 0.55 < min(middle) < 0.65 and 0.8 < max(middle) < 0.88
    np.testing.assert_allclose(high_key(tf.constant(CLEAN), 0.0, seed), CLEAN, atol=1e-6)


def test_small_lights_are_spots_on_a_darker_picture():
    seed = tf.constant([4, 2], tf.int64)
    grey = np.full((64, 100, 100, 3), 0.6, np.float32)
    lit = small_lights(tf.constant(grey), 0.5, seed).numpy()
    assert lit.min() >= 0 and lit.max() <= 1
    changed = [one for one, before in zip(lit, grey, strict=True) if (one != before).any()]
    assert 16 < len(changed) < 48
    counts = []
    for one in changed:
        dark = one.min()
        assert 0.29 < dark < 0.61
        # Lights add to what is there, to red no less than to green, to green no less than to blue.
        assert (np.diff(one, axis=-1) <= 1e-6).all()
        counts.append(_peaks(one[..., 0]))
    assert min(counts) < 15 and max(counts) > 40
    np.testing.assert_array_equal(small_lights(tf.constant(CLEAN), 0.0, seed), CLEAN)


def test_light_falls_on_parts_of_some_pictures():
    seed = tf.constant([4, 2], tf.int64)
    dark, light = np.zeros((64, 128, 128, 3), np.float32), np.ones((64, 128, 128, 3), np.float32)
    lit = lit_in_part(tf.constant(dark), tf.constant(light), 0.5, seed).numpy()
    assert lit.min() == 0 and lit.max() == 1
    shares = lit.mean(axis=(1, 2, 3))
    assert 16 < np.sum(shares > 0) < 48
    # Of a standard normal distribution 2 to 38 % lie above the levels that are drawn; one picture,
    # with few hills, can have none or many of them.
    assert 0.05 < shares[shares > 0].mean() < 0.25
    assert shares.max() < 0.75
    edges = np.abs(np.diff(lit, axis=1))
    assert np.median(edges[edges > 0]) < 0.3  # light fades away
    np.testing.assert_array_equal(lit_in_part(CLEAN, 1 - CLEAN, 0.0, seed), CLEAN)


def _peaks(red):
    """How many pixels are brighter than all eight around them."""
    wide = np.pad(red, 1)
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    height, width = red.shape
    around = np.max([wide[y : y + height, x : x + width] for y, x in shifts], axis=0)
    return np.sum(red > around)
