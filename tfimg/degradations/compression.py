"""JPEG: the block transform, quantisation and half-resolution colour of a real file."""

import numpy as np
from keras import ops

from tfimg.degradations.fields import between

# ITU-T T.81, Annex K: the example tables that nearly every encoder scales.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    "float32",
)
_CHROMINANCE = np.full((8, 8), 99, "float32")
_CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]

_FREQUENCY, _POSITION = np.mgrid[:8, :8]
_DCT = np.sqrt(0.25) * np.cos((2 * _POSITION + 1) * _FREQUENCY * np.pi / 16)
_DCT[0] = np.sqrt(0.125)
_DCT = _DCT.astype("float32")

_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], "float32"
)


def compression(images, severity, seed):
    """Compresses as JPEG with 4:2:0 colour at quality 60 (severity 0) to 8 (severity 1).

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        severity: float tensor `(B,)`, 0..1.
        seed: not used (nothing here is random); taken so that all degradations are called alike.

    Returns:
        float32 tensor `(B, H, W, 3)` on the 256 levels of an 8-bit picture.
    """
    return jpeg(images, ops.round(between(severity, 60.0, 8.0)))


def jpeg(images, quality):
    """Returns what a baseline JPEG file (4:2:0, libjpeg's tables and smooth upsampling) gives back.

    Args:
        images: float tensor `(B, H, W, 3)`, 0..1.
        quality: float tensor `(B,)`, whole numbers 1..100, as libjpeg counts them.

    Returns:
        float32 tensor `(B, H, W, 3)` on the 256 levels of an 8-bit picture.

    Reference:
        ITU-T Recommendation T.81 (1992).
    """
    height, width = ops.shape(images)[1:3]
    levels = ops.round(ops.clip(images, 0.0, 1.0) * 255.0)
    levels = _pad_to_multiple(_pad_to_multiple(levels, 1, 16), 2, 16)
    y, cb, cr = _split(ops.matmul(levels, _TO_YCC.T))
    scale = ops.where(quality < 50.0, 5000.0 / quality, 200.0 - 2.0 * quality)
    scale = ops.reshape(scale, (-1, 1, 1, 1, 1))
    y = _code_blocks(ops.round(y) - 128.0, _LUMINANCE, scale)
    # Chroma is signed here, centred on zero: no offset to remove.
    cb = _double(_code_blocks(_halve(ops.round(cb)), _CHROMINANCE, scale))
    cr = _double(_code_blocks(_halve(ops.round(cr)), _CHROMINANCE, scale))
    levels = ops.stack([y, cb, cr], axis=-1)
    rgb = ops.matmul(levels, np.linalg.inv(_TO_YCC).T.astype("float32")) + 128.0
    return ops.clip(ops.round(rgb[:, :height, :width]), 0.0, 255.0) / 255.0


def _split(levels):
    return levels[..., 0], levels[..., 1], levels[..., 2]


def _pad_to_multiple(images, axis, multiple):
    """Repeats the last row or column, as libjpeg does."""
    size = ops.shape(images)[axis]
    padded = -(-size // multiple) * multiple
    index = ops.minimum(ops.arange(padded), size - 1)
    return ops.take(images, index, axis=axis)


def _code_blocks(plane, table, scale):
    """Transforms, quantises and transforms back each 8x8 block of `(B, H, W)` levels round 0."""
    batch, height, width = ops.shape(plane)
    table = ops.clip(ops.floor((table[:, None, :] * scale + 50.0) / 100.0), 1.0, 255.0)
    strips = ops.matmul(_DCT, ops.reshape(plane, (batch, height // 8, 8, width)))
    blocks = ops.matmul(ops.reshape(strips, (batch, height // 8, 8, width // 8, 8)), _DCT.T)
    blocks = ops.round(blocks / table) * table
    strips = ops.reshape(ops.matmul(blocks, _DCT), (batch, height // 8, 8, width))
    plane = ops.reshape(ops.matmul(_DCT.T, strips), (batch, height, width))
    return ops.clip(ops.round(plane), -128.0, 127.0)


def _halve(plane):
    """Averages 2x2 samples; the bias, 1/4 and 1/2 by turns, is how libjpeg breaks ties."""
    batch, height, width = ops.shape(plane)
    plane = ops.reshape(plane, (batch, height // 2, 2, width // 4, 2, 2))
    bias = np.array([0.25, 0.5], "float32")
    return ops.reshape(
        ops.floor(ops.mean(plane, axis=(2, 5)) + bias), (batch, height // 2, width // 2)
    )


def _double(plane):
    """Doubles both axes; each new sample is 3/4 its nearest and 1/4 its next old one."""
    for axis in (1, 2):
        size = ops.shape(plane)[axis]
        index = ops.arange(size)
        before = ops.take(plane, ops.maximum(index - 1, 0), axis=axis)
        after = ops.take(plane, ops.minimum(index + 1, size - 1), axis=axis)
        pair = ops.stack([0.25 * before + 0.75 * plane, 0.75 * plane + 0.25 * after], axis=axis + 1)
        batch, height, width = ops.shape(plane)
        shape = (batch, 2 * height, width) if axis == 1 else (batch, height, 2 * width)
        plane = ops.reshape(pair, shape)
    return plane
