"""Imports that take long, made on a thread while the user reads Home."""

from __future__ import annotations

import importlib

#: What opening the screens needs: the screens, then plots, then what reads Markdown and pictures.
MODULES = (
    "studytool.tui.screens.review",
    "studytool.tui.widgets.answer_box",
    "studytool.tui.screens.summary",
    "studytool.tui.screens.browse",
    "studytool.tui.screens.demos",
    "studytool.tui.screens.demo",
    "textual_plotext.plot",
    "rich.ansi",
    "studytool.services.demos",
    "studytool.services.demo_history",
    "markdown_it",
    "studytool.tui.screens.help",
    "studytool.tui.screens.settings",
    "studytool.tui.commands",
    "PIL.Image",
)


def up() -> None:
    """Import them all, and set a first text."""
    for name in MODULES:
        importlib.import_module(name)
    from studytool.tui import prose

    prose.parse("*a* | b\n\n- c [^d] `e`\n")
