"""The commands that open the full-screen app."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from studytool.errors import UsageError

if TYPE_CHECKING:
    from studytool.interview.model import Setup
    from studytool.services.types import SessionQuery

Screen = Literal["home", "review", "browse", "demos"]


def open_screen(
    screen: Screen, deck_dir: Path | None = None, *, query: SessionQuery | None = None
) -> int:
    """Open the app at `screen`; returns its exit code. Raises UsageError when there is no terminal."""
    _need_terminal()
    from studytool.tui.app import main

    return main(start=screen, deck_dir=deck_dir, query=query)


def _need_terminal() -> None:
    """Refuse to open without one; then no garbage is collected until the app has painted, and says so."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "The app needs a terminal, and the input or output is not one.",
            hint="`studytool review --plain` and `studytool interview --plain` go line by line; "
            "`studytool due` and `studytool stats` print numbers.",
        )
    gc.disable()


def open_interview(
    deck_dir: Path | None, setup: Setup | None, resume: bool, choose_seed: bool
) -> int:
    """Open the app at an interview: its set-up screen, the interview itself, or the one to go on with.

    `choose_seed` asks for a seed of the interview's own. Raises UsageError when there is no terminal.
    """
    _need_terminal()
    from studytool.tui.app import main
    from studytool.tui.interview_ports import Start

    start = Start(setup=setup, resume=resume, choose_seed=choose_seed)
    return main(start="interview", deck_dir=deck_dir, interview=start)


@click.command("browse")
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
def browse(deck_dir: Path | None) -> int:
    """Look through the cards: filter, preview, open one."""
    return open_screen("browse", deck_dir)
