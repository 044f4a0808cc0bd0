"""The layers that Keras lacks."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("tfimg")
class BilinearUpsampling(keras.layers.Layer):
    """Enlarges a picture of any size, known or not when the graph is built.

    The same as `keras.layers.UpSampling2D(factor, interpolation="bilinear")`, which wants to know
    the height and width beforehand.

    Args:
        factor: even; by how much.

    Call arguments: `(B, h, w, C)`. Returns `(B, factor * h, factor * w, C)`.

    Example:

    ```python
    larger = BilinearUpsampling(8)(features)
    ```
    """

    def __init__(self, factor: int, **kwargs):
        super().__init__(**kwargs)
        if factor < 2 or factor % 2:
            raise ValueError(f"factor must be even, found {factor}")
        self.factor = factor

    def build(self, input_shape):
        # Each pixel spreads over a tent that reaches the centres of its neighbours: what `factor`
        # new pixels take from the one before, their own and the one after, `(3, factor)`.
        places = (np.arange(self.factor) + 0.5) / self.factor - 0.5
        tents = np.maximum(0, 1 - np.abs(places - np.array([[-1], [0], [1]])))
        patches = np.einsum("yp,xq,cd->yxcpqd", tents, tents, np.eye(input_shape[-1]))
        self._patches = patches.reshape(3, 3, input_shape[-1], -1).astype("float32")

    def call(self, inputs):
        # One pixel more on each side: the border's own.
        padded = ops.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        patches = ops.conv(padded, ops.convert_to_tensor(self._patches, inputs.dtype))
        return _spread(patches, self.factor)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(side and side * self.factor for side in sides), channels)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@keras.saving.register_keras_serializable("tfimg")
class Patches(keras.layers.Layer):
    """Makes of the channels of every position a square of pixels.

    Args:
        side: of the squares, in pixels.

    Call arguments: `(B, h, w, side**2 * C)`. Returns `(B, side * h, side * w, C)`.

    Example:

    ```python
    picture = Patches(2)(features)
    ```

    Reference: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
    Sub-Pixel Convolutional Neural Network", 2016.
    """

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def build(self, input_shape):
        if input_shape[-1] % self.side**2:
            raise ValueError(
                f"the inputs have {input_shape[-1]} channels; expected a multiple of {self.side**2}"
            )

    def call(self, inputs):
        return _spread(inputs, self.side)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(side and side * self.side for side in sides), channels // self.side**2)

    def get_config(self):
        return {**super().get_config(), "side": self.side}


def _spread(features, side):
    """The same as `ops.depth_to_space`, of which TensorFlow's own is slower on CPUs."""
    batch, height, width, channels = ops.shape(features)
    row = channels // side  # of one row of a square, all its pixels' channels
    rows = ops.reshape(features, (batch * height, width, side, row))
    rows = ops.transpose(rows, (0, 2, 1, 3))
    return ops.reshape(rows, (batch, height * side, width * side, row // side))
