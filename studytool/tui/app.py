"""The app: themes, what every screen shares, and how faults are told.

Only what the first paint needs is imported here; a screen's module comes when it is opened.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.app import App
from textual.binding import Binding, BindingType
from textual.reactive import Reactive
from textual.theme import BUILTIN_THEMES

from studytool.errors import StorageCorrupt, StudytoolError
from studytool.services.safe import clean
from studytool.tui.messages import NumbersArrived
from studytool.tui.screens.home import HomeScreen
from studytool.tui.theme import THEMES
from studytool.tui.work import Settles, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from textual.app import SystemCommand
    from textual.command import Provider
    from textual.screen import Screen

    from studytool.demo.params import Value
    from studytool.services.context import App as Context
    from studytool.services.types import SessionQuery
    from studytool.tui.interview_ports import Start as InterviewStart
    from studytool.tui.ports import Desk, Opened

Start = Literal["home", "review", "browse", "demos", "demo", "settings", "interview", "story"]
DEFAULT_THEME = "dark"
# An app works out its colours while it is made, so its themes have to be known before that.
BUILTIN_THEMES.update(THEMES)


def _commands() -> type[Provider]:
    from studytool.tui.commands import LiveCommands

    return LiveCommands


class StudyApp(App[None]):
    """One desk, and a stack of screens with Home at the bottom."""

    TITLE = "studytool"
    theme: Reactive[str] = Reactive(DEFAULT_THEME)
    CSS_PATH = "studytool.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "question_mark,f1", "help", "help", tooltip="all keys of this screen", id="app.help"
        ),
        Binding("ctrl+q", "quit", "quit", show=False, priority=True, id="app.quit"),
    ]

    def __init__(
        self,
        desk: Desk,
        *,
        start: Start = "home",
        query: SessionQuery | None = None,
        demo: str = "",
        params: Mapping[str, Value] | None = None,
        interview: InterviewStart | None = None,
    ) -> None:
        super().__init__()
        self.desk = desk
        self.start_screen: Start = start
        self.start_query = query
        self.start_demo = demo
        self.start_params = dict(params or {})
        self.start_interview = interview
        self.fault: StudytoolError | None = None
        #: The settings are read; the first card is painted, or nobody waits for one; the store is open.
        self.prepared = asyncio.Event()
        self.dealt = asyncio.Event()
        self.ready = asyncio.Event()
        self.warm = asyncio.Event()
        wanted = self._known_theme(desk.theme_hint())
        if wanted != self.theme:
            # Without the watchers: nothing is drawn yet, and the style sheet is parsed once.
            self.set_reactive(StudyApp.theme, wanted)
            self.stylesheet.set_variables(self.get_css_variables())

    def _known_theme(self, wanted: str) -> str:
        return wanted if wanted in self.available_themes else DEFAULT_THEME

    def apply_settings(self) -> None:
        """Take theme and keys from the desk's settings."""
        settings = self.desk.settings
        self.theme = self._known_theme(settings.ui.theme)
        self.set_keymap(settings.keys)

    def get_default_screen(self) -> HomeScreen:
        return HomeScreen()

    @property
    def home(self) -> HomeScreen:
        """The screen at the bottom of the stack."""
        bottom = self.screen_stack[0]
        assert isinstance(bottom, HomeScreen)
        return bottom

    def on_ready(self) -> None:
        """The first frame is painted: everything heavy begins here.

        Whoever starts the app may keep the garbage collector off until now, which saves a
        twentieth of the start.
        """
        gc.enable()
        if self.start_screen != "review":
            self.dealt.set()
        work(self, self._open, "store")
        work(self, self._warm_up, "warm")
        match self.start_screen:
            case "review":
                self.open_review(self.start_query)
            case "browse":
                self.action_browse()
            case "demos":
                self.action_demos()
            case "demo":
                self.open_demo(self.start_demo, self.start_params)
            case "settings":
                self.action_settings()
            case "interview":
                self.open_interview(self.start_interview)
            case "story":
                self.action_story()

    async def _open(self) -> None:
        """Settings, then first numbers or first card, then store and deck. A fault ends the app."""
        try:
            await self.desk.prepare()
            self.apply_settings()
            self.home.desk_is_prepared()
            self.prepared.set()
            if self.dealt.is_set():
                overview = await self.desk.glance()
                if overview is not None:
                    self.home.post_message(NumbersArrived(overview))
            await self.dealt.wait()
            opened = await self.desk.open()
            if self.start_screen == "review":
                self.ready.set()
            overview = await self.desk.overview()
        except StudytoolError as fault:
            self._end_with(fault)
            return
        self.show_opened(opened)
        self.home.post_message(NumbersArrived(overview))
        self.ready.set()

    def _end_with(self, fault: StudytoolError) -> None:
        """Give the screen back; `main` then raises the fault."""
        self.fault = fault
        self.exit(return_code=fault.exit_code)

    async def _warm_up(self) -> None:
        """Once the store is open: the copy of the day, what other screens import, the demos."""
        from studytool.tui import warm

        await self.ready.wait()
        try:
            warnings = await self.desk.keep_daily_copy()
        except StorageCorrupt as fault:
            self._end_with(fault)
            return
        for warning in warnings:
            self.notify(clean(warning), severity="warning", markup=False)
        await asyncio.to_thread(warm.up)
        await self.desk.demo_lines()
        if not self.is_headless:
            # What is loaded now stays to the end; a collection of garbage need not walk it again.
            gc.freeze()
        self.warm.set()

    def show_opened(self, opened: Opened) -> None:
        """What is known of the deck after it has been read."""
        self.home.store_is_open(opened)

    def load_numbers(self) -> None:
        """Ask for Home's numbers again; only the newest request counts."""
        work(self, self._numbers, "numbers", exclusive=True)

    async def _numbers(self) -> None:
        try:
            self.home.post_message(NumbersArrived(await self.desk.overview()))
        except StudytoolError as fault:
            self.tell(fault)

    def tell(self, fault: StudytoolError) -> None:
        """Show a fault with what to do about it."""
        from studytool.tui.screens.tell import TellScreen

        self.push_screen(TellScreen(fault.title, fault.message, fault.hint))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: the palette's commands are in commands.py."""
        del screen
        return ()

    def open_review(
        self, query: SessionQuery | None = None, *, chapters: tuple[str, ...] = ()
    ) -> None:
        """Begin a session over what is due, or over one chapter or the cards of `query`."""
        from studytool.services.types import SessionQuery
        from studytool.tui.screens.review import ReviewScreen

        self.push_screen(ReviewScreen(query or SessionQuery(chapters=chapters)))

    def open_demo(
        self, demo_id: str, params: Mapping[str, Value] | None = None, *, card: str = ""
    ) -> None:
        """Open a demo with these parameters and run it; `card` is where it was asked from."""
        from studytool.tui.screens.demo import DemoScreen

        self.push_screen(DemoScreen(demo_id, dict(params or {}), card=card))

    def open_interview(self, start: InterviewStart | None = None) -> None:
        """Open the set-up of an interview, or with `start` an interview or the one that waits."""
        if start is not None and (start.resume or start.setup is not None):
            from studytool.tui.screens.interview import InterviewScreen

            self.push_screen(InterviewScreen(start))
            return
        from studytool.tui.screens.interview_setup import InterviewSetupScreen

        self.push_screen(InterviewSetupScreen())

    def action_interview(self) -> None:
        self.open_interview()

    def action_home(self) -> None:
        """Back to Home, asking each screen above it to leave."""
        if len(self.screen_stack) > 1:
            work(self, self._go_home, "leave", exclusive=True)

    async def _go_home(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    async def action_quit(self) -> None:
        """End the app, once what was typed is on the disk."""
        work(self, self._quit, "quit", exclusive=True)

    async def _quit(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Settles):
                await screen.settled()
        self.exit()

    def action_study(self) -> None:
        self.open_review()

    def action_browse(self) -> None:
        from studytool.tui.screens.browse import BrowseScreen

        self.push_screen(BrowseScreen())

    def action_demos(self) -> None:
        from studytool.tui.screens.demos import DemosScreen

        self.push_screen(DemosScreen())

    def action_story(self) -> None:
        from studytool.tui.screens.story import StoryScreen

        self.push_screen(StoryScreen())

    def action_settings(self) -> None:
        from studytool.tui.screens.settings import SettingsScreen

        self.push_screen(SettingsScreen())

    def action_help(self) -> None:
        from studytool.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_toggle_theme(self) -> None:
        self.theme = "light" if self.current_theme.dark else "dark"

    async def on_unmount(self) -> None:
        await self.desk.close()


def give_way() -> None:
    """Let a thread that computes hand the interpreter to the screen in half a millisecond, not in five."""
    sys.setswitchinterval(0.000_5)


def main(
    start: Start = "home",
    app: Context | None = None,
    *,
    deck_dir: Path | None = None,
    query: SessionQuery | None = None,
    demo: str = "",
    params: Mapping[str, Value] | None = None,
    interview: InterviewStart | None = None,
) -> int:
    """Open the app at `start`; returns its exit code.

    Without `app` the user's own profile and `deck_dir` (or the built-in deck) are opened. Raises
    StorageError when the database can't be used, after the screen has been given back.
    """
    from studytool.tui.desk import StoreDesk

    ui = StudyApp(
        StoreDesk(app, deck_dir),
        start=start,
        query=query,
        demo=demo,
        params=params,
        interview=interview,
    )
    give_way()
    ui.run()
    if ui.fault is not None:
        raise ui.fault
    return ui.return_code or 0
