"""`python -m demos.<chapter>.<name>`: runs in this process and prints."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studytool.demo import registry
from studytool.demo.console import main_for
from studytool.paths import Paths

pytestmark = pytest.mark.usefixtures("plugin")


def run(demo: str, *args: str) -> int:
    return main_for(registry.load(demo).spec, list(args))


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("quick", "--steps", "2", "--no-symmetric") == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "▸ loading: libraries and the code of the demo"
    assert "✓ steps are counted: 2 >= 1 steps (holds)" in lines
    assert "» Say it: I took 2 steps." in lines


def test_events_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("quick", "--json") == 0

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    claims = [event for event in events if event["type"] == "claim"]
    assert {"id", "text", "value", "bound", "holds", "expect"} <= set(claims[0])
    assert events[-1]["type"] == "done"


@pytest.mark.parametrize(
    ("demo", "args"), [("quick", ["--refute"]), ("crasher", ["--how", "raise"])]
)
def test_what_is_not_as_expected_ends_with_4(demo: str, args: list[str]) -> None:
    assert run(demo, *args) == 4


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--steps", "0"], "'--steps': 0 is not allowed; it takes a whole number from 1 to 100"),
        (["--kind", "odd"], "it takes one of plain, fancy"),
        (["--stepz", "3"], "--steps"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_says_what_is_allowed(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("quick", *args) == 2

    caught = capsys.readouterr()
    assert said in caught.err
    assert caught.out == ""


def test_help_lists_every_parameter_with_its_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("quick", "--help") == 0

    text = " ".join(capsys.readouterr().out.split())
    assert "--steps N steps to take (a whole number from 1 to 100; default 4)" in text
    assert "--symmetric / --no-symmetric both directions (default: on)" in text
    assert "--kind CHOICE which variant (one of plain, fancy; default plain)" in text


def test_stray_prints_stay_off_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run("printer", "--json") == 0

    caught = capsys.readouterr()
    assert "stray 49" not in caught.out
    assert "stray 49" in caught.err


def test_save_and_cache_go_where_they_are_told(tmp_path: Path, paths: Paths) -> None:
    assert run("quick", "--save", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")) == 0

    assert (tmp_path / "out" / "report.md").exists()
    assert (tmp_path / "cache" / "quick" / "was-here").exists()
    assert not paths.demo_cache.exists()


def test_a_folder_that_is_not_ours_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("precious")

    assert run("quick", "--save", str(tmp_path)) == 2
    assert "holds no saved run" in capsys.readouterr().err


def test_requests_are_read_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", iter(["hello\n", "\n", "crash\n"]))

    assert run("quick", "--json", "--explore") == 4

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-3]["text"] == "olleh"
    assert events[-1]["error"] == "ValueError: asked to crash"


COUNT_THREADS = """
import numpy, os, threadpoolctl
from studytool.demo.console import _cap_threads
asked = _cap_threads()
print(asked, max(each["num_threads"] for each in threadpoolctl.threadpool_info()))
print(os.environ["NUMBA_NUM_THREADS"])
"""


@pytest.mark.parametrize("wanted", ["", "2"])
def test_libraries_that_are_loaded_already_get_as_few_threads(wanted: str) -> None:
    pytest.importorskip("threadpoolctl")
    names = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"}
    free = {name: value for name, value in os.environ.items() if name not in names}
    more = {"OMP_NUM_THREADS": wanted} if wanted else {}
    run = subprocess.run(
        [sys.executable, "-c", COUNT_THREADS],
        env=free | more,
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.split() == [wanted or "1"] * 3
