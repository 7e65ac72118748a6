"""How many cards `studytool review` would serve now, found out without opening the store.

Files that were edited since the last synchronisation are taken over first, which does open it;
so the number is the one that a review started now would show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.errors import StorageLocked
from studytool.services import decks, line
from studytool.store import peek_cards
from studytool.store.figures import Counts

if TYPE_CHECKING:
    from studytool.services.context import App


def due(app: App) -> Counts:
    """What may be served today within the limits of the day. Raises StorageError."""
    database = app.paths.database
    if not database.exists():
        return Counts(new=min(_unstudied(app), app.settings.study.new_per_day))
    if decks.edited(app):
        try:
            decks.sync(app)
        except StorageLocked:
            pass  # An open studytool takes the edits over itself; what it has is what is due.
        finally:
            app.close()
    now = app.moment
    with peek_cards.reading(database) as reader:
        if reader is None:
            return Counts()
        return line.counts(app, reader, reader.counts(app.deck_name, now), now)


def _unstudied(app: App) -> int:
    """The cards that a first day may serve of a deck that nobody has begun."""
    from studytool.deck.cloze import sibling_ids
    from studytool.deck.load import load_folders

    deck = load_folders(
        decks.study_folders(app.paths, None if _is_builtin(app) else app.deck_folder)
    )
    first = {located.card.id: located.card for located in reversed(deck.cards)}
    if app.settings.study.bury_siblings:
        return len(first)
    return sum(len(sibling_ids(card)) for card in first.values())


def _is_builtin(app: App) -> bool:
    from studytool.services.context import BUILTIN_DECK

    return app.deck_name == BUILTIN_DECK
