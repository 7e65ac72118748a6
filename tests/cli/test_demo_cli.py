"""`studytool demo` as a process: what it prints, what it ends with, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).parents[1] / "fixtures" / "plugin"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PLUGIN), "STUDYTOOL_HOME": str(home)}


@pytest.fixture
def demo(environment: dict[str, str], tmp_path: Path) -> Any:
    def call(*args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "studytool.cli.main", "demo", *args],
            input=text,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return call


def events_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_is_json_for_scripts_and_warnings_are_words(demo: Any) -> None:
    done = demo("list", "--json")

    listed = {each["id"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"skipgram", "clip", "quick", "needy"} <= set(listed)
    assert listed["quick"]["chapter"] == "testing"
    assert listed["needy"]["installed"] is False
    assert "warning: demo 'broken-import' of fakedemos" in done.stderr


def test_list_for_people_says_how_to_install(demo: Any) -> None:
    lines = demo("list").stdout.splitlines()

    (needy,) = [line for line in lines if line.strip().startswith("needy")]
    assert needy.endswith("needs: pip install 'fakedemos[all]'")
    assert "testing" in lines


def test_show_tells_the_parameters(demo: Any) -> None:
    shown = demo("show", "quick")
    as_json = json.loads(demo("show", "quick", "--json").stdout)

    assert "  --steps  a whole number from 1 to 100, default 4. steps to take" in shown.stdout
    assert as_json["params"][0] == {
        "name": "steps",
        "flag": "--steps",
        "kind": "int",
        "default": 4,
        "takes": "a whole number from 1 to 100",
        "choices": [],
        "help": "steps to take",
    }


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run", "quik"], "Did you mean 'quick'?"),
        (["show", "quik"], "Did you mean 'quick'?"),
        (["run", "quick", "--step", "3"], "--steps"),
        (["run", "quick", "--steps", "1000"], "1000 is not allowed; it takes a whole number"),
        (["run"], "Missing command"),
        (["new", "x_y", "--chapter", "static"], "kebab-case"),
    ],
)
def test_wrong_names_end_with_2_and_name_the_nearest(demo: Any, args: list[str], said: str) -> None:
    done = demo(*args)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_run_prints_one_event_a_line_and_keeps_the_run(demo: Any, home: Path) -> None:
    done = demo("run", "quick", "--steps", "3", "--json")

    events = events_of(done)
    assert done.returncode == 0
    assert events[0]["type"] == "stage"
    assert events[-1]["type"] == "done"
    claim = next(event for event in events if event["type"] == "claim")
    assert claim["id"] == "steps-counted"
    assert (claim["value"], claim["bound"], claim["holds"]) == (3, 1, True)
    assert list((home / "data" / "runs").glob("quick.*.jsonl"))


def test_no_store_leaves_no_history(demo: Any, home: Path) -> None:
    assert demo("run", "quick", "--no-store").returncode == 0

    assert not (home / "data").exists()


def test_questions_never_block_a_pipe_and_results_are_told(demo: Any) -> None:
    done = demo("run", "quick", "--no-store")

    assert "? Before you see it: Which is better?" in done.stdout
    assert "= It was: plain · plain won" in done.stdout
    assert "your guess" not in done.stdout


@pytest.mark.parametrize(
    "args", [["quick", "--refute"], ["crasher", "--how", "raise"], ["crasher", "--how", "segfault"]]
)
def test_what_is_not_as_expected_ends_with_4(demo: Any, args: list[str]) -> None:
    assert demo("run", *args, "--no-store").returncode == 4


def test_a_missing_package_ends_with_4_and_the_command(demo: Any) -> None:
    done = demo("run", "needy")

    assert done.returncode == 4
    assert "Install with: pip install 'fakedemos[all]'" in done.stderr


def test_explore_answers_each_line_and_ends_with_the_input(demo: Any) -> None:
    done = demo("run", "quick", "--no-store", "--json", "--explore", text="hello\n\nlive\n")

    texts = [event["text"] for event in events_of(done) if event["type"] == "text"]
    assert texts[-2:] == ["olleh", "evil"]
    assert done.returncode == 0


def test_explore_without_an_explorer_says_so(demo: Any) -> None:
    done = demo("run", "flooder", "--no-store", "--explore", text="hello\n")

    assert "answers no requests" in done.stderr
    assert done.returncode == 0


def test_the_log_is_shown_when_asked_for(demo: Any) -> None:
    quiet, loud = (
        demo("run", "printer", "--no-store"),
        demo("run", "printer", "--no-store", "--log"),
    )

    assert "stray" not in quiet.stdout + quiet.stderr
    assert "log: written to descriptor 1" in loud.stderr
    assert "stray" not in loud.stdout


def test_save_writes_report_pictures_and_plots(demo: Any, tmp_path: Path) -> None:
    done = demo("run", "quick", "--no-store", "--save", "out")

    assert done.returncode == 0
    assert {"events.jsonl", "report.md", "picture-grey.png", "plot-s.svg", "plot-m.png"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    again = demo("run", "quick", "--no-store", "--save", "out", "--steps", "2")
    assert again.returncode == 0
    assert "I took 2 steps" in (tmp_path / "out" / "report.md").read_text()


def test_a_folder_with_other_things_is_refused_before_the_run(demo: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")

    done = demo("run", "quick", "--save", ".")

    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no saved run" in done.stderr


def test_new_writes_a_demo_that_runs(demo: Any, tmp_path: Path) -> None:
    done = demo("new", "beam-search", "--chapter", "foundation")

    assert done.returncode == 0
    assert (tmp_path / "beam-search-demo" / "beam_search_demo" / "specs.py").exists()
    assert 'beam-search = "beam_search_demo.specs:BEAM_SEARCH"' in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_with_130_at_once_and_leaves_no_process(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "studytool.cli.main", "demo", "run", "spinner", "--json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        grandchild = 0
        while not grandchild:
            event = json.loads(running.stdout.readline())
            grandchild = int(event.get("value", 0))
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = running.wait(timeout=10)
        took = time.monotonic() - began
        said = running.stderr.read()

    assert code == 130
    assert took < 1
    assert "Cancelled" in said
    with pytest.raises(ProcessLookupError):
        _wait_for_end(grandchild)
        os.kill(grandchild, 0)


def _wait_for_end(pid: int) -> None:
    """Wait until a process is gone that is nobody's child here; ProcessLookupError if it is."""
    import select

    watched = os.pidfd_open(pid)
    try:
        assert select.select([watched], [], [], 5)[0], f"process {pid} still runs"
    finally:
        os.close(watched)
    raise ProcessLookupError(pid)
