"""One run of a demo on the command line: lines as they come, questions asked first, Ctrl-C at once."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from studytool.cli.stdin import StdinLines
from studytool.demo.events import Claim, Done, Event, Failed, Outcome, Prediction, encode
from studytool.demo.params import encode as encode_params
from studytool.demo.save import Saver
from studytool.demo.words import Words, letter
from studytool.errors import ExitCode, StorageError
from studytool.safetext import clean
from studytool.services import demo_history, demos

if TYPE_CHECKING:
    from pathlib import Path

    from studytool.demo.runner import DemoRun
    from studytool.demo.spec import Params
    from studytool.services.context import App


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is shown, and what is kept of it."""

    as_json: bool = False
    save: Path | None = None
    explore: bool = False
    store: bool = True
    log: bool = False

    @property
    def asks(self) -> bool:
        """Whether somebody sits there to be asked."""
        return not self.as_json and sys.stdin.isatty() and sys.stdout.isatty()


@dataclass(slots=True)
class Guessed:
    """A question, what was guessed, and what came out."""

    asked: Prediction
    guess: str | float
    outcome: Outcome | None = None


@dataclass(slots=True)
class Session:
    """The events of the run so far and the guesses of the user."""

    events: list[Event] = field(default_factory=list)
    guesses: dict[str, Guessed] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def exit_code(self) -> ExitCode:
        bad = any(
            isinstance(event, Failed) or (isinstance(event, Claim) and not event.as_expected)
            for event in self.events
        )
        return ExitCode.DEMO if bad else ExitCode.OK


async def run_demo(app: App, demo_id: str, params: Params, options: Options) -> ExitCode:
    """Run a demo in a process of its own and show it; 4 when it is not as expected."""
    found = demos.find(demo_id)
    demos.require(found)
    saver = Saver.open(options.save, found.spec, params, app.clock) if options.save else None
    session, live = Session(), _Live(options)
    began = app.clock.monotonic()
    run = demos.start(
        app,
        demo_id,
        params,
        save_to=saver.folder if saver else None,
        on_log=_print_log if options.log else None,
    )
    async with run:
        async for event in run:
            session.events.append(event)
            if saver is not None:
                saver.add(encode(event))
            await live.show(event, session)
        session.seconds = app.clock.monotonic() - began
        if saver is not None:
            saver.finish()
            await demos.write_report(saver.folder)
            click.echo(f"saved to {saver.folder}", err=True)
        if options.store:
            _keep(app, demo_id, params, session)
        if options.explore:
            await live.explore(run, session)
    return session.exit_code


def _print_log(line: str) -> None:
    click.echo(f"log: {line}", err=True)


def _keep(app: App, demo_id: str, params: Params, session: Session) -> None:
    """Store the run and the guesses; a database that is in use costs the history, not the run."""
    try:
        run_id = demo_history.keep_run(
            app, demo_id, encode_params(params), session.events, seconds=session.seconds
        )
        for guessed in session.guesses.values():
            if guessed.outcome is not None:
                demo_history.keep_guess(
                    app, demo_id, guessed.asked, guessed.guess, guessed.outcome, run_id
                )
    except StorageError as fault:
        click.echo(f"This run is not in the history: {fault.message}", err=True)


class _Live:
    """Shows events as they come; results wait until an open question is answered."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._words = Words()
        self._lines = StdinLines()

    async def show(self, event: Event, session: Session) -> None:
        """Print one event, and ask where it is a question and somebody is there."""
        if self._options.as_json:
            click.echo(encode(event))
            return
        for line in self._words.lines(event):
            click.echo(line)
        if isinstance(event, Prediction) and self._options.asks:
            guess = await self._ask(event)
            if guess is not None:
                session.guesses[event.id] = Guessed(event, guess)
        elif isinstance(event, Outcome) and event.prediction in session.guesses:
            guessed = session.guesses[event.prediction]
            guessed.outcome = event
            result = demo_history.score(guessed.guess, event.value)
            click.echo(f"  You said {clean(str(guessed.guess))}: {result.text}.")

    async def _ask(self, asked: Prediction) -> str | float | None:
        """The user's guess; an empty line skips the question."""
        while True:
            click.echo("  your guess (enter skips): ", nl=False)
            line = await self._lines.read()
            if line is None or not line.strip():
                return None
            guess = read_guess(asked, line)
            if guess is not None:
                return guess
            takes = "one of the letters" if asked.options else "a number"
            click.echo(f"  Please type {takes}.")

    async def explore(self, run: DemoRun, session: Session) -> None:
        """Pass on requests from standard input, one a line, until it ends."""
        last = session.events[-1] if session.events else None
        if not isinstance(last, Done) or not last.explore:
            click.echo("This run answers no requests.", err=True)
            return
        if self._options.asks:
            click.echo(f"Explore: {clean(last.explore)} (an empty line ends).")
        while True:
            if self._options.asks:
                click.echo("> ", nl=False)
            line = await self._lines.read()
            if line is None or (not line.strip() and self._options.asks):
                return
            if line.strip():
                async for event in run.explore(line.strip()):
                    await self.show(event, session)


def read_guess(asked: Prediction, line: str) -> str | float | None:
    """What a typed guess means: an option by its letter or its text, or a number; else None."""
    word = line.strip().casefold().rstrip(")")
    if asked.options:
        for index, option in enumerate(asked.options):
            if word in (letter(index), option.casefold()):
                return option
        return None
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None
