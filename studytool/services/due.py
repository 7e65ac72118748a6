"""How many cards `studytool review` would serve now, found out without opening the store.

Files that were edited since the last synchronisation are taken over first, which does open it;
so the number is the one that a review started now would show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.errors import StorageLocked
from studytool.services import decks
from studytool.services.overview import limited
from studytool.store import peek
from studytool.store.figures import Counts

if TYPE_CHECKING:
    from studytool.services.context import App

#: The hash that stands for a file whose faults make every synchronisation read it again.
_FAULTY = ""


def due(app: App) -> Counts:
    """What may be served today within the limits of the day. Raises StorageError."""
    database = app.paths.database
    if not database.exists():
        return limited(app, Counts(new=_unstudied(app)), 0, 0)
    if _edited(app):
        try:
            decks.sync(app)
        except StorageLocked:
            pass  # An open studytool takes the edits over itself; what it has is what is due.
        finally:
            app.close()
    now = app.moment
    counts = peek.peek_counts(database, app.deck_name, now)
    return limited(app, counts, *peek.peek_done(database, now.day))


def _edited(app: App) -> bool:
    """Whether the card files differ from those that the database was synchronised with."""
    from studytool.deck.load import file_hash

    known = peek.peek_files(app.paths.database, app.deck_name)
    files = decks.study_files(app)
    if known.keys() != files.keys():
        return True
    try:
        return any(known[name] not in (_FAULTY, file_hash(path)) for name, path in files.items())
    except OSError:
        return True


def _unstudied(app: App) -> int:
    """The schedules of a deck that nobody has begun."""
    from studytool.deck.cloze import sibling_ids
    from studytool.deck.load import load_folders

    deck = load_folders(
        decks.study_folders(app.paths, None if _is_builtin(app) else app.deck_folder)
    )
    first = {located.card.id: located.card for located in reversed(deck.cards)}
    return sum(len(sibling_ids(card)) for card in first.values())


def _is_builtin(app: App) -> bool:
    from studytool.services.context import BUILTIN_DECK

    return app.deck_name == BUILTIN_DECK
