"""What is asked: coverage, need, level, no repeats, and the same seed the same plan."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.deck.model import CardId, Kind, Level, Option
from studytool.interview import plan
from studytool.interview.model import Grade, Plan, Planned, Setup, Style
from studytool.interview.plan import Known
from studytool.schedule.model import CardState, Phase
from tests.unit.interview_kit import CHAPTERS, ask_card, deck, known

DAY = 740_000
setups = st.builds(
    Setup,
    minutes=st.integers(1, 240),
    level=st.sampled_from(Grade),
    style=st.sampled_from(Style),
    seed=st.integers(0, 2**31 - 1),
)
CARDS = deck()


def walk(setup: Setup, made: Plan, scores: list[float]) -> list[Planned]:
    """The questions when the answers are worth `scores`, without time running out."""
    asked: list[Planned] = []
    rung = plan.first_rung(setup)
    while True:
        one = plan.pick(setup, made, [each.card for each in asked], rung, 1e9)
        if one is None:
            return asked
        asked.append(one)
        rung = plan.next_rung(setup, rung, one.level, scores[len(asked) % len(scores)])


@given(setups, st.lists(st.floats(0, 1), min_size=1, max_size=5), st.randoms())
@settings(max_examples=60)
def test_no_card_twice_each_chapter_once_and_the_order_of_the_deck_is_nothing(
    setup: Setup, scores: list[float], random: object
) -> None:
    cards = known(*CARDS)
    made = plan.make(setup, cards, DAY)
    asked = walk(setup, made, scores)

    assert len({one.card for one in asked}) == len(asked) == len(made.chapters)
    wanted = 2 if setup.style is Style.DEEP_DIVE else len(CHAPTERS)
    assert len(set(made.chapters)) == min(wanted, len(made.chapters))
    assert len(made.chapters) <= plan.questions(setup)
    random.shuffle(cards)  # type: ignore[attr-defined]
    assert plan.make(setup, cards, DAY) == made


@given(setups)
@settings(max_examples=40)
def test_every_chapter_is_met_before_one_comes_again(setup: Setup) -> None:
    chapters = plan.make(setup, known(*CARDS), DAY).chapters
    first = chapters[: len(set(chapters))]
    assert len(set(first)) == len(first)
    assert all(a != b for a, b in itertools.pairwise(chapters))


def test_weak_due_and_badly_answered_cards_come_first() -> None:
    def reviewed(stability: float, due: int, lapses: int = 0) -> CardState:
        return CardState(
            phase=Phase.REVIEW, stability=stability, last_day=DAY - 10, due_day=due, lapses=lapses
        )

    rows = [
        Known(ask_card("known"), reviewed(500.0, DAY + 200)),
        Known(ask_card("new")),
        Known(ask_card("due"), reviewed(8.0, DAY - 2, lapses=2)),
        Known(ask_card("bad"), reviewed(8.0, DAY - 2, lapses=2), asked=5, score=0.1),
    ]
    needs = {str(row.card.id): plan.need(row, DAY) for row in rows}
    assert needs["known"] < needs["new"] < needs["due"] < needs["bad"]
    firsts = Counter(
        plan.make(Setup(minutes=60, seed=seed), rows, DAY).pool[0].card for seed in range(40)
    )
    assert firsts["bad"] > 30, "the seed breaks ties, need decides"


def test_no_repeats_from_the_last_interviews_unless_nothing_else_is_left() -> None:
    fresh = [Known(ask_card(f"f{n}", level=Level.HARD)) for n in range(2)]
    rows = [*fresh, *(Known(ask_card(f"s{n}"), asked=n % 3, score=0.0) for n in range(3))]
    rows.append(Known(ask_card("old"), asked=plan.REST, score=0.5))
    setup = Setup(minutes=12, level=Grade.STAFF)
    asked = walk(setup, plan.make(setup, rows, DAY), [0.0])
    assert [one.card for one in asked] == [one.card for one in asked if not one.stale]

    setup = Setup(minutes=6, level=Grade.JUNIOR)
    asked = walk(setup, plan.make(setup, rows, DAY), [0.5])
    assert {one.card for one in asked[:3]} == {"f0", "f1", "old"}
    assert all(one.stale for one in asked[3:])
    assert asked[3].card == "s2", "the longest ago is the least a repeat"


def test_the_ladder_follows_how_it_goes() -> None:
    setup = Setup(minutes=60, level=Grade.ADAPTIVE, seed=3)
    made = plan.make(setup, known(*CARDS), DAY)
    up = [one.level for one in walk(setup, made, [1.0])[:4]]
    down = [one.level for one in walk(setup, made, [0.0])[:4]]
    even = [one.level for one in walk(setup, made, [0.5])[:4]]
    assert up == [Level.MEDIUM, Level.HARD, Level.STAFF, Level.HARD], "one staff question is enough"
    assert down == [Level.MEDIUM, Level.EASY, Level.EASY, Level.EASY]
    assert even == [Level.MEDIUM] * 4


def test_the_ladder_where_the_deck_has_other_levels() -> None:
    setup = Setup(level=Grade.ADAPTIVE)
    assert plan.next_rung(setup, 2, Level.EASY, 1.0) == 2
    assert plan.next_rung(setup, 0, Level.HARD, 0.0) == 0
    assert plan.next_rung(setup, 1, Level.MEDIUM, 1.0) == 2
    assert plan.next_rung(setup, 1, Level.MEDIUM, 0.0) == 0
    assert plan.next_rung(setup, 1, Level.MEDIUM, 0.5) == 1


@pytest.mark.parametrize("level", [Grade.JUNIOR, Grade.MEDIUM, Grade.HARD, Grade.STAFF])
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_level_that_was_asked_for_is_left_by_one_step_at_most(level: Grade, score: float) -> None:
    setup = Setup(minutes=100, level=level)
    home = plan.first_rung(setup)
    asked = walk(setup, plan.make(setup, known(*CARDS), DAY), [score])
    assert asked
    assert all(abs(plan.LEVELS.index(one.level) - home) <= 1 for one in asked[:6])


def test_a_staff_question_needs_its_time() -> None:
    setup = Setup(minutes=60, level=Grade.ADAPTIVE)
    made = plan.make(setup, known(*CARDS), DAY)
    one = plan.pick(setup, made, [], 3, plan.LIMITS[Level.STAFF] - 1)
    assert one is not None
    assert one.level is Level.HARD
    one = plan.pick(setup, made, [], 3, plan.LIMITS[Level.STAFF])
    assert one is not None
    assert one.level is Level.STAFF


def test_styles() -> None:
    tell = ask_card("tell", question="Tell the story of a.", level=Level.HARD)
    cards = known(*CARDS, tell)
    story = Setup(style=Style.STORY, level=Grade.JUNIOR)
    assert walk(story, plan.make(story, cards, DAY), [0.5])[0].card == "tell"
    rapid = Setup(style=Style.RAPID_FIRE, minutes=10)
    assert plan.limit(rapid, Level.STAFF) == 60
    asked = walk(rapid, plan.make(rapid, cards, DAY), [1.0])
    assert len(asked) == 10
    assert all(one.level is not Level.STAFF for one in asked)


def test_a_deep_dive_follows_the_line() -> None:
    line = [
        ask_card(f"l{n}", follow_ups=(CardId(f"l{n + 1}"),), level=Level.MEDIUM) for n in range(5)
    ]
    others = [ask_card(f"o{n}", "static", level=Level.MEDIUM) for n in range(5)]
    setup = Setup(style=Style.DEEP_DIVE, minutes=12, level=Grade.MEDIUM)
    made = plan.make(setup, known(*line, *others), DAY)
    one = plan.pick(setup, made, ["l0"], 1, 1e9)
    assert one is not None
    assert one.card == "l1"
    one = plan.pick(setup, made, ["l0", "l1"], 1, 1e9)
    assert one is not None
    assert one.card == "l2"
    one = plan.pick(setup, made, ["l0", "l1", "l2"], 1, 1e9)
    assert one is not None
    assert one.chapter == made.chapters[3], "a line is followed three cards far"


def test_what_no_interviewer_asks() -> None:
    rows = [
        Known(ask_card("pick", kind=Kind.CHOICE, options=(Option("a", True),))),
        Known(ask_card("gap", kind=Kind.CLOZE)),
        Known(ask_card("away"), CardState(suspended=True)),
    ]
    assert plan.make(Setup(), rows, DAY) == Plan((), ())
    assert plan.make(Setup(chapters=("static",)), known(ask_card("a")), DAY).chapters == ()


def test_how_many_questions_fit() -> None:
    counts = {level: plan.questions(Setup(minutes=30, level=level)) for level in Grade}
    assert counts == {
        Grade.JUNIOR: 30, Grade.MEDIUM: 15, Grade.HARD: 8, Grade.STAFF: 3, Grade.ADAPTIVE: 10,
    }  # fmt: skip
    assert plan.questions(Setup(minutes=1, level=Grade.STAFF)) == 1
