"""Noise: blind Gaussian, and the grain that a camera leaves in a file."""

import keras
from keras import ops

from tfimg.degradations.compression import jpeg
from tfimg.degradations.fields import between, geometric, luma, per_image, smooth_noise, uniform
from tfimg.degradations.seeds import as_seeds

# How far apart blotches of colour lie, in pixels.
_BLOTCH = 4


def noise(images, severity, seed):
    """Adds noise of standard deviation 2/255 (severity 0) to 55/255 (severity 1).

    Three pictures in four get Gaussian noise, neither clipped nor rounded, as the published
    protocols have it. The others are as cameras leave them at high ISO: shot noise that grows with
    the signal over a read-noise floor, partly shared between channels and neighbouring pixels by
    demosaicking, with soft blotches of colour, kept as a JPEG of quality 70 to 98. Coarse grain is
    seen sooner, and cameras have less of it: its deviation goes from 2/255 to 24/255.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)`; the Gaussian ones may leave 0..1.

    Reference:
        Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image
        raw-data" (2008). Xu et al., "Real-world Noisy Image Denoising: A New Benchmark" (2018): how
        far grain and blotches reach there is how far they reach here.
    """
    seeds = as_seeds(seed)
    batch = ops.shape(images)[0]
    white = keras.random.normal(ops.shape(images), dtype="float32", seed=seeds)
    is_camera = uniform(seeds, (batch, 1, 1, 1)) < 0.25
    gaussian = images + per_image(between(severity, 2.0 / 255.0, 55.0 / 255.0)) * white

    shared = uniform(seeds, (batch, 1, 1, 1), 0.0, 0.6)
    grain = _share_channels(white, shared)
    # A third of the camera-like pictures keep their grain white.
    spread = ops.maximum(uniform(seeds, (batch, 1, 1, 1), -0.5, 1.0), 0.0)
    grain = _share_neighbours(grain, spread)
    blotches = uniform(seeds, (batch, 1, 1, 1), 0.0, 0.7)
    grain = (grain + blotches * _blotches(images, seeds)) / ops.sqrt(1.0 + blotches**2)
    shot = uniform(seeds, (batch, 1, 1, 1), 0.2, 0.9)
    brightness = ops.clip(luma(images), 0.0, 1.0)
    # Mean brightness is near 0.45, where this factor is 1: severity keeps its meaning.
    gain = ops.sqrt(1.0 - shot + shot * brightness / 0.45)
    sigma = per_image(geometric(severity, 2.0 / 255.0, 24.0 / 255.0))
    quality = ops.round(uniform(seeds, (batch,), 70.0, 98.0))
    camera = jpeg(images + sigma * gain * grain, quality)
    return ops.where(is_camera, camera, gaussian)


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


def _blotches(images, seeds):
    """Colours that change within some pixels and leave the luma as it is; of unit variance."""
    batch, height, width = ops.shape(images)[:3]
    fields = [smooth_noise(seeds, batch, height, width, _BLOTCH) for _ in range(3)]
    colours = ops.concatenate(fields, axis=-1)
    colours = colours - luma(colours)
    return colours / ops.std(colours, axis=(1, 2, 3), keepdims=True)
