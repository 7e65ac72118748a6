"""Settings: a form; what is saved holds at once. The keys have a list of their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from studytool.errors import StudytoolError
from studytool.tui import settings_form
from studytool.tui.widgets.form import Form
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from studytool.settings import Settings
    from studytool.tui.app import StudyApp


class SettingsScreen(Screen[None]):
    """ctrl+s or enter saves to settings.toml; a value that can't be is said at its field."""

    app: StudyApp

    DEFAULT_CSS = """
    SettingsScreen VerticalScroll { padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True, id="settings.save"),
        Binding("f2", "keys", "keys", tooltip="change which key does what", id="settings.keys"),
        Binding("tab", "app.focus_next", "next field", show=True),
        Binding("escape", "back", "back", id="settings.back"),
    ]

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("Settings", "bold"))
        settings = self.app.desk.settings
        with VerticalScroll(can_focus=False):
            yield Form(settings_form.fields(settings))
        yield KeyBar()

    def action_save(self) -> None:
        """Write what was entered, or mark what can't be."""
        values = self.query_one(Form).values()
        if values is not None:
            new = settings_form.apply(self.app.desk.settings, values)
            work(self, partial(self._write, new), "save")

    def action_keys(self) -> None:
        """Change which key does what."""
        from studytool.tui.screens.keys import KeysScreen

        self.app.push_screen(KeysScreen())

    async def _write(self, settings: Settings) -> None:
        try:
            await self.app.desk.save_settings(settings)
        except StudytoolError as fault:
            self.app.tell(fault)
            return
        self.app.apply_settings()
        self.query_one(TitleBar).show(right=Content.styled("✓ saved", "$right"))

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        self.action_save()

    def action_back(self) -> None:
        """Leave; what was not saved is forgotten."""
        self.dismiss()
