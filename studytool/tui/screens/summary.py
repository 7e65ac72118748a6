"""The end of a session: how it went, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from studytool.schedule.model import Rating
from studytool.tui.text import bar, count, plain_line, seconds
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.rate_bar import COLOURS, NAMES
from studytool.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from studytool.services.types import Summary
    from studytool.tui.app import StudyApp

WIDTH = 30


class SummaryScreen(Screen[None]):
    """Numbers of the session, the cards to look at again, and one next step."""

    app: StudyApp

    DEFAULT_CSS = "SummaryScreen VerticalScroll { padding: 1 2; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "go on", id="summary.next"),
        Binding("l", "lapsed", "look again", tooltip="read the cards that were not known",
                id="summary.lapsed"),
        Binding("escape", "back", "back", id="summary.back"),
    ]  # fmt: skip

    def __init__(self, summary: Summary, *, single: bool = False) -> None:
        super().__init__()
        self.summary = summary
        self.single = single

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("Done", "bold"), self._figures())
        with VerticalScroll(can_focus=False):
            yield Passage(Content("\n").join(self._lines()))
        yield KeyBar()

    def _figures(self) -> Content:
        summary = self.summary
        each = summary.seconds / summary.answered if summary.answered else 0.0
        return Content.styled(
            f"{count(summary.answered, 'answer')} · {seconds(summary.seconds)} · "
            f"{seconds(each)} each",
            "$muted",
        )

    def _lines(self) -> list[Content]:
        summary = self.summary
        counts = {
            Rating.AGAIN: summary.again,
            Rating.HARD: summary.hard,
            Rating.GOOD: summary.good,
            Rating.EASY: summary.easy,
        }
        most = max(*counts.values(), 1)
        lines = []
        for rating, amount in counts.items():
            full, _ = bar(amount / most, WIDTH)
            lines.append(
                Content.assemble(f"{NAMES[rating]:<6}", f"{amount:>4}  ", (full, COLOURS[rating]))
            )
        if summary.lapsed_cards:
            lines += [Content(""), Content.styled("Look again at", "bold")]
            lines += [plain_line(f"  {card}") for card in summary.lapsed_cards[:8]]
            more = len(summary.lapsed_cards) - 8
            if more > 0:
                lines.append(Content.styled(f"  and {more} more", "$muted"))
        left, tomorrow = summary.remaining, summary.tomorrow
        lines.append(Content(""))
        if left.total:
            words = ", ".join(
                f"{amount} {name}"
                for amount, name in (
                    (left.review, "due"), (left.learning, "learning"), (left.new, "new")
                )
                if amount
            )  # fmt: skip
            lines.append(
                Content.assemble(f"Still there: {words}. ", ("enter", "bold $accent"), " goes on.")
            )
        else:
            lines.append(
                Content.assemble(
                    ("Nothing more is due today. ", "bold"),
                    ("enter", "bold $accent"),
                    " goes home.",
                )
            )
        lines.append(Content.styled(f"Tomorrow: {count(tomorrow, 'card')}.", "$muted"))
        return lines

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "lapsed" or bool(self.summary.lapsed_cards)

    def action_next(self) -> None:
        """Another round while cards are left, else back to where the session was begun."""
        if self.summary.remaining.total and not self.single:
            self.app.pop_screen()
            self.app.open_review()
        else:
            self.dismiss()

    def action_lapsed(self) -> None:
        """Read the cards that were rated again."""
        from studytool.tui.screens.browse import BrowseScreen

        self.app.push_screen(BrowseScreen(cards=self.summary.lapsed_cards))

    def action_back(self) -> None:
        self.dismiss()
