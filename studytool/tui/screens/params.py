"""The parameters of a demo as a form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import plain_line
from studytool.tui.widgets.form import Field, Form
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from studytool.demo.params import Param, Value


def field(param: Param, value: Value) -> Field:
    """The form field of one parameter."""
    choices = tuple(str(choice) for choice in param.choices)
    if param.kind == "bool":
        choices = ("true", "false")
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    words = f"{param.help}; {param.takes}" if param.help else param.takes
    return Field(param.name, param.name, shown, partial(_parse, param), words, choices)


def _parse(param: Param, text: str) -> Value:
    return param.parse(text)


class ParamsScreen(Dialog["dict[str, Value] | None"]):
    """Enter runs with the values, ctrl+d puts the defaults back, escape changes nothing."""

    DEFAULT_CSS = """
    ParamsScreen .dialog { width: 100; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "run", show=True, id="params.run"),
        Binding("ctrl+d", "defaults", "defaults", priority=True, id="params.defaults"),
        Binding("escape", "leave", "back", id="params.leave"),
    ]

    def __init__(self, title: str, params: Sequence[Param], values: Mapping[str, Value]) -> None:
        super().__init__()
        self.heading = title
        self.params = tuple(params)
        self.given = dict(values)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Passage(plain_line(f"Parameters of {self.heading}", "bold"), classes="title")
            fields = [field(each, self.given.get(each.name, each.default)) for each in self.params]
            yield Form(fields)
            keys = ("enter runs · up and down cycle through choices · tab to the next", "$muted")
            yield Passage(Content.assemble("\n", keys))
        yield KeyBar()

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        self.action_run()

    def action_run(self) -> None:
        values = self.query_one(Form).values()
        if values is not None:
            self.dismiss(cast("dict[str, Value]", values))

    def action_defaults(self) -> None:
        """Put every field back to the default."""
        from studytool.tui.widgets.form import FieldInput

        for param in self.params:
            box = self.query_one(f"#field-{param.name}", FieldInput)
            box.value = field(param, param.default).value

    def action_leave(self) -> None:
        self.dismiss(None)
