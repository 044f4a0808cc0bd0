"""Layers against TensorFlow's own operations."""

import numpy as np
import pytest
import tensorflow as tf

from tfimg.layers import BilinearUpsampling, Patches


@pytest.mark.parametrize(("factor", "height", "width"), [(2, 1, 1), (4, 3, 5), (8, 6, 1)])
def test_it_is_bilinear_resizing(factor, height, width):
    image = np.random.default_rng(0).random((2, height, width, 3), np.float32)
    expected = tf.image.resize(image, (factor * height, factor * width), "bilinear")
    layer = BilinearUpsampling(factor)
    np.testing.assert_allclose(layer(image), expected, atol=1e-6)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
    def of_unknown_size(pixels):
        return layer(pixels)

    np.testing.assert_allclose(of_unknown_size(image), expected, atol=1e-6)


def test_an_odd_factor_is_refused():
    with pytest.raises(ValueError, match="found 3"):
        BilinearUpsampling(3)


@pytest.mark.parametrize(("side", "height", "width"), [(1, 2, 3), (2, 3, 5), (4, 1, 2)])
def test_patches_are_depth_to_space(side, height, width):
    features = np.random.default_rng(0).random((2, height, width, 3 * side**2), np.float32)
    expected = tf.nn.depth_to_space(features, side) if side > 1 else features
    layer = Patches(side)
    np.testing.assert_array_equal(layer(features), expected)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3 * side**2))])
    def of_unknown_size(values):
        return layer(values)

    np.testing.assert_array_equal(of_unknown_size(features), expected)


def test_channels_that_make_no_patches_are_refused():
    with pytest.raises(ValueError, match="10 channels; expected a multiple of 4"):
        Patches(2)(np.zeros((1, 2, 2, 10)))
