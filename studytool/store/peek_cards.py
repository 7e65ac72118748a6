"""The first question without SQLAlchemy: what a session asks of the store, read by sqlite3.

Each method of `Peek` gives exactly what the method of the same name of Store gives (tested with
hypothesis), all from one moment of the database.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from studytool.deck.cloze import base_id
from studytool.schedule.model import CardState, Phase
from studytool.store import peek
from studytool.store.records import DueRow
from studytool.store.rows import STATE_FIELDS, decode_card, state_of, stored_card

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from studytool.deck.model import Card
    from studytool.schedule.model import Moment
    from studytool.store.figures import ChapterNumbers, Counts
    from studytool.store.records import StoredCard

_DECK = "(SELECT id FROM decks WHERE name = :deck)"
_WANTED = "(:chapters IS NULL OR items.chapter IN (SELECT value FROM json_each(:chapters)))"
# The `+ 0` and the literals are explained in queries.py, which asks the same.
_DUE = f"""
    SELECT items.card, items.base, items.chapter, card_state.phase, card_state.due_at,
        card_state.due_day, card_state.stability, card_state.last_day, items.position
    FROM items JOIN card_state ON card_state.card = items.card
    WHERE items.deck_id + 0 = {_DECK} AND card_state.kind IN (1, 2)
        AND card_state.ready <= :day AND {_WANTED}
    ORDER BY card_state.kind, card_state.ready, items.position, items.card
    LIMIT :limit
"""
_NEW = f"""
    SELECT items.card, items.base, items.chapter, items.position
    FROM items LEFT JOIN card_state ON card_state.card = items.card
    WHERE items.deck_id = {_DECK} AND items.fresh = 1
        AND coalesce(card_state.ready, 0) <= :day AND {_WANTED}
    ORDER BY items.position, items.card
    LIMIT :limit
"""
_SIBLINGS = f"""
    SELECT items.base, coalesce(card_state.kind, 0)
    FROM items LEFT JOIN card_state ON card_state.card = items.card
    WHERE items.deck_id = {_DECK} AND items.card <> items.base
        AND coalesce(card_state.kind, 0) IN (0, 1, 2) AND coalesce(card_state.ready, 0) <= :day
    ORDER BY items.card
"""
_CARD = f"""
    SELECT texts.body, deck_cards.path, deck_cards.line, deck_cards.content_hash, deck_cards.retired
    FROM deck_cards JOIN texts
        ON texts.card = deck_cards.id AND texts.hash = deck_cards.content_hash
    WHERE deck_cards.deck_id = {_DECK} AND deck_cards.id = :card
"""
_STATE = f"SELECT {', '.join(STATE_FIELDS)} FROM card_state WHERE card = ?"
_OLD_TEXT = "SELECT body FROM texts WHERE card = ? AND hash = ?"
_DRAFT = "SELECT text FROM drafts WHERE key = ?"


@contextmanager
def reading(database: Path) -> Iterator[Peek | None]:
    """A reader of one moment of the database; None where there is none yet. Raises StorageError."""
    with peek.reading(database) as connection:
        yield None if connection is None else Peek(connection)


class Peek:
    """See `reading`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def due(
        self, deck: str, moment: Moment, *, chapters: Sequence[str] = (), limit: int | None = None
    ) -> list[DueRow]:
        """Cards in learning or review that may be served today, learning first."""
        return [
            DueRow(card, base, chapter, Phase(phase), *rest)
            for card, base, chapter, phase, *rest in self._rows(_DUE, deck, moment, chapters, limit)
        ]

    def new_cards(
        self, deck: str, moment: Moment, *, chapters: Sequence[str] = (), limit: int | None = None
    ) -> list[DueRow]:
        """Cards never answered, in study order."""
        return [
            DueRow(card, base, chapter, Phase.NEW, None, None, None, None, position)
            for card, base, chapter, position in self._rows(_NEW, deck, moment, chapters, limit)
        ]

    def chapter_rows(self, deck: str, moment: Moment) -> list[ChapterNumbers]:
        """The numbers of each chapter, by name."""
        return peek.chapter_rows(self._connection, deck, moment)

    def done_today(self, day: int) -> tuple[int, int]:
        """(new cards introduced, reviews answered) on a study day, over all decks."""
        return peek.done(self._connection, day)

    def counts(self, deck: str, moment: Moment) -> Counts:
        """How many cards may be served today, before the limits of the day."""
        return peek.counts(self._connection, deck, moment)

    def siblings(self, deck: str, moment: Moment) -> list[tuple[str, int]]:
        """(card of the deck, Kind) of each cloze sibling that may be served today."""
        names = {"deck": deck, "day": moment.day}
        return self._connection.execute(_SIBLINGS, names).fetchall()

    def card(self, deck: str, card_id: str) -> StoredCard | None:
        """A card of the deck, also by the id of a cloze sibling and also when retired."""
        names = {"deck": deck, "card": base_id(card_id)}
        row = self._connection.execute(_CARD, names).fetchone()
        return None if row is None else stored_card(row)

    def state(self, card_id: str) -> CardState:
        """What the log says of a card."""
        row = self._connection.execute(_STATE, (card_id,)).fetchone()
        return CardState() if row is None else state_of(row)

    def old_text(self, card_id: str, content_hash: str) -> Card | None:
        """A card as it read when its content had that hash."""
        row = self._connection.execute(_OLD_TEXT, (base_id(card_id), content_hash)).fetchone()
        return None if row is None else decode_card(row[0])

    def draft(self, key: str) -> str | None:
        """The half-typed answer under `key`, or None."""
        row = self._connection.execute(_DRAFT, (key,)).fetchone()
        return None if row is None else str(row[0])

    def _rows(
        self, query: str, deck: str, moment: Moment, chapters: Sequence[str], limit: int | None
    ) -> Iterator[Sequence[Any]]:
        names = {
            "deck": deck,
            "day": moment.day,
            "chapters": json.dumps(list(chapters)) if chapters else None,
            "limit": -1 if limit is None else limit,
        }
        return iter(self._connection.execute(query, names))
