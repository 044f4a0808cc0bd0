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
        self._down = tents.T.astype("float32")
        across = np.einsum("tf,cd->tcfd", tents, np.eye(input_shape[-1]))
        self._across = across.reshape(1, 3, input_shape[-1], -1).astype("float32")

    def call(self, inputs):
        batch, height, width, channels = ops.shape(inputs)
        # One pixel more on each side: the border's own.
        padded = ops.pad(inputs, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
        rows = ops.stack([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=2)
        rows = ops.reshape(rows, (batch * height, 3, (width + 2) * channels))
        rows = ops.matmul(ops.convert_to_tensor(self._down, inputs.dtype), rows)
        height, larger = height * self.factor, width * self.factor
        rows = ops.reshape(rows, (batch, height, width + 2, channels))
        across = ops.convert_to_tensor(self._across, inputs.dtype)
        return ops.reshape(ops.conv(rows, across), (batch, height, larger, channels))

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(side and side * self.factor for side in sides), channels)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
