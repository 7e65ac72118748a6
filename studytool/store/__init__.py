"""Memory on disk: the event log, its projection, and a copy of the deck. Only this room knows SQLAlchemy.

peek.py, backup.py, lock.py and figures.py need the standard library alone; `Store` and
`open_store` load SQLAlchemy, so they are fetched when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studytool.store.store import Store, open_store

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from studytool.store import store

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
