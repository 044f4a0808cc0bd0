"""Training that knows of int8: every layer gives what 256 levels can hold."""

import keras
from keras import ops

_LEVELS = 255


def quantized(network: keras.Model) -> keras.Model:
    """Returns a model of the same layers and weights whose values are rounded as in int8.

    The levels of each layer's output lie between the smallest and the largest value in the batch,
    as a converter finds them on calibration pictures: few large values cost all others their
    precision, and training learns to do without them.

    Args:
        network: a functional model.

    Returns:
        A functional model with the same inputs, outputs and variables.

    Reference: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", 2018.
    """

    def call(layer, *args, **kwargs):
        return keras.tree.map_structure(rounded, layer(*args, **kwargs))

    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)


def rounded(values):
    """Rounds to 256 equal steps from the smallest to the largest value, zero among them.

    Gradients pass as if nothing was rounded, but for the size of a step, which feels the error.

    Args:
        values: float tensor.

    Returns:
        The same shape and dtype.
    """
    exact = ops.cast(values, "float32")
    low = ops.minimum(ops.min(exact), 0.0)
    step = ops.maximum((ops.maximum(ops.max(exact), 0.0) - low) / _LEVELS, 1e-8)
    offset = ops.stop_gradient(ops.round(low / step))
    scaled = exact / step - offset
    scaled = scaled + ops.stop_gradient(ops.round(scaled) - scaled)
    return ops.cast((scaled + offset) * step, values.dtype)
