"""Fading: what decades of daylight do to a colour print."""

from keras import ops

from tfimg.degradations.fields import between, luma, per_image, smooth_noise, to_8_bit, uniform
from tfimg.degradations.seeds import as_seeds

# Colour of a fully faded white and black: yellowed paper, pale print, magenta shift.
_WHITES = ((0.97, 0.90, 0.70), (0.95, 0.93, 0.90), (0.97, 0.85, 0.83))
_BLACKS = ((0.42, 0.30, 0.17), (0.40, 0.39, 0.37), (0.45, 0.26, 0.32))


def faded(images, severity, seed):
    """Fades: weaker contrast and colour, lifted blacks and a yellow, pale or magenta cast.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: int, integer tensor `(2,)` or `StatelessSeeds`.

    Returns:
        float32 tensor `(B, H, W, 3)` on the 256 levels of an 8-bit picture.
    """
    seeds = as_seeds(seed)
    batch, height, width, _ = ops.shape(images)
    amount = per_image(between(severity, 0.45, 1.0))
    images = ops.clip(images, 0.0, 1.0)
    # Light does not reach all of a print alike.
    uneven = smooth_noise(seeds, batch, height, width, 160)
    amount = ops.clip(amount * (1.0 + 0.08 * uneven), 0.0, 1.0)

    blend = uniform(seeds, (batch, 3)) ** 3
    blend = blend / ops.sum(blend, axis=-1, keepdims=True)
    white = ops.reshape(ops.matmul(blend, ops.convert_to_tensor(_WHITES)), (-1, 1, 1, 3))
    black = ops.reshape(ops.matmul(blend, ops.convert_to_tensor(_BLACKS)), (-1, 1, 1, 3))
    loss = uniform(seeds, (batch, 1, 1, 1), 0.4, 0.8)
    grey = luma(images)
    dull = images + amount * loss * (grey - images)
    low, high = amount * black, 1.0 + amount * (white - 1.0)
    return to_8_bit(low + (high - low) * dull)
