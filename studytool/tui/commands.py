"""The command palette: every binding that works now, by its full name, and the places to go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from studytool.tui.widgets.key_bar import live_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACES = (
    ("Go home", "app.home", "what is due, chapter by chapter"),
    ("Study what is due", "app.study", "begin a session"),
    ("Take an interview", "app.interview", "set it up, go on with one, read reports"),
    ("Browse the cards", "app.browse", "filter all cards, read one"),
    ("Browse the demos", "app.demos", "what can be run"),
    ("Read the story", "app.story", "the history in two minutes, with its cards and demos"),
    ("Settings", "app.settings", "retention, limits, theme, keys"),
    ("Switch between dark and light", "app.toggle_theme", "the theme, for now; settings keep it"),
    ("Quit studytool", "app.quit", "all that was answered is saved"),
)


#: Moving about and the palette itself need no command.
SELF_EVIDENT = frozenset(
    {"command_palette", "help_quit", "quit", "move(1)", "move(-1)", "scroll(1)", "scroll(-1)"}
)


class LiveCommands(Provider):
    """Generated from the bindings, so nothing in it can be missing or dead."""

    def _commands(self) -> Iterator[tuple[str, Callable[[], object], str]]:
        for key in live_keys(self.screen, hidden=True):
            if key.action in SELF_EVIDENT:
                continue
            run = partial(self.app.run_action, key.action, key.node)
            yield key.full, run, f"key {key.shown}"
        for name, action, words in PLACES:
            yield name, partial(self.app.run_action, action), words

    async def discover(self) -> Hits:
        for name, run, words in self._commands():
            yield DiscoveryHit(name, run, help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, run, words in self._commands():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=words)
