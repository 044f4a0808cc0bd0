"""The last steps of a restoration: strength, range, and on wish the colours of the input."""

import numpy as np

from tfimg import pixels

_ROWS = 256


def postprocess(restored: np.ndarray, source: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Blends the network's picture with its input and clips the result to 0..1.

    Works on a whole picture or on a strip of it.

    Args:
        restored: float32 (..., H, W, 3), what the network gave.
        source: float32 of the same shape, what the network was given.
        strength: 0 returns the source, 1 the restored picture.

    Returns:
        float32 array of the same shape, in 0..1.

    Raises:
        ValueError: If the strength is not within 0..1 or the shapes differ.
    """
    check_strength(strength)
    if restored.shape != source.shape:
        raise ValueError(f"restored has shape {restored.shape}, but its source {source.shape}")
    result = restored if strength == 1 else source + np.float32(strength) * (restored - source)
    return np.clip(result, 0, 1)


def check_strength(strength: float) -> None:
    """Refuses a strength outside 0..1, NaN included, with a ValueError."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength:g}; expected 0..1")


def match_colours(picture: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Gives a picture the mean and the standard deviation of another one, channel by channel.

    It needs whole pictures. Rows are taken in strips, so that no float copy of a large one exists.

    Args:
        picture: (..., H, W, 3), any dtype that `pixels.to_float` takes.
        source: Same shape; its dtype may differ.

    Returns:
        Array of the picture's shape and dtype, clipped to its range.
    """
    mean, spread = _moments(picture)
    wanted_mean, wanted_spread = _moments(source)
    gain = wanted_spread / np.maximum(spread, 1e-6)
    shift = wanted_mean - gain * mean
    result = np.empty_like(picture)
    for rows in _strips(picture):
        strip = pixels.to_float(picture[rows]) * gain.astype(np.float32) + shift.astype(np.float32)
        result[rows] = pixels.restore_dtype(np.clip(strip, 0, 1), picture.dtype)
    return result


def mean_change(picture: np.ndarray, source: np.ndarray) -> float:
    """Tells by how much two pictures differ on average, in 0..1.

    Rows are taken in strips, so that no float copy of a large picture exists.

    Args:
        picture: (..., H, W, 3), any dtype that `pixels.to_float` takes.
        source: Same shape; its dtype may differ.

    Returns:
        The mean absolute difference over all pixels and channels.
    """
    total = 0.0
    for rows in _strips(picture):
        change = pixels.to_float(picture[rows]) - pixels.to_float(source[rows])
        total += float(np.abs(change).sum(dtype=np.float64))
    return total / picture.size


def _moments(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per channel, float64."""
    axes = tuple(range(picture.ndim - 1))
    total, squares = np.zeros(3), np.zeros(3)
    for rows in _strips(picture):
        strip = pixels.to_float(picture[rows])
        total += strip.sum(axes, dtype=np.float64)
        squares += np.square(strip).sum(axes, dtype=np.float64)
    count = picture.size // 3
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0))


def _strips(picture: np.ndarray) -> list[tuple]:
    """Index expressions that cut a picture or a batch into strips of rows."""
    starts = range(0, picture.shape[-3], _ROWS)
    return [(..., slice(start, start + _ROWS), slice(None), slice(None)) for start in starts]
