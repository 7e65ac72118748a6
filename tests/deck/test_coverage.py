"""Coverage tables: read, faults with their lines, counts, and the built-in one against the brief."""

from __future__ import annotations

from pathlib import Path

import pytest

from studytool.deck.coverage import FILE, Coverage, lint_coverage, parse_coverage
from studytool.paths import builtin_content
from studytool.services import coverage

TEXT = """source = "the brief"

[[heading]]
name = "Explain CLIP"
cards = ["clip-objective", "clip-loss"]

[[heading]]
name = "History"
cards = ["story"]
"""
CARDS = {"clip-objective", "clip-loss", "story"}


def sound(text: str) -> Coverage:
    table, faults = parse_coverage(text, FILE)
    assert faults == ()
    assert table is not None
    return table


def test_a_sound_table() -> None:
    assert lint_coverage(sound(TEXT), TEXT, FILE, CARDS) == ()


@pytest.mark.parametrize(
    ("change", "line", "rule"),
    [
        (('source = "the brief"', ""), 1, "coverage-field"),
        (('cards = ["story"]', "cards = []"), 9, "coverage-field"),
        (('name = "History"\n', ""), 7, "coverage-field"),
        (('name = "History"', 'title = "History"'), 7, "coverage-field"),
        (("[[heading]]", "[[heading"), 3, "coverage-toml"),
    ],
)
def test_faults_say_where(change: tuple[str, str], line: int, rule: str) -> None:
    table, (fault,) = parse_coverage(TEXT.replace(*change, 1), FILE)

    assert table is None
    assert (fault.place.line, fault.rule) == (line, rule)


def test_cards_must_exist_and_nothing_stands_twice() -> None:
    text = TEXT.replace('["story"]', '["story", "story", "stori"]').replace(
        "History", "Explain CLIP"
    )
    faults = lint_coverage(sound(text), text, FILE, CARDS)

    assert [(fault.place.line, fault.rule, fault.nearest) for fault in faults] == [
        (8, "coverage-twice", ""),
        (9, "coverage-twice", ""),
        (9, "unknown-card", "story"),
    ]


def test_tables_are_counted_and_checked_where_they_stand(tmp_path: Path) -> None:
    assert coverage.check([tmp_path], CARDS) == []
    assert coverage.counts([tmp_path]) == {}
    (tmp_path / FILE).write_text(TEXT, "utf-8")

    assert coverage.counts([tmp_path]) == {"Explain CLIP": 2, "History": 1}
    (fault,) = coverage.check([tmp_path], CARDS - {"story"})
    assert fault.rule == "unknown-card"
    (tmp_path / FILE).write_text("source = ", "utf-8")
    assert [fault.rule for fault in coverage.check([tmp_path], CARDS)] == ["coverage-toml"]
    assert coverage.counts([tmp_path]) == {}


def test_the_built_in_table_names_the_headings_of_the_brief() -> None:
    counts = coverage.counts([builtin_content()])

    assert len(counts) >= 50
    assert min(counts.values()) >= 1
