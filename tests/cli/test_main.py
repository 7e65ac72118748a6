"""`studytool` itself: help, unknown commands, exit codes, pipes, and what start-up may load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studytool.cli import main as entry
from studytool.errors import StorageLocked

HEAVY = {
    "torch",
    "transformers",
    "gensim",
    "sklearn",
    "open_clip",
    "numba",
    "numpy",
    "demos",
    "matplotlib",
}
PROBE = """
import sys, json, runpy
sys.argv = ["studytool", *json.loads({argv!r})]
try:
    from studytool.cli.main import run
    run()
except SystemExit as end:
    code = end.code
print("LOADED", json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
raise SystemExit(code)
"""


def studytool(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "studytool.cli.main", *argv],
        input=stdin, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def loaded(*argv: str) -> set[str]:
    """The top-level modules in the process after `studytool argv…`."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(argv=json.dumps(argv))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.rpartition("LOADED ")[2]))


@pytest.mark.parametrize("argv", [("--help",), ("due",), ("due", "--json"), ("--version",)])
def test_quick_commands_load_nothing_heavy(argv: tuple[str, ...]) -> None:
    assert not loaded(*argv) & (HEAVY | {"textual", "sqlalchemy", "alembic", "rich"})


@pytest.mark.parametrize(
    "argv", [("stats", "--json"), ("deck", "list", "--json"), ("demo", "list", "--json")]
)
def test_reports_load_no_demo_library(argv: tuple[str, ...]) -> None:
    assert not loaded(*argv) & (HEAVY - {"demos"} | {"textual"})


def test_the_app_module_loads_no_demo_library_and_no_database() -> None:
    code = "import sys, studytool.tui.app; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert not set(done.stdout.split()) & (HEAVY | {"sqlalchemy", "alembic"})


def test_help_lists_every_command_with_its_own_help() -> None:
    listing = studytool("--help").stdout

    for name, (_, text) in entry.COMMANDS.items():
        assert name in listing
        assert text.split()[0] in listing
        assert studytool(name, "--help").returncode == 0


def test_an_unknown_command_names_the_nearest() -> None:
    done = studytool("reveiw")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "'review'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_usage() -> None:
    done = studytool("due", "--nope")

    assert done.returncode == 2
    assert "--help" in done.stderr


def test_without_a_terminal_the_app_says_what_to_use_instead() -> None:
    done = studytool()

    assert done.returncode == 2
    assert "review --plain" in done.stderr


def test_a_fault_ends_with_its_own_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def locked(*_: object) -> None:
        raise StorageLocked("collection.db is open in process 12.", hint="Close it first.")

    monkeypatch.setattr(entry.cli, "make_context", locked)

    with pytest.raises(SystemExit) as end:
        entry.run([])

    assert end.value.code == 3
    assert "process 12" in capsys.readouterr().err


def test_a_fault_of_our_own_is_logged_and_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the flux is out")

    monkeypatch.setattr(entry.cli, "make_context", broken)

    with pytest.raises(SystemExit) as end:
        entry.run([])

    assert end.value.code == 70
    told = capsys.readouterr().err
    assert "the flux is out" in told
    assert "Traceback" not in told
    assert "Traceback" in next((home / "state").glob("fault-*.log")).read_text()


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "studytool.cli.main", "deck", "list", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()

    _, told = process.communicate(timeout=60)

    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert "Exception ignored" not in told
