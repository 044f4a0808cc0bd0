"""Small random fields and pixel-grid helpers that the degradations share."""

import keras
from keras import ops


def uniform(seeds, shape, low: float = 0.0, high: float = 1.0):
    """Draws float32 uniform numbers in `[low, high)`."""
    return low + (high - low) * keras.random.uniform(shape, dtype="float32", seed=seeds)


def between(severity, mild: float, strong: float):
    """Interpolates linearly: `mild` at severity 0, `strong` at severity 1."""
    return mild + (strong - mild) * severity


def geometric(severity, mild: float, strong: float):
    """Interpolates by equal ratios: `mild` at severity 0, `strong` at severity 1."""
    return mild * (strong / mild) ** severity


def per_image(values):
    """Reshapes `(B,)` to `(B, 1, 1, 1)`, to broadcast over a batch of pictures."""
    return ops.reshape(values, (-1, 1, 1, 1))


def to_8_bit(images):
    """Clips to 0..1 and rounds to the 256 levels that a picture file can hold."""
    return ops.round(ops.clip(images, 0.0, 1.0) * 255.0) / 255.0


def luma(images):
    """Returns the Rec. 601 luma, `(..., 1)`, of RGB pictures."""
    weights = ops.convert_to_tensor([0.299, 0.587, 0.114], dtype="float32")
    return ops.sum(images * weights, axis=-1, keepdims=True)


def grid(height, width):
    """Returns row and column coordinates in pixels, `(1, H, 1, 1)` and `(1, 1, W, 1)`."""
    rows = ops.cast(ops.arange(height), "float32")
    columns = ops.cast(ops.arange(width), "float32")
    return ops.reshape(rows, (1, -1, 1, 1)), ops.reshape(columns, (1, 1, -1, 1))


def smooth_noise(seeds, batch, height, width, scale: int):
    """Draws smooth noise of about unit variance whose hills are about `scale` pixels wide.

    It is a cubic B-spline surface over a coarse grid of Gaussian numbers, so its scale is in pixels
    whatever the picture's size.

    Args:
        seeds: a `StatelessSeeds`.
        batch: number of fields.
        height: rows, an int or a scalar tensor.
        width: columns, an int or a scalar tensor.
        scale: distance between the coarse grid's points, in pixels.

    Returns:
        float32 tensor `(B, H, W, 1)`.
    """
    rows, columns = height // scale + 4, width // scale + 4
    coarse = keras.random.normal((batch, rows, columns), dtype="float32", seed=seeds)
    vertical = _spline_matrix(height, rows, scale)
    horizontal = _spline_matrix(width, columns, scale)
    field = ops.matmul(ops.matmul(vertical, coarse), ops.transpose(horizontal))
    # 151/315 is the integral of the squared cubic B-spline: the deviation kept by two axes.
    return ops.expand_dims(field / (151.0 / 315.0), -1)


def _spline_matrix(size, points, scale):
    position = ops.cast(ops.arange(size), "float32") / scale + 1.0
    knots = ops.cast(ops.arange(points), "float32")
    distance = ops.abs(position[:, None] - knots[None, :])
    near = 2.0 / 3.0 - ops.square(distance) * (1.0 - 0.5 * distance)
    tail = ops.maximum(2.0 - distance, 0.0)
    far = tail * tail * tail / 6.0
    return ops.where(distance < 1.0, near, far)
