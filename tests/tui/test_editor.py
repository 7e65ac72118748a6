"""Opening a card in the user's editor, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from studytool.errors import UsageError
from studytool.tui import editor


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vim", ["vim", "+11", "a b.md"]),
        ("/usr/bin/nano -w", ["/usr/bin/nano", "-w", "+11", "a b.md"]),
        ("emacs -nw", ["emacs", "-nw", "+11", "a b.md"]),
        ("code", ["code", "--wait", "--goto", "a b.md:11"]),
        ("code --wait", ["code", "--wait", "--goto", "a b.md:11"]),
        ("hx", ["hx", "a b.md:11"]),
        ("mystery", ["mystery", "a b.md"]),
    ],
)
def test_each_editor_gets_the_line_its_way(line: str, words: list[str]) -> None:
    assert editor.command(line, "a b.md", 11) == words


def test_an_unreadable_command_line() -> None:
    with pytest.raises(UsageError, match="can't be read"):
        editor.command("vim 'open", "a.md", 1)


def test_setting_before_visual_before_editor() -> None:
    environ = {"VISUAL": "visual", "EDITOR": "editor", "PATH": ""}
    assert editor.chosen("mine", environ) == "mine"
    assert editor.chosen("", environ) == "visual"
    assert editor.chosen("", {"EDITOR": "editor", "PATH": ""}) == "editor"


def test_what_is_installed_is_the_last_resort(tmp_path: Path) -> None:
    program = tmp_path / "vi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert editor.chosen("", {"PATH": str(tmp_path)}) == "vi"


def test_no_editor_at_all() -> None:
    with pytest.raises(UsageError) as caught:
        editor.chosen("", {"PATH": ""})
    assert "$EDITOR" in caught.value.hint
