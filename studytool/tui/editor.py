"""The user's editor, opened at a line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studytool.tui.app import StudyApp

#: Editors that take `+LINE FILE`; those of the second group take `--goto FILE:LINE`.
PLUS = frozenset(
    {
        "vi",
        "vim",
        "nvim",
        "view",
        "emacs",
        "emacsclient",
        "nano",
        "pico",
        "micro",
        "kak",
        "joe",
        "jed",
    }
)
GOTO = frozenset({"code", "code-insiders", "codium", "cursor"})
COLON = frozenset({"hx", "helix", "subl", "zed"})
#: Tried in this order when nothing is set.
FALLBACKS = ("nano", "vim", "vi")


def chosen(setting: str, environ: Mapping[str, str]) -> str:
    """The command line of the editor: the setting, $VISUAL, $EDITOR, or what is installed.

    Raises UsageError when there is none.
    """
    for wanted in (setting, environ.get("VISUAL", ""), environ.get("EDITOR", "")):
        if wanted.strip():
            return wanted
    for name in FALLBACKS:
        if shutil.which(name, path=environ.get("PATH", os.defpath)):
            return name
    raise UsageError(
        "There is no editor to open the card with.",
        hint="Set `editor` in the settings, or $EDITOR, to the editor you like.",
    )


def command(editor: str, path: str, line: int) -> list[str]:
    """The words that open `path` at `line`. Raises UsageError for an unreadable command line."""
    try:
        words = shlex.split(editor)
    except ValueError as fault:
        raise UsageError(f"The editor {editor!r} can't be read: {fault}") from fault
    name = Path(words[0]).name.lower().removesuffix(".exe")
    if name in GOTO:
        wait = [] if "--wait" in words or "-w" in words else ["--wait"]
        return [*words, *wait, "--goto", f"{path}:{line}"]
    if name in COLON:
        return [*words, f"{path}:{line}"]
    if name in PLUS:
        return [*words, f"+{line}", path]
    return [*words, path]


def edit(app: StudyApp, path: str, line: int) -> bool:
    """Give the terminal to the editor until it ends; whether it was opened.

    What goes wrong is told on the screen.
    """
    from textual.app import SuspendNotSupported

    try:
        words = command(chosen(app.desk.settings.editor, os.environ), path, line)
        with app.suspend():
            subprocess.run(words, check=False)
    except SuspendNotSupported:
        app.tell(
            UsageError("This terminal can't be lent to an editor.", hint=f"Edit {path}:{line}")
        )
        return False
    except UsageError as fault:
        app.tell(fault)
        return False
    except OSError as fault:
        app.tell(UsageError(f"The editor {words[0]!r} can't be started: {fault.strerror}"))
        return False
    return True
