"""The keys of the interview screen: which work when, and the step that each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from studytool.interview.model import Phase
from studytool.tui.widgets.check_list import CheckList
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from studytool.services.interview import View
    from studytool.tui.app import StudyApp
    from studytool.tui.interview_ports import Talk

#: The event of the session that each action needs.
NEEDS = {
    "hint": "hint",
    "unknown": "unknown",
    "skip": "skip",
    "aloud": "spoke",
    "show_me": "showed",
    "sure": "sure",
    "no_guess": "sure",
    "ticked": "ticked",
    "go_on": "goon",
    "end": "finish",
}


class InterviewKeys(Screen[None]):
    """The half of the interview screen that answers keys; the other half draws."""

    app: StudyApp
    AUTO_FOCUS = ""
    talk: Talk | None = None
    view: View | None = None
    #: Steps that were begun and are not over.
    busy = 0

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,enter", "type", "type", tooltip="type an answer", id="interview.type"),
        *(
            Binding(str(level), f"sure({level})", f"sure {level}", show=False,
                    tooltip=f"sure to {level} of 5", id=f"interview.sure{level}")
            for level in range(1, 6)
        ),
        Binding("enter", "no_guess", "don't say", tooltip="go on without saying how sure"),
        Binding("enter", "ticked", "go on", tooltip="these points were said"),
        Binding("enter", "go_on", "go on", tooltip="the next question"),
        Binding("h", "hint", "hint (−)", tooltip="a hint; it costs score", id="interview.hint"),
        Binding("k", "unknown", "don't know", tooltip="say that you don't know",
                id="interview.unknown"),
        Binding("s", "skip", "skip", tooltip="on to the next question", id="interview.skip"),
        Binding("o", "aloud", "out loud", tooltip="answered out loud: tick the key points",
                id="interview.aloud"),
        Binding("m", "show_me", "show me", tooltip="run the demo of this question, and come back",
                id="interview.show"),
        Binding("z", "pause", "pause", tooltip="stop the clock, or let it run", id="interview.pause"),
        Binding("e", "end", "end", tooltip="end the interview and see the report",
                id="interview.end"),
        Binding("down,j", "scroll(1)", "line down", show=False),
        Binding("up", "scroll(-1)", "line up", show=False),
        Binding("pagedown", "scroll(12)", "page down", show=False),
        Binding("pageup", "scroll(-12)", "page up", show=False),
        Binding("escape", "back", "leave", tooltip="pause and leave; it waits for you",
                id="interview.back"),
    ]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether this key does anything now; the key bar shows only those that do."""
        del parameters
        view = self.view
        if action in NEEDS or action in ("type", "pause"):
            if view is None or self.busy:
                return False
            if action == "type":
                return view.phase is Phase.ASKING and not view.paused
            if action == "pause":
                return view.phase is not Phase.OVER
            if NEEDS[action] not in view.can:
                return False
            return action == "end" or not view.paused
        return True

    def do(self, call: Callable[[Talk], Awaitable[View]]) -> None:
        """Take a step in the background."""
        raise NotImplementedError

    def open_box(self) -> None:
        """Give the answer the keys."""
        raise NotImplementedError

    def action_type(self) -> None:
        self.open_box()

    def action_sure(self, level: int) -> None:
        self.do(lambda talk: talk.sure(level))

    def action_no_guess(self) -> None:
        self.do(lambda talk: talk.sure(None))

    def action_ticked(self) -> None:
        ticked = sorted(self.query_one(CheckList).ticked)
        self.do(lambda talk: talk.tick(ticked))

    def action_go_on(self) -> None:
        self.do(lambda talk: talk.go_on())

    def action_hint(self) -> None:
        self.do(lambda talk: talk.hint())

    def action_unknown(self) -> None:
        self.do(lambda talk: talk.unknown())

    def action_skip(self) -> None:
        self.do(lambda talk: talk.skip())

    def action_aloud(self) -> None:
        self.do(lambda talk: talk.spoke())

    def action_show_me(self) -> None:
        """Run the demo; the clock stands until the candidate comes back."""
        view = self.view
        if view is not None:
            self.do(lambda talk: talk.showed())
            self.app.open_demo(view.demo, view.params, card=view.card)

    def action_pause(self) -> None:
        view = self.view
        if view is not None:
            paused = view.paused
            self.do(lambda talk: talk.unpause() if paused else talk.pause())

    def action_end(self) -> None:
        """End now, after asking."""
        from studytool.tui.screens.confirm import ConfirmScreen

        def sure(yes: bool | None) -> None:
            if yes:
                self.do(lambda talk: talk.finish())

        question = "End the interview now? What was answered goes into the report."
        self.app.push_screen(ConfirmScreen(question, "end it", "go on"), sure)

    def action_scroll(self, by: int) -> None:
        self.query_one("#sheet").scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        """Pause and leave; everything said is saved."""
        if self.talk is None:
            self.dismiss()
        else:
            work(self, self._leave, "leave")

    async def _leave(self) -> None:
        if self.talk is not None:
            await self.talk.pause()
        self.dismiss()
