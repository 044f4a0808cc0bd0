"""Picture files: refused early when they are bad, read upright, written whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from tfimg import decoding, png16

MAX_PIXELS = 200_000_000

_WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
}
_OPTIONS = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_deflate"},
}
_LONGEST_SIDE = {"WEBP": 16383, "JPEG": 65500, "GIF": 65535}
_WITH_ALPHA = ("PNG", "WEBP", "TIFF", "GIF")
_WITH_PROFILE = ("PNG", "JPEG", "WEBP", "TIFF")
_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Picture:
    """A picture and what has to come back with it.

    Attributes:
        pixels: (H, W, 3) uint8 or uint16, RGB, upright. Grey pictures have three equal channels
            and are read-only.
        alpha: (H, W) of the same dtype, or None.
        mode: Pillow's name for the mode in the file: "L", "LA", "RGB", "RGBA", "P", "I;16", "CMYK"
            and so on. Grey modes are written as grey again.
        icc: Colour profile that holds for the pixels, or None.
        exif: Camera data without the orientation, which has been applied, or None.
        note: What a person should know about the reading, in one line; mostly empty.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    mode: str = "RGB"
    icc: bytes | None = None
    exif: bytes | None = None
    note: str = ""

    @property
    def grey(self) -> bool:
        """Whether the file was grey."""
        return self.mode in _GREY_MODES


