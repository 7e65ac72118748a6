"""Home: what should I do now?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from studytool.clock import study_day
from studytool.tui.text import count, plain, plain_line
from studytool.tui.widgets.home_list import Action, HomeList
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from datetime import date

    from textual.app import ComposeResult

    from studytool.services.types import Overview
    from studytool.tui.app import StudyApp
    from studytool.tui.messages import NumbersArrived
    from studytool.tui.ports import Opened


def day_name(day: date, today: date) -> str:
    """`today`, `tomorrow`, or `on Tue 24 Nov`."""
    if day <= today:
        return "today"
    if day == today + timedelta(days=1):
        return "tomorrow"
    return f"on {day:%a} {day.day} {day:%b}"


class HomeScreen(Screen[None]):
    """Painted at once with what is known; numbers fill in as they arrive."""

    app: StudyApp

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "study", "study", show=False, tooltip="study what is due", id="home.study"),
        Binding(
            "i", "interview", "interview", tooltip="set up a mock interview", id="home.interview"
        ),
        Binding("D", "app.demos", "demos", tooltip="browse the demos", id="home.demos"),
        Binding("S", "story", "story", tooltip="read the history in two minutes", id="home.story"),
        Binding("slash", "browse", "search", tooltip="browse the cards", id="home.browse"),
        Binding("comma", "app.settings", "settings", id="home.settings"),
        Binding("q", "app.quit", "quit", id="home.quit"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.today: date | None = None
        self.overview: Overview | None = None
        self.opened: Opened | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("studytool", "bold"))
        with VerticalScroll(can_focus=False):
            yield HomeList()
            yield Passage(id="notice")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(HomeList).focus()
        self._draw()

    def on_screen_resume(self) -> None:
        """Back from another screen: the numbers are other ones."""
        if self.opened is not None:
            self.desk_is_prepared()
            self.app.load_numbers()

    def on_numbers_arrived(self, message: NumbersArrived) -> None:
        self.overview = message.overview
        self._draw()

    def store_is_open(self, opened: Opened) -> None:
        """The deck has been read; its faults can be told."""
        self.opened = opened
        self._draw()

    def desk_is_prepared(self) -> None:
        """The settings are read, so it is known what day it is."""
        desk = self.app.desk
        hour = desk.settings.study.rollover_hour
        self.today = study_day(desk.clock.now(), hour, desk.clock.zone())
        self._draw()

    def _draw(self) -> None:
        overview, today = self.overview, self.today
        right = f"{today:%a} {today.day} {today:%b}" if today is not None else ""
        if overview is not None and overview.streak > 0:
            right += f" · {overview.streak}-day streak"
        self.query_one(TitleBar).show(right=Content.styled(right, "$muted"))
        chapters = overview.chapters if overview is not None else ()
        week = overview.week if overview is not None else ()
        self.query_one(HomeList).show(self._actions(), chapters, week)
        self.query_one("#notice", Passage).show(self._notice())
        self.refresh_bindings()

    def _actions(self) -> list[Action]:
        overview = self.overview
        total = overview.counts.total if overview is not None else 0
        cards = overview.total_cards if overview is not None else 0
        has_cards = self.opened is None or cards > 0
        return [
            Action("study", "Study", self._study_words(), "enter" if total else "", bool(total)),
            Action("interview", "Interview", self._interview_words(), "i", has_cards),
            Action("demos", "Demos", Content("run what the answers claim"), "D"),
            Action("story", "Story", self._story_words(), "S", self._has_story),
            Action(
                "browse",
                "Cards",
                Content(f"{count(cards, 'card')}, filter and read" if cards else "filter and read"),
                "/",
                has_cards,
            ),
        ]

    def _study_words(self) -> Content:
        overview = self.overview
        if overview is None or (self.opened is None and not overview.total_cards):
            return Content.styled("counting…" if self.opened is None else "", "$muted")
        counts = overview.counts
        if not overview.total_cards:
            return Content.styled("no cards yet", "$muted")
        if not counts.total:
            words = "all done"
            if overview.next_due is not None and self.today is not None:
                words += f" · next cards {day_name(overview.next_due, self.today)}"
            return Content.assemble(("✓ ", "bold $right"), words)
        parts = []
        if counts.review:
            parts.append(Content.styled(f"{counts.review} due", "bold $due"))
        if counts.learning:
            parts.append(Content.styled(f"{counts.learning} learning", "bold $learning"))
        if counts.new:
            parts.append(Content.styled(f"{counts.new} new", "bold $new"))
        if overview.minutes:
            parts.append(Content(f"about {overview.minutes} min"))
        return Content(" · ").join(parts)

    @property
    def _has_story(self) -> bool:
        """Until the deck has been read it passes for one that tells a story."""
        return self.opened is None or self.opened.story

    def _story_words(self) -> Content:
        if self._has_story:
            return Content("what broke and what fixed it, in two minutes")
        return Content.styled("this deck tells none", "$muted")

    def _interview_words(self) -> Content:
        overview = self.overview
        last = overview.interview if overview is not None else None
        if last is not None and last.waiting:
            return Content.styled(f"waits at question {last.waiting} of {last.total}", "$due")
        if last is None or last.day is None or self.today is None:
            return Content("rehearse, typed or out loud")
        from studytool.services.timefmt import relative_day

        ago = relative_day(last.day, self.today)
        return Content(f"last: {round(100 * last.score)} %, {ago}")

    def _notice(self) -> Content:
        """One friendly passage for the state the deck is in, with one next step."""
        overview, opened = self.overview, self.opened
        if opened is None or overview is None:
            return Content("")
        lines: list[Content] = []
        if not overview.total_cards:
            lines += [
                plain("There are no cards in this deck yet.", "bold"),
                plain(f"It is read from {opened.folder}", "$muted"),
                Content.assemble("Write the first card:  ", ("studytool deck new", "bold $accent")),
            ]
        elif not any(row.seen for row in overview.chapters):
            lines += [
                Content.styled("Welcome.", "bold"),
                Content(
                    "Each card asks what an interviewer might. Think or type, reveal, tick what "
                    "you said, rate yourself; the schedule does the rest. Where a card has a demo, "
                    "d runs it."
                ),
                Content.assemble(("Press enter", "bold $accent"), " for the first card."),
            ]
        elif not overview.counts.total:
            lines += [
                Content.styled("Nothing is due. Well done.", "bold"),
                Content.assemble(("Press D", "bold $accent"), " to watch an answer being run."),
            ]
        lines.extend(plain_line(f"! {warning}", "$due") for warning in opened.warnings)
        return Content("\n").join([Content(""), *lines]) if lines else Content("")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Study only while something is due, the card browser only while there are cards."""
        del parameters
        if action == "study":
            return self.overview is not None and bool(self.overview.counts.total)
        if action == "story":
            return self.opened is not None and self.opened.story
        if action in ("browse", "interview"):
            return self.overview is not None and bool(self.overview.total_cards)
        return True

    def action_study(self) -> None:
        self.app.open_review()

    def action_interview(self) -> None:
        self.app.open_interview()

    def action_story(self) -> None:
        self.app.action_story()

    def action_browse(self) -> None:
        self.app.action_browse()

    def on_home_list_pressed(self, message: HomeList.Pressed) -> None:
        if message.kind == "chapter":
            self.app.open_review(chapters=(message.chapter,))
        elif message.kind == "study":
            self.app.open_review()
        elif message.kind == "interview":
            self.app.open_interview()
        elif message.kind == "demos":
            self.app.action_demos()
        elif message.kind == "story":
            self.app.action_story()
        else:
            self.app.action_browse()
