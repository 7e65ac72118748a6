"""The demos: what can be run, what it shows, what is missing for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content

from studytool.errors import StudytoolError
from studytool.tui.ports import DemoLine
from studytool.tui.screens.list_screen import ListScreen
from studytool.tui.text import fit, plain, plain_line, spread
from studytool.tui.widgets.lines import Passage
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget


def last_run(line: DemoLine) -> Content:
    """`✓ 21 Nov`, `✗ 21 Nov`, `stopped 21 Nov`, or nothing."""
    if line.last is None:
        return Content("")
    day = f"{line.last.day} {line.last:%b}"
    if line.passed is None:
        return Content.styled(f"stopped {day}", "$muted")
    sign, colour = ("✓", "$right") if line.passed else ("✗", "$wrong")
    return Content.assemble((f"{sign} ", colour), (day, "$muted"))


class DemosScreen(ListScreen[DemoLine]):
    """Filters by id, title, chapter and summary; enter opens a demo and runs it."""

    NAME = "Demos"
    warnings: tuple[str, ...] = ()
    PLACEHOLDER = "id, title, chapter, what it shows"

    def compose_preview(self) -> Widget:
        return VerticalScroll(Passage(id="about"), id="preview", can_focus=False)

    async def load(self) -> None:
        try:
            lines, warnings = await self.app.desk.demo_lines()
        except StudytoolError as fault:
            self.app.tell(fault)
            return
        self.all_rows = list(lines)
        self.warnings = tuple(warnings)
        self.filter_now(keep_cursor=True)

    def on_screen_resume(self) -> None:
        """Back from a demo: its last run is another one."""
        if self.all_rows:
            work(self, self.load, "load", exclusive=True)

    async def matching(self, words: Sequence[str]) -> Sequence[DemoLine]:
        def hay(line: DemoLine) -> str:
            info = line.info
            return f"{info.id} {info.title} {info.chapter} {info.summary}".lower()

        return [line for line in self.all_rows if all(word in hay(line) for word in words)]

    def draw_row(self, row: DemoLine, width: int) -> Content:
        right = last_run(row) if row.installed else Content.styled("not installed", "$due")
        left = fit(plain_line(row.info.chapter, "$muted"), 12) + " " + plain_line(row.info.title)
        return spread(left, right, width)

    async def preview(self, row: DemoLine | None) -> None:
        """What the demo shows, how long it takes, and what is missing for it."""
        if row is None:
            words = "No demo matches." if self.all_rows else "No demos are registered."
            self.query_one("#about", Passage).show(Content.styled(words, "$muted"))
            return
        info = row.info
        parts = [
            plain(info.title, "bold"),
            Content(""),
            plain(info.summary),
            Content(""),
            plain_line(f"{info.id} · {info.chapter} · about {info.seconds:.0f} s", "$muted"),
            plain_line(info.paper, "$muted"),
        ]
        if info.explore:
            parts += [plain_line(f"Afterwards: {info.explore}.", "$muted")]
        parts.append(Content(""))
        if row.installed:
            parts.append(Content.assemble(("enter", "bold $accent"), " runs it."))
        else:
            parts += [
                Content.styled("Its packages are not installed. This installs them:", "$due"),
                plain(f"  {row.missing}", "bold"),
            ]
        parts += [plain_line(f"! {warning}", "$due") for warning in self.warnings]
        self.query_one("#about", Passage).show(Content("\n").join(parts))

    def open_row(self, row: DemoLine) -> None:
        self.app.open_demo(row.info.id)
