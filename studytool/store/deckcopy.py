"""The copy of the deck in the database: which files it was read from, and every text a card has had.

The copy depends only on the files, not on the order in which changes were seen. Where an id
stands in two files, the file that sorts first has it; the other is remembered as unread, so
that it is read again at the next synchronisation and takes over once the first gives the id up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from studytool.deck.cloze import base_id, sibling_ids
from studytool.store import statements as sql
from studytool.store.order import study_order
from studytool.store.records import SyncReport
from studytool.store.rows import decode_card, encode_card, stored_card
from studytool.store.tables import card_state, deck_cards, decks, files, items, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from studytool.deck.model import Card, Located
    from studytool.store.engine import Database
    from studytool.store.records import StoredCard

#: A file hash that no file has: the file is to be read again.
UNREAD = ""


class _Stored(NamedTuple):
    """A row of deck_cards without its position."""

    path: str
    line: int
    place: int
    chapter: str
    needs: str
    content_hash: str
    retired: int


class DeckCopy:
    """The decks of one database."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._ids: dict[str, int] = {}

    def deck_id(self, deck: str) -> int:
        """The number of a deck; -1 for one that was never synchronised."""
        if deck not in self._ids:
            row = self._db.first(select(decks.c.id).where(decks.c.name == deck))
            if row is None:
                return -1
            self._ids[deck] = row[0]
        return self._ids[deck]

    def known_files(self, deck: str) -> dict[str, str]:
        """The files the copy was read from, with the hashes they had."""
        query = select(files.c.path, files.c.hash).where(files.c.deck_id == self.deck_id(deck))
        return {row.path: row.hash for row in self._db.all(query)}

    def sync(
        self,
        deck: str,
        folder: str,
        changed: Sequence[tuple[str, str, Sequence[Located]]],
        removed: Sequence[str],
    ) -> SyncReport:
        """Take over `changed` files (path, hash, cards) and forget `removed` ones.

        One transaction. Memory is never touched: a card that goes away is retired with its
        history, and finds it again when it comes back.
        """
        if not changed and not removed and self._is_known(deck, folder):
            return SyncReport(total=self._total(self.deck_id(deck)))
        try:
            with self._db.transaction():
                return self._sync(self._ensure(deck, folder), changed, removed)
        except BaseException:
            self._ids.clear()  # a deck that was new has its number no longer
            raise

    def _sync(
        self,
        deck_id: int,
        changed: Sequence[tuple[str, str, Sequence[Located]]],
        removed: Sequence[str],
    ) -> SyncReport:
        gone_from = {path for path, _, _ in changed} | set(removed)
        stored = self._stored(
            deck_id, gone_from, [one.card.id for _, _, of in changed for one in of]
        )
        placed, unread = _place(changed, stored, gone_from)
        gone = [
            card
            for card, row in stored.items()
            if not row.retired and row.path in gone_from and card not in placed
        ]
        self._write_files(deck_id, changed, removed, unread)
        self._write_cards(deck_id, placed, stored)
        self._retire(deck_id, gone)
        moved = gone or any(
            _order_of(stored.get(card)) != _order_of(row) for card, (row, _) in placed.items()
        )
        total = self._write_order(deck_id) if moved else self._total(deck_id)
        return msgspec.structs.replace(_compare(placed, stored, len(gone)), total=total)

    # reading

    def card(self, deck: str, card_id: str) -> StoredCard | None:
        """A card by its id or by that of a cloze sibling."""
        with self._db.reading() as raw:
            row = raw.execute(sql.SELECT_CARD, (self.deck_id(deck), base_id(card_id))).fetchone()
        return None if row is None else stored_card(row)

    def cards(self, deck: str, *, retired: bool = False) -> Iterator[StoredCard]:
        """The cards of a deck in study order; with `retired`, those that went away."""
        query = (
            sql.card_query()
            .where(deck_cards.c.deck_id == self.deck_id(deck), deck_cards.c.retired == int(retired))
            .order_by(deck_cards.c.position, deck_cards.c.id)
        )
        return map(stored_card, self._db.stream(query))

    def old_text(self, card_id: str, content_hash: str) -> Card | None:
        """A card as it read when its content had that hash."""
        query = select(texts.c.body).where(
            texts.c.card == base_id(card_id), texts.c.hash == content_hash
        )
        row = self._db.first(query)
        return None if row is None else decode_card(row[0])

    # writing

    def _ensure(self, deck: str, folder: str) -> int:
        row = insert(decks).values(name=deck, folder=folder)
        self._db.run(
            row.on_conflict_do_update(index_elements=["name"], set_={"folder": row.excluded.folder})
        )
        return self.deck_id(deck)

    def _total(self, deck_id: int) -> int:
        query = select(func.count()).where(
            deck_cards.c.deck_id == deck_id, deck_cards.c.retired == 0
        )
        row = self._db.first(query)
        return row[0] if row else 0

    def _stored(
        self, deck_id: int, paths: Iterable[str], cards: Iterable[str]
    ) -> dict[str, _Stored]:
        """The rows of these files, and those of these cards wherever they stand."""
        columns = [deck_cards.c[name] for name in _Stored._fields]
        query = select(deck_cards.c.id, *columns).where(deck_cards.c.deck_id == deck_id)
        found: dict[str, _Stored] = {}
        for column, names in ((deck_cards.c.path, paths), (deck_cards.c.id, cards)):
            wanted = func.json_each(json.dumps(sorted(names))).table_valued("value")
            among = query.where(column.in_(select(wanted.c.value)))
            found.update({row[0]: _Stored(*row[1:]) for row in self._db.all(among)})
        return found

    def _is_known(self, deck: str, folder: str) -> bool:
        row = self._db.first(select(decks.c.folder).where(decks.c.name == deck))
        return row is not None and row[0] == folder

    def _write_files(
        self,
        deck_id: int,
        changed: Sequence[tuple[str, str, Sequence[Located]]],
        removed: Sequence[str],
        unread: set[str],
    ) -> None:
        hashes = {path: digest for path, digest, _ in changed} | dict.fromkeys(unread, UNREAD)
        row = insert(files)
        self._many(
            row.on_conflict_do_update(
                index_elements=["deck_id", "path"], set_={"hash": row.excluded.hash}
            ),
            [{"deck_id": deck_id, "path": path, "hash": hash_} for path, hash_ in hashes.items()],
        )
        self._many(
            delete(files).where(files.c.deck_id == deck_id, files.c.path == bindparam("gone")),
            [{"gone": path} for path in removed],
        )

    def _write_cards(
        self,
        deck_id: int,
        placed: dict[str, tuple[_Stored, Card]],
        stored: dict[str, _Stored],
    ) -> None:
        new = {card: row for card, (row, _) in placed.items() if stored.get(card) != row}
        self._many(
            insert(texts).on_conflict_do_nothing(),
            [
                {
                    "card": card,
                    "hash": row.content_hash,
                    "body": encode_card(placed[card][1]).decode(),
                }
                for card, row in new.items()
                if card not in stored or stored[card].content_hash != row.content_hash
            ],
        )
        row = insert(deck_cards)
        fields = _Stored._fields
        self._many(
            row.on_conflict_do_update(
                index_elements=["deck_id", "id"], set_={name: row.excluded[name] for name in fields}
            ),
            [
                {"deck_id": deck_id, "id": card, "position": 0, **values._asdict()}
                for card, values in new.items()
            ],
        )
        self._write_items(deck_id, {card: placed[card][1] for card in new}, stored)

    def _write_items(
        self, deck_id: int, cards: dict[str, Card], stored: dict[str, _Stored]
    ) -> None:
        """Give each card one item for each of its memories, at whatever point that memory is."""
        self._forget_items(deck_id, [card for card in cards if card in stored])

        kind = select(card_state.c.kind).where(card_state.c.card == bindparam("memory"))
        fresh = func.coalesce(kind.scalar_subquery(), 0) == 0
        position = select(deck_cards.c.position).where(
            deck_cards.c.deck_id == deck_id, deck_cards.c.id == bindparam("of")
        )
        self._many(
            insert(items).values(position=position.scalar_subquery(), fresh=fresh),
            [
                {
                    "card": sibling,
                    "memory": sibling,
                    "deck_id": deck_id,
                    "base": base,
                    "of": base,
                    "chapter": card.chapter,
                }
                for base, card in cards.items()
                for sibling in sibling_ids(card)
            ],
        )

    def _retire(self, deck_id: int, cards: list[str]) -> None:
        self._forget_items(deck_id, cards)
        self._many(
            update(deck_cards)
            .where(deck_cards.c.deck_id == deck_id, deck_cards.c.id == bindparam("gone"))
            .values(retired=1),
            [{"gone": card} for card in cards],
        )

    def _forget_items(self, deck_id: int, cards: list[str]) -> None:
        self._many(
            delete(items).where(items.c.deck_id == deck_id, items.c.base == bindparam("gone")),
            [{"gone": card} for card in cards],
        )

    def _write_order(self, deck_id: int) -> int:
        """Number the active cards in study order; returns how many there are."""
        query = (
            select(deck_cards.c.id, deck_cards.c.needs, deck_cards.c.position)
            .where(deck_cards.c.deck_id == deck_id, deck_cards.c.retired == 0)
            .order_by(deck_cards.c.path, deck_cards.c.place)
        )
        rows = self._db.all(query)
        present = {card: position for card, _, position in rows}
        order = study_order({card: needs.split() for card, needs, _ in rows})
        moves = [
            {"card_id": card, "at": position}
            for position, card in enumerate(order, start=1)
            if present[card] != position
        ]
        for table, key in ((deck_cards, deck_cards.c.id), (items, items.c.base)):
            self._many(
                update(table)
                .where(table.c.deck_id == deck_id, key == bindparam("card_id"))
                .values(position=bindparam("at")),
                moves,
            )
        return len(order)

    def _many(self, statement: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._db.run(statement, rows)


def _place(
    changed: Sequence[tuple[str, str, Sequence[Located]]],
    stored: dict[str, _Stored],
    gone_from: set[str],
) -> tuple[dict[str, tuple[_Stored, Card]], set[str]]:
    """Where each card of the changed files stands from now on, and the files left unread."""
    placed: dict[str, tuple[_Stored, Card]] = {}
    unread: set[str] = set()
    for path, _, located in sorted(changed, key=lambda file: file[0]):
        for place, (card, where, content_hash) in enumerate(
            (one.card, one.place, one.content_hash) for one in located
        ):
            other = stored.get(card.id)
            if card.id in placed:
                if placed[card.id][0].path != path:
                    unread.add(path)
                continue
            if other is not None and not other.retired and other.path not in gone_from:
                unread.add(max(path, other.path))
                if other.path < path:
                    continue
            row = _Stored(
                path, where.line, place, card.chapter, " ".join(card.needs), content_hash, 0
            )
            placed[card.id] = (row, card)
    return placed, unread


def _order_of(row: _Stored | None) -> tuple[object, ...] | None:
    """What the study order takes from a card; None for one that isn't there."""
    return None if row is None or row.retired else (row.path, row.place, row.needs)


def _compare(
    placed: dict[str, tuple[_Stored, Card]], stored: dict[str, _Stored], retired: int
) -> SyncReport:
    added = changed = moved = 0
    for card, (row, _) in placed.items():
        old = stored.get(card)
        if old is None or old.retired:
            added += 1
            continue
        changed += old.content_hash != row.content_hash
        moved += old.path != row.path
    return SyncReport(added, changed, moved, retired)
