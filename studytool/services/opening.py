"""The first question of a session before the store is open: read by sqlite3, without SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from studytool.errors import StorageError
from studytool.services import decks, line, questions
from studytool.store import peek_cards

if TYPE_CHECKING:
    from studytool.services.context import App
    from studytool.services.types import Question, SessionQuery


class FirstCard(NamedTuple):
    """A question that may be shown at once, and what the Session needs to go on with it.

    `seed` is the UUID that the answer will have, `total` the cards of the session, `draft` the
    answer half typed.
    """

    question: Question
    seed: str
    total: int
    draft: str


def first_card(app: App, query: SessionQuery) -> FirstCard | None:
    """What `Session(app, query).current()` gives after a synchronisation, if it is known already.

    None when the card files have changed, when there is no database yet or nothing to serve, and
    when the database can't be read: opening it says why. Raises UsageError as Session does.
    """
    try:
        if decks.edited(app):
            return None
        with peek_cards.reading(app.paths.database) as reader:
            return None if reader is None else _first(app, reader, query)
    except StorageError:
        return None


def _first(app: App, reader: peek_cards.Peek, query: SessionQuery) -> FirstCard | None:
    now = app.moment
    agenda = line.agenda(app, reader, query, now)
    total = len(agenda)
    while (card := agenda.take(now.at_ms)) is not None:
        seed = uuid4().hex
        question = questions.ask(app, reader, app.policy, card, seed)
        if question is not None:
            draft = reader.draft(questions.draft_key(card)) or ""
            return FirstCard(question, seed, total, draft)
        total -= 1
    return None
