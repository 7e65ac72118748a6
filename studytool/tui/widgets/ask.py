"""A prediction of a demo: asked before the result is shown, answered with an option or a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from studytool.tui.text import hang, plain, plain_line
from studytool.tui.widgets.lines import Lines, Passage

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from studytool.demo.events import Prediction

SKIP = "skip, just show me"


class Options(Lines, can_focus=True):
    """The options of a question, the last of them to skip it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("enter", "choose", "guess", id="ask.choose"),
        *(Binding(str(n), f"pick({n - 1})", f"guess option {n}", show=False) for n in range(1, 10)),
    ]

    class Chosen(Message):
        """An option was chosen; None skips."""

        def __init__(self, option: str | None) -> None:
            super().__init__()
            self.option = option

    def __init__(self, options: tuple[str, ...]) -> None:
        super().__init__()
        self.options = options
        self.cursor = 0

    def lay_out(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for at, option in enumerate((*self.options, SKIP)):
            here = at == self.cursor and self.has_focus
            lead = f"{'▸' if here else ' '} {at + 1} "
            style = "bold $accent" if here else "$muted"
            text = plain_line(option, "$muted" if at == len(self.options) else "")
            lines.extend(hang(text, width, Content.styled(lead, style)))
        return lines

    def action_move(self, by: int) -> None:
        self.cursor = min(len(self.options), max(0, self.cursor + by))
        self.repaint()

    def action_pick(self, at: int) -> None:
        if at <= len(self.options):
            self.cursor = at
            self.action_choose()

    def action_choose(self) -> None:
        chosen = self.options[self.cursor] if self.cursor < len(self.options) else None
        self.post_message(self.Chosen(chosen))

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Choose the line under the pointer (a wrapped option counts by its first line)."""
        place = event.get_content_offset(self)
        if place is None:
            return
        top = 0
        for at, option in enumerate((*self.options, SKIP)):
            top += len(hang(plain_line(option), self.content_size.width, "    "))
            if place.y < top:
                self.action_pick(at)
                return


class Ask(Vertical):
    """The question with its options or its field."""

    DEFAULT_CSS = """
    Ask { height: auto; padding: 0 1; margin-bottom: 1; background: $panel; }
    Ask Input { border: none; height: 1; padding: 0; background: $cursor-ground; width: 24; }
    """

    class Answered(Message):
        """The user's guess; None skips."""

        def __init__(self, prediction: str, value: str | float | None) -> None:
            super().__init__()
            self.prediction = prediction
            self.value = value

    def __init__(self, prediction: Prediction) -> None:
        super().__init__()
        self.prediction = prediction

    def compose(self) -> ComposeResult:
        question = Content.assemble(
            ("Before you see it: ", "bold $due"), plain(self.prediction.question)
        )
        yield Passage(question)
        if self.prediction.options:
            yield Options(tuple(self.prediction.options))
        else:
            unit = self.prediction.unit
            yield Input(
                placeholder=f"a number{f' in {unit}' if unit else ''}", select_on_focus=False
            )
            yield Passage(Content.styled("enter guesses; an empty field skips", "$muted"), id="why")

    def on_mount(self) -> None:
        for field in self.query("Options, Input"):
            field.focus()

    def on_options_chosen(self, message: Options.Chosen) -> None:
        message.stop()
        self.post_message(self.Answered(self.prediction.id, message.option))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """A number answers, an empty field skips, anything else is said to be no number."""
        message.stop()
        word = message.value.strip().replace(",", ".")
        if not word:
            self.post_message(self.Answered(self.prediction.id, None))
            return
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            why = plain_line(f"{message.value!r} is not a number; an empty field skips", "$wrong")
            self.query_one("#why", Passage).show(why)
            return
        self.post_message(self.Answered(self.prediction.id, value))
