"""What the parser reads, and how it says what is wrong."""

from __future__ import annotations

import datetime

import pytest

from studytool.deck.model import Fault, KeyPoint, Kind, Level, Option, Result, Wrong
from studytool.deck.parse import parse_document, parse_file
from tests.deck.strategies import body_of, file_of

FULL = file_of(
    """## Why does CLIP learn its temperature? {#clip-temperature}
```toml
level = "medium"                 # a comment
kind = "compute"
demo = "clip"
params = { temperature = 0.07, steps = 200, name = "x", live = true }
needs = ["clip-objective"]
tags = ["temperature", "loss"]
contested = true
sources = { clip = "arXiv:2103.00020 §2.5" }
checked = 2026-11-23
result = { value = 10, tolerance = 0.05, unit = "nats" }
```
### Prompt
Given is a batch.
### Answer

It starts at 0.07 [^clip].

```python
## not a heading
- not an item
```
### Key points
- [2] Learned in log space,
  initialised at 0.07 [^clip]
  - also: it is a trained parameter
  - probe: What without the clip?
  - wrong: It is constant. (why: it is trained)
* [1] Clipped
### Misconceptions
- A higher one sharpens (as some say). (why: logits are divided (by it))
### Options
- [x] trained
- [ ] fixed (why: it is trained)
### Deeper
### Follow-ups
- clip-batch-size
### See it
Turn it."""
)


def rules(text: str) -> list[tuple[str, int]]:
    return [(fault.rule, fault.place.line) for fault in parse_file(text, "a.md")[1]]


def only_fault(text: str) -> Fault:
    cards, faults = parse_file(text, "a.md")
    assert cards == ()
    (fault,) = faults
    return fault


def test_every_part_of_a_card_is_read() -> None:
    (located,), faults = parse_file(FULL, "deck/clip.md")

    card = located.card
    assert not faults
    assert str(located.place) == "deck/clip.md:8:1"
    assert (card.id, card.question) == ("clip-temperature", "Why does CLIP learn its temperature?")
    assert (card.chapter, card.area, card.topic) == ("multimodal", "H", "CLIP")
    assert (card.level, card.kind, card.demo, card.no_demo) == (
        Level.MEDIUM,
        Kind.COMPUTE,
        "clip",
        None,
    )
    assert card.params == {"temperature": 0.07, "steps": 200, "name": "x", "live": True}
    assert (card.needs, card.tags) == (("clip-objective",), ("temperature", "loss"))
    assert card.contested
    assert card.sources == {"clip": "arXiv:2103.00020 §2.5"}
    assert card.checked == datetime.date(2026, 11, 23)
    assert card.result == Result(10.0, 0.05, "nats")
    assert card.prompt == "Given is a batch."
    assert card.answer.startswith("It starts at 0.07 [^clip].\n\n```python\n## not a heading")
    assert card.key_points == (
        KeyPoint(
            2,
            "Learned in log space, initialised at 0.07 [^clip]",
            ("it is a trained parameter",),
            "What without the clip?",
            (Wrong("It is constant.", "it is trained"),),
        ),
        KeyPoint(1, "Clipped"),
    )
    assert card.misconceptions == (
        Wrong("A higher one sharpens (as some say).", "logits are divided (by it)"),
    )
    assert card.options == (Option("trained", True), Option("fixed", False, "it is trained"))
    assert (card.deeper, card.follow_ups, card.see_it) == ("", ("clip-batch-size",), "Turn it.")


def test_the_lines_of_its_parts_are_known() -> None:
    (located,), _ = parse_file(FULL, "clip.md")
    rows = FULL.split("\n")

    for key, text in {
        "toml": "```toml",
        "toml.checked": "checked = 2026-11-23",
        "Answer": "### Answer",
        "Answer.text": "It starts at 0.07 [^clip].",
        "Key points.0": "- [2] Learned in log space,",
        "Key points.0.wrong.0": "  - wrong: It is constant. (why: it is trained)",
        "Key points.1": "* [1] Clipped",
        "Options.1": "- [ ] fixed (why: it is trained)",
    }.items():
        assert rows[located.lines[key] - 1] == text


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    (plain,), _ = parse_file(FULL, "a.md")
    (other,), faults = parse_file("\ufeff" + FULL.replace("\n", "\r\n"), "a.md")

    assert not faults
    assert other == plain


@pytest.mark.parametrize(
    ("head", "rule", "line", "nearest"),
    [
        ('schema = 2\nchapter = "a"\narea = "b"\ntopic = "c"', "wrong-value", 2, ""),
        ('schema = true\nchapter = "a"\narea = "b"\ntopic = "c"', "wrong-value", 2, ""),
        (
            'schema = 1\nchaptr = "a"\nchapter = "a"\narea = "b"\ntopic = "c"',
            "unknown-key",
            3,
            "chapter",
        ),
        ('schema = 1\nchapter = 7\narea = "b"\ntopic = "c"', "wrong-value", 3, ""),
        ('schema = 1\narea = "b"\ntopic = "c"', "missing-key", 1, ""),
        ('schema = 1\nchapter = "a\narea = "b"\ntopic = "c"', "toml", 3, ""),
    ],
)
def test_faults_of_the_head(head: str, rule: str, line: int, nearest: str) -> None:
    fault = only_fault(file_of(body_of(), head=head))

    assert (fault.rule, fault.place.line, fault.nearest) == (rule, line, nearest)


@pytest.mark.parametrize(
    ("table", "rule", "line", "nearest", "part"),
    [
        ('level = "easy"', "missing-key", 9, "", "kind"),
        ('level = "medum"\nkind = "explain"', "wrong-value", 10, "medium", "easy, medium"),
        ('level = "easy"\nkind = "explian"', "wrong-value", 11, "explain", "cloze"),
        ('level = 3\nkind = "explain"', "wrong-value", 10, "", "one of"),
        ('level = "easy"\nkind = "explain"\nlevle = 1', "unknown-key", 12, "level", "one of"),
        ('level = "easy"\nkind = "explain"\nneeds = "x"', "wrong-value", 12, "", "list of strings"),
        ('level = "easy"\nkind = "explain"\ntags = [1]', "wrong-value", 12, "", "list of strings"),
        (
            'level = "easy"\nkind = "explain"\ncontested = "no"',
            "wrong-value",
            12,
            "",
            "true or false",
        ),
        ('level = "easy"\nkind = "explain"\nchecked = "2026-11-23"', "wrong-value", 12, "", "date"),
        (
            'level = "easy"\nkind = "explain"\nchecked = 2026-11-23T10:00:00',
            "wrong-value",
            12,
            "",
            "date",
        ),
        ('level = "easy"\nkind = "explain"\ndemo = ""', "wrong-value", 12, "", "isn't empty"),
        (
            'level = "easy"\nkind = "explain"\nparams = { x = [1] }',
            "wrong-value",
            12,
            "",
            "finite numbers",
        ),
        (
            'level = "easy"\nkind = "explain"\nparams = { x = inf }',
            "wrong-value",
            12,
            "",
            "finite numbers",
        ),
        (
            'level = "easy"\nkind = "explain"\nsources = { x = 1 }',
            "wrong-value",
            12,
            "",
            "table of strings",
        ),
        ('level = "easy"\nkind = "explain"\nresult = 3', "wrong-value", 12, "", "tolerance"),
        (
            'level = "easy"\nkind = "explain"\nresult = { value = 1, tolerance = -1 }',
            "wrong-value",
            12,
            "",
            "0",
        ),
        (
            'level = "easy"\nkind = "explain"\nresult = { value = 1, tolerance = 1, unti = "s" }',
            "wrong-value",
            12,
            "unit",
            "unit",
        ),
        ('level = "easy"\nkind = "explain"\nlevel = "hard"', "toml", 12, "", "key = value"),
        ('level = "easy"\nkind = "explain"\nx =', "toml", 12, "", "key = value"),
        (f'level = "easy"\nkind = "explain"\nx = {"[" * 5000}', "toml", 10, "", "plain"),
    ],
)
def test_faults_of_the_table(table: str, rule: str, line: int, nearest: str, part: str) -> None:
    fault = only_fault(file_of(body_of(table=table)))

    assert (fault.rule, fault.place.line, fault.nearest) == (rule, line, nearest)
    assert part in fault.expected


@pytest.mark.parametrize(
    ("sections", "rule", "line", "nearest"),
    [
        ("### Deeper\nx", "no-answer", 8, ""),
        ("### Answer\n", "no-answer", 8, ""),
        ("### Answer\nx\n### Answer\ny", "second-section", 16, ""),
        ("### Answer\nx\n### Keypoints\n- [1] y", "unknown-section", 16, "Key points"),
        ("stray\n### Answer\nx", "stray-text", 14, ""),
        ("### Answer\nx\n### Key points\nwords", "stray-text", 17, ""),
        ("### Answer\nx\n### Key points\n- [1] y\n\n  words", "stray-text", 19, ""),
        ("### Answer\nx\n### Key points\n- y", "key-point", 17, ""),
        ("### Answer\nx\n### Key points\n- [two] y", "key-point", 17, ""),
        ("### Answer\nx\n### Key points\n-", "empty-item", 17, ""),
        ("### Answer\nx\n### Key points\n- [1] y\n  - wrnog: z", "unknown-label", 18, "wrong"),
        ("### Answer\nx\n### Key points\n- [1] y\n  - also:", "empty-item", 18, ""),
        (
            "### Answer\nx\n### Key points\n- [1] y\n  - probe: a\n  - probe: b",
            "second-probe",
            19,
            "",
        ),
        ("### Answer\nx\n### Key points\n- [1] y\n  - wrong: a (why: b", "why", 18, ""),
        ("### Answer\nx\n### Misconceptions\n- (why: b)", "why", 17, ""),
        ("### Answer\nx\n### Misconceptions\n- a\n  - b", "nested-item", 18, ""),
        ("### Answer\nx\n### Options\n- a", "option", 17, ""),
        ("### Answer\nx\n### Follow-ups\n- two words", "follow-up", 17, ""),
        ("### Answer\nx\n### Deeper\n```\nnever closed", "unclosed-block", 17, ""),
        ("### Answer\nx\n### Deeper\n<!-- never closed", "unclosed-block", 17, ""),
    ],
)
def test_faults_of_the_sections(sections: str, rule: str, line: int, nearest: str) -> None:
    fault = only_fault(file_of(body_of(sections=sections)))

    assert (fault.rule, fault.place.line, fault.nearest) == (rule, line, nearest)
    assert fault.expected


def test_columns_point_into_the_line() -> None:
    fault = only_fault(file_of(body_of(table='level = "easy"\nkind = explain')))
    assert (fault.place.line, fault.place.col) == (11, 8)

    fault = only_fault(file_of(body_of(sections="### Answer\nx\n### Key points\n- [1] y\n    - z")))
    assert (fault.place.line, fault.place.col) == (18, 5)


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("", "empty-file", 1),
        ("\n \n", "empty-file", 1),
        ("a\nb\0c", "not-text", 2),
        ("a\nb\nc\ud800", "not-text", 3),
        (file_of(), "no-cards", 7),
        (file_of(body_of().replace("Why clip-a?", "")), "no-id", 8),
        (file_of(body_of().replace("{#clip-a}", "")), "no-id", 8),
        (file_of("## Why? {#a}\n### Answer\nx"), "no-table", 8),
        (
            file_of("words", body_of()).replace("\n\n## Why", "\n\n### Loose\n\n## Why"),
            "stray-text",
            8,
        ),
    ],
)
def test_faults_of_the_file(text: str, rule: str, line: int) -> None:
    assert (rule, line) in rules(text)


def test_a_file_without_a_head_still_tells_what_else_is_wrong() -> None:
    document = parse_document(body_of(sections="### Answer\nx\n### Depeer\ny"), "a.md")

    assert document.head is None
    assert document.cards == ()
    assert [fault.rule for fault in document.faults] == ["no-head", "unknown-section"]


def test_all_faults_at_once_and_the_sound_cards_stay() -> None:
    text = file_of(
        body_of("first"),
        body_of("second", table='level = "eazy"\nkin = "explain"', sections="### Anwser\nx"),
        body_of("third"),
    )
    cards, faults = parse_file(text, "a.md")

    assert [located.card.id for located in cards] == ["first", "third"]
    assert {fault.rule for fault in faults} == {
        "wrong-value",
        "unknown-key",
        "missing-key",
        "unknown-section",
        "no-answer",
    }
    assert list(faults) == sorted(faults, key=lambda f: (f.place.line, f.place.col))


@pytest.mark.parametrize(
    "broken",
    [
        '## Why? {#broken}\n```toml\nlevel = "easy"\nkind = "explain"\n### Answer\nx',
        '## Why? {#broken}\n```toml\nlevel = "easy"\nkind = "explain"\n```\n### Answer\n```python\nx = 1',
        '## Why? {#broken}\n```toml\nlevel = "easy"\nkind = "explain"\n```\n### Answer\n<!-- x',
        '## Why? {#broken}\n```toml\nlevel = "easy"\nkind = "explain"\n```\n### Answer\n~~~\nx',
    ],
)
def test_a_block_left_open_hides_no_card_below_it(broken: str) -> None:
    cards, faults = parse_file(
        file_of(body_of("first"), broken, body_of("second"), body_of("third")), "a.md"
    )

    assert [located.card.id for located in cards] == ["first", "second", "third"]
    assert [fault.rule for fault in faults] == ["unclosed-block"]


def test_a_card_shown_inside_a_longer_fence_is_text() -> None:
    example = body_of("inner")
    text = file_of(
        body_of("outer", sections=f"### Answer\n````markdown\n{example}\n````"), body_of("next")
    )
    cards, faults = parse_file(text, "a.md")

    assert not faults
    assert [located.card.id for located in cards] == ["outer", "next"]
    assert example in cards[0].card.answer


def test_a_fault_reads_as_one_line() -> None:
    fault = only_fault(file_of(body_of(sections="### Answer\nx\n### Depeer\ny")))

    assert str(fault) == (
        "a.md:16:1: error: unknown section 'Depeer'; expected one of Prompt, Options, Answer, Key points, "
        "Misconceptions, Deeper, Follow-ups, See it; did you mean 'Deeper'? [unknown-section]"
    )
