"""Cards with nasty text, for property tests, and small builders for the other tests."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from studytool.deck.blocks import is_closed
from studytool.deck.model import (
    Card,
    CardId,
    Deck,
    FileHead,
    KeyPoint,
    Kind,
    Level,
    Option,
    Result,
    Wrong,
)
from studytool.deck.parse import parse_file

HEAD = FileHead(1, "multimodal", "H", "CLIP")

#: Pieces that mean something to Markdown, to TOML or to this format.
NASTY = (
    "[2]",
    "{#x}",
    "{#id-2}",
    "```",
    "~~~",
    "````",
    "## x",
    "### Answer",
    "## Card {#card}",
    "(why",
    "why:",
    "|",
    "\\",
    "+++",
    "- [x] a",
    "- ",
    "* ",
    "1. ",
    "<!--",
    "-->",
    "<div>",
    "</div>",
    "<pre>",
    "> ",
    "    ",
    "\t",
    "#",
    "##",
    "###",
    "---",
    "===",
    "`a`",
    "$x_1$",
    "$$",
    "[^clip]",
    "{claim:a/b}",
    "[a]: http://b",
    "{{c1::x}}",
    "also: x",
    "wrong: y",
    "é",
    "日本語",
    "\u2028",
    "\x0b",
    "\x85",
    "\x1b[31m",
    "\u202e",
    '"',
    "'",
    "```toml",
    "\ufeff",
    "🙂",
    "&amp;",
    "*a*",
    "~~~toml",
)

_CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0")
_words = st.one_of(st.sampled_from(NASTY), st.text(_CHARS, max_size=8))


def _joined(separator: str, most: int) -> st.SearchStrategy[str]:
    return st.lists(_words, max_size=most).map(separator.join)


#: One line of text as an item may hold it.
lines = (
    st.one_of(_joined(" ", 5), _joined("", 4))
    .map(lambda text: text.strip(" \t"))
    .filter(lambda text: text != "")
)
statements = lines.filter(lambda text: "(why:" not in text)
ids = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,2}", fullmatch=True).map(CardId)

_raw_lines = st.one_of(_joined(" ", 4), _joined("", 3), st.just(""))
_fences = st.tuples(st.sampled_from(["```", "~~~~", "````"]), st.lists(_raw_lines, max_size=4)).map(
    lambda pair: "\n".join([f"{pair[0]}python", *pair[1], pair[0]])
)
_blocks = st.one_of(
    st.lists(_raw_lines, max_size=3).map("\n".join),
    _fences,
    lines.map(lambda text: f"- {text}\n  - {text}"),
    lines.map(lambda text: f"> {text}"),
    lines.map(lambda text: f"    {text}"),
    st.just("<!-- a comment\n## with a heading\n-->"),
)


def _trim(text: str) -> str:
    rows = text.split("\n")
    while rows and not rows[0].strip(" \t"):
        rows.pop(0)
    return "\n".join(rows).rstrip(" \t\n")


#: Markdown as a section may hold it.
prose = st.lists(_blocks, max_size=3).map("\n\n".join).map(_trim).filter(is_closed)

_plain = st.text(_CHARS, min_size=1, max_size=12).filter(lambda text: text.strip() != "")
_scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(_CHARS, max_size=8),
)
_numbers = st.floats(allow_nan=False, allow_infinity=False)
wrongs = st.builds(Wrong, statements, st.one_of(st.just(""), lines))
_key_points = st.builds(
    KeyPoint,
    st.integers(0, 999),
    lines,
    st.lists(lines, max_size=2).map(tuple),
    st.one_of(st.none(), lines),
    st.lists(wrongs, max_size=2).map(tuple),
)
_options = st.builds(Option, statements, st.booleans(), st.one_of(st.just(""), lines))


def _tuple_of(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


#: Every card that the format has room for, as far as the pieces above reach.
cards = st.builds(
    Card,
    id=ids,
    question=lines,
    chapter=st.just(HEAD.chapter),
    area=st.just(HEAD.area),
    topic=st.just(HEAD.topic),
    level=st.sampled_from(Level),
    kind=st.sampled_from(Kind),
    answer=prose.filter(lambda text: text != ""),
    prompt=prose,
    demo=st.one_of(st.none(), _plain),
    no_demo=st.one_of(st.none(), _plain),
    params=st.dictionaries(st.text(_CHARS, max_size=6), _scalars, max_size=3),
    needs=_tuple_of(_plain),
    tags=_tuple_of(_plain),
    contested=st.booleans(),
    sources=st.dictionaries(st.text(_CHARS, max_size=6), _plain, max_size=3),
    checked=st.one_of(st.none(), st.dates()),
    result=st.one_of(
        st.none(), st.builds(Result, _numbers, _numbers.map(abs), st.text(_CHARS, max_size=4))
    ),
    key_points=_tuple_of(_key_points),
    misconceptions=_tuple_of(wrongs),
    deeper=prose,
    follow_ups=_tuple_of(ids),
    see_it=prose,
    options=_tuple_of(_options),
)

#: Text that looks like a card file, sound or not.
file_lines = st.one_of(
    st.sampled_from(
        [
            "+++",
            "schema = 1",
            'chapter = "a"',
            'area = "b"',
            'topic = "c"',
            "## Q {#q}",
            "## R {#r}",
            "```toml",
            "```",
            'level = "easy"',
            'kind = "explain"',
            "### Answer",
            "### Key points",
            "- [1] x",
            "  - wrong: y",
            "### Options",
            "- [ ] z",
            "### Deeper",
            "",
            "words",
        ]
    ),
    _raw_lines,
)
file_texts = st.lists(file_lines, max_size=30).map("\n".join)

ANSWER = "word " * 50


def card(**changes: Any) -> Card:
    """A sound card with something changed."""
    fields: dict[str, Any] = {
        "id": CardId("clip-a"),
        "question": "Why?",
        "chapter": HEAD.chapter,
        "area": HEAD.area,
        "topic": HEAD.topic,
        "level": Level.EASY,
        "kind": Kind.EXPLAIN,
        "answer": ANSWER.strip(),
        "no_demo": "none fits",
        "key_points": (KeyPoint(1, "It is so", (), None, (Wrong("It is otherwise", "it is so"),)),),
        "sources": {},
        "checked": datetime.date(2026, 11, 23),
    }
    return Card(**(fields | changes))


def file_of(*bodies: str, head: str = "") -> str:
    """A card file with the usual head (or the lines `head` in its place) and these texts after it."""
    lines = head or 'schema = 1\nchapter = "multimodal"\narea = "H"\ntopic = "CLIP"'
    return "\n\n".join([f"+++\n{lines}\n+++", *bodies]) + "\n"


def body_of(name: str = "clip-a", table: str = "", sections: str = "### Answer\nBecause.") -> str:
    """The text of one small card."""
    table = table or 'level = "easy"\nkind = "explain"\nno_demo = "none fits"'
    return f"## Why {name}? {{#{name}}}\n```toml\n{table}\n```\n{sections}"


def deck_of(cards: Sequence[Card], retired: Sequence[str] = ()) -> Deck:
    """A deck as if these cards had been read from one file; they must be writable."""
    from studytool.deck.render import render_file

    located, faults = parse_file(render_file(HEAD, cards), "deck.md")
    assert not faults, faults
    return Deck(located, (), frozenset(map(CardId, retired)))
