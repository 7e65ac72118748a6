"""Help for one screen, made from its bindings, so that it can't say anything else than the keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import hang
from studytool.tui.widgets.key_bar import KeyBar, key_name
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.dom import DOMNode
    from textual.screen import Screen

WIDTH = 16
#: What every screen of Textual's has by itself.
GIVEN = frozenset({"app.focus_next", "app.focus_previous", "screen.copy_text", "help_quit"})


def rows(screen: Screen[object]) -> list[tuple[str, str, bool]]:
    """Keys, what they do, and whether they work at this moment; in the order they are declared."""
    nodes: list[DOMNode] = [screen]
    if screen.focused is not None:
        nodes.insert(0, screen.focused)
    found: dict[tuple[int, str], tuple[list[str], str, bool]] = {}
    for node in [*nodes, screen.app]:
        for key, binding in node._bindings:
            words = binding.tooltip or binding.description
            if not words or binding.system or binding.action in GIVEN:
                continue
            works = screen.app._check_action_state(binding.action, node) is not False
            entry = found.setdefault((id(node), binding.action), ([], words, works))
            name = binding.key_display or key_name(key)
            if name not in entry[0]:
                entry[0].append(name)
    return [(" ".join(keys), words, works) for keys, words, works in found.values()]


class Keys(Lines):
    """The table of keys."""

    def __init__(self, entries: list[tuple[str, str, bool]]) -> None:
        super().__init__()
        self.entries = entries

    def lay_out(self, width: int) -> list[Content]:
        lines: list[Content] = []
        for keys, words, works in self.entries:
            lead = Content.styled(f"{keys:<{WIDTH}} ", "bold $accent" if works else "$muted")
            text = Content.styled(words, "" if works else "$muted")
            if not works:
                text = text + Content.styled("  (not now)", "$muted")
            lines.extend(hang(text, width, lead))
        return lines


class HelpScreen(Dialog[None]):
    """All keys of the screen below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,question_mark,f1", "close", "close", id="help.close"),
        Binding("down,j", "scroll(1)", "line down", show=False),
        Binding("up,k", "scroll(-1)", "line up", show=False),
        Binding("pagedown,space", "scroll(10)", "page down", show=False),
        Binding("pageup", "scroll(-10)", "page up", show=False),
    ]

    def __init__(self, below: Screen[object]) -> None:
        super().__init__()
        self.entries = rows(below)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False):
            yield Keys(self.entries)
        yield KeyBar()

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
