"""The fast search for headings finds what a whole CommonMark parse finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from studytool.deck.blocks import is_closed, outline, split_lines
from tests.deck.strategies import NASTY

_MARKDOWN = MarkdownIt("commonmark").disable("reference")
_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "## a",
                "### b",
                " ## c",
                "# d",
                "```",
                "~~~",
                "````",
                "  ```",
                "- x",
                "  - y",
                "- ```",
                "> q",
                "",
                "<!-- c",
                "c -->",
                "<div>",
                "    code",
                "text",
                "---",
                "<script>",
                "</script>",
                "1. ```",
                "> ```",
                "##",
                "###\tx",
                "#### y",
                "## z ##",
                "``` a`b",
                "  <!--",
                "- <!--",
                "<?php",
                "?>",
            ]
        ),
        st.sampled_from(NASTY),
    ),
    max_size=14,
)


def reference(lines: list[str]) -> list[int]:
    tokens = _MARKDOWN.parse("\n".join(lines))
    at = [
        token.map[0]
        for token in tokens
        if token.type == "heading_open" and not token.level and token.map
    ]
    return [i for i in at if lines[i].startswith("##") and not lines[i].startswith("####")]


@settings(max_examples=400, deadline=None)
@given(_LINES)
def test_headings_are_those_of_commonmark(lines: list[str]) -> None:
    found = outline(lines)
    if not found.unclosed:
        assert [heading.line for heading in found.headings] == reference(lines)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("plain", True),
        ("```\n## x\n```", True),
        ("~~~~\n```\n## x {#x}\n~~~~", True),
        ("- ```\n  ## x", True),
        ("> ```\n> ## x", True),
        ("    ```\n    ## x", True),
        ("<!--\n## x\n-->", True),
        ("<div>\ntext", True),
        (" ## indented is no heading of ours", True),
        ("#### deeper", True),
        ("```\n## x", False),
        ("## x", False),
        ("text\n### x", False),
        ("<!--\n## x", False),
        ("````\n## x {#x}\n```toml\na = 1\n```\n````", True),
        ("```\n## x {#x}\n```toml\na = 1\n```", False),
    ],
)
def test_what_may_stand_before_a_heading(text: str, closed: bool) -> None:
    assert is_closed(text) is closed


def test_lines_end_at_lf_crlf_and_cr_only() -> None:
    assert split_lines("a\r\nb\rc\x0bd\u2028e\n") == ["a", "b", "c\x0bd\u2028e", ""]


def test_a_long_fence_full_of_headings_hides_none_below_it() -> None:
    lines = ["## q {#q}", "### Answer", "x ```", "```", *["## x"] * 5_000, "```", "### Deeper"]

    assert [heading.line for heading in outline(lines).headings] == [0, 1, len(lines) - 1]
