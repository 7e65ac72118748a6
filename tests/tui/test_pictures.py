"""Pictures: which protocol a terminal gets, decoding, half blocks and shades."""

from __future__ import annotations

import base64
import io
import subprocess
import sys

import pytest
from PIL import Image

from studytool.errors import DemoError
from studytool.tui import pictures


@pytest.mark.parametrize(
    ("environ", "speaks"),
    [
        ({}, "blocks"),
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "sixel"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, "blocks"),
        ({"TERM": "xterm-kitty", "STUDYTOOL_PICTURES": "blocks"}, "blocks"),
        ({"STUDYTOOL_PICTURES": "sixel", "TMUX": "/tmp/x"}, "sixel"),
        ({"STUDYTOOL_PICTURES": "nonsense"}, "blocks"),
    ],
)
def test_protocol(environ: dict[str, str], speaks: str) -> None:
    assert pictures.protocol(environ) == speaks


def png(width: int, height: int, colour: tuple[int, int, int, int]) -> str:
    out = io.BytesIO()
    Image.new("RGBA", (width, height), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_transparency_stands_on_white() -> None:
    picture = pictures.decode(png(4, 4, (255, 0, 0, 0)))
    assert picture.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("bad", ["", "@@", base64.b64encode(b"no picture").decode()])
def test_what_is_no_picture_is_a_demo_error(bad: str) -> None:
    with pytest.raises(DemoError, match="can't be read"):
        pictures.decode(bad)


def test_a_huge_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 8)
    with pytest.raises(DemoError, match="too large"):
        pictures.decode(png(4, 4, (0, 0, 0, 255)))


@pytest.mark.parametrize(
    ("size", "columns", "cells"),
    [((72, 72), 80, (16, 8)), ((600, 300), 80, (80, 20)), ((10, 400), 80, (2, 40))],
)
def test_cells(size: tuple[int, int], columns: int, cells: tuple[int, int]) -> None:
    assert pictures.cells(*size, columns) == cells


def test_half_blocks_hold_two_pixels_a_cell() -> None:
    picture = Image.new("RGB", (1, 2))
    picture.putpixel((0, 0), (255, 0, 0))
    picture.putpixel((0, 1), (0, 0, 255))
    assert pictures.half_blocks(picture, 1, 1) == [[((255, 0, 0), (0, 0, 255))]]


def test_shades_go_from_full_for_black_to_blank_for_white() -> None:
    picture = Image.new("L", (2, 1))
    picture.putpixel((1, 0), 255)
    assert pictures.shades(picture.convert("RGB"), 2, 1) == ["█ "]


CODE = """
import io, sys
class Terminal(io.StringIO):
    def isatty(self): return True
sys.__stdout__ = Terminal()
sys.__stdin__ = None
from studytool.tui.native_pictures import native_view, quiet_import
from PIL import Image
quiet_import()
view = native_view(Image.new("RGB", (8, 8)), "kitty")
assert type(view).__name__ == "TGPImage", view
assert type(native_view(Image.new("RGB", (8, 8)), "sixel")).__module__.endswith("sixel")
assert sys.__stdout__.getvalue() == "", sys.__stdout__.getvalue()
assert sys.__stdout__.isatty()
"""


def test_importing_textual_image_asks_the_terminal_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
