"""The line of cards of one session, planned the same from the open store and from a peek at it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from studytool.schedule import queue
from studytool.schedule.model import Phase
from studytool.services import chapters, questions
from studytool.services.agenda import Agenda
from studytool.services.types import SessionQuery
from studytool.store.figures import Counts, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.schedule.model import Moment
    from studytool.services.context import App
    from studytool.store.records import DueRow

#: How many new cards are looked at first for each that may be served: siblings count once.
_NEW_SURPLUS = 4


class Reader(questions.Reader, Protocol):
    """What a session asks before its first question; Store and Peek are both one."""

    def due(
        self, deck: str, moment: Moment, *, chapters: Sequence[str] = (), limit: int | None = None
    ) -> list[DueRow]: ...
    def new_cards(
        self, deck: str, moment: Moment, *, chapters: Sequence[str] = (), limit: int | None = None
    ) -> list[DueRow]: ...
    def done_today(self, day: int) -> tuple[int, int]: ...
    def siblings(self, deck: str, moment: Moment) -> list[tuple[str, int]]: ...


class Served(NamedTuple):
    """The cards that a session serves: in `line` at once, and `waiting` for their step by time."""

    line: tuple[str, ...]
    waiting: dict[str, int]


def agenda(app: App, reader: Reader, query: SessionQuery, now: Moment) -> Agenda:
    """The cards of `query` in the order to serve them.

    Raises UsageError for a chapter or a card that the deck does not have.
    """
    if query.cards:
        wanted = [
            memory for card in query.cards for memory in questions.schedules(app, reader, card)
        ]
        return Agenda(dict.fromkeys(wanted))
    questions.check_chapters(app, query.chapters, reader)
    served = serve(app, reader, query, now)
    made = Agenda(served.line[: query.limit])
    for card, due_at in served.waiting.items():
        if query.limit is None or len(made) < query.limit:
            made.wait(card, due_at)
    return made


def counts(app: App, reader: Reader, all_ready: Counts, now: Moment) -> Counts:
    """How many cards a session would serve today, of `all_ready` that might be.

    Learning cards have no limit; of the siblings of one card a day serves one, so the others
    don't count while siblings are buried.
    """
    limits = _limits(app, reader, now)
    new, review = all_ready.new, all_ready.review
    contested = False
    if limits.bury_siblings:
        groups: dict[str, Counter[int]] = defaultdict(Counter)
        for base, kind in reader.siblings(app.deck_name, now):
            groups[base][kind] += 1
        for group in groups.values():
            begun = group[Kind.LEARNING] > 0
            review -= max(0, group[Kind.REVIEW] - (not begun))
            begun = begun or group[Kind.REVIEW] > 0
            new -= max(0, group[Kind.NEW] - (not begun))
            contested = contested or (group[Kind.REVIEW] > 0 and group[Kind.NEW] > 0)
    if contested and limits.review is not None and review > limits.review:
        # Which new siblings are served depends on which reviews the limit lets through.
        new, review = _counted(serve(app, reader, SessionQuery(), now), reader, app, now)
    return Counts(min(new, limits.new or 0), all_ready.learning, min(review, limits.review or 0))


def _counted(served: Served, reader: Reader, app: App, now: Moment) -> tuple[int, int]:
    """The new cards and the reviews in a line."""
    phases = {row.card_id: row.phase for row in reader.due(app.deck_name, now)}
    found = Counter(phases.get(card, Phase.NEW) for card in served.line)
    return found[Phase.NEW], found[Phase.REVIEW]


def _limits(app: App, reader: Reader, now: Moment) -> queue.Limits:
    """What the limits of the day still allow."""
    study = app.settings.study
    introduced, reviewed = reader.done_today(now.day)
    return queue.Limits(
        new=max(0, study.new_per_day - introduced),
        review=max(0, study.reviews_per_day - reviewed),
        bury_siblings=study.bury_siblings,
    )


def serve(app: App, reader: Reader, query: SessionQuery, now: Moment) -> Served:
    """All cards that may be served today within the limits of the day, or those of `query`."""
    limits = _limits(app, reader, now)
    if query.new_limit is not None:
        limits = msgspec.structs.replace(limits, new=query.new_limit)
    if query.review_limit is not None:
        limits = msgspec.structs.replace(limits, review=query.review_limit)
    due = reader.due(app.deck_name, now, chapters=query.chapters)
    new = _new_cards(app, reader, now, query.chapters, limits, due)
    line = queue.build([*due, *new], limits, now.day, now.at_ms, str(now.day))
    waiting = {
        row.card_id: row.due_at or 0
        for row in due
        if row.phase is not Phase.REVIEW and (row.due_at or 0) > now.at_ms
    }
    return Served(line, waiting)


def _new_cards(
    app: App,
    reader: Reader,
    now: Moment,
    wanted: Sequence[str],
    limits: queue.Limits,
    due: Sequence[DueRow],
) -> list[DueRow]:
    """Cards to introduce: chapter by chapter as the story goes, each in its study order.

    They are as many that the limit can be filled without siblings of each other or of `due`.
    """
    limit = limits.new or 0
    numbers = reader.chapter_rows(app.deck_name, now)
    names = [row.chapter for row in numbers if row.new and (not wanted or row.chapter in wanted)]
    met = {row.base_id for row in due} if limits.bury_siblings else set()
    rows: list[DueRow] = []
    for group in chapters.in_story_order(names):
        room = limit - len({row.base_id for row in rows} - met)
        if room <= 0:
            break
        rows += _enough(app, reader, now, group, room, met)
    return rows


def _enough(
    app: App, reader: Reader, now: Moment, group: tuple[str, ...], room: int, met: set[str]
) -> list[DueRow]:
    """The first new cards of some chapters, so many that `room` of them aren't siblings."""
    size = room * _NEW_SURPLUS
    while True:
        rows = reader.new_cards(app.deck_name, now, chapters=group, limit=size)
        if len(rows) < size or len({row.base_id for row in rows} - met) >= room:
            return rows
        size *= _NEW_SURPLUS
