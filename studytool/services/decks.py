"""Card files as the user meets them: which are studied, whether they are sound, what is in them.

The default study set, called "builtin", is the deck that ships with the tool together with every
deck of the user's own: all card files under `paths.decks`, whichever subfolder they stand in.
Ids are therefore unique across both. With `--deck DIR` that folder alone is studied.

In the store a file is named by its path in the deck's folder; a file of the user's own decks is
named `~decks/…`, which sorts behind the built-in ones and holds when the data folder moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studytool.deck.faults import nearest
from studytool.deck.load import file_hash, list_files, load_folders, read_text
from studytool.deck.model import Deck, Fault, Located, Severity
from studytool.errors import UsageError
from studytool.paths import Paths, builtin_content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studytool.deck.lint import DemoFacts
    from studytool.services.context import App
    from studytool.store.records import SyncReport

#: What the names of files in the user's decks folder begin with.
OWN = "~decks/"
#: The hash kept for a file with faults: no file has it, so the file is read again each time.
_READ_AGAIN = ""


class CheckReport(msgspec.Struct, frozen=True):
    """What `deck check` found; errors and warnings in reading order, counts over the cards checked."""

    cards: int
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    by_level: dict[str, int]
    by_kind: dict[str, int]
    by_chapter: dict[str, int]
    by_demo: dict[str, int]
    by_area: dict[str, int] = {}
    sources: int = 0
    coverage: dict[str, int] = {}


def study_folders(paths: Paths, deck_dir: Path | None = None) -> list[Path]:
    """The folders whose cards are studied together. Raises UsageError when there is none at `deck_dir`."""
    if deck_dir is not None:
        from studytool.services.context import deck_identity

        return [deck_identity(deck_dir, paths)[1]]
    return [folder for folder in (builtin_content(), paths.decks) if folder.is_dir()]


def deck_folders(app: App) -> list[Path]:
    """The folders whose cards the app studies together: the user's own decks with the built-in one."""
    from studytool.services.context import BUILTIN_DECK

    own = app.deck_name == BUILTIN_DECK and app.paths.decks.is_dir()
    return [app.deck_folder, *([app.paths.decks] if own else [])]


def study_files(app: App) -> dict[str, Path]:
    """The card files of the app's deck by the name the store knows them by."""
    from studytool.services.context import BUILTIN_DECK

    files = {
        path.relative_to(app.deck_folder).as_posix(): path for path in list_files(app.deck_folder)
    }
    if app.deck_name == BUILTIN_DECK and app.paths.decks.is_dir():
        own = app.paths.decks
        files |= {OWN + path.relative_to(own).as_posix(): path for path in list_files(own)}
    return files


def card_file(app: App, name: str) -> Path:
    """Where the file is that the store knows as `name`."""
    if name.startswith(OWN):
        return app.paths.decks / name.removeprefix(OWN)
    return app.deck_folder / name


def sync(app: App) -> SyncReport:
    """Bring the store's copy of the deck up to date; only files whose hash has changed are parsed.

    A file with faults gives its sound cards, and `app.warnings` says so each time until it is
    mended. A file that can't be read at all leaves the copy as it was. Raises StorageError.
    """
    files = study_files(app)
    known = app.store.known_files(app.deck_name)
    changed: list[tuple[str, str, Sequence[Located]]] = []
    for name, path in files.items():
        read = _read_changed(app, name, path, known.get(name))
        if read is not None:
            changed.append(read)
    removed = [name for name in known if name not in files]
    return app.store.sync_files(app.deck_name, str(app.deck_folder), changed, removed)


def edited(app: App) -> bool:
    """Whether the card files differ from what the database was synchronised with, told without the store.

    A file with faults counts as it was read last. Raises StorageError.
    """
    from studytool.store import peek

    known = peek.peek_files(app.paths.database, app.deck_name)
    files = study_files(app)
    if known.keys() != files.keys():
        return True
    try:
        return any(
            known[name] not in (_READ_AGAIN, file_hash(path)) for name, path in files.items()
        )
    except OSError:
        return True


