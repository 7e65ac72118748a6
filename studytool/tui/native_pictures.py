"""textual-image, imported without letting it talk to the terminal.

On import textual-image asks the terminal what it can do and reads the answer from standard
input, which belongs to Textual's own reader while the app runs. It asks only when standard
output is a terminal, so during the import it is shown one that is not; the size of a cell comes
from the window size that the kernel knows.
"""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from textual.widget import Widget

    from studytool.tui.pictures import Protocol

_once = threading.Lock()


def cell_pixels() -> tuple[int, int]:
    """Width and height of a cell in pixels, or 10 by 20 where the kernel does not know."""
    if sys.platform != "win32":
        import fcntl
        import struct
        import termios

        try:
            answer = fcntl.ioctl(1, termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            return 10, 20
        rows, columns, width, height = struct.unpack("HHHH", answer)
        if rows and columns and width and height:
            return width // columns, height // rows
    return 10, 20


def quiet_import() -> None:
    """Import textual-image once, with its questions answered in advance."""
    with _once:
        if "textual_image.widget" in sys.modules:
            return
        real = sys.__stdout__
        sys.__stdout__ = io.StringIO()  # type: ignore[misc,assignment]
        try:
            import textual_image.widget  # noqa: F401
            from textual_image._terminal import CellSize, get_cell_size
        finally:
            sys.__stdout__ = real  # type: ignore[misc]
        get_cell_size._result = CellSize(*cell_pixels())  # type: ignore[attr-defined]


def native_view(picture: Picture, speaks: Protocol) -> Widget:
    """A widget that shows `picture` as pixels. Called on a thread: the import takes a while."""
    quiet_import()
    from textual_image.widget import SixelImage, TGPImage

    return SixelImage(picture) if speaks == "sixel" else TGPImage(picture)
