"""The one pixel convention: RGB, channels last, float32 in 0..1 inside and integers outside."""

import numpy as np

_PEAKS = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
_FLOATS = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))
_LARGEST_FLOAT = 4.0


def check(image: np.ndarray) -> None:
    """Refuses what is not a picture.

    Floats may lie somewhat outside 0..1, since noise that was added without clipping does; a value
    beyond 4 means that the picture was meant in another range, such as 0..255.

    Args:
        image: Array to look at.

    Raises:
        TypeError: If the dtype is not uint8, uint16, float16, float32 or float64.
        ValueError: If the shape is not (H, W, 3) or (B, H, W, 3) with at least one pixel, or a
            float is NaN, infinite or far outside 0..1.
    """
    if image.dtype not in _PEAKS and image.dtype not in _FLOATS:
        raise TypeError(
            f"image has dtype {image.dtype}; expected uint8, uint16, or a float in 0..1 "
            "(float16, float32, float64)"
        )
    if image.ndim not in (3, 4) or image.shape[-1] != 3:
        raise ValueError(f"image has shape {image.shape}; expected (H, W, 3) or (B, H, W, 3), RGB")
    if image.size == 0:
        raise ValueError(f"image has shape {image.shape}, which holds no pixels")
    if image.dtype in _FLOATS:
        low, high = float(image.min()), float(image.max())
        if not np.isfinite([low, high]).all():
            raise ValueError(f"image holds {'NaN' if np.isnan(low) else 'infinity'}")
        if max(-low, high) > _LARGEST_FLOAT:
            value = high if high >= -low else low
            raise ValueError(
                f"image is {image.dtype} and holds {value:g}; expected floats in 0..1 "
                "(pass 0..255 as uint8)"
            )


def to_float(image: np.ndarray) -> np.ndarray:
    """Turns a picture into float32 in 0..1.

    Args:
        image: (H, W, 3) or (B, H, W, 3), uint8, uint16 or float in 0..1.

    Returns:
        float32 array of the same shape.

    Raises:
        TypeError, ValueError: As in `check`.

    Example:
        >>> to_float(np.full((1, 1, 3), 255, np.uint8)).max()
        np.float32(1.0)
    """
    image = np.asarray(image)
    check(image)
    peak = _PEAKS.get(image.dtype)
    return image.astype(np.float32) if peak is None else np.divide(image, peak, dtype=np.float32)


def to_uint8(image: np.ndarray) -> np.ndarray:
    """Clips a float picture to 0..1 and rounds it to uint8; integers are rescaled alike.

    Args:
        image: As for `to_float`.

    Returns:
        uint8 array of the same shape.
    """
    image = np.asarray(image)
    return image if image.dtype == np.uint8 else restore_dtype(to_float(image), np.uint8)


def restore_dtype(image: np.ndarray, dtype: np.dtype | type | str) -> np.ndarray:
    """Turns a float picture into the dtype that the picture once came in.

    Args:
        image: float array in 0..1, any shape. For an integer dtype it is clipped and rounded.
        dtype: uint8, uint16, float16, float32 or float64.

    Returns:
        Array of the same shape in that dtype.

    Raises:
        TypeError: If `dtype` is none of these.
    """
    dtype = np.dtype(dtype)
    if dtype in _FLOATS:
        return image.astype(dtype)
    if dtype not in _PEAKS:
        raise TypeError(f"dtype {dtype} holds no picture; expected uint8, uint16 or a float")
    scaled = np.clip(image, 0, 1, dtype=np.float32)
    scaled *= _PEAKS[dtype]
    return np.rint(scaled, out=scaled).astype(dtype)


def on_background(picture: np.ndarray, rgb=(255, 255, 255)) -> np.ndarray:
    """Lays a picture with alpha on a plain background.

    Args:
        picture: `(H, W, 4)`, RGBA, uint8 or uint16.
        rgb: of the background, 0..255 each; white by default.

    Returns:
        `(H, W, 3)` of the same dtype.
    """
    peak = np.float32(_PEAKS[picture.dtype])
    share = picture[..., 3:] / peak
    background = np.asarray(rgb, np.float32) * (peak / 255) * (1 - share)
    return np.rint(picture[..., :3] * share + background).astype(picture.dtype)


def shrunk(image: np.ndarray, side: int) -> np.ndarray:
    """Averages square blocks of pixels, as large as they must be for a picture to be small enough.

    Args:
        image: `(H, W, C)`, any dtype that `to_float` takes.
        side: in pixels, the most that the result may have.

    Returns:
        The same dtype; the picture itself where it is small enough.
    """
    factor = -(-max(image.shape[:2]) // side)
    if factor == 1:
        return image
    # A picture that is narrower than a block stays as narrow as it is.
    down, across = (min(factor, length) for length in image.shape[:2])
    height, width = image.shape[0] // down, image.shape[1] // across
    blocks = image[: height * down, : width * across].reshape(height, down, width, across, -1)
    means = blocks.mean(axis=(1, 3), dtype=np.float32)
    return (means if image.dtype in _FLOATS else np.rint(means)).astype(image.dtype)


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """Returns the square of a picture's middle, or all of a side that is shorter.

    Args:
        image: `(H, W, C)`.
        side: of the square, in pixels.
    """
    top, left = (max(0, length - side) // 2 for length in image.shape[:2])
    return image[top : top + side, left : left + side]
