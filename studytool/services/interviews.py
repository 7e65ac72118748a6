"""Interviews that were held: their reports, what they say of the cards, exports, and the next review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from studytool.clock import study_day
from studytool.errors import StorageError, UsageError
from studytool.interview import document, export
from studytool.interview.lines import Past, Report
from studytool.interview.plan import Known
from studytool.interview.report import past
from studytool.schedule.model import CardState, Rating
from studytool.services import chapters
from studytool.services.safe import clean
from studytool.services.types import LastInterview

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from studytool.interview.document import Block
    from studytool.interview.model import Setup
    from studytool.services.context import App
    from studytool.store.records import InterviewRecord

T = TypeVar("T")
Format = Literal["md", "html", "json"]
FORMATS: tuple[Format, ...] = ("md", "html", "json")
#: How many interviews back the score of an answer still says something of a card.
LOOKED_AT = 10


class PastInterview(msgspec.Struct, frozen=True):
    """A finished interview: its number and its report."""

    id: int
    report: Report


class Waiting(msgspec.Struct, frozen=True):
    """An interview that was not finished, and where it stands."""

    id: int
    question: int
    total: int


def encode(value: object) -> str:
    """JSON text of a set-up, a state or a report."""
    return msgspec.json.encode(value).decode()


def decode(text: str, kind: type[T]) -> T:
    """The value of a JSON text from the store. Raises StorageError when it can't be read."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"A stored interview can't be read: {error}.",
            hint="It may come from another version; `studytool interview` begins a new one.",
        ) from error


def held(app: App, limit: int | None = None) -> list[PastInterview]:
    """The finished interviews over this deck in which something was asked, the newest first."""
    found = (_past(record) for record in app.store.interviews.finished(app.deck_name, limit))
    return [one for one in found if one.report.answers]


def waiting(app: App) -> Waiting | None:
    """The interview to go on with, if there is one."""
    from studytool.interview.model import State

    record = app.store.interviews.unfinished(app.deck_name)
    if record is None:
        return None
    state = decode(record.state, State)
    return Waiting(record.id, min(state.number, max(1, state.total)), state.total)


def last(app: App) -> LastInterview | None:
    """What Home says of interviews: the one that waits, else the newest that was held."""
    open_ = waiting(app)
    if open_ is not None:
        return LastInterview(waiting=open_.question, total=open_.total)
    newest = held(app, 1)
    if not newest:
        return None
    report = newest[0].report
    at = datetime.fromtimestamp(report.started_ms / 1000, UTC)
    day = study_day(at, app.settings.study.rollover_hour, app.clock.zone())
    return LastInterview(score=report.score, day=day)


def find(app: App, number: int | None = None) -> PastInterview:
    """A finished interview by its number, else the newest. Raises UsageError when there is none."""
    if number is None:
        newest = held(app, LOOKED_AT)
        if newest:
            return newest[0]
        raise UsageError("No interview was finished yet.", hint="`studytool interview` begins one.")
    record = app.store.interviews.get(number)
    if record is None or record.report is None or record.deck != app.deck_name:
        raise UsageError(
            f"There is no report of an interview {number} over this deck.",
            hint="`studytool interview --list` numbers them.",
        )
    return _past(record)


def with_seed(app: App, setup: Setup) -> Setup:
    """`setup` with the number of the interview as its seed, when none was chosen."""
    return msgspec.structs.replace(setup, seed=app.store.interviews.count(app.deck_name) + 1)


def trend(app: App) -> list[Past]:
    """The last interviews for the trend of the next report, the oldest first."""
    return [past(one.report) for one in reversed(held(app, LOOKED_AT))]


def known(app: App) -> Iterator[Known]:
    """The cards of the deck with their memory and what the last interviews say of them."""
    states = dict(app.store.states(app.deck_name))
    asked: dict[str, tuple[int, float]] = {}
    for ago, one in enumerate(held(app, LOOKED_AT)):
        for line in one.report.answers:
            asked.setdefault(line.card, (ago, line.score))
    for stored in app.store.cards(app.deck_name):
        name = str(stored.card.id)
        ago_score = asked.get(name)
        state = states.get(name, CardState())
        if ago_score is None:
            yield Known(stored.card, state)
        else:
            yield Known(stored.card, state, *ago_score)


def queue_missed(app: App, number: int, cards: Sequence[str] = ()) -> tuple[str, ...]:
    """Put missed cards of an interview into the review queue: all of them, or those named.

    Each is answered Again, as a step of the log that undo takes back. Cards that are there
    already, or that the deck has no longer, are left out. Returns those that were put there.
    """
    from studytool.services.study import Session
    from studytool.services.types import SessionQuery

    one = find(app, number)
    lines = {line.card: line for line in one.report.answers}
    done: list[str] = []
    for card in one.report.missed:
        if card in one.report.queued or (cards and card not in cards):
            continue
        stored = app.store.card(app.deck_name, card)
        if stored is None or stored.retired:
            continue
        sitting = Session(app, SessionQuery(cards=(card,)))
        if sitting.current() is not None:
            sitting.rate(Rating.AGAIN, duration_ms=round(lines[card].first_seconds * 1000))
            done.append(card)
    if done:
        queued = (*one.report.queued, *done)
        changed = msgspec.structs.replace(one.report, queued=queued)
        app.store.interviews.save_report(number, encode(changed))
    return tuple(done)


def date_words(app: App, report: Report) -> str:
    """When an interview was held, in the user's time zone."""
    at = datetime.fromtimestamp(report.started_ms / 1000, UTC).astimezone(app.clock.zone())
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def blocks(app: App, one: PastInterview) -> list[Block]:
    """The report in blocks."""
    return list(document.blocks(one.report, date_words(app, one.report), chapters.title))


def plain(app: App, one: PastInterview) -> str:
    """The report as text for a terminal."""
    return export.plain(blocks(app, one))


def written(app: App, one: PastInterview, form: Format) -> str:
    """The report in one of FORMATS; safe to print."""
    if form == "md":
        return export.markdown(blocks(app, one))
    if form == "html":
        return export.html(blocks(app, one))
    text = msgspec.json.format(msgspec.json.encode({"id": one.id, **_fields(one.report)}), indent=2)
    return clean(text.decode()) + "\n"


def facts(app: App, one: PastInterview) -> dict[str, object]:
    """An interview as `--list --format json` tells it."""
    report = one.report
    return {
        "id": one.id,
        "started": datetime.fromtimestamp(report.started_ms / 1000, app.clock.zone()).isoformat(),
        "minutes": report.setup.minutes,
        "level": report.setup.level.value,
        "style": report.setup.style.value,
        "seed": report.setup.seed,
        "questions": len(report.answers),
        "score": report.score,
        "brier": report.calibration.brier if report.calibration is not None else None,
    }


def save(app: App, one: PastInterview, form: Format) -> Path:
    """Write the report into the user's reports folder; returns the file. Raises StorageError."""
    file = app.paths.data / "reports" / f"interview-{one.id}.{form}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(written(app, one, form), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file} can't be written: {error.strerror}.") from error
    return file


def _fields(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__struct_fields__}


def _past(record: InterviewRecord) -> PastInterview:
    return PastInterview(record.id, decode(record.report or "", Report))
