"""Noise: blind Gaussian, and the grain that a camera leaves in a file."""

import keras
from keras import ops

from tfimg.degradations.fields import between, luma, per_image, to_8_bit, uniform
from tfimg.degradations.seeds import as_seeds


def noise(images, severity, seed):
    """Adds noise of standard deviation 2/255 (severity 0) to 55/255 (severity 1).

    Three pictures in four get Gaussian noise, neither clipped nor rounded, as the published
    protocols have it. The others get camera-like noise: shot noise that grows with the signal, a
    read-noise floor, partly shared between channels and neighbouring pixels (as demosaicking and a
    camera's JPEG leave it), clipped and rounded to 8 bit.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)`; the Gaussian ones may leave 0..1.

    Reference:
        Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
        raw-data" (2008).
    """
    seeds = as_seeds(seed)
    batch = ops.shape(images)[0]
    sigma = per_image(between(severity, 2.0 / 255.0, 55.0 / 255.0))
    white = keras.random.normal(ops.shape(images), dtype="float32", seed=seeds)
    is_camera = uniform(seeds, (batch, 1, 1, 1)) < 0.25

    shared = uniform(seeds, (batch, 1, 1, 1), 0.0, 0.6)
    grain = _share_channels(white, shared)
    # Half of the camera-like pictures keep their noise white.
    spread = ops.maximum(uniform(seeds, (batch, 1, 1, 1), -1.0, 1.0), 0.0)
    grain = _share_neighbours(grain, spread)
    shot = uniform(seeds, (batch, 1, 1, 1), 0.2, 0.9)
    brightness = ops.clip(luma(images), 0.0, 1.0)
    # Mean brightness is near 0.45, where this factor is 1: severity keeps its meaning.
    gain = ops.sqrt(1.0 - shot + shot * brightness / 0.45)
    camera = to_8_bit(images + sigma * gain * grain)
    return ops.where(is_camera, camera, images + sigma * white)


def _share_channels(field, share):
    """Mixes the channels towards their mean; unit variance is kept."""
    mean = ops.mean(field, axis=-1, keepdims=True)
    own = 1.0 - share
    variance = own**2 + (2.0 * own * share + share**2) / 3.0
    return (own * field + share * mean) / ops.sqrt(variance)


def _share_neighbours(field, spread):
    """Blurs along both axes with `(a, 1, a) / norm`, `a = spread / 2`; unit variance is kept."""
    side = 0.5 * spread
    for axis in (1, 2):
        field = field + side * (ops.roll(field, 1, axis) + ops.roll(field, -1, axis))
    return field / (1.0 + 2.0 * side**2)
