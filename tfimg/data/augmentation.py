"""Clean pictures of kinds that few photos are of, made from those that there are."""

import numpy as np
import tensorflow as tf

from tfimg.degradations.fields import smooth_noise, to_8_bit
from tfimg.degradations.seeds import as_seeds

# Standard deviations in pixels of the spots that lights leave, and how far they are drawn.
_SPOTS = (0.6, 1.0, 1.8)
_REACH = 4
# How far the centres of lit areas lie apart, in pixels.
_APART = 48


def vivid_colours(clean: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Gives some pictures colours as strong as those of neon signs, which few photos have.

    Their red, green and blue are exchanged at random, and their distance from grey is up to three
    times as large.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        share: of the pictures that are changed.
        seed: int tensor `(2,)`.

    Returns:
        The same shape, 0..1.

    Reference: Yoo et al., "Rethinking Data Augmentation for Image Super-resolution", 2020 (colours
    exchanged at random).
    """
    batch = tf.shape(clean)[0]
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    chosen = tf.random.stateless_uniform((batch, 1, 1, 1), seeds[0]) < share
    strength = tf.random.stateless_uniform((batch, 1, 1, 1), seeds[1], 1.0, 3.0)
    order = tf.argsort(tf.random.stateless_uniform((batch, 3), seeds[2]), axis=1)
    exchanged = tf.einsum("bhwc,bdc->bhwd", clean, tf.one_hot(order, 3))
    grey = tf.reduce_mean(exchanged, axis=-1, keepdims=True)
    strong = tf.clip_by_value(grey + strength * (exchanged - grey), 0.0, 1.0)
    return tf.where(chosen, strong, clean)


def deep_shadows(clean: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Gives some pictures deep shadows, as photos against the light and at dusk have.

    White stays white, and middle grey falls to between 0.44 and 0.13. So a dark photo is told from
    one that got too little light.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        share: of the pictures that are changed.
        seed: int tensor `(2,)`.

    Returns:
        The same shape; what is changed lies on the 256 levels of an 8-bit picture.
    """
    one = (tf.shape(clean)[0], 1, 1, 1)
    first, second = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    chosen = tf.random.stateless_uniform(one, first) < share
    gamma = tf.exp(tf.random.stateless_uniform(one, second, np.log(1.2), np.log(3.0)))
    return tf.where(chosen, to_8_bit(tf.pow(clean, gamma)), clean)


def high_key(clean: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Makes some pictures bright all over, as photos before a white wall or sky are.

    Black stays black, and middle grey rises to between 0.56 and 0.87. So a grey wall is told from a
    white one that got too little light.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        share: of the pictures that are changed.
        seed: int tensor `(2,)`.

    Returns:
        The same shape; what is changed lies on the 256 levels of an 8-bit picture.
    """
    return 1.0 - deep_shadows(1.0 - clean, share, seed)


def small_lights(clean: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Gives some pictures many small lights, as a city has at night and water in the sun.

    They are whitish to yellow, all of a picture of one size, between 3 and 100 on 100 x 100 pixels,
    on a picture that is darkened to no less than half. So they are told from scratches and noise.

    Args:
        clean: float `(B, H, W, 3)`, 0..1.
        share: of the pictures that are changed.
        seed: int tensor `(2,)`.

    Returns:
        The same shape, 0..1.
    """
    batch, height, width = (tf.shape(clean)[axis] for axis in range(3))
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 7))

    def uniform(place, shape, low=0.0, high=1.0):
        return tf.random.stateless_uniform((batch, *shape), seeds[place], low, high)

    density = 10 ** uniform(0, (1, 1, 1), -3.5, -2.0)
    points = tf.cast(uniform(1, (height, width, 1)) < density, tf.float32)
    points *= uniform(2, (height, width, 1), 0.4, 1.0)
    spots = tf.nn.conv2d(points, _spots(), 1, "SAME")
    size = tf.cast(uniform(3, (1, 1, 1), 0, len(_SPOTS)), tf.int32)
    spots = tf.reduce_sum(spots * tf.one_hot(size[..., 0], len(_SPOTS)), axis=-1, keepdims=True)
    yellow = uniform(4, (1, 1, 1))
    colour = tf.concat([tf.ones_like(yellow), 1 - 0.25 * yellow, 1 - 0.5 * yellow], axis=-1)
    light = tf.minimum(spots, 1.0) * colour
    # As light adds up on a screen: nowhere is it more than white.
    lit = 1 - (1 - clean * uniform(5, (1, 1, 1), 0.5, 1.0)) * (1 - light)
    return tf.where(uniform(6, (1, 1, 1)) < share, lit, clean)


def lit_in_part(dark: tf.Tensor, lit: tf.Tensor, share: float, seed: tf.Tensor) -> tf.Tensor:
    """Lets light fall on parts of some dark pictures, as from a window, a lamp or the evening sky.

    On average over many pictures between a fiftieth and two fifths are lit, in areas with soft or
    sharp edges; one with few hills may have none of it, or most.

    Args:
        dark: float `(B, H, W, 3)`.
        lit: the same pictures, as they would be with enough light.
        share: of the pictures on which light may fall.
        seed: int tensor `(2,)`.

    Returns:
        The same shape, everywhere between the two.
    """
    batch, height, width = (tf.shape(dark)[axis] for axis in range(3))
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
    one = (batch, 1, 1, 1)
    hills = smooth_noise(as_seeds(seeds[0]), batch, height, width, _APART)
    level = tf.random.stateless_uniform(one, seeds[1], 0.3, 2.0)
    softness = tf.random.stateless_uniform(one, seeds[2], 0.05, 0.5)
    area = tf.clip_by_value((hills - level) / softness, 0.0, 1.0)
    chosen = tf.random.stateless_uniform(one, seeds[3]) < share
    return tf.where(chosen, dark + area * (lit - dark), dark)


def _spots():
    """Kernels `(9, 9, 1, 3)` whose middle is 1."""
    y, x = np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]
    kernels = [np.exp(-(y**2 + x**2) / (2 * size**2)) for size in _SPOTS]
    return tf.constant(np.stack(kernels, axis=-1)[:, :, None], tf.float32)
