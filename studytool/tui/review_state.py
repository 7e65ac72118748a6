"""What the review screen knows of the card on the table, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studytool.deck.model import Kind
from studytool.tui import grade

if TYPE_CHECKING:
    from studytool.schedule.model import Rating
    from studytool.tui.ports import Sheet


@dataclass(slots=True)
class Table:
    """One card in hand: its sheet, what was typed, chosen and ticked, and the time it took.

    The time runs only while the card is in view: `resume` and `pause` are told the monotonic
    clock.
    """

    sheet: Sheet
    revealed: bool = False
    typed: str = ""
    chosen: set[int] = field(default_factory=set)
    ticked: set[int] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    _spent: float = 0.0
    _since: float | None = None

    @property
    def kind(self) -> Kind:
        return self.sheet.question.card.kind

    def resume(self, now: float) -> None:
        if self._since is None:
            self._since = now

    def pause(self, now: float) -> None:
        if self._since is not None:
            self._spent += now - self._since
            self._since = None

    def seconds(self, now: float) -> float:
        """How long the card has been in view."""
        return self._spent + (now - self._since if self._since is not None else 0.0)

    @property
    def suggested(self) -> Rating | None:
        """What the answer seems worth, once it is revealed."""
        if not self.revealed:
            return None
        card = self.sheet.question.card
        if self.kind is Kind.CHOICE:
            return grade.by_options(card.options, self.chosen)
        if self.kind is Kind.COMPUTE and card.result is not None and self.typed:
            return grade.by_number(self.typed, card.result)
        return grade.by_points(card.key_points, self.ticked)

    @property
    def said(self) -> str:
        """What is stored as the answer: the text, or the options that were chosen."""
        if self.kind is Kind.CHOICE:
            card = self.sheet.question.card
            return "\n".join(card.options[at].text for at in sorted(self.chosen))
        return self.typed
