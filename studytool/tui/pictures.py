"""How pictures reach this terminal, decided from the environment: no query that would block.

A terminal that speaks kitty's graphics protocol or sixel gets real pixels; every other one,
and every multiplexer (which would have to pass the pixels on), gets two pixels a cell as half
blocks; without colour, a shade for each cell. STUDYTOOL_PICTURES=kitty|sixel|blocks overrides.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING, Literal, TypeAlias

from studytool.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image as Picture

Protocol: TypeAlias = Literal["kitty", "sixel", "blocks"]
KITTY: Protocol = "kitty"
SIXEL: Protocol = "sixel"
BLOCKS: Protocol = "blocks"
#: Terminals by what they set; only those whose documentation promises the protocol.
KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")
SIXEL_PROGRAMS = ("WezTerm", "mintty", "iTerm.app")
#: A picture never opens to more than this many pixels, whatever its file says.
MAX_PIXELS = 16_000_000
SHADES = " ░▒▓█"


def protocol(environ: Mapping[str, str]) -> Protocol:
    """What the terminal of `environ` can show."""
    wanted = {"kitty": KITTY, "sixel": SIXEL, "blocks": BLOCKS}.get(
        environ.get("STUDYTOOL_PICTURES", "")
    )
    if wanted is not None:
        return wanted
    if "TMUX" in environ or "STY" in environ or "ZELLIJ" in environ:
        return "blocks"
    term = environ.get("TERM", "")
    if term in KITTY_TERMS or "KITTY_WINDOW_ID" in environ:
        return "kitty"
    if term.startswith(SIXEL_TERMS) or environ.get("TERM_PROGRAM", "") in SIXEL_PROGRAMS:
        return "sixel"
    return "blocks"


def decode(png: str) -> Picture:
    """The picture of a base64 text, as RGB on white. Raises DemoError when it is not one."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(base64.b64decode(png, validate=True)), formats=("PNG",))
        if picture.width * picture.height > MAX_PIXELS:
            raise DemoError(f"A picture of {picture.width} × {picture.height} pixels is too large.")
        layer = picture.convert("RGBA")
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError) as fault:
        raise DemoError(f"A picture can't be read: {fault}") from fault
    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    ground.alpha_composite(layer)
    return ground.convert("RGB")


def cells(width: int, height: int, columns: int) -> tuple[int, int]:
    """Columns and rows for a picture of `width` by `height` pixels in at most `columns` columns.

    A cell is taken as twice as high as wide; small pictures are not blown up beyond eight
    pixels a column's worth, and none is higher than 40 rows.
    """
    wide = max(1, min(columns, max(16, width // 6)))
    rows = max(1, round(wide * height / (2 * width)))
    if rows > 40:
        wide, rows = max(1, round(wide * 40 / rows)), 40
    return wide, rows


Pixel: TypeAlias = tuple[int, int, int]


def half_blocks(picture: Picture, columns: int, rows: int) -> list[list[tuple[Pixel, Pixel]]]:
    """For each cell the upper and the lower pixel."""
    small = picture.resize((columns, rows * 2))
    data = small.tobytes()

    def at(x: int, y: int) -> Pixel:
        start = (y * columns + x) * 3
        return data[start], data[start + 1], data[start + 2]

    return [[(at(x, 2 * y), at(x, 2 * y + 1)) for x in range(columns)] for y in range(rows)]


def shades(picture: Picture, columns: int, rows: int) -> list[str]:
    """One character a cell, darker pixels denser; for terminals without colour."""
    data = picture.convert("L").resize((columns, rows)).tobytes()
    top = len(SHADES) - 1
    return [
        "".join(SHADES[top - data[y * columns + x] * top // 255] for x in range(columns))
        for y in range(rows)
    ]
