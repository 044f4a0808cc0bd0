"""Tone: by how much each region of a picture is to be amplified and lifted."""

from keras import layers

from tfimg.fusion import WordShift
from tfimg.image.blocks import convolution, downsample, residual_block
from tfimg.layers import BilinearUpsampling

# By how much smaller than the picture the view is that tells its tone.
FACTOR = 8

_WIDTHS = (24, 32)


def tone(image, embedding, dtype=None):
    """Says by how much each region of a picture is to be amplified and lifted.

    Darkness, fog and faded colours are large errors that change slowly over a picture. They are
    undone first, from a small view of the picture, and leave the detail to the rest of the network.

    Args:
        image: `(B, H, W, C)`; H and W multiples of `FACTOR`.
        embedding: `(B, D)` text embedding.
        dtype: dtype policy of all layers but the last ones, which are float32.

    Returns:
        Gain and offset, both `(B, H, W, C)` float32; of `x` they make `x + gain * x + offset`. Zero
        before training, and where the tone is right: a zero is exact in every precision.

    Reference: Gharbi et al., "Deep Bilateral Learning for Real-Time Image Enhancement", 2017 (an
    affine map per region, predicted at low resolution).
    """
    patch = FACTOR // 2
    features = convolution(image, _WIDTHS[0], patch, patch, name="tone_patches", dtype=dtype)
    features = WordShift(name="tone_patches_words", dtype=dtype)([features, embedding])
    features = layers.ReLU(name="tone_patches_relu", dtype=dtype)(features)
    features = downsample(features, _WIDTHS[1], name="tone_down", dtype=dtype)
    features = residual_block(features, embedding, name="tone_block", dtype=dtype)
    features = WordShift(name="tone_words", dtype=dtype)([features, embedding])
    features = layers.ReLU(name="tone_relu", dtype=dtype)(features)

    def enlarged(name):
        coarse = layers.Conv2D(
            image.shape[-1],
            1,
            kernel_initializer="zeros",
            dtype="float32",
            name=f"tone_{name}",
        )(features)
        return BilinearUpsampling(FACTOR, dtype="float32", name=f"{name}_map")(coarse)

    return enlarged("gain"), enlarged("offset")
