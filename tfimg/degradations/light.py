"""Low light: an exposure that was far too short."""

import keras
from keras import ops

from tfimg.degradations.fields import geometric, luma, per_image, to_8_bit, uniform
from tfimg.degradations.seeds import as_seeds

_GAMMA = 2.2


def low_light(images, severity, seed):
    """Darkens as a short exposure does, in linear light, with a colour cast and some dark noise.

    In half of the pictures the brightest parts lose less of their light, by a share drawn for each,
    as lamps, windows and the sky at dusk do.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1: exposure of about 27 % (0) to 6 % (1).
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)` on the 256 levels of an 8-bit picture.
    """
    seeds = as_seeds(seed)
    batch = ops.shape(images)[0]
    exposure = per_image(geometric(severity, 0.27, 0.06))
    exposure = exposure * uniform(seeds, (batch, 1, 1, 1), 0.8, 1.25)
    cast = uniform(seeds, (batch, 1, 1, 3), 0.91, 1.09)
    images = ops.clip(images, 0.0, 1.0)
    lit = ops.maximum(uniform(seeds, (batch, 1, 1, 1), -1.0, 1.0), 0.0)
    exposure = exposure ** (1.0 - lit * luma(images) ** 4)
    light = images**_GAMMA * exposure * cast
    # The toe of the tone curve: shadows close before the mid-tones do.
    toe = uniform(seeds, (batch, 1, 1, 1), 0.002, 0.02)
    light = light * light / (light + toe)
    dark = ops.clip(light, 0.0, 1.0) ** (1.0 / _GAMMA)
    grain = keras.random.normal(ops.shape(images), dtype="float32", seed=seeds)
    amount = uniform(seeds, (batch, 1, 1, 1), 0.2, 1.5) / 255.0
    return to_8_bit(dark + amount * grain)
