"""Layers against TensorFlow's own operations."""

import numpy as np
import pytest
import tensorflow as tf

from tfimg.layers import BilinearUpsampling


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
