"""From a file through Pillow to RGB arrays, with one line for whatever is wrong with it."""

import contextlib
import os
import struct
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, ImageCms

WITH_EXIF = ("PNG", "JPEG", "MPO", "WEBP")
# Pillow knows more formats; these are the ones that photos come in and that decode by themselves
# (EPS, for one, would start another program).
_READABLE = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    KeyError,
    IndexError,
    OverflowError,
)


class Refused(ValueError):
    """A sound file that holds something other than a picture for us."""


@contextlib.contextmanager
def opened(path: str | os.PathLike, max_pixels: int) -> Iterator[Image.Image]:
    """Opens a picture; whatever is wrong with it leaves as one line that names the file."""
    name = os.fspath(path)
    if not os.path.exists(name):
        raise FileNotFoundError(f"{name}: no such file")
    if os.path.isdir(name):
        raise ValueError(f"{name}: is a folder; expected a picture file")
    if os.path.getsize(name) == 0:
        raise ValueError(f"{name}: the file is empty (0 bytes)")
    if not os.access(name, os.R_OK):
        raise PermissionError(f"{name}: no permission to read it")
    try:
        with _pillow_limit_lifted(), Image.open(name, formats=_READABLE) as image:
            count = image.width * image.height
            if count > max_pixels:
                raise Refused(
                    f"{image.width}x{image.height} are {count / 1e6:g} megapixels; "
                    f"the limit is {max_pixels / 1e6:g}"
                )
            yield image
    except Image.UnidentifiedImageError:
        raise ValueError(f"{name}: is not a picture in a known format") from None
    except Refused as error:
        raise ValueError(f"{name}: {error}") from None
    except _BROKEN as error:
        detail = " ".join(str(error).split())
        raise ValueError(f"{name}: is broken or truncated ({detail})") from None


@contextlib.contextmanager
def _pillow_limit_lifted() -> Iterator[None]:
    """Our own limit on pixels takes the place of Pillow's, which is lower and partly a warning."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def check_values(image: Image.Image) -> None:
    """Refuses measurements that have no white point."""
    if image.mode == "F":
        raise Refused("holds 32-bit floats (mode F); expected 8 or 16 bits")
    if image.mode == "I":
        low, high = image.getextrema()
        if low < 0 or high > 65535:
            raise Refused(f"holds values {low}..{high}; expected 0..65535")


def decode(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """(H, W, 3) and alpha or None, as stored, not yet turned upright."""
    check_values(image)
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.uint16)
        return grey_as_rgb(grey), alpha16(grey[..., None], image)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return split(np.asarray(_in_mode(image, "RGBA")))
    if image.mode in ("1", "L"):
        return grey_as_rgb(np.asarray(_in_mode(image, "L"))), None
    if image.mode == "CMYK":
        image = _cmyk_to_rgb(image)
    return np.asarray(_in_mode(image, "RGB")), None


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Converts only where there is something to convert; Pillow would copy the picture."""
    return image if image.mode == mode else image.convert(mode)


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            return ImageCms.profileToProfile(
                image,
                BytesIO(profile),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
    return image.convert("RGB")


def grey_as_rgb(grey: np.ndarray) -> np.ndarray:
    """(H, W) seen as (H, W, 3), without a copy."""
    return np.broadcast_to(grey[..., None], (*grey.shape, 3))


def split(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(H, W, 2 to 4) into RGB and alpha."""
    if channels.shape[-1] == 2:
        return grey_as_rgb(channels[..., 0]), channels[..., 1]
    return channels[..., :3], channels[..., 3] if channels.shape[-1] == 4 else None


def alpha16(channels: np.ndarray, image: Image.Image) -> np.ndarray | None:
    """Alpha for 16 bits (H, W, 1 or 3) of a PNG that names one transparent colour, or None."""
    colour = image.info.get("transparency")
    if colour is None:
        return None
    return np.where((channels == colour).all(axis=-1), 0, 65535).astype(np.uint16)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the tag holds anything else."""
    found = image.getexif().get(ExifTags.Base.Orientation)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def turn(array: np.ndarray, orientation: int) -> np.ndarray:
    """Applies an EXIF orientation, 1 to 8, as a view."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return array


def camera_data(image: Image.Image) -> tuple[bytes | None, str]:
    """EXIF without the orientation, from formats that keep it apart from their own tags; a note."""
    if image.format not in WITH_EXIF:
        return None, ""
    exif = image.getexif()
    exif.pop(ExifTags.Base.Orientation, None)
    try:
        return exif.tobytes() if len(exif) else None, ""
    except (*_BROKEN, AttributeError, TypeError):  # a tag holds a type that it is not written in
        return None, "camera data dropped: it cannot be written back"


def tiff_bits(image: Image.Image) -> int:
    """Bits a channel of a TIFF."""
    bits = image.tag_v2.get(ExifTags.Base.BitsPerSample, 8)
    return max(bits) if isinstance(bits, tuple) else bits
