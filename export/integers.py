"""The image network as int8 needs it: convolutions end in a ReLU before the words shift them.

Where the words bring the bias, a convolution's output is rounded to 256 levels before the shift,
although the ReLU after it throws most of its range away. With `b` at least as large as any shift
`s`, `relu(x + s)` is `relu(relu(x + b) + (s - b))`: the converter fuses the inner part into the
convolution, and the levels lie where they count.

Reference: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", 2018 (fused layers are rounded once).
"""

import itertools

import keras
import numpy as np
from keras import ops

from tfimg.fusion import WordShift


def with_fused_shifts(network: keras.Model) -> keras.Model:
    """Returns a model of the same weights that computes the same, with narrower values between.

    Args:
        network: an image network that ten probabilities steer. The largest shift of each channel is
            that of all the 1,024 sets of them.
    """
    embedding = network.input["embedding"]
    every = np.array([*itertools.product((0.0, 1.0), repeat=embedding.shape[-1])], np.float32)
    steer = keras.Model(embedding, network.get_layer("steer").output)(every)

    def call(layer, *args, **kwargs):
        if isinstance(layer, WordShift):
            layer = _FusedShift(layer, ops.max(layer.steering(steer), axis=0))
        return layer(*args, **kwargs)

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


class _FusedShift(keras.layers.Layer):
    """A `WordShift` for what a ReLU follows, with its largest value `(1, 1, C)`."""

    def __init__(self, shift: WordShift, largest):
        super().__init__(name=f"{shift.name}_fused")
        self.shift, self.largest = shift, np.asarray(largest)

    def call(self, inputs):
        features, embedding = inputs
        return ops.relu(features + self.largest) + (self.shift.steering(embedding) - self.largest)

    def compute_output_shape(self, input_shape):
        return input_shape[0]
