"""Weather: rain and haze between the camera and the scene."""

from keras import ops

from tfimg.degradations.fields import (
    between,
    grid,
    luma,
    per_image,
    smooth_noise,
    to_8_bit,
    uniform,
)
from tfimg.degradations.seeds import as_seeds

# Streak layers from far to near: doublings of the length in pixels, drops a pixel, brightness.
_LAYERS = ((3, 0.016, 0.5), (4, 0.006, 0.8), (5, 0.0016, 1.2))
_MAX_SLOPE = 0.6


def rain(images, severity, seed):
    """Draws rain: three layers of streaks at one angle a picture, and a thin veil.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)`.

    Reference:
        Garg and Nayar, "Vision and rain" (2007).
    """
    seeds = as_seeds(seed)
    batch, height, width, _ = ops.shape(images)
    severity = per_image(severity)
    slope = uniform(seeds, (batch, 1, 1), -_MAX_SLOPE, _MAX_SLOPE)
    streaks = 0.0
    for doublings, density, brightness in _LAYERS:
        weight = uniform(seeds, (batch, 1, 1), 0.4, 1.0)
        drops = density * between(severity[..., 0], 0.5, 1.7)
        streaks += (
            brightness * weight * _streaks(seeds, batch, height, width, slope, drops, doublings)
        )
    gusts = ops.sigmoid(1.0 + smooth_noise(seeds, batch, height, width, 48))
    streaks = streaks[..., None] * gusts * between(severity, 0.6, 1.0)
    light = uniform(seeds, (batch, 1, 1, 1), 0.75, 1.0)
    veil = between(severity, 0.0, 0.06) * uniform(seeds, (batch, 1, 1, 1))
    images = images + veil * (0.7 - images)
    opacity = ops.clip(streaks, 0.0, 0.85)
    return images + opacity * (light - 0.6 * images)


def _streaks(seeds, batch, height, width, slope, density, doublings):
    """Smears random drops downwards and shears them by `slope`; returns `(B, H, W)`."""
    length = 2**doublings
    # The canvas must cover the picture at any slope, plus the smear's length.
    margin = (height * 3) // 10 + 2
    columns = width + 2 * margin
    chance = uniform(seeds, (batch, height + length + length // 2, columns))
    field = ops.maximum(chance - (1.0 - density), 0.0) / density
    for step in [2**k for k in range(doublings)]:
        field = field[:, step:] + field[:, :-step]
    # A second, shorter smear tapers the ends.
    taper = length // 2
    while taper > 1:
        taper //= 2
        field = (field[:, taper:] + field[:, :-taper]) * 0.5
    field = field[:, :height]
    y, x = grid(height, width)
    position = x[..., 0] - slope * (y[..., 0] - ops.cast(height, "float32") / 2.0)
    position = position + ops.cast(margin, "float32")
    left = ops.floor(position)
    fraction = position - left
    rows = ops.reshape(ops.arange(batch * height), (batch, height, 1)) * columns
    index = rows + ops.clip(ops.cast(left, "int32"), 0, columns - 2)
    flat = ops.reshape(field, (-1,))
    return (1.0 - fraction) * ops.take(flat, index) + fraction * ops.take(flat, index + 1)


def haze(images, severity, seed):
    """Lays haze over the scene: `I = J t + A (1 - t)` with `t = exp(-beta * depth)`.

    The depth grows upwards, rolls with smooth noise and is a little larger where the scene is
    bright (sky, far hills); the airlight A is a slightly bluish grey.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)` on the 256 levels of an 8-bit picture.

    Reference:
        Narasimhan and Nayar, "Vision and the atmosphere" (2002).
    """
    seeds = as_seeds(seed)
    batch, height, width, _ = ops.shape(images)
    y, _ = grid(height, width)
    middle = ops.cast(height, "float32") / 2.0
    tilt = uniform(seeds, (batch, 1, 1, 1), 0.0, 0.003)
    depth = 1.0 - tilt * (y - middle)
    depth = depth + 0.12 * smooth_noise(seeds, batch, height, width, 96)
    depth = depth + 0.05 * smooth_noise(seeds, batch, height, width, 32)
    brightness = uniform(seeds, (batch, 1, 1, 1), 0.0, 0.5)
    depth = depth + brightness * (luma(images) - 0.45)
    beta = per_image(between(severity, 0.35, 1.15)) * uniform(seeds, (batch, 1, 1, 1), 0.85, 1.15)
    transmission = ops.exp(-beta * ops.clip(depth, 0.25, 2.5))
    grey = uniform(seeds, (batch, 1, 1, 1), 0.74, 1.0)
    tint = uniform(seeds, (batch, 1, 1, 1), 0.0, 1.0)
    tint = tint * ops.convert_to_tensor([-0.03, -0.005, 0.02])
    return to_8_bit(images * transmission + (grey + tint) * (1.0 - transmission))
