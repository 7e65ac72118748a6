"""Background work of a screen: a known fault is told, an unknown one ends the app with its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from studytool.errors import StudytoolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.dom import DOMNode
    from textual.worker import Worker

    from studytool.tui.app import StudyApp


@runtime_checkable
class Settles(Protocol):
    """A screen on which something typed may still be on its way to the disk."""

    async def settled(self) -> None:
        """Wait until nothing is."""
        ...


def work(
    node: DOMNode, call: Callable[[], Awaitable[Any]], group: str, *, exclusive: bool = False
) -> Worker[None]:
    """Run `call` beside the events of `node`, and no longer than `node` lives.

    With `exclusive` an earlier one of the same group is cancelled.
    """

    async def told() -> None:
        try:
            await call()
        except StudytoolError as fault:
            cast("StudyApp", node.app).tell(fault)

    run: Callable[[], Awaitable[None]] = told
    return node.run_worker(cast("Any", run), group=group, exclusive=exclusive)
