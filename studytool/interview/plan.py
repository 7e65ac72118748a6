"""What to ask: which chapters in which order, and from each the cards that need it most.

The plan is a pure function of the set-up, the deck, the memory of its cards and the earlier
interviews; the seed breaks ties. Which card of a chapter is asked is decided question by
question (`pick`), because the level follows how it goes.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from studytool.deck.model import Kind, Level
from studytool.interview.model import Grade, Plan, Planned, Style
from studytool.schedule.fsrs import retrievability
from studytool.schedule.model import CardState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from studytool.deck.model import Card
    from studytool.interview.model import Setup

LEVELS = tuple(Level)
#: The soft limit of an answer, in seconds, by the level of its card.
LIMITS = {Level.EASY: 60.0, Level.MEDIUM: 120.0, Level.HARD: 240.0, Level.STAFF: 720.0}
#: The soft limit of every question in rapid fire, and of every probe.
SHORT = 60.0
#: What a question takes on average when the level adapts, for counting how many fit.
ADAPTIVE_SECONDS = 180.0
#: How many earlier interviews a card stays out of after it was asked.
REST = 3
#: A deep dive without chosen chapters stays in this many, and follows a line this far.
DEEP_CHAPTERS, DEEP_CHAIN = 2, 3
#: Scores from which the next question is a level harder, and below which it is a level easier.
UP_FROM, DOWN_BELOW = 0.75, 0.4
#: Cards kept for choice, in each chapter and level, for every question planned in the chapter.
_SPARE = 3
#: An interviewer asks openly: nothing to choose from, no gaps to fill.
_NOT_ASKED = frozenset({Kind.CHOICE, Kind.CLOZE})
_STORY_TAGS = frozenset({"story", "narrative", "history"})
_JITTER = 0.25


class Known(NamedTuple):
    """A card with what is known of the candidate's memory of it.

    `asked` is how many interviews ago it was last asked (0: the newest), None for never;
    `score` what that answer was worth.
    """

    card: Card
    state: CardState = CardState()
    asked: int | None = None
    score: float | None = None


def askable(known: Known) -> bool:
    """Whether an interviewer could ask this card."""
    return known.card.kind not in _NOT_ASKED and not known.state.suspended


def is_story(card: Card) -> bool:
    """Whether a card asks for a narrative, such as "from BERT to GPT-4 in two minutes"."""
    return card.question.startswith("Tell ") or bool(_STORY_TAGS & {*card.tags})


def need(known: Known, day: int) -> float:
    """How much a card needs to be asked, from 0 (well known) to about 2 (weak, due, asked badly).

    A card never studied stands between a well-known and a weak one, so that an interview
    rehearses what was learned and still looks beyond it.
    """
    state = known.state
    if state.stability is None or state.last_day is None:
        value = 0.45
    else:
        value = 1.0 - retrievability(state.stability, max(0, day - state.last_day))
        due = state.due_at is not None or (state.due_day is not None and state.due_day <= day)
        value += 0.4 * due + 0.06 * min(state.lapses, 5)
    if known.score is not None:
        value += 0.5 * (1.0 - known.score)
    return value


def bounds(setup: Setup) -> tuple[int, int]:
    """The lowest and the highest level that may be asked, as indices of LEVELS."""
    if setup.level is Grade.ADAPTIVE:
        low, high = 0, len(LEVELS) - 1
    else:
        middle = _home(setup.level)
        low, high = max(0, middle - 1), min(len(LEVELS) - 1, middle + 1)
    if setup.style is Style.RAPID_FIRE:
        high = min(high, LEVELS.index(Level.HARD))
        low = min(low, high)
    return low, high


def first_rung(setup: Setup) -> int:
    """The level to begin with."""
    low, high = bounds(setup)
    begin = LEVELS.index(Level.MEDIUM) if setup.level is Grade.ADAPTIVE else _home(setup.level)
    return min(max(begin, low), high)


def next_rung(setup: Setup, rung: int, asked: Level, score: float) -> int:
    """The level of the next question after an answer worth `score` to a card of level `asked`.

    Where the plan had no card of the rung's own level, a good answer to an easier card does not
    climb past it, and a weak one to a harder card does not descend.
    """
    low, high = bounds(setup)
    at = LEVELS.index(asked)
    if score >= UP_FROM:
        rung = max(rung, min(rung, at) + 1)
    elif score < DOWN_BELOW:
        rung = min(rung, max(rung, at) - 1)
    return min(max(rung, low), high)


def limit(setup: Setup, level: Level) -> float:
    """The soft limit of an answer in seconds."""
    return SHORT if setup.style is Style.RAPID_FIRE else LIMITS[level]


def questions(setup: Setup) -> int:
    """How many questions fit the time; at least one."""
    if setup.style is Style.RAPID_FIRE:
        each = SHORT
    elif setup.level is Grade.ADAPTIVE:
        each = ADAPTIVE_SECONDS
    else:
        each = LIMITS[LEVELS[_home(setup.level)]]
    return max(1, math.floor(setup.minutes * 60 / each + 0.5))


def make(setup: Setup, cards: Iterable[Known], day: int) -> Plan:
    """The plan for `setup`. No chapters in it when there is nothing to ask."""
    ranked = _ranked(setup, cards, day)
    by_chapter: dict[str, list[tuple[float, Planned]]] = defaultdict(list)
    for value, planned in ranked:
        by_chapter[planned.chapter].append((value, planned))
    weights = {
        chapter: sum(value for value, _ in rows) / len(rows) for chapter, rows in by_chapter.items()
    }
    names = sorted(weights, key=lambda name: (-weights[name], _tie(setup.seed, name)))
    if setup.style is Style.DEEP_DIVE and not setup.chapters:
        names = names[:DEEP_CHAPTERS]
    fresh = {name: sum(not row.stale for _, row in by_chapter[name]) for name in names}
    room = {name: len(by_chapter[name]) for name in names}
    shares = _shares(names, weights, fresh, room, questions(setup))
    pool: list[Planned] = []
    seen: Counter[tuple[str, Level, bool]] = Counter()
    for _, planned in ranked:
        key = (planned.chapter, planned.level, planned.stale)
        room_left = seen[key] < _SPARE * shares.get(planned.chapter, 0)
        told = setup.style is Style.STORY and planned.story
        if planned.chapter in shares and (room_left or told):
            seen[key] += 1
            pool.append(planned)
    return Plan(_order(names, shares), tuple(pool))


def pick(
    setup: Setup,
    plan: Plan,
    asked: Sequence[str],
    rung: int,
    left: float,
    gone: Collection[str] = (),
) -> Planned | None:
    """The card of the next question, after `asked`, at level `rung`, with `left` seconds to go.

    In this order: not asked in the last interviews, of the chapter that is next in the plan, of
    the level nearest to the rung (the easier of two), the most needed. One staff question an
    interview is enough, unless staff was asked for; and it must fit into the time that is left.
    """
    if len(asked) >= len(plan.chapters):
        return None
    free = [one for one in plan.pool if one.card not in asked and one.card not in gone]
    levels = {one.card: one.level for one in plan.pool}
    staff_asked = any(levels.get(card) is Level.STAFF for card in asked)
    low, high = bounds(setup)
    fit = [
        one
        for one in free
        if one.level is not Level.STAFF
        or setup.level is Grade.STAFF
        or (high == LEVELS.index(Level.STAFF) and not staff_asked and left >= LIMITS[Level.STAFF])
    ]
    free = fit or free
    chapter = plan.chapters[len(asked)]
    line = _line(setup, plan, asked)

    def rank(at_one: tuple[int, Planned]) -> tuple[bool, ...] | tuple[int, ...]:
        at, one = at_one
        level = LEVELS.index(one.level)
        outside = max(low - level, level - high, 0)
        return (
            one.stale,
            setup.style is Style.STORY and not one.story,
            one.card not in line,
            one.chapter != chapter,
            outside,
            abs(level - rung),
            level,
            at,
        )

    return min(enumerate(free), key=rank)[1] if free else None


def _line(setup: Setup, plan: Plan, asked: Sequence[str]) -> tuple[str, ...]:
    """The follow-ups of the last question, when a deep dive should go on along them."""
    if setup.style is not Style.DEEP_DIVE or not asked:
        return ()
    leads = {one.card: one.leads_to for one in plan.pool}
    chain = 1
    for earlier, later in zip(reversed(asked[:-1]), reversed(asked), strict=False):
        if later not in leads.get(earlier, ()):
            break
        chain += 1
    return leads.get(asked[-1], ()) if chain < DEEP_CHAIN else ()


def _ranked(setup: Setup, cards: Iterable[Known], day: int) -> list[tuple[float, Planned]]:
    """The cards that may be asked with how much they need it, the most needed first."""
    rows = []
    for known in cards:
        card = known.card
        if not askable(known) or (setup.chapters and card.chapter not in setup.chapters):
            continue
        value = need(known, day)
        stale = known.asked is not None and known.asked < REST
        planned = Planned(
            str(card.id), card.question, card.chapter, card.level, tuple(map(str, card.follow_ups)),
            is_story(card), stale,
        )  # fmt: skip
        ago = known.asked or 0
        order = (stale, -ago if stale else 0, -(value + _JITTER * _tie(setup.seed, planned.card)))
        rows.append((order, value, planned))
    rows.sort(key=lambda row: (row[0], row[2].card))
    return [(value, planned) for _, value, planned in rows]


def _shares(
    names: Sequence[str],
    weights: Mapping[str, float],
    fresh: Mapping[str, int],
    room: Mapping[str, int],
    count: int,
) -> dict[str, int]:
    """Questions for each chapter: one each as far as they go, the rest by need (D'Hondt).

    Cards of the last interviews (in `room`, not in `fresh`) are counted on only when no others
    are left.
    """
    shares = dict.fromkeys(names[:count], 1)
    for _ in range(count - len(shares)):
        open_ = [name for name in shares if shares[name] < fresh[name]]
        open_ = open_ or [name for name in shares if shares[name] < room[name]]
        if not open_:
            break
        chosen = max(open_, key=lambda name: weights[name] / (shares[name] + 1))
        shares[chosen] += 1
    return shares


def _order(names: Sequence[str], shares: Mapping[str, int]) -> tuple[str, ...]:
    """Round after round over the chapters, so that even a short interview has met each of them."""
    order: list[str] = []
    for turn in range(max(shares.values(), default=0)):
        row = [name for name in names if shares.get(name, 0) > turn]
        if order and len(row) > 1 and row[0] == order[-1]:
            row = [*row[1:], row[0]]
        order += row
    return tuple(order)


def _home(level: Grade) -> int:
    """The deck's level that a candidate of this grade is asked at."""
    return {Grade.JUNIOR: 0, Grade.MEDIUM: 1, Grade.HARD: 2, Grade.STAFF: 3}[level]


def _tie(seed: int, name: str) -> float:
    """A number from 0 to 1 that depends on the seed and the name alone."""
    digest = hashlib.blake2b(f"{seed}\n{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
