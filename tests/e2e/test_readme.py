"""What the README says is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell_lines() -> list[str]:
    """Every command in the README's shell blocks that calls studytool."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", README, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("studytool")]


def test_the_two_commands_do_all_their_set_up() -> None:
    commands = re.findall(r"^python3 -m venv \.venv && .*$", README, flags=re.MULTILINE)

    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/studytool")
    assert ".venv/bin/pytest" in commands[1]
    assert "<!-- test command -->\n```sh\n" + commands[1] in README


@pytest.mark.parametrize("line", shell_lines())
def test_every_command_in_the_readme_exists_with_its_options(line: str) -> None:
    """The words before the options are called with --help, and each option must be in what it prints."""
    words = shlex.split(re.split(r"[|<>]", line)[0])[1:]
    options = [word.split("=")[0] for word in words if word.startswith("--")]
    path = words[:2] if words[:1] in (["deck"], ["demo"]) else words[:1]
    if path[:2] == ["demo", "run"]:
        path = words[:3]

    done = subprocess.run(
        [sys.executable, "-m", "studytool.cli.main", *path, "--help"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    for option in options:
        assert option in done.stdout, f"{option} is not in `studytool {' '.join(path)} --help`"


def test_the_pictures_it_shows_are_here() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture
