"""The report: scores, skills, calibration, what to do next, and its written forms."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.deck.model import Card, CardId, DemoId, KeyPoint, Kind, Wrong
from studytool.interview import document, export, plan, report, session
from studytool.interview import model as m
from studytool.interview.lines import Past, Report
from studytool.interview.model import Setup, State
from studytool.interview.skills import Skill, skill
from tests.unit.interview_kit import WordJudge, ask_card, known

JUDGE = WordJudge()
START = 1_795_000_000_000


def hold(
    cards: list[Card], answers: Mapping[str, tuple[str, int | None, float]], **setup: object
) -> State:
    """An interview in rapid fire: per card what is said, how sure, and after how many seconds."""
    setup = {"style": m.Style.RAPID_FIRE, "minutes": len(cards), **setup}
    chosen = Setup(**setup)  # type: ignore[arg-type]
    by_id = {str(card.id): card for card in cards}
    state = session.begin(chosen, plan.make(chosen, known(*cards), 1))
    while (planned := session.wanted(state)) is not None:
        state = session.step(state, m.Ask(by_id[planned.card]))
        text, sure, seconds = answers.get(planned.card, ("", None, 1.0))
        state = session.advance(state, seconds)
        if not text:
            state = session.step(state, m.Skip())
            continue
        state = session.step(session.step(state, m.Answer(text)), m.Sure(sure))
        assert state.turn is not None
        state = session.step(state, m.Judged(JUDGE.grade(state.turn.card, text)))
    return state


def whole(name: str) -> str:
    return f"alpha-{name} and beta-{name}"


CARDS = [
    ask_card("a", demo=DemoId("clip"), no_demo=None),
    ask_card("b", "static", misconceptions=(Wrong("it is magic", "it is not"),)),
    ask_card("c", "static", needs=(CardId("a"),)),
]
ANSWERS = {
    "a": (whole("a"), 5, 10.0),
    "b": ("never-alpha-b, it is magic", 5, 75.0),
    "c": ("beta-c", 1, 20.0),
}


def made(earlier: list[Past] | None = None) -> Report:
    return report.make(hold(CARDS, ANSWERS), START, earlier or [])


def test_scores_by_chapter() -> None:
    found = made()
    assert report.by_name(found.chapters) == pytest.approx({"lexical": 1.0, "static": 1 / 6})
    assert found.score == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert {part.name: part.count for part in found.chapters} == {"lexical": 1, "static": 2}


def test_scores_by_skill() -> None:
    found = report.by_name(made().skills)
    # alpha points (weight 2) speak of a gradient, beta points (weight 1) of a cost.
    assert found["mechanism"] == pytest.approx(2 / 6)
    assert found["trade-offs"] == pytest.approx(2 / 3)
    # A contradicted point and two voiced mistakes are all that correctness was asked for.
    assert found["correctness"] == 0.0


def test_strongest_and_weakest_with_the_sentence_that_decided() -> None:
    found = made()
    best, worst = found.answers[found.strongest[0]], found.answers[found.weakest[0]]
    assert (best.card, best.said) == ("a", "alpha-a")
    assert (worst.card, worst.said) == ("b", "never-alpha-b")
    assert worst.instead[0] == "alpha-b because of the gradient"
    assert not set(found.strongest) & set(found.weakest)


def test_misconceptions_with_what_to_say_instead() -> None:
    voiced = {one.text: one for one in made().misconceptions}
    assert set(voiced) == {"never-alpha-b", "it is magic"}
    assert voiced["never-alpha-b"].instead == "alpha-b because of the gradient"
    assert voiced["it is magic"].why == "it is not"


def test_calibration() -> None:
    found = made().calibration
    assert found is not None
    # 0.9 and right, 0.9 and wrong, 0.1 and wrong
    assert found.brier == pytest.approx((0.1**2 + 0.9**2 + 0.1**2) / 3)
    assert found.count == 3
    assert found.right == pytest.approx(1 / 3)
    assert report.verdict_on(found) == "overconfident"
    nothing = report.make(hold(CARDS, {"a": (whole("a"), None, 1.0)}), START)
    assert nothing.calibration is None


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=30)
def test_the_brier_score_is_between_0_and_1(rows: list[tuple[int, bool]]) -> None:
    cards = [ask_card(f"k{n}") for n in range(len(rows))]
    said = {
        f"k{n}": (whole(f"k{n}") if right else "none", sure, 1.0)
        for n, (sure, right) in enumerate(rows)
    }
    found = report.make(hold(cards, said), START).calibration
    assert found is not None
    expected = sum((report.CONFIDENCE[sure] - right) ** 2 for sure, right in rows) / len(rows)
    assert found.brier == pytest.approx(expected)


def test_time_against_target() -> None:
    found = made()
    assert (found.seconds, found.target, found.over_limit) == (105.0, 180.0, 1)
    assert "1:45 of 3:00 used; 1 of 3 answers over the soft limit" in document.time_words(found)


def test_three_steps_each_about_another_card() -> None:
    steps = made().steps
    assert len(steps) == 3
    assert steps[0].card == "b"
    assert len({step.card for step in steps}) == 3
    assert any(step.demo == "clip" for step in steps) == any(step.card == "a" for step in steps)


def test_missed_cards_are_offered_and_nothing_is_queued() -> None:
    found = made()
    assert set(found.missed) == {"b", "c"}
    assert found.queued == ()


def test_nothing_was_answered() -> None:
    chosen = Setup()
    state = session.begin(chosen, plan.make(chosen, known(*CARDS), 1))
    found = report.make(session.step(state, m.Finish()), START)
    assert (found.score, found.answers, found.strongest, found.weakest) == (0.0, (), (), ())
    assert len(found.steps) == 3
    assert "No question was answered." in export.plain(document.blocks(found, "today", str))


def test_all_right_still_gives_three_steps() -> None:
    found = report.make(hold([CARDS[0]], {"a": (whole("a"), 5, 1.0)}), START)
    assert (found.weakest, found.missed) == ((), ())
    assert len(found.steps) == 3


def test_the_trend() -> None:
    earlier = [Past(n, n / 10) for n in range(8)]
    found = made(earlier)
    assert [past.score for past in found.earlier] == [0.3, 0.4, 0.5, 0.6, 0.7]
    assert document.trend_words(found).startswith("▃▄")
    assert document.spark([0.0, 0.5, 1.0, -3.0, 9.0]) == "▁▅█▁█"
    assert document.trend_words(made()) == ""


def test_reports_come_back_from_json() -> None:
    found = made([Past(1, 0.5, {"mechanism": 0.2})])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Grouped-query attention shrinks it, at the expense of quality", Kind.EXPLAIN, Skill.TRADE_OFFS),
        ("Cost: a cross-encoder needs a pass per pair", Kind.EXPLAIN, Skill.TRADE_OFFS),
        ("Look for collapse: mean off-diagonal cosine near one", Kind.EXPLAIN, Skill.FAILURES),
        ("Averaging loses order", Kind.COMPARE, Skill.FAILURES),
        ("It took 340M pairs [^clip]", Kind.EXPLAIN, Skill.EVIDENCE),
        ("It is 9.66 GB per sequence [^derived]", Kind.COMPUTE, Skill.MECHANISM),
        ("Logs turn a product into a sum", Kind.EXPLAIN, Skill.MECHANISM),
        ("A word is a point in a space", Kind.EXPLAIN, Skill.CORRECTNESS),
        ("A word is a point in a space", Kind.DESIGN, Skill.TRADE_OFFS),
        ("A word is a point in a space", Kind.DEBUG, Skill.FAILURES),
        ("A word is a point in a space", Kind.DERIVE, Skill.MECHANISM),
    ],
)  # fmt: skip
def test_the_skill_of_a_point(text: str, kind: Kind, expected: Skill) -> None:
    assert skill(text, ask_card("x", kind=kind)) is expected


# Written forms

EVIL = '<script>alert(1)</script> **bold** [x](http://x) `c` | # \x1b[31m\u202e & "q"'


def evil() -> Report:
    card = ask_card(
        "a",
        question=f"Q {EVIL}?",
        key_points=(KeyPoint(1, f"alpha {EVIL}", wrong=(Wrong(f"W {EVIL}", f"Y {EVIL}"),)),),
    )
    return report.make(hold([card], {"a": ("never-alpha", 5, 1.0)}), START, [Past(1, 0.4)])


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_escaped_and_runs_nothing() -> None:
    page = export.html(document.blocks(evil(), "today", str))
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.seen
    assert "<script>alert(1)</script> **bold**" in tags.text
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page


def test_markdown_shows_what_was_said_as_it_was_said() -> None:
    text = export.markdown(document.blocks(evil(), "today", str))
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert r"\*\*bold\*\*" in text
    assert r"\[x\](http://x) \`c\` \|" in text
    assert "\x1b" not in text


def test_plain_and_markdown_have_every_part() -> None:
    found = made([Past(1, 0.5, {"mechanism": 0.2}, {"static": 0.1})])
    blocks = list(document.blocks(found, "Mon 23 Nov", str.upper))
    for text in (export.plain(blocks), export.markdown(blocks), export.html(blocks)):
        for part in ("Skills", "Chapters", "Trend", "Strongest", "Weakest", "Misconceptions",
                     "Time and confidence", "Next steps", "For the next review", "STATIC"):  # fmt: skip
            assert part in text, part


@given(st.text(max_size=40))
def test_one_line_of_markdown_stays_one_line(text: str) -> None:
    written = export.markdown([document.Words(text), document.Rows(("h",), ((text,),))])
    paragraph, table = written.rstrip("\n").split("\n\n", 1) if text.strip() else ("", "")
    assert "\n" not in paragraph
    assert table.count("\n") in (0, 2)
