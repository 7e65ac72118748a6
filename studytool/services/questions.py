"""A card as it is put on the table: its face, its four buttons, what changed in its text."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

from studytool.deck.cloze import base_id, face, sibling_ids
from studytool.errors import UsageError
from studytool.schedule import scheduler
from studytool.schedule.model import Rating
from studytool.services import chapters, timefmt
from studytool.services.types import Choice, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Card
    from studytool.schedule.model import CardState, Moment, Policy
    from studytool.services.context import App
    from studytool.store.figures import ChapterNumbers
    from studytool.store.records import StoredCard


class Reader(Protocol):
    """Where cards and their states are read; Store and Peek are both one."""

    def card(self, deck: str, card_id: str) -> StoredCard | None: ...
    def state(self, card_id: str) -> CardState: ...
    def old_text(self, card_id: str, content_hash: str) -> Card | None: ...
    def chapter_rows(self, deck: str, moment: Moment) -> list[ChapterNumbers]: ...


def draft_key(card_id: str) -> str:
    """The name under which the half-typed answer to a card is kept."""
    return f"answer:{card_id}"


def ask(app: App, reader: Reader, policy: Policy, card: str, seed: str) -> Question | None:
    """The question as it stands now; None for a card that the deck has no longer.

    `card` is the id of a schedule. `seed` is the UUID that the answer will be stored under, so
    that the intervals shown are those that follow.
    """
    stored = reader.card(app.deck_name, base_id(card))
    if stored is None or stored.retired or card not in sibling_ids(stored.card):
        return None
    state = reader.state(card)
    prompt, answer = face(stored.card, card)
    return Question(
        card_id=card,
        card=stored.card,
        prompt=prompt,
        answer=answer,
        state=state,
        choices=_choices(app, policy, state, seed),
        path=stored.path,
        line=stored.line,
        change=_change(reader, stored, state),
        chapter_title=chapters.title(stored.card.chapter),
        content_hash=stored.content_hash,
    )


def schedules(app: App, reader: Reader, card_id: str) -> tuple[str, ...]:
    """The schedules that an id stands for: itself, or all siblings of a cloze card.

    Raises UsageError when the deck has no such card.
    """
    stored = reader.card(app.deck_name, base_id(card_id))
    ids = sibling_ids(stored.card) if stored and not stored.retired else ()
    if card_id in ids:
        return (card_id,)
    if not ids or card_id != base_id(card_id):
        raise UsageError(
            f"There is no card {card_id!r} in this deck.",
            hint="`studytool deck list` shows the ids.",
        )
    return ids


def check_chapters(app: App, wanted: Sequence[str], reader: Reader | None = None) -> None:
    """Raises UsageError for a chapter that the deck does not have, with the nearest name.

    The store is asked unless another `reader` is given.
    """
    if not wanted:
        return
    rows = (reader or app.store).chapter_rows(app.deck_name, app.moment)
    known = [row.chapter for row in rows]
    for chapter in wanted:
        if chapter not in known:
            import difflib

            near = difflib.get_close_matches(chapter, known, n=1)
            raise UsageError(
                f"There is no chapter {chapter!r} in this deck.",
                hint=f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(known)}.",
            )


def due_date(state: CardState, moment: Moment) -> date:
    """The study day on which a card is due; a step that ends today is due today."""
    return date.fromordinal(moment.day if state.due_day is None else state.due_day)


def _choices(app: App, policy: Policy, state: CardState, seed: str) -> tuple[Choice, ...]:
    now = app.moment
    four = scheduler.preview(state, now, policy, seed, app.rollover)
    return tuple(
        Choice(rating, timefmt.interval(after, now), due_date(after, now), after)
        for rating, after in zip(Rating, four, strict=True)
    )


def _change(reader: Reader, stored: StoredCard, state: CardState) -> str:
    """A unified diff of the card's text since its last answer; empty when it is the same."""
    if state.content_hash in ("", stored.content_hash):
        return ""
    import difflib

    from studytool.deck.render import canonical_card

    old = reader.old_text(stored.card.id, state.content_hash)
    lines = difflib.unified_diff(
        canonical_card(old).splitlines() if old else [],
        canonical_card(stored.card).splitlines(),
        "at your last answer",
        "now",
        lineterm="",
        n=1,
    )
    return "\n".join(lines)
