"""Contact sheets: pictures side by side with a line of text under each."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_GAP = 12
_INK, _PAPER = (32, 32, 32), (250, 250, 250)


def contact_sheet(
    cells: list[tuple[np.ndarray, str]], columns: int, cell_width: int = 384
) -> np.ndarray:
    """Draws pictures with captions in a grid, row by row.

    Args:
        cells: Pairs of a picture, uint8 (H, W, 3), and its caption. Pictures wider than a cell
            are made smaller; captions too long for a cell are cut.
        columns: Number of pictures in a row.
        cell_width: Width of a cell in pixels.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> sheet = contact_sheet([(before, "before"), (after, "after")], columns=2)
    """
    if not cells or columns < 1:
        raise ValueError(f"{len(cells)} pictures in {columns} columns make no sheet")
    font = ImageFont.load_default(cell_width // 22)
    line = int(font.size * 1.6)
    pictures = [_fit(picture, cell_width) for picture, _ in cells]
    rows = [range(i, min(i + columns, len(cells))) for i in range(0, len(cells), columns)]
    heights = [max(pictures[i].height for i in row) + line + _GAP for row in rows]
    width = min(columns, len(cells)) * (cell_width + _GAP) + _GAP
    sheet = Image.new("RGB", (width, sum(heights) + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, i in enumerate(row):
            left = _GAP + column * (cell_width + _GAP)
            sheet.paste(pictures[i], (left, top))
            caption = _shorten(cells[i][1], font, cell_width)
            draw.text((left, top + height - _GAP - line * 0.8), caption, _INK, font)
        top += height
    return np.asarray(sheet)


def _fit(picture: np.ndarray, width: int) -> Image.Image:
    image = Image.fromarray(picture)
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))))
    return image


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
