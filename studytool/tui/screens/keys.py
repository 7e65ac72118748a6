"""Which key does what: a list of all actions; enter and then a key gives the action that key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from studytool.tui import keymap
from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import fit, plain_line
from studytool.tui.widgets.key_bar import KeyBar, key_name
from studytool.tui.widgets.line_list import LineList
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from studytool.tui.app import StudyApp

NAME = 20
KEY = 16


class CaptureScreen(Dialog[str | None]):
    """Takes the next key that is pressed; escape leaves the key as it was."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action_id = action

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Passage(plain_line(f"Press the key for {self.action_id}", "bold"))
            yield Passage(Content.styled("\nescape leaves it as it is", "$muted"))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss(None if event.key == "escape" else event.key)


class KeysScreen(Screen[None]):
    """Enter changes a key, delete puts the built-in one back; both are saved at once."""

    app: StudyApp

    DEFAULT_CSS = "KeysScreen LineList { padding: 0 1; } #said { padding: 0 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "reset", "built-in key", id="keys.reset"),
        Binding("escape", "back", "back", id="keys.back"),
    ]

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("Keys", "bold"))
        rows: LineList[str] = LineList(self._draw)
        yield rows
        yield Passage(id="said")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#said", Passage).show("")
        rows = self.query_one(LineList)
        rows.show(list(keymap.actions()))
        rows.focus()

    def _key(self, action: str) -> str:
        return self.app.desk.settings.keys.get(action, keymap.actions()[action].key)

    def _draw(self, action: str, width: int) -> Content:
        binding = keymap.actions()[action]
        key = " ".join(key_name(each) for each in self._key(action).split(","))
        changed = action in self.app.desk.settings.keys
        line = Content.assemble(
            fit(plain_line(action, "$muted"), NAME),
            fit(plain_line(key, "bold $due" if changed else "bold $accent"), KEY),
            plain_line(binding.tooltip or binding.description),
        )
        return line.truncate(width, ellipsis=True)

    def on_line_list_opened(self, message: LineList.Opened) -> None:
        """Ask for the key, then check and save it."""
        message.stop()
        action = self.query_one(LineList).current
        if action is None:
            return

        def taken(key: str | None) -> None:
            if key is None:
                return
            why = keymap.fault(action, key, self.app.desk.settings.keys)
            words = Content.assemble(("! ", "bold $wrong"), plain_line(why, "$wrong"))
            self.query_one("#said", Passage).show(words if why else "")
            if not why:
                work(self, partial(self._save, action, key), "save")

        self.app.push_screen(CaptureScreen(action), taken)

    def action_reset(self) -> None:
        action = self.query_one(LineList).current
        if action is not None:
            work(self, partial(self._save, action, ""), "save")

    async def _save(self, action: str, key: str) -> None:
        settings = self.app.desk.settings
        keys = {name: each for name, each in settings.keys.items() if name != action}
        if key and key != keymap.actions()[action].key:
            keys[action] = key
        await self.app.desk.save_settings(msgspec.structs.replace(settings, keys=keys))
        self.app.apply_settings()
        self.query_one(TitleBar).show(right=Content.styled("✓ saved", "$right"))
        self.query_one(LineList).refresh()

    def action_back(self) -> None:
        self.dismiss()
