"""Training that knows of int8: every layer gives what 256 levels can hold."""

import keras
from keras import ops

from tfimg.fusion import WordShift

_LEVELS = 255
# A converter sees more pictures than a batch holds, and among them wider values.
_MARGIN = 1.5


def quantized(network: keras.Model) -> keras.Model:
    """Returns a model of the same layers and weights whose values are rounded as in int8.

    The levels of what a layer is given lie between the smallest and the largest value in the batch,
    and a margin, as a converter finds them on calibration pictures: few large values cost all
    others their precision, and training learns to do without them. Where the words shift features
    and a ReLU follows, what is negative is rounded away, see `export.lowering`.

    Args:
        network: a functional model.

    Returns:
        A functional model with the same inputs, outputs and variables.

    Reference: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", 2018.
    """
    known = {}

    def once(values):
        """One tensor may be given to several layers, and some are given plain numbers."""
        if not keras.backend.is_keras_tensor(values):
            return values
        if id(values) not in known:
            known[id(values)] = (values, rounded(values))  # kept, so that its id stays its own
        return known[id(values)][1]

    def call(layer, *args, **kwargs):
        if isinstance(layer, WordShift):
            layer = _RoundedShift(layer)
        elif not isinstance(layer, keras.layers.ReLU):
            args = keras.tree.map_structure(once, args)
        return layer(*args, **kwargs)

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


class _RoundedShift(keras.layers.Layer):
    """A `WordShift` in the form that is rounded less."""

    def __init__(self, shift: WordShift):
        super().__init__(name=f"{shift.name}_rounded", dtype=shift.dtype_policy)
        self.shift = shift

    def call(self, inputs):
        features, embedding = inputs
        shift = self.shift.steering(embedding)
        largest = ops.stop_gradient(ops.max(shift, axis=0, keepdims=True))
        return rounded(ops.relu(features + largest)) + (shift - largest)

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def rounded(values):
    """Rounds to 256 equal steps from below the smallest to above the largest value, and zero.

    Gradients pass as if nothing was rounded, but for the size of a step, which feels the error.

    Args:
        values: float tensor.

    Returns:
        The same shape and dtype.
    """
    exact = ops.cast(values, "float32")
    low = _MARGIN * ops.minimum(ops.min(exact), 0.0)
    step = ops.maximum((_MARGIN * ops.maximum(ops.max(exact), 0.0) - low) / _LEVELS, 1e-8)
    offset = ops.stop_gradient(ops.round(low / step))
    scaled = exact / step - offset
    scaled = scaled + ops.stop_gradient(ops.round(scaled) - scaled)
    return ops.cast((scaled + offset) * step, values.dtype)
