"""Pictures of any size through a function that takes sizes of its own, in bounded memory."""

import math
from collections.abc import Callable

import numpy as np

from tfimg import pixels


def restore_tiled(
    function: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    tile: int = 512,
    overlap: int = 64,
    multiple: int = 8,
    *,
    fixed: bool = False,
    mask: np.ndarray | None = None,
    finish: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Runs a picture through a function, whole where it is small and tile by tile where it is not.

    Tiles overlap. A quarter of each overlap at either side is context only, and across the half
    between them one tile fades linearly into the next. All tiles of one picture have the same
    size, so the function is traced once. The picture keeps its dtype; only one tile and one
    strip of tiles exist as floats at any time.

    Args:
        function: Maps float32 (1, h, w, 3), or (1, h, w, 4) with a mask as last channel, to
            (1, h, w, 3); h and w are multiples of `multiple`.
        image: (H, W, 3), any size from 1x1, any dtype that `pixels.to_float` takes.
        tile: Side of a tile in pixels, at most: as many tiles as it takes share the picture
            evenly. Narrow pictures get longer tiles of the same area.
        overlap: Pixels that neighbours share at least.
        multiple: What the function needs sizes to be a multiple of. Pictures are mirrored
            at their right and lower edges to fill up, and cropped again.
        fixed: Whether all tiles have exactly that side, for a function that takes no other.
        mask: (H, W) or (H, W, 1), bool or 0..1; 1 = known pixel.
        finish: Last step for float32 strips, `finish(restored, source) -> restored`, both
            (rows, W, 3), before they are stored in the picture's dtype.
        progress: Called as `progress(done, total)` after each tile.

    Returns:
        Array of the image's shape and dtype.

    Raises:
        ValueError: If the sizes do not fit together or the function returns another shape.
        TypeError, ValueError: If the image is none, as in `pixels.check`.

    Example:
        >>> restore_tiled(lambda x: 1 - x, np.zeros((3, 5000, 3), np.uint8)).min()
        np.uint8(255)
    """
    image = np.asarray(image)
    pixels.check(image)
    if image.ndim != 3:
        raise ValueError(f"image has shape {image.shape}; expected (H, W, 3)")
    if mask is not None:
        mask = as_plane(mask, image.shape)
    height, width = image.shape[:2]
    rows, columns = _tile_shape(height, width, tile, overlap, multiple)
    if not fixed:
        rows = _shared(height, rows, overlap, multiple)
        columns = _shared(width, columns, overlap, multiple)
    tops, down = _layout(height, rows, overlap, multiple)
    lefts, across = _layout(width, columns, overlap, multiple)

    output = np.empty(image.shape, image.dtype)
    strip = np.zeros((rows, lefts[-1] + columns, 3), np.float32)
    total = len(tops) * len(lefts)
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            cut = _cut(image, mask, top, left, rows, columns)
            out = np.asarray(function(cut))
            if out.shape != (1, rows, columns, 3):
                raise ValueError(
                    f"the function returned shape {out.shape} for a tile of {rows}x{columns}; "
                    f"expected {(1, rows, columns, 3)}"
                )
            weight = down[row][:, None, None] * across[column][:, None]
            strip[:, left : left + columns] += out[0] * weight
            if progress is not None:
                progress(row * len(lefts) + column + 1, total)
        # Rows above the next tile are complete; those below wait for its share.
        bottom = tops[row + 1] if row + 1 < len(tops) else height
        done = strip[: bottom - top, :width]
        if finish is not None:
            done = finish(done, pixels.to_float(image[top:bottom]))
        output[top:bottom] = pixels.restore_dtype(done, image.dtype)
        kept = rows - (bottom - top)
        strip[:kept] = strip[rows - kept :]
        strip[kept:] = 0
    return output


def _tile_shape(height: int, width: int, tile: int, overlap: int, multiple: int) -> tuple[int, int]:
    """The common size of all tiles: the whole padded picture where its area is that of one tile."""
    if tile % multiple or overlap % multiple or not 0 <= overlap <= tile // 2:
        raise ValueError(
            f"tile is {tile} and overlap {overlap}; expected multiples of {multiple}, "
            "the overlap at most half a tile"
        )
    height, width = (math.ceil(side / multiple) * multiple for side in (height, width))
    if height < tile:
        return height, min(width, tile * tile // height // multiple * multiple)
    if width < tile:
        return min(height, tile * tile // width // multiple * multiple), width
    return tile, tile


def _count(padded: int, length: int, overlap: int) -> int:
    """How many tiles of a length cover a side."""
    return 1 if padded <= length else math.ceil((padded - overlap) / (length - overlap))


def _shared(size: int, length: int, overlap: int, multiple: int) -> int:
    """The least length with which as many tiles as of this one cover a side."""
    padded = math.ceil(size / multiple) * multiple
    count = _count(padded, length, overlap)
    return math.ceil((padded + (count - 1) * overlap) / count / multiple) * multiple


def _layout(
    size: int, length: int, overlap: int, multiple: int
) -> tuple[list[int], list[np.ndarray]]:
    """Where tiles start along one axis, and their weights, which sum to 1 at every pixel.

    Starts are multiples of `multiple`, so that a network that works in blocks sees each pixel at
    the same place of a block as it would in the whole picture.
    """
    padded = math.ceil(size / multiple) * multiple
    count = _count(padded, length, overlap)
    room = (padded - length) // multiple
    starts = [index * room // max(count - 1, 1) * multiple for index in range(count)]

    context = overlap // 4
    ramp = (np.arange(length) + 0.5 - context) / max(overlap - 2 * context, 1)
    ramp = np.clip(ramp, 0, 1) if overlap else np.ones(length)
    weights, total = [], np.zeros(padded)
    for start in starts:
        weight = np.ones(length)
        if start > 0:
            weight *= ramp
        if start + length < padded:
            weight *= ramp[::-1]
        weights.append(weight)
        total[start : start + length] += weight
    return starts, [
        (weight / total[start : start + length]).astype(np.float32)
        for start, weight in zip(starts, weights, strict=True)
    ]


def _cut(
    image: np.ndarray, mask: np.ndarray | None, top: int, left: int, rows: int, columns: int
) -> np.ndarray:
    """One float tile (1, rows, columns, 3 or 4), mirrored where it sticks out of the picture."""
    window = np.s_[top : top + rows, left : left + columns]
    cut = pixels.to_float(image[window])
    if mask is not None:
        cut = np.concatenate([cut, mask[window].astype(np.float32)], axis=-1)
    missing = (rows - cut.shape[0], columns - cut.shape[1])
    if any(missing):
        cut = np.pad(cut, ((0, missing[0]), (0, missing[1]), (0, 0)), "reflect")
    return cut[None]


def as_plane(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Checks a mask and brings it into shape.

    Args:
        mask: (H, W) or (H, W, 1), bool or 0..1; 1 = known pixel.
        shape: (H, W, 3), of the picture.

    Returns:
        The mask as (H, W, 1), in its own dtype.

    Raises:
        ValueError: If it has another size or holds other values.
    """
    mask = np.asarray(mask)
    if mask.shape not in (shape[:2], (*shape[:2], 1)):
        raise ValueError(f"mask has shape {mask.shape}; expected {(*shape[:2], 1)} like the image")
    if mask.dtype != bool and not (np.min(mask) >= 0 and np.max(mask) <= 1):
        raise ValueError(
            f"mask holds {np.min(mask):g}..{np.max(mask):g}; expected 0..1, 1 = known pixel"
        )
    return mask.reshape(*shape[:2], 1)
