"""What the review screen knows of the card on the table, apart from how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studytool.deck.model import Kind
from studytool.services import verdicts
from studytool.tui import grade

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.grading.model import Graded
    from studytool.schedule.model import Override, Rating
    from studytool.tui.ports import Sheet


@dataclass(slots=True)
class Table:
    """One card in hand: its sheet, what was typed, chosen and ticked, and the time it took.

    The time runs only while the card is in view: `resume` and `pause` are told the monotonic
    clock. `graded` is the grader's verdict on what was typed, `judging` says that one is on its
    way, `notice` why it rests on words alone. `by_hand` holds the ticks that the user has set or
    taken away; no verdict touches these.
    """

    sheet: Sheet
    revealed: bool = False
    typed: str = ""
    chosen: set[int] = field(default_factory=set)
    ticked: set[int] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    by_hand: dict[int, bool] = field(default_factory=dict)
    graded: Graded | None = None
    judging: bool = False
    notice: str = ""
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
    def gradable(self) -> bool:
        """Whether a grader can say something of the answer; options and numbers are checked here."""
        if self.kind is Kind.CHOICE or not self.typed.strip():
            return False
        return not (self.kind is Kind.COMPUTE and self.sheet.question.card.result is not None)

    @property
    def wants_verdict(self) -> bool:
        """Whether the answer is to be graded now."""
        return self.revealed and self.gradable and self.graded is None and not self.judging

    @property
    def pointwise(self) -> bool:
        """Whether there is a verdict on each key point."""
        return self.graded is not None and verdicts.fits(self.graded, self.sheet.question.card)

    def take(self, graded: Graded) -> None:
        """Take in a verdict: it ticks what it finds, but for the ticks set by hand."""
        self.graded = graded
        if self.pointwise:
            found = set(verdicts.ticked(graded)) - self.by_hand.keys()
            self.ticked = found | {at for at, on in self.by_hand.items() if on}

    def tick(self, ticked: Collection[int]) -> None:
        """The user has ticked these key points, and no others."""
        for at in self.ticked ^ set(ticked):
            self.by_hand[at] = at in ticked
        self.ticked = set(ticked)

    def change_sheet(self, sheet: Sheet) -> None:
        """The session has read the card again; of another text what was judged is void."""
        if sheet.question.card != self.sheet.question.card:
            self.graded, self.ticked, self.by_hand = None, set(), {}
        self.sheet = sheet

    @property
    def settled(self) -> Graded | None:
        """The verdict with the ticks set by hand."""
        if self.graded is None:
            return None
        return verdicts.settle(self.graded, self.by_hand) if self.pointwise else self.graded

    @property
    def corrections(self) -> tuple[Override, ...]:
        """The verdicts that the user has changed."""
        if self.graded is None or not self.pointwise:
            return ()
        card = self.sheet.question.card_id
        return verdicts.corrections(card, self.graded, self.by_hand)

    @property
    def suggested(self) -> Rating | None:
        """What the answer seems worth, once it is revealed."""
        return self._judged()[0]

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        return self._judged()[1]

    def _judged(self) -> tuple[Rating | None, str]:
        if not self.revealed:
            return None, ""
        card, settled = self.sheet.question.card, self.settled
        if self.kind is Kind.CHOICE:
            return grade.by_options(card.options, self.chosen), ""
        if self.kind is Kind.COMPUTE and card.result is not None and self.typed:
            return grade.by_number(self.typed, card.result), ""
        if settled is not None:
            return settled.rating, verdicts.reason(settled)
        return grade.by_points(card.key_points, self.ticked), grade.share(
            card.key_points, self.ticked
        )

    @property
    def said(self) -> str:
        """What is stored as the answer: the text, or the options that were chosen."""
        if self.kind is Kind.CHOICE:
            card = self.sheet.question.card
            return "\n".join(card.options[at].text for at in sorted(self.chosen))
        return self.typed