def _read_changed(
    app: App, name: str, path: Path, known: str | None
) -> tuple[str, str, Sequence[Located]] | None:
    try:
        digest = file_hash(path)
    except OSError as error:
        app.warnings.append(f"{path} can't be read: {error.strerror or error}")
        return None
    if digest == known:
        return None
    text, fault = read_text(path)
    if text is None:
        app.warnings.append(str(fault))
        return None
    from studytool.deck.parse import parse_file

    cards, faults = parse_file(text, name)
    if faults:
        app.warnings.append(
            f"{path} has {len(faults)} faults, and cards with faults are left out; the first is in "
            f"line {faults[0].place.line}. `studytool deck check` lists them."
        )
    return name, _READ_AGAIN if faults else digest, cards


def find(folders: Sequence[Path], card_id: str) -> Located:
    """A card by its id, or by that of a cloze sibling. Raises UsageError naming the nearest id."""
    from studytool.deck.cloze import base_id

    deck = load_folders(list(folders))
    cards = {located.card.id: located for located in reversed(deck.cards)}
    located = cards.get(base_id(card_id))
    if located is not None:
        return located
    near = nearest(card_id, cards)
    raise UsageError(
        f"there is no card {card_id!r}",
        hint=f"Did you mean {near!r}?" if near else "`studytool deck list` lists all ids.",
    )


def check(
    folders: Sequence[Path], only: Sequence[Path], demos: Mapping[str, DemoFacts] | None
) -> CheckReport:
    """Parse and lint cards and stories of `folders`, or of the files and folders `only`.

    A path of `only` inside one of `folders` is checked as part of that deck, so that its
    references to other cards are known; any other path is a deck of its own.
    Raises UsageError for a path that doesn't exist.
    """
    from studytool.deck.lint import count_by  # not needed to study
    from studytool.deck.story import FILE
    from studytool.services import coverage

    roots = [folder.resolve() for folder in folders]
    inside = [path for path in only if _within(path, roots)]
    reports: list[tuple[Deck, tuple[Fault, ...]]] = []
    if inside or not only:
        deck = load_folders(list(folders))
        reports.append(_restrict(deck, _lint(deck, folders, demos), inside))
    for path in only:
        if path not in inside:
            folder = path.parent if path.name == FILE else path
            deck = load_folders([folder])
            found = (*deck.faults, *_lint(deck, [folder], demos))
            reports.append((deck, found) if folder is path else _restrict(deck, found, [path]))
    cards = Deck(tuple(located for deck, _ in reports for located in deck.cards))
    faults = [fault for _, found in reports for fault in found]
    return CheckReport(
        cards=len(cards.cards),
        errors=tuple(fault for fault in faults if fault.severity is Severity.ERROR),
        warnings=tuple(fault for fault in faults if fault.severity is Severity.WARNING),
        **count_by(cards),
        sources=sum(len(located.card.sources) for located in cards.cards),
        coverage=coverage.counts([] if only else folders),
    )


def _lint(
    deck: Deck, folders: Sequence[Path], demos: Mapping[str, DemoFacts] | None
) -> tuple[Fault, ...]:
    """The faults of a deck's cards, and of the stories and coverage tables in its folders."""
    from studytool.deck.lint import lint
    from studytool.services import coverage, story

    cards = {str(located.card.id) for located in deck.cards}
    return (
        *lint(deck, demos),
        *story.check(story.files(folders), cards, demos),
        *coverage.check(folders, cards),
    )


def _within(path: Path, roots: Sequence[Path]) -> bool:
    if not path.exists():
        raise UsageError(
            f"there is no file or folder {path}",
            hint="Name card files (*.md) or folders that hold some.",
        )
    return any(path.resolve().is_relative_to(root) for root in roots)


def _restrict(
    deck: Deck, found: Sequence[Fault], only: Sequence[Path]
) -> tuple[Deck, tuple[Fault, ...]]:
    """The cards and faults of the files under `only`; everything when it is empty."""
    faults = (*deck.faults, *found)
    if not only:
        return deck, faults
    wanted = [path.resolve() for path in only]
    paths = {located.place.path for located in deck.cards} | {fault.place.path for fault in faults}
    kept = {path for path in paths if any(Path(path).resolve().is_relative_to(p) for p in wanted)}
    cards = tuple(located for located in deck.cards if located.place.path in kept)
    return Deck(cards), tuple(fault for fault in faults if fault.place.path in kept)
