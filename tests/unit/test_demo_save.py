"""Saving a run: events, report, pictures, plots, and care with folders."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.demo import events as ev
from studytool.demo import report, save
from studytool.demo.spec import DemoInfo, DemoSpec, Params
from studytool.errors import UsageError

SPEC = DemoSpec(
    DemoInfo("demo", "A *demo*", "testing", "It shows.", "Nobody 2026", 1, "nowhere"), Params
)
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
EVENTS: list[ev.Event] = [
    ev.Stage("training", "with $5"),
    ev.Prediction("p", "Which is better?", ("this", "that")),
    ev.Metric("loss", 2.0, step=0),
    ev.Metric("loss", float("nan"), step=1),
    ev.Metric("loss", 1.0, step=2),
    ev.Metric("accuracy", 0.5, unit="%"),
    ev.Table("t", "Neighbours", ["word"], [["old"]]),
    ev.Table("t", "Neighbours", ["word", "score"], [["a|b", 0.5], [None, 1]]),
    ev.Series("s", "Loss in $", [ev.Line("a$b$", [0, 1, 2], [3.0, float("nan")])], levels={"c": 1}),
    ev.Matrix("m", "Heat", [[1.0, 2.0], [3.0]], rows=["a", "b"], columns=["c", "d"]),
    ev.Matrix("empty", "Nothing", []),
    ev.Image("Grey Dot", "Dot", DOT, 1, 1, caption="a dot", credit="the tests, CC0"),
    ev.Image("grey-dot", "Dot again", DOT, 1, 1),
    ev.Image("bad", "Damaged", "%%%", 1, 1),
    ev.Text("x", "Sample", "line one\n<b>line two</b>"),
    ev.Graph("g", "Tree", ["a", "b"], [ev.Edge("a", "b", "likes")]),
    ev.Note("A note."),
    ev.Outcome("p", "this", "by far"),
    ev.claim("c", "it works", 0.7, ">=", 0.65),
    ev.claim("m", "a myth", 0.1, ">=", 0.5, expect="refuted"),
    ev.Finding("Say this."),
    ev.Done(1.25),
]


def keep(folder: Path, events: list[ev.Event], clock: FixedClock) -> save.Saver:
    saver = save.Saver.open(folder, SPEC, Params(seed=3), clock)
    for event in events:
        saver.add(ev.encode(event))
    saver.finish()
    return saver


def test_a_report_tells_the_run(tmp_path: Path, clock: FixedClock) -> None:
    folder = keep(tmp_path / "out", EVENTS, clock).folder
    report.write(folder)

    text = (folder / "report.md").read_text()
    for part in (
        "# A \\*demo\\*",
        "| seed | 3 |",
        "saved 2026-11-23T10:00:00+00:00",
        "> Say this.",
        "| it works | 0.7 \\>= 0.65 | holds |",
        "| a myth | 0.1 is not \\>= 0.5 | refuted, as expected |",
        "| Which is better? | this | by far |",
        "### training",
        "- accuracy: 0.5 %",
        "| a\\|b | 0.5 |",
        "![Loss in $](plot-s.png)",
        "![Dot](picture-grey-dot.png)",
        "![Dot again](picture-grey-dot-2.png)",
        "a dot · the tests, CC0",
        "**Damaged** (the picture is damaged)",
        "    <b>line two</b>",
        "| a | likes | b | 1 |",
        "![loss](plot-curve-loss.png)",
        "Done in 1.2 s.",
    ):
        assert part in text, part
    assert "| old |" not in text
    for name in ("plot-s", "plot-m", "plot-empty", "plot-curve-loss"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (folder / f"{name}.svg").read_bytes()
    assert (folder / "picture-grey-dot.png").read_bytes().startswith(b"\x89PNG")


def test_all_events_are_kept_as_they_came(tmp_path: Path, clock: FixedClock) -> None:
    folder = keep(tmp_path, EVENTS, clock).folder

    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert lines == [ev.encode(event) for event in EVENTS]


def test_without_matplotlib_the_report_says_so(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "studytool.demo.draw", None)
    folder = keep(tmp_path, EVENTS, clock).folder
    report.write(folder)

    text = (folder / "report.md").read_text()
    assert "matplotlib is not installed. Install it with `pip install 'studytool[demos]'`" in text
    assert "**Heat** (not drawn)" in text
    assert not list(folder.glob("plot-*"))


def test_a_failed_run_has_a_report_too(tmp_path: Path, clock: FixedClock) -> None:
    folder = keep(tmp_path, [ev.Failed("it broke", "mend it", "line 1\nline 2")], clock).folder
    report.write(folder)

    text = (folder / "report.md").read_text()
    assert "**The demo failed**: it broke\n\nmend it\n\n    line 1\n    line 2" in text


def test_a_folder_with_other_things_is_refused(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(UsageError, match="is not empty and holds no saved run"):
        save.Saver.open(tmp_path, SPEC, Params(), clock)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_json_of_something_else_is_no_saved_run(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "run.json").write_text('{"demo": "mine"}')

    with pytest.raises(UsageError):
        save.Saver.open(tmp_path, SPEC, Params(), clock)


def test_a_file_in_the_way_is_told(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(save.SaveFailed, match="file"):
        save.Saver.open(tmp_path / "file", SPEC, Params(), clock)


def test_a_second_save_replaces_the_first_and_nothing_else(
    tmp_path: Path, clock: FixedClock
) -> None:
    picture = ev.Image("first", "First", DOT, 1, 1)
    report.write(keep(tmp_path, [picture], clock).folder)
    (tmp_path / "my notes.txt").write_text("mine")
    (tmp_path / "picture-mine.png").write_text("mine too")

    report.write(keep(tmp_path, [ev.Image("second", "Second", DOT, 1, 1)], clock).folder)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "events.jsonl",
        "my notes.txt",
        "picture-mine.png",
        "picture-second.png",
        "report.md",
        "run.json",
    ]


def test_a_forged_list_of_files_removes_nothing_outside(tmp_path: Path, clock: FixedClock) -> None:
    folder = tmp_path / "out"
    precious = tmp_path / "picture-precious.png"
    precious.write_text("precious")
    keep(folder, [], clock)
    head = json.loads((folder / "run.json").read_text())
    head["files"] = ["../picture-precious.png", str(precious), "report.md"]
    (folder / "run.json").write_text(json.dumps(head))

    report.write(folder)

    assert precious.exists()
    assert (folder / "report.md").exists()


def test_a_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studytool.demo.save.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save.write_atomic(target, b"new")

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_report_needs_a_saved_run(tmp_path: Path) -> None:
    with pytest.raises(save.SaveFailed, match="holds no saved run"):
        report.write(tmp_path)


def test_replaced_plots_are_left_out_but_kinds_do_not_replace_each_other() -> None:
    first, second = ev.Text("a", "A", "1"), ev.Text("a", "A", "2")
    plot = ev.Series("a", "A", [])

    assert report.newest([first, plot, second]) == [plot, second]