def check_picture(path: str | os.PathLike) -> tuple[int, int]:
    """Refuses a file that cannot be read, at a fraction of the cost of restoring it.

    Args:
        path: File to check. It is decoded to its end, JPEG at an eighth of its size.

    Returns:
        (height, width) of the upright picture.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is a folder, empty, truncated, no picture or of more than `MAX_PIXELS`.
    """
    with decoding.opened(path, MAX_PIXELS) as image:
        width, height = image.size
        image.draft(None, (max(1, width // 8), max(1, height // 8)))
        image.load()
        if image.format == "TIFF":  # which Pillow turns upright itself, and tells no orientation
            width, height = image.size
        if decoding.orientation(image) >= 5:
            width, height = height, width
        decoding.check_values(image)
    return height, width


def read_picture(path: str | os.PathLike) -> Picture:
    """Reads a picture file as RGB, upright, with 8 or 16 bits.

    16 bits are kept from PNG (grey and colour) and from grey TIFF; colour TIFF with 16 bits is
    read as 8 bits, and the note says so. CMYK goes through its own colour profile where it has
    one. Palettes become RGB.

    Args:
        path: File to read.

    Returns:
        The picture.

    Raises:
        FileNotFoundError, ValueError: As in `check_picture`.

    Example:
        >>> read_picture("photo.jpg").pixels.shape
        (1333, 2000, 3)
    """
    with decoding.opened(path, MAX_PIXELS) as image:
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        notes = []
        if frames > 1:
            notes.append(f"has {frames} frames; only the first one is used")
        if (
            image.format == "TIFF"
            and image.mode.startswith("RGB")
            and decoding.tiff_bits(image) > 8
        ):
            notes.append(f"has {decoding.tiff_bits(image)} bits a channel; read as 8 bits")
        mode, icc = image.mode, image.info.get("icc_profile")
        if mode not in (*_GREY_MODES, "RGB", "RGBA", "RGBX", "RGBa", "P", "PA"):
            icc = None  # it describes the colours before the conversion to RGB
        if png16.is_colour16(image):  # asked before anything below decodes the file
            mode = image.tile[0].args.split(";")[0]
            pixels, alpha = decoding.split(png16.read(os.fspath(path)))
            if alpha is None:
                alpha = decoding.alpha16(pixels, image)
        else:
            pixels, alpha = decoding.decode(image)
        orientation, (exif, dropped) = decoding.orientation(image), decoding.camera_data(image)
        if dropped:
            notes.append(dropped)
    return Picture(
        pixels=decoding.turn(pixels, orientation),
        alpha=None if alpha is None else decoding.turn(alpha, orientation),
        mode=mode,
        icc=icc,
        exif=exif,
        note="; ".join(notes),
    )


def write_picture(picture: Picture, path: str | os.PathLike) -> str:
    """Writes a picture in the format that the suffix names.

    The file appears under its name only when it is complete. Missing folders are made.

    Args:
        picture: What to write; grey modes become grey files again, and alpha, colour profile and
            camera data are kept where the format can hold them.
        path: .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp or .gif.

    Returns:
        What the format could not hold, in one line; mostly empty.

    Raises:
        ValueError: If the suffix is none of these.
        OSError: If it cannot be written.
    """
    path = Path(path)
    kind = _format(path)
    notes = []
    channels = luma(picture.pixels)[..., None] if picture.grey else picture.pixels
    if picture.alpha is not None and kind in _WITH_ALPHA:
        channels = np.concatenate([channels, picture.alpha[..., None]], axis=-1)
    elif picture.alpha is not None:
        notes.append(f"transparency dropped: {kind} cannot hold it here")
    deep = channels.dtype == np.uint16
    if deep and not (kind == "PNG" or (kind == "TIFF" and channels.shape[-1] == 1)):
        channels = ((channels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        notes.append("16 bits a channel written as 8")
    deep_png = deep and kind == "PNG"
    if picture.exif and (deep_png or kind not in decoding.WITH_EXIF):
        notes.append(f"camera data dropped: {kind} cannot hold it here")
    if picture.icc and kind not in _WITH_PROFILE:
        notes.append(f"colour profile dropped: {kind} cannot hold it here")
    if kind == "GIF" and _as_image(channels).getcolors(256) is None:
        notes.append("more than 256 colours reduced to that many")

    def write(part: Path) -> None:
        with open(part, "wb") as file:
            if deep_png:
                png16.write(file, channels, picture.icc)
            else:
                _encode(file, channels, kind, picture)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, write)
    return "; ".join(notes)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a temporary file beside `path`, then renames it.

    Args:
        path: What the file is called once it is whole.
        write: Called with the path of the temporary file, which has the same suffix.
    """
    # The suffix stays, because savers choose their format by it.
    temporary = path.with_name(f".writing-{os.getpid()}-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_output(
    path: str | os.PathLike,
    sources: Iterable[str | os.PathLike] = (),
    size: tuple[int, int] | None = None,
) -> None:
    """Refuses an output file that could not be written, before any work is done for it.

    Args:
        path: The file to be written.
        sources: Files that it must not overwrite.
        size: (height, width) of the picture to be written, if known.

    Raises:
        ValueError: If the suffix is unknown, the path is a folder or one of the sources, its
            folder cannot be made or written to, or the picture is too large for the format.
    """
    path = Path(path)
    limit = _LONGEST_SIDE.get(_format(path))
    if size and limit and max(size) > limit:
        raise ValueError(
            f"output {str(path)!r}: {size[1]}x{size[0]} is too large for {path.suffix}, which "
            f"takes {limit} pixels a side"
        )
    if path.is_dir():
        raise ValueError(f"output {str(path)!r} is a folder")
    for source in sources:
        if path.resolve() == Path(source).resolve() or (path.exists() and path.samefile(source)):
            raise ValueError(
                f"output {str(path)!r} is the input {str(source)!r}; it would be overwritten"
            )
    check_place(path)


def check_place(path: str | os.PathLike) -> None:
    """Refuses a file or folder that could not be made, before any work is done for it.

    Args:
        path: What is to be made; the folders above it may be missing.

    Raises:
        ValueError: If its folder cannot be made or written to, or it is a file that cannot be.
    """
    path = Path(path)
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
        if path.is_file():
            with open(path, "r+b"):
                pass
    except OSError as error:
        raise ValueError(f"output {str(path)!r} cannot be written: {error.strerror}") from None


def list_pictures(folder: str | os.PathLike) -> list[Path]:
    """The picture files of a folder, by name, without hidden ones and those of its subfolders."""
    return sorted(
        file
        for file in Path(folder).iterdir()
        if has_picture_suffix(file) and not file.name.startswith(".")
    )


def has_picture_suffix(path: str | os.PathLike) -> bool:
    """Whether a name ends like that of a picture."""
    return Path(path).suffix.lower() in _WRITABLE


def luma(pixels: np.ndarray) -> np.ndarray:
    """Brightness after ITU-R BT.601, in the same dtype.

    Args:
        pixels: (H, W, 3) uint8 or uint16.

    Returns:
        (H, W) of the same dtype.
    """
    result = np.empty(pixels.shape[:2], pixels.dtype)
    for start in range(0, len(pixels), 256):
        rows = pixels[start : start + 256].astype(np.float32)
        result[start : start + 256] = np.rint(rows @ np.float32([0.299, 0.587, 0.114]))
    return result


def _format(path: Path) -> str:
    if path.suffix.lower() not in _WRITABLE:
        raise ValueError(
            f"output {str(path)!r} has the suffix {path.suffix!r}; expected one of "
            + " ".join(_WRITABLE)
        )
    return _WRITABLE[path.suffix.lower()]


def _as_image(channels: np.ndarray) -> Image.Image:
    """(H, W, 1 to 4) as Pillow has it."""
    return Image.fromarray(channels[..., 0] if channels.shape[-1] == 1 else channels)


def _encode(file: BinaryIO, channels: np.ndarray, kind: str, picture: Picture) -> None:
    """Writes (H, W, 1 to 4) through Pillow."""
    image = _as_image(channels)
    if image.mode == "LA" and kind in ("WEBP", "GIF"):
        image = image.convert("RGBA")
    extra = dict(_OPTIONS.get(kind, {}))
    if picture.icc:
        extra["icc_profile"] = picture.icc
    if picture.exif and kind in decoding.WITH_EXIF:
        extra["exif"] = picture.exif
    image.save(file, format=kind, **extra)
