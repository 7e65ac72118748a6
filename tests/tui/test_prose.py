"""Markdown as cards use it, set in lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.tui import prose


def lines(text: str, width: int = 40, marks: prose.Marks | None = None) -> list[str]:
    return [line.plain.rstrip() for line in prose.lay_out(prose.parse(text, marks), width)]


def test_paragraphs_stand_apart() -> None:
    assert lines("one\ntwo\n\nthree") == ["one two", "", "three"]


def test_a_tight_list_hangs() -> None:
    assert lines("- alpha beta gamma\n- delta\n\nend", 12) == [
        "• alpha beta",
        "  gamma",
        "• delta",
        "",
        "end",
    ]


def test_nested_and_numbered_lists() -> None:
    assert lines("3. three\n   - inner\n4. four") == ["3. three", "   • inner", "4. four"]


def test_code_that_is_too_wide_is_cut_at_a_space() -> None:
    text = "```\n  unigram 740 and trigram 9,200 perplexity\n```"

    assert lines(text, 28) == ["    unigram 740 and trigram", "  9,200 perplexity"]


def test_code_is_kept_as_written_and_folded_only_when_too_wide() -> None:
    assert lines("```python\nif x:\n    y = '[b]'\n```") == ["  if x:", "      y = '[b]'"]
    assert lines("```\nabcdefghij\n```", 7) == ["  abcde", "  fghij"]


def test_quote_and_heading() -> None:
    assert lines("# Head\n\n> said so") == ["Head", "", "│ said so"]


TABLE = "| a | b |\n|---|---|\n| 1 | long words here |\n| 22 | x |"


def test_a_table_is_aligned_where_it_fits() -> None:
    assert lines(TABLE) == [
        "a   b",
        "──  ───────────────",
        "1   long words here",
        "22  x",
    ]


def test_a_table_that_is_too_wide_becomes_a_list() -> None:
    assert lines(TABLE, 16) == ["• a: 1", "  b: long words", "  here", "• a: 22", "  b: x"]


def test_footnotes_and_claims() -> None:
    marks = prose.Marks(("paper", "code"), {"clip/r": "0.71"})
    text = "At 0.07 [^paper], clipped[^code]; derived [^derived]. Here {claim:clip/r}, {claim:x/y}."
    assert lines(text, 80, marks) == ["At 0.07¹, clipped²; derived†. Here 0.71, (run x)."]


def test_html_and_markup_are_text() -> None:
    assert lines("a <b>bold</b> [red]x[/red] [@click=app.quit]y[/]", 80) == [
        "a <b>bold</b> [red]x[/red] [@click=app.quit]y[/]"
    ]


def test_inline_styles() -> None:
    content = prose.inline("**strong** `code` *em*")
    assert content.plain == "strong code em"
    assert {str(span.style) for span in content.spans} == {"bold", prose.CODE, "italic"}


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="ab *_`#->|[]()!\n\t1.^{}:\\<&;é漢", max_size=120),
    st.integers(4, 60),
)
def test_any_text_is_set_within_the_width(text: str, width: int) -> None:
    for line in prose.lay_out(prose.parse(text), width):
        assert "\n" not in line.plain
        lead = len(line.plain) - len(line.plain.lstrip(" │•0123456789."))
        assert line.cell_length <= max(width, lead + 2)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_is_no_line(text: str) -> None:
    assert lines(text) == []
