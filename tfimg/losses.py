"""What training minimises."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfimg")
class RootMeanSquaredError(keras.losses.Loss):
    """The mean over pictures of each picture's root mean squared error.

    Every picture pulls with the same force, however large its error: darkness of 10 dB does not
    drown noise of 30 dB, as it would with the squared error, and pictures that must not change do
    not drown both, as they would with its logarithm. Within a picture it is the squared error,
    which is what PSNR measures.

    Args:
        floor: errors well below it (0.005 is 46 dB) stop pulling.

    Example:

    ```python
    restorer.compile("adamw", loss={"image": RootMeanSquaredError()})
    ```
    """

    def __init__(self, floor: float = 0.005, name: str = "root_mean_squared_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.floor = floor

    def call(self, y_true, y_pred):
        error = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
        return ops.sqrt(ops.mean(ops.square(error), axis=(1, 2, 3)) + self.floor**2)

    def get_config(self):
        return {**super().get_config(), "floor": self.floor}
