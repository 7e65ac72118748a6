"""Pictures as events: grids of small images with coloured frames, as PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image as Pillow

from studytool.demo.events import Image

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
#: Frames: the right picture, a wrong one, and the one that was asked for.
GREEN: Colour = (46, 160, 67)
GREY: Colour = (208, 215, 222)
BLUE: Colour = (9, 105, 218)
_FRAME, _GAP = 2, 2


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    frames: Sequence[Sequence[Colour]],
    *,
    scale: int = 1,
) -> np.ndarray:
    """A grid of equally large pictures, each in a frame of its colour: (height, width, 3) uint8.

    `rows` are pictures of (side, side, 3) uint8 and may differ in length. `scale` repeats each
    pixel. Raises ValueError when there is no picture or frames and rows don't match.
    """
    if not any(rows) or [len(row) for row in rows] != [len(row) for row in frames]:
        raise ValueError("a sheet needs pictures, and one frame for each of them")
    side = next(picture.shape[0] for row in rows for picture in row) * scale
    cell = side + 2 * _FRAME
    step = cell + _GAP
    width = max(len(row) for row in rows) * step + _GAP
    sheet = np.full((len(rows) * step + _GAP, width, 3), WHITE, np.uint8)
    for i, (row, colours) in enumerate(zip(rows, frames, strict=True)):
        for j, (picture, colour) in enumerate(zip(row, colours, strict=True)):
            top, left = _GAP + i * step, _GAP + j * step
            sheet[top : top + cell, left : left + cell] = colour
            inside = picture.repeat(scale, axis=0).repeat(scale, axis=1)
            sheet[top + _FRAME : top + cell - _FRAME, left + _FRAME : left + cell - _FRAME] = inside
    return sheet


def picture_event(
    id: str, title: str, pixels: np.ndarray, *, caption: str = "", credit: str = ""
) -> Image:
    """An Image event of (height, width, 3) uint8 pixels, as a PNG of at most 256 colours."""
    picture = Pillow.fromarray(pixels).quantize(256, dither=Pillow.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "png", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    height, width = pixels.shape[:2]
    return Image(id, title, data, width, height, caption, credit)
