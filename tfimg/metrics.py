"""How near two pictures are: PSNR and SSIM."""

import keras
import numpy as np
from keras import ops

# Equal pictures get 100 dB instead of infinity, so that an average over pictures stays a number.
_SMALLEST_ERROR = 1e-10
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio of one picture.

    Args:
        image: float array, `(H, W, 3)` or `(H, W)`, 0..1; not clipped here.
        reference: the same shape.

    Returns:
        Decibels; 100 for equal pictures.

    Raises:
        ValueError: if the shapes differ or hold no pixels.

    Example:
        >>> psnr(np.full((8, 8, 3), 0.5), np.full((8, 8, 3), 0.6))
        20.0
    """
    _check_shapes(image, reference)
    error = np.mean(np.square(np.subtract(image, reference, dtype=np.float64)))
    return float(-10 * np.log10(max(error, _SMALLEST_ERROR)))


def ssim(image: np.ndarray, reference: np.ndarray) -> float:
    """Structural similarity of one picture, averaged over its channels.

    A Gaussian window of 11x11 pixels and sigma 1.5, only where it fits whole, K1 = 0.01,
    K2 = 0.03.

    Args:
        image: float array, `(H, W, 3)` or `(H, W)`, 0..1, at least 11x11 pixels; not clipped here.
        reference: the same shape.

    Returns:
        A number of at most 1, which equal pictures have.

    Raises:
        ValueError: if the shapes differ or the pictures are too small.

    Reference: Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error Visibility
    to Structural Similarity", 2004.
    """
    _check_shapes(image, reference)
    if min(image.shape[:2]) < _WINDOW:
        raise ValueError(f"image has shape {image.shape}; SSIM needs {_WINDOW}x{_WINDOW} pixels")
    image, reference = np.asarray(image, np.float64), np.asarray(reference, np.float64)
    mean, other_mean = _smooth(image), _smooth(reference)
    product, squares = mean * other_mean, mean * mean + other_mean * other_mean
    covariance = _smooth(image * reference) - product
    # Only the sum of the two variances is needed, so one pass is enough for both.
    variances = _smooth(image * image + reference * reference) - squares
    luminance = (2 * product + _C1) / (squares + _C1)
    structure = (2 * covariance + _C2) / (variances + _C2)
    return float(np.mean(luminance * structure, dtype=np.float64))


def luma(image: np.ndarray) -> np.ndarray:
    """Brightness after ITU-R BT.601 in studio range, on which super-resolution is compared.

    Args:
        image: `(H, W, 3)` float RGB, 0..1.

    Returns:
        `(H, W)` float64, 16/255 for black to 235/255 for white, as MATLAB's `rgb2ycbcr` has it.
    """
    return (16 + np.asarray(image, np.float64) @ (65.481, 128.553, 24.966)) / 255


@keras.saving.register_keras_serializable("tfimg")
class PSNR(keras.metrics.MeanMetricWrapper):
    """Mean over pictures of the peak signal-to-noise ratio in dB.

    Both pictures are clipped to 0..1 first; equal pictures count as 100 dB.

    Args:
        name: what progress bars call it.
        dtype: dtype of the computation.

    Call arguments: `y_true` and `y_pred`, `(B, H, W, 3)` float, 0..1.

    Example:

    ```python
    restorer.compile(loss="mae", metrics=[PSNR()])
    ```
    """

    def __init__(self, name: str = "psnr", dtype=None):
        super().__init__(_psnr_of_each, name=name, dtype=dtype)
        self._direction = "up"  # so that callbacks know which score is the best one

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}


def _psnr_of_each(y_true, y_pred):
    difference = ops.clip(y_pred, 0.0, 1.0) - ops.clip(y_true, 0.0, 1.0)
    error = ops.mean(ops.square(difference), axis=(1, 2, 3))
    return -10.0 * ops.log10(ops.maximum(error, _SMALLEST_ERROR))


def _check_shapes(image, reference):
    if image.shape != reference.shape:
        raise ValueError(f"image has shape {image.shape}, but its reference {reference.shape}")
    if not image.size:
        raise ValueError(f"image has shape {image.shape}, which holds no pixels")


def _smooth(image):
    """Gaussian mean around each pixel whose window lies in the picture: 10 fewer a side."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    rows, columns = (side - _WINDOW + 1 for side in image.shape[:2])
    image = sum(weight * image[i : i + rows] for i, weight in enumerate(weights))
    return sum(weight * image[:, i : i + columns] for i, weight in enumerate(weights))
