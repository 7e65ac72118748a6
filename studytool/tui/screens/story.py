"""The story: the steps of the history at the left, the step itself with its cards and demos beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from studytool.errors import StudytoolError
from studytool.services.story import Page
from studytool.tui.screens.list_screen import ListScreen
from studytool.tui.text import count, fit, plain_line
from studytool.tui.widgets.line_list import LineList
from studytool.tui.widgets.story_step import StoryStep
from studytool.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import Widget

    from studytool.services.story import Told

NAME_WIDTH = 14


class StoryScreen(ListScreen[Page]):
    """Down reads on, step by step; enter goes to the links of a step, and opens one of them."""

    NAME = "Story"
    PLACEHOLDER = "word, model, year, card, demo"
    AUTO_FOCUS = "LineList"

    DEFAULT_CSS = """
    StoryScreen LineList { height: 1fr; min-height: 5; max-height: 13; }
    StoryScreen #preview { height: 2fr; }
    StoryScreen.wide LineList { width: 46; max-height: 100%; }
    StoryScreen.wide #preview { width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tell", "tell it", tooltip="be asked to tell the story", id="story.tell"),
        Binding("n", "next_story", "next story", tooltip="the story of another deck",
                id="story.next"),
        Binding("right,l", "links", "links", show=False, tooltip="to the cards and demos"),
        Binding("space", "scroll(8)", "read on", show=False),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.stories: Sequence[Told] = ()
        self.at = 0

    @property
    def story(self) -> Told | None:
        return self.stories[self.at] if self.stories else None

    def compose_preview(self) -> Widget:
        return VerticalScroll(StoryStep(), id="preview", can_focus=False)

    async def load(self) -> None:
        try:
            self.stories = await self.app.desk.stories()
        except StudytoolError as fault:
            self.app.tell(fault)
        self._show_story()

    def _show_story(self) -> None:
        told = self.story
        self.all_rows = list(told.pages) if told is not None else []
        if told is not None:
            left = Content.assemble(
                ("Story", "bold"),
                "   ",
                plain_line(told.title),
                (f"   {told.words} words", "$muted"),
            )
            self.query_one(TitleBar).show(left=left)
        self.filter_now()

    def draw_row(self, row: Page, width: int) -> Content:
        cards = sum(link.kind == "card" for link in row.links)
        demos = len(row.links) - cards
        parts = [count(cards, "card")] if cards else []
        parts += [count(demos, "demo")] if demos else []
        year = Content.styled(f"{row.step.year}  ", "$muted")
        name = fit(plain_line(row.step.name), NAME_WIDTH)
        return (year + name + Content.styled(" " + " · ".join(parts), "$muted")).truncate(width)

    async def matching(self, words: Sequence[str]) -> Sequence[Page]:
        return [page for page in self.all_rows if all(word in _hay(page) for word in words)]

    async def preview(self, row: Page | None) -> None:
        """Show a step; the lesson stands under the last one."""
        told, sheet = self.story, self.query_one(StoryStep)
        if told is None or row is None:
            sheet.show(None, "", "")
        else:
            at = told.pages.index(row) + 1
            last = told.lesson if at == len(told.pages) else ""
            sheet.show(row, f"{at} of {len(told.pages)}", last)
        self.query_one("#preview").scroll_home(animate=False)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        told = self.story
        if action == "tell":
            return told is not None and bool(told.asked)
        if action == "next_story":
            return len(self.stories) > 1
        return True

    def open_row(self, row: Page) -> None:
        self.action_links()

    def action_links(self) -> None:
        """From the steps to the cards and demos of the one that is shown."""
        if self.query_one(StoryStep).links:
            self.query_one(StoryStep).focus()

    def on_story_step_left(self, message: StoryStep.Left) -> None:
        message.stop()
        self.query_one(LineList).focus()

    def on_story_step_pressed(self, message: StoryStep.Pressed) -> None:
        """Read the card, or run the demo; escape comes back here."""
        message.stop()
        link = message.link
        if link.kind == "demo":
            self.app.open_demo(link.id)
            return
        from studytool.tui.screens.browse import BrowseScreen

        self.app.push_screen(BrowseScreen(cards=(link.id,)))

    def action_tell(self) -> None:
        """Be asked the cards that want this story told."""
        from studytool.services.types import SessionQuery

        if self.story is not None:
            self.app.open_review(SessionQuery(cards=self.story.asked))

    def action_next_story(self) -> None:
        self.at = (self.at + 1) % len(self.stories)
        self._show_story()

    def action_scroll(self, by: int) -> None:
        self.query_one("#preview").scroll_relative(y=by, animate=False)


def _hay(page: Page) -> str:
    """What a filter looks through, in lower case."""
    step = page.step
    texts = [step.name, str(step.year), step.broke, step.fixed, step.trained, *step.sources]
    texts += [part for link in page.links for part in (link.id, link.words)]
    return "\n".join(texts).lower()
