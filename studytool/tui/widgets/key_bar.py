"""The last line of a screen: the keys that work at this moment, each of them a button."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from textual import events
    from textual.binding import Binding
    from textual.dom import DOMNode
    from textual.screen import Screen

NAMES = {
    "question_mark": "?",
    "slash": "/",
    "comma": ",",
    "exclamation_mark": "!",
    "escape": "esc",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}

#: What a key with a name types into a field.
TYPED = {"question_mark": "?", "slash": "/", "comma": ",", "exclamation_mark": "!", "space": " "}


class Key(NamedTuple):
    """One entry: what is pressed, how it is written, what it does in a word and in full, and where."""

    press: str
    shown: str
    does: str
    full: str
    action: str
    node: DOMNode

    @property
    def width(self) -> int:
        return len(self.shown) + 1 + len(self.does)


def key_name(key: str) -> str:
    """A key as people write it: `?`, `esc`, `ctrl+p`."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, NAMES.get(last, last)])


def live_keys(screen: Screen[object], *, hidden: bool = False) -> list[Key]:
    """The bindings that work now, one entry for each action, in the order they are declared.

    `hidden` adds those that the key bar leaves out.
    """
    found: dict[str, Key] = {}
    focused = screen.focused
    for active in screen.active_bindings.values():
        binding: Binding = active.binding
        if not active.enabled or not binding.description or not (binding.show or hidden):
            continue
        typed = binding.key if len(binding.key) == 1 else TYPED.get(binding.key)
        if focused is not None and focused.check_consume_key(binding.key, typed):
            continue
        name = f"{id(active.node)}.{binding.action}"
        if name in found:
            continue
        shown = binding.key_display or key_name(binding.key)
        full = binding.tooltip or binding.description
        found[name] = Key(
            binding.key, shown, binding.description, full, binding.action, active.node
        )
    return list(found.values())


class KeyBar(Widget):
    """Draws the live keys, help last; when they don't fit, the last ones give way, help never."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._live: list[Key] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._live = live_keys(self.screen)

    def _changed(self, _screen: object) -> None:
        """Paint again only when other keys work than before, which few key presses change."""
        live = live_keys(self.screen)
        if live != self._live:
            self._live = live
            self.refresh()

    def keys(self) -> list[Key]:
        """The entries that fit the present width."""
        entries = self._live
        last = [entry for entry in entries if entry.shown == "?"]
        entries = [entry for entry in entries if entry.shown != "?"]
        room = self.content_size.width - sum(entry.width + 2 for entry in last)
        fitting: list[Key] = []
        for entry in entries:
            if entry.width > room:
                break
            fitting.append(entry)
            room -= entry.width + 2
        return fitting + last

    def render(self) -> Content:
        keys = self.keys()
        parts: list[Content] = []
        used = 0
        for key in keys:
            parts.append(Content.assemble((key.shown, "bold $accent"), (f" {key.does}", "$muted")))
            used += key.width + 2
        line = Content("  ").join(parts)
        palette = key_name(self.app.COMMAND_PALETTE_BINDING)
        gap = self.content_size.width - line.cell_length - len(palette)
        if gap >= 2:
            line = line + " " * gap + Content.styled(palette, "$muted")
        return line

    async def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        event.stop()
        at = event.x - self.gutter.left
        if at >= self.content_size.width - len(self.app.COMMAND_PALETTE_BINDING):
            await self.app.run_action("command_palette")
            return
        start = 0
        for key in self.keys():
            if start <= at < start + key.width:
                self.app.simulate_key(key.press)
                return
            start += key.width + 2
