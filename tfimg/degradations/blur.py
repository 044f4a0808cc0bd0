"""Blur: defocus and camera shake, one random kernel a picture."""

import math

from keras import ops

from tfimg.degradations.fields import between, geometric, uniform
from tfimg.degradations.seeds import as_seeds

SIZE = 15
_REACH = SIZE // 2
_POINTS = 24


def blur(images, severity, seed):
    """Blurs each picture with its own kernel: Gaussian, defocus disk, straight or curved motion.

    Args:
        images: float tensor `(B, H, W, 3)`.
        severity: float tensor `(B,)`, 0..1; 0 is a Gaussian sigma of 0.6 pixels, 1 of 3 pixels, and
            as much for the other kinds.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)`.
    """
    return convolve(images, random_kernels(severity, seed))


def random_kernels(severity, seed):
    """Draws blur kernels that sum to 1.

    Args:
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, 15, 15)`.
    """
    seeds = as_seeds(seed)
    count = ops.shape(severity)[0]
    severity = ops.reshape(severity, (-1, 1, 1))
    kind = uniform(seeds, (count, 1, 1))
    angle = uniform(seeds, (count, 1, 1), 0.0, 2.0 * math.pi)
    # Half of the Gaussians are round; the others are up to three times as long as wide.
    flatness = ops.maximum(uniform(seeds, (count, 1, 1), -1.0, 1.0), 0.0)
    bend = uniform(seeds, (count, 1, 1), -0.5, 0.5)

    gaussian = gaussian_kernels(geometric(severity, 0.6, 3.0), 1.0 - flatness * 2.0 / 3.0, angle)
    disk = _disk(between(severity, 1.0, 5.0))
    straight = _motion(between(severity, 2.5, 13.0), 0.0 * bend, angle)
    curved = _motion(between(severity, 2.5, 13.0), bend, angle)
    kernels = ops.where(kind < 0.8, straight, curved)
    kernels = ops.where(kind < 0.6, disk, kernels)
    kernels = ops.where(kind < 0.4, gaussian, kernels)
    return kernels / ops.sum(kernels, axis=(1, 2), keepdims=True)


def gaussian_kernels(sigma, ratio=1.0, angle=0.0):
    """Returns unnormalised Gaussian kernels.

    Args:
        sigma: float tensor `(B, 1, 1)`, pixels, along the long axis.
        ratio: short axis over long axis.
        angle: of the long axis, radians.

    Returns:
        float32 tensor `(B, 15, 15)`.
    """
    y, x = _coordinates()
    along = x * ops.cos(angle) + y * ops.sin(angle)
    across = y * ops.cos(angle) - x * ops.sin(angle)
    # A pixel is not a point: keep the short axis from vanishing between grid positions.
    short = ops.maximum(sigma * ratio, 0.3)
    return ops.exp(-0.5 * (ops.square(along / sigma) + ops.square(across / short)))


def convolve(images, kernels):
    """Convolves each picture with its own kernel, with mirrored borders.

    Args:
        images: float tensor `(B, H, W, 3)`.
        kernels: float tensor `(B, 15, 15)`.

    Returns:
        float32 tensor `(B, H, W, 3)`.
    """
    # In the frequency domain a picture's own kernel costs one product. Two real planes travel as
    # one complex plane, which a real kernel does not mix.
    planes = ops.transpose(_pad_reflect(images), (0, 3, 1, 2))
    height, width = ops.shape(planes)[2:]
    kernels = ops.pad(kernels, ((0, 0), (0, height - SIZE), (0, width - SIZE)))
    response_re, response_im = ops.fft2((kernels[:, None], ops.zeros_like(kernels[:, None])))
    first, second = planes[:, :2], planes[:, 2:]
    second = ops.concatenate([second, ops.zeros_like(second)], axis=1)
    re, im = ops.fft2((first, second))
    re, im = re * response_re - im * response_im, re * response_im + im * response_re
    re, im = ops.ifft2((re, im))
    # The first rows and columns hold what wrapped round.
    blurred = ops.concatenate([re, im[:, :1]], axis=1)[:, :, SIZE - 1 :, SIZE - 1 :]
    return ops.transpose(blurred, (0, 2, 3, 1))


def _pad_reflect(images):
    """Mirrors seven pixels round the picture; gathers, so that pictures under 8 pixels work too."""
    for axis in (1, 2):
        size = ops.shape(images)[axis]
        index = ops.abs(ops.arange(-_REACH, size + _REACH))
        period = ops.maximum(2 * (size - 1), 1)
        index = ops.mod(index, period)
        index = ops.minimum(index, period - index)
        images = ops.take(images, ops.clip(index, 0, size - 1), axis=axis)
    return images


def _coordinates():
    axis = ops.arange(-_REACH, _REACH + 1, dtype="float32")
    return axis[None, :, None], axis[None, None, :]


def _disk(radius):
    y, x = _coordinates()
    return ops.clip(radius + 0.5 - ops.sqrt(x * x + y * y), 0.0, 1.0)


def _motion(length, bend, angle):
    """Sums small dots along an arc of `length` pixels; `bend` is its rise over half its length."""
    y, x = _coordinates()
    t = ops.reshape(ops.linspace(-0.5, 0.5, _POINTS), (1, 1, 1, _POINTS))
    length, bend, angle = length[..., None], bend[..., None], angle[..., None]
    along = t * length
    across = bend * length * (4.0 * t * t - 1.0 / 3.0) / 2.0
    px = along * ops.cos(angle) - across * ops.sin(angle)
    py = along * ops.sin(angle) + across * ops.cos(angle)
    squared = ops.square(x[..., None] - px) + ops.square(y[..., None] - py)
    return ops.sum(ops.exp(-squared / (2.0 * 0.5**2)), axis=-1)
