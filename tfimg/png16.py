"""Colour PNG with 16 bits a channel, which Pillow by itself reads as 8 bits and cannot write."""

import struct
import zlib
from typing import BinaryIO

import numpy as np
from PIL import Image

_RAW_MODES = ("RGB;16B", "RGBA;16B", "LA;16B")
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_ROWS = 256


def is_colour16(image: Image.Image) -> bool:
    """Whether a freshly opened picture is a PNG with 16 bits in each of two or more channels."""
    return image.format == "PNG" and bool(image.tile) and image.tile[0].args in _RAW_MODES


def read(path: str) -> np.ndarray:
    """Reads all 16 bits of a PNG for which `is_colour16` holds.

    Pillow's unpackers keep one byte of two. The file is big-endian, so the unpacker meant for
    it gives the high bytes, and the one for little-endian files the low bytes.

    Args:
        path: A PNG file.

    Returns:
        uint16 (H, W, 3), or (H, W, 4) with alpha; grey with alpha is (H, W, 2).
    """
    with Image.open(path, formats=["PNG"]) as image:
        raw_mode = image.tile[0].args
    if raw_mode == "LA;16B":  # four bytes a pixel, read as if they were four channels
        return _unpack(path, "RGBA").view(">u2").astype(np.uint16)
    result = _unpack(path, raw_mode).astype(np.uint16)
    result <<= 8
    result |= _unpack(path, raw_mode.replace("16B", "16L"))
    return result


def _unpack(path: str, raw_mode: str) -> np.ndarray:
    with Image.open(path, formats=["PNG"]) as image:
        image.tile = [image.tile[0]._replace(args=raw_mode)]
        return np.asarray(image)


def write(file: BinaryIO, pixels: np.ndarray, icc: bytes | None = None) -> None:
    """Writes a 16-bit PNG.

    Args:
        file: Binary file, open for writing.
        pixels: uint16 (H, W, C) with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels.
        icc: Colour profile to embed.
    """
    height, width, channels = pixels.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(
        file,
        b"IHDR",
        struct.pack(">2I5B", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0),
    )
    if icc:
        _chunk(file, b"iCCP", b"profile\0\0" + zlib.compress(icc))
    compressor = zlib.compressobj()
    for start in range(0, height, _ROWS):
        rows = pixels[start : start + _ROWS].astype(">u2").view(np.uint8)
        rows = rows.reshape(len(rows), -1)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 1  # filter "Sub": each byte minus that of the pixel to its left
        filtered[:, 1:] = rows
        filtered[:, 1 + 2 * channels :] -= rows[:, : -2 * channels]
        _chunk(file, b"IDAT", compressor.compress(filtered.tobytes()))
    _chunk(file, b"IDAT", compressor.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data)
    file.write(struct.pack(">I", zlib.crc32(name + data)))
