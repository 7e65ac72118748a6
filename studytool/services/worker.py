"""The one thread that owns the store, for an interface that must not wait for a disk."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class StoreWorker:
    """Runs calls one after another on a single thread of its own.

    Open the store inside the first call, and close it in `close`, so that every statement
    runs on the thread that made the connection.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._closed = False

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for `call(*args, **kwargs)` without holding up the event loop.

        What the call raises is raised here. A cancelled wait does not stop a call that has
        begun; the next call still waits for it. Raises RuntimeError after `close`.
        """
        if self._closed:
            raise RuntimeError("the store's thread is closed")
        return await asyncio.wrap_future(self._pool.submit(call, *args, **kwargs))

    async def close(self, last: Callable[[], object] | None = None) -> None:
        """Wait for all calls handed in, run `last` (closing the store), and end the thread."""
        if self._closed:
            return
        self._closed = True
        try:
            if last is not None:
                await asyncio.wrap_future(self._pool.submit(last))
        finally:
            await asyncio.to_thread(self._pool.shutdown)
