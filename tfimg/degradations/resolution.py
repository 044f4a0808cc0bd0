"""Low resolution: a small picture enlarged to the size it should have had."""

from keras import ops

FACTORS = (2, 3, 4)


def low_resolution(images, severity, seed):
    """Shrinks by 2, 3 or 4 (a third of the severity range each) and enlarges back, both bicubic.

    Args:
        images: float tensor `(B, H, W, 3)`.
        severity: float tensor `(B,)`, 0..1.
        seed: not used (nothing here is random); taken so that all degradations are called alike.

    Returns:
        float32 tensor `(B, H, W, 3)`, not clipped.
    """
    height, width = ops.shape(images)[1:3]
    choice = ops.cast(ops.clip(ops.floor(severity * len(FACTORS)), 0, len(FACTORS) - 1), "int32")
    vertical = ops.take(_round_trips(height), choice, axis=0)
    horizontal = ops.take(_round_trips(width), choice, axis=0)
    planes = ops.transpose(images, (0, 3, 1, 2))
    planes = ops.matmul(vertical[:, None], planes)
    planes = ops.matmul(planes, ops.transpose(horizontal, (0, 2, 1))[:, None])
    return ops.transpose(planes, (0, 2, 3, 1))


def bicubic_matrix(size, new_size):
    """Returns the matrix that resizes an axis by antialiased bicubic interpolation (a = -0.5).

    Args:
        size: samples on the axis, an int or a scalar tensor.
        new_size: samples wanted, an int or a scalar tensor.

    Returns:
        float32 tensor `(new_size, size)`; its rows sum to 1.

    Reference:
        Keys, "Cubic convolution interpolation for digital image processing" (1981).
    """
    scale = ops.cast(size, "float32") / ops.cast(new_size, "float32")
    centre = (ops.cast(ops.arange(new_size), "float32") + 0.5) * scale
    sample = ops.cast(ops.arange(size), "float32") + 0.5
    x = ops.abs(sample[None, :] - centre[:, None]) / ops.maximum(scale, 1.0)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    weights = ops.where(x < 1.0, near, ops.where(x < 2.0, far, 0.0))
    return weights / ops.sum(weights, axis=1, keepdims=True)


def _round_trips(size):
    """Returns shrink-then-enlarge matrices, `(3, size, size)`, one a factor."""
    matrices = []
    for factor in FACTORS:
        small = (size + factor - 1) // factor
        matrices.append(ops.matmul(bicubic_matrix(small, size), bicubic_matrix(size, small)))
    return ops.stack(matrices)
