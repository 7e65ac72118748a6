"""The formatter: canonical, without loss, atomic."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from studytool.deck.format import format_text
from studytool.deck.model import KeyPoint, Option, Result, Wrong
from studytool.deck.render import render_file
from studytool.errors import ContentError
from studytool.services import deck_files
from tests.deck.strategies import HEAD, body_of, card, file_of

CANONICAL = """+++
schema = 1
chapter = "multimodal"
area = "H"
topic = "CLIP"
+++

## Why "so"? {#clip-a}
```toml
level = "easy"
kind = "explain"
demo = "clip"
params = { steps = 200, rate = 0.5, live = true, "a b" = "x\\"y" }
needs = ["clip-b"]
tags = ["one", "two"]
contested = true
checked = 2026-11-23
result = { value = 10.4, tolerance = 0.05, unit = "nats" }
[sources]
first = "a long source that fills the line, with its section and its table, arXiv:2103.00020 §2.5"
second = "another"
```

### Prompt
Given.

### Options
- [x] right
- [ ] wrong (why: it is)

### Answer
Because.

- a list

### Key points
- [2] It is so
  - also: thus
  - probe: And then?
  - wrong: It isn't (why: it is)

### Misconceptions
- Never

### Deeper
More.

### Follow-ups
- clip-b

### See it
Turn it.
"""

WHOLE = card(
    question='Why "so"?',
    demo="clip",
    no_demo=None,
    params={"steps": 200, "rate": 0.5, "live": True, "a b": 'x"y'},
    needs=("clip-b",),
    tags=("one", "two"),
    contested=True,
    sources={
        "first": "a long source that fills the line, with its section and its table, arXiv:2103.00020 §2.5",
        "second": "another",
    },
    checked=datetime.date(2026, 11, 23),
    result=Result(10.4, 0.05, "nats"),
    prompt="Given.",
    options=(Option("right", True), Option("wrong", False, "it is")),
    answer="Because.\n\n- a list",
    key_points=(KeyPoint(2, "It is so", ("thus",), "And then?", (Wrong("It isn't", "it is"),)),),
    misconceptions=(Wrong("Never", ""),),
    deeper="More.",
    follow_ups=("clip-b",),
    see_it="Turn it.",
)


def test_the_canonical_form() -> None:
    assert render_file(HEAD, [WHOLE]) == CANONICAL
    assert format_text(CANONICAL, "a.md").text == CANONICAL


def test_a_loose_file_becomes_canonical() -> None:
    loose = file_of(
        body_of(
            table='kind="explain"\nlevel = \'easy\'\n\nno_demo = "none\\u0020fits"\ntags = []',
            sections="### Deeper ###\n\n\nMore.\n\n\n### Answer\nBecause.  \n"
            "### Key points\n* [1] It is\n    so",
        )
    )
    formatted = format_text(loose, "a.md")

    assert formatted.faults == ()
    assert formatted.text == render_file(
        HEAD,
        [card(question="Why clip-a?", answer="Because.", deeper="More.", checked=None,
              key_points=(KeyPoint(1, "It is so"),))],
    )  # fmt: skip


def test_a_file_with_faults_stays() -> None:
    formatted = format_text(file_of(body_of(), body_of("b", sections="### Anwser\nx")), "a.md")

    assert formatted.text is None
    assert {fault.rule for fault in formatted.faults} == {"unknown-section", "no-answer"}


def test_comments_in_toml_are_not_lost_unasked() -> None:
    text = file_of(
        body_of(table='level = "easy" # a comment\nkind = "explain"\nno_demo = "a # is fine here"'),
        head='# the head\nschema = 1\nchapter = "multimodal"\narea = "H"\ntopic = "C#"',
    )
    kept = format_text(text, "a.md")
    dropped = format_text(text, "a.md", drop_comments=True)

    assert kept.text is None
    assert [(fault.rule, fault.place.line) for fault in kept.faults] == [
        ("toml-comment", 2),
        ("toml-comment", 11),
    ]
    assert dropped.text is not None
    assert "comment" not in dropped.text
    assert '"a # is fine here"' in dropped.text


def test_only_files_that_change_are_written(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(CANONICAL, encoding="utf-8")
    (tmp_path / "loose.md").write_text(CANONICAL.replace("\n\n###", "\n###"), encoding="utf-8")
    (tmp_path / "bad.md").write_text("words", encoding="utf-8")
    (tmp_path / "loose.md").chmod(0o640)
    before = (tmp_path / "good.md").stat().st_mtime_ns

    would = deck_files.format_files([tmp_path], write=False)
    assert [path.name for path in would.changed] == ["loose.md"]
    assert (tmp_path / "loose.md").read_text(encoding="utf-8") != CANONICAL

    did = deck_files.format_files([tmp_path, tmp_path / "good.md"], write=True)
    assert [path.name for path in did.changed] == ["loose.md"]
    assert (did.unchanged, {fault.place.path for fault in did.faults}) == (
        1,
        {str(tmp_path / "bad.md")},
    )
    assert (tmp_path / "loose.md").read_text(encoding="utf-8") == CANONICAL
    assert (tmp_path / "loose.md").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "good.md").stat().st_mtime_ns == before
    assert (tmp_path / "bad.md").read_text(encoding="utf-8") == "words"
    assert deck_files.format_files([tmp_path], write=False).changed == ()


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.md", tmp_path / "a.md"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    deck_files.write_atomically(link, "new\n")

    assert link.is_symlink()
    assert real.read_bytes() == b"new\n"


def test_a_write_that_fails_leaves_the_old_text_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.md"
    path.write_text("old", encoding="utf-8")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ContentError, match="No space left"):
        deck_files.write_atomically(path, "new")

    assert [entry.name for entry in tmp_path.iterdir()] == ["a.md"]
    assert path.read_text(encoding="utf-8") == "old"
