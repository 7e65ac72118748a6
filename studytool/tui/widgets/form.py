"""A form: a name, a field and what it takes, one below the other; faults stand at their field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from studytool.tui.text import plain_line
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult


@dataclass(frozen=True, slots=True)
class Field:
    """One value to ask for. `parse` raises ValueError with what is wrong; `choices` are cycled through."""

    name: str
    label: str
    value: str
    parse: Callable[[str], object]
    help: str = ""
    choices: tuple[str, ...] = ()


class FieldInput(Input):
    """One line of text; left and right of a choice are on the arrow keys up and down."""

    DEFAULT_CSS = """
    FieldInput { border: none; height: 1; padding: 0 1; width: 18; background: $cursor-ground; }
    FieldInput:focus { border: none; background: $track; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cycle(-1)", "previous choice", show=False),
        Binding("down", "cycle(1)", "next choice", show=False),
    ]

    def __init__(self, field: Field) -> None:
        super().__init__(field.value, select_on_focus=False, id=f"field-{field.name}")
        self.field = field
        self.cursor_blink = False

    def action_cycle(self, by: int) -> None:
        """The next choice; where there are none, the next field."""
        choices = self.field.choices
        if not choices:
            self.screen.focus_next() if by > 0 else self.screen.focus_previous()
            return
        at = choices.index(self.value) + by if self.value in choices else 0
        self.value = choices[at % len(choices)]


class Form(Vertical):
    """Enter in any field submits; `values` gives what was entered, or marks what is wrong."""

    DEFAULT_CSS = """
    Form { height: auto; }
    Form .row { height: auto; }
    Form .label { width: 19; }
    Form .help { width: 1fr; margin-left: 2; }
    Form .fault { margin-left: 19; }
    """

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__()
        self.fields = tuple(fields)

    def compose(self) -> ComposeResult:
        for field in self.fields:
            with Horizontal(classes="row"):
                yield Passage(plain_line(field.label), classes="label")
                yield FieldInput(field)
                yield Passage(plain_line(field.help, "$muted"), classes="help")
            fault = Passage(id=f"fault-{field.name}", classes="fault")
            fault.display = False
            yield fault

    def values(self) -> dict[str, object] | None:
        """All values, parsed; None when one is wrong, which is then marked and focused."""
        values: dict[str, object] = {}
        first: FieldInput | None = None
        for field in self.fields:
            box = self.query_one(f"#field-{field.name}", FieldInput)
            place = self.query_one(f"#fault-{field.name}", Passage)
            try:
                values[field.name] = field.parse(box.value)
                place.show("")
            except ValueError as fault:
                self.mark(field.name, str(fault))
                first = first or box
        if first is not None:
            first.focus()
            return None
        return values

    def mark(self, name: str, why: str) -> None:
        """Say at a field what is wrong with it, and go there."""
        words = Content.assemble(("! ", "bold $wrong"), plain_line(why, "$wrong"))
        self.query_one(f"#fault-{name}", Passage).show(words)
        self.query_one(f"#field-{name}", FieldInput).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(self.Submitted())
