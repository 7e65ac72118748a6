"""What the tests of the store share: cards without files, answers, and hypothesis strategies."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
from hypothesis import strategies as st

from studytool.clock import FixedClock
from studytool.deck.model import Card, CardId, Kind, Level, Located, Place
from studytool.paths import Paths
from studytool.schedule.fsrs import DEFAULT_WEIGHTS
from studytool.schedule.model import Policy, Rating, Review
from studytool.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studytool.store import Store

DECK = "test"
POLICY = Policy(weights=DEFAULT_WEIGHTS)


def located(
    card_id: str,
    path: str = "a.md",
    *,
    line: int = 1,
    chapter: str = "one",
    answer: str = "An answer.",
    needs: Iterable[str] = (),
    cloze: int = 0,
) -> Located:
    """A card as the parser would hand it over; `cloze` is its number of siblings."""
    if cloze:
        answer = " ".join(f"{{{{c{number}::hidden {number}}}}}" for number in range(1, cloze + 1))
    card = Card(
        id=CardId(card_id),
        question=f"What is {card_id}?",
        chapter=chapter,
        area="A",
        topic="topic",
        level=Level.EASY,
        kind=Kind.CLOZE if cloze else Kind.EXPLAIN,
        answer=answer,
        no_demo="a test",
        needs=tuple(CardId(need) for need in needs),
    )
    digest = hashlib.blake2b(msgspec.json.encode(card), digest_size=16).hexdigest()
    return Located(card, Place(path, line), digest)


def add_cards(store: Store, *cards: Located, path: str = "a.md") -> None:
    store.sync_files(DECK, "folder", [(path, "hash of " + path, cards)], [])


def answer(
    store: Store, card: str, rating: Rating = Rating.GOOD, policy: Policy = POLICY
) -> Review:
    """The body of an answer to a card, its policy logged."""
    return Review(card=card, rating=rating, duration_ms=1500, policy=store.ensure_policy(policy))


def start() -> FixedClock:
    return FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))


@contextmanager
def profile() -> Iterator[Paths]:
    """The folders of a new profile with an empty database, copied rather than migrated.

    For hypothesis, whose examples share the fixtures of one test.
    """
    with TemporaryDirectory(prefix="studytool-") as folder:
        paths = _paths(Path(folder))
        paths.data.mkdir()
        paths.database.write_bytes(_empty_database())
        yield paths


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory(prefix="studytool-") as folder:
        paths = _paths(Path(folder))
        open_store(paths, start()).close()
        return paths.database.read_bytes()


def _paths(root: Path) -> Paths:
    return Paths(root / "data", root / "config", root / "cache", root / "state")


#: Cards of two chapters, one of them with two cloze siblings.
CARDS = ("alpha", "beta", "gamma", "delta", "cloze/c1", "cloze/c2")


def sample_cards() -> list[Located]:
    return [
        located("alpha"),
        located("beta", line=9, needs=["gamma"]),
        located("gamma", line=20, chapter="two"),
        located("delta", line=30, chapter="two"),
        located("cloze", line=40, chapter="two", cloze=2),
    ]


ratings = st.sampled_from(list(Rating))
card_ids = st.sampled_from(CARDS)
