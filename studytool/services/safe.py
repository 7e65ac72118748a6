"""Safe text for the screens and the command line; see `studytool.safetext`, which every room may use."""

from __future__ import annotations

from studytool.safetext import clean, one_line

__all__ = ["clean", "one_line"]
