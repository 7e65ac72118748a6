"""`studytool review`: study what is due, on a full screen or line by line."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.services.types import SessionQuery


@click.command("review")
@click.option(
    "--plain",
    is_flag=True,
    help="Line by line: an empty line reveals, 1 to 4 rates, u undoes, q quits, ? lists the rest.",
)
@click.option(
    "--chapter",
    "chapters",
    multiple=True,
    metavar="NAME",
    help="Only this chapter; may be repeated.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N cards in this session."
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="With --plain: one JSON object a stored rating on stdout, everything else on stderr.",
)
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
def command(
    plain: bool, chapters: tuple[str, ...], limit: int | None, as_json: bool, deck_dir: Path | None
) -> int | None:
    """Study what is due.

    In plain mode each stored rating prints `saved CARD RATING next DATE` once it is on disk.
    """
    from studytool.services.types import SessionQuery

    query = SessionQuery(chapters=chapters, limit=limit)
    if plain:
        _review_plain(query, deck_dir, as_json)
        return None
    if as_json:
        raise click.UsageError("--json goes with --plain.")
    from studytool.cli.open import open_screen

    return open_screen("review", deck_dir, query=query)


def _review_plain(query: SessionQuery, deck_dir: Path | None, as_json: bool) -> None:
    from studytool.services import decks
    from studytool.services.context import open_app
    from studytool.services.grading import GradingService
    from studytool.services.plain import PlainReview
    from studytool.services.safe import clean

    def say(text: str) -> None:
        click.echo(text, err=as_json)

    with open_app(deck_dir) as app, GradingService(app) as grading:
        app.keep_daily_copy()
        decks.sync(app)
        grading.learn()
        for warning in app.warnings:
            click.echo(f"warning: {clean(warning)}", err=True)
        try:
            PlainReview(app, query, say=say, tell=click.echo, as_json=as_json, grading=grading).run(
                _lines()
            )
        except BrokenPipeError:
            _mute()


def _mute() -> None:
    """The reader of a pipe went away: end quietly, also in the last flush of the interpreter."""
    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _lines() -> Iterator[str]:
    """The lines of standard input as they come; bytes that are no UTF-8 don't stop a session."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    while line := sys.stdin.readline():
        yield line
