"""What training minimises."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfimg")
class RestorationLoss(keras.losses.Loss):
    """The mean over pictures of each picture's mean squared error to the power of a quarter.

    PSNR counts ratios of errors, so a picture's pull must not shrink with its error: under the
    squared error darkness of 10 dB drowns noise of 30 dB. The logarithm, which is PSNR itself,
    goes too far the other way: pictures that must not change drown both. A power of a quarter lies
    between. Within a picture it is the squared error, which is what PSNR measures.

    Args:
        power: 1 is the squared error, 0.5 its root; the nearer to 0, the more like PSNR.
        floor: errors well below it (0.005 is 46 dB) stop pulling.

    Example:

    ```python
    restorer.compile("adamw", loss=RestorationLoss())
    ```
    """

    def __init__(
        self, power: float = 0.25, floor: float = 0.005, name: str = "restoration_loss", **kwargs
    ):
        super().__init__(name=name, **kwargs)
        self.power = power
        self.floor = floor

    def call(self, y_true, y_pred):
        error = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
        return (ops.mean(ops.square(error), axis=(1, 2, 3)) + self.floor**2) ** self.power

    def get_config(self):
        return {**super().get_config(), "power": self.power, "floor": self.floor}


@keras.saving.register_keras_serializable("tfimg")
class PyramidLoss(keras.losses.Loss):
    """The squared error at several scales: what is where counts as much as how fine it is.

    Args:
        scales: how often the pictures are halved; the errors of all sizes are added.

    Example:

    ```python
    maker.compile("adamw", loss=PyramidLoss())
    ```
    """

    def __init__(self, scales: int = 4, name: str = "pyramid_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.scales = scales

    def call(self, y_true, y_pred):
        error = ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")
        total = 0.0
        for _ in range(self.scales):
            total = total + ops.mean(ops.square(error), axis=(1, 2, 3))
            error = ops.average_pool(error, 2, 2)
        return total

    def get_config(self):
        return {**super().get_config(), "scales": self.scales}


@keras.saving.register_keras_serializable("tfimg")
class SeverityLoss(keras.losses.Loss):
    """The mean squared error of how bad each degradation is, over those that are there.

    `y_true` `(B, N)` is -1 where there is none.

    Example:

    ```python
    SeverityLoss()([[0.5, -1.0]], [[0.7, 9.9]])  # 0.04
    ```
    """

    def __init__(self, name: str = "severity_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        y_pred = ops.cast(y_pred, "float32")
        there = ops.cast(y_true >= 0, "float32")
        squared = there * ops.square(y_pred - ops.cast(y_true, "float32"))
        return ops.sum(squared, axis=-1) / ops.maximum(ops.sum(there, axis=-1), 1.0)
