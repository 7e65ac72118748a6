"""`studytool interview`: a mock interview on a full screen or line by line, and its reports."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studytool.interview.model import Setup
    from studytool.services.context import App
    from studytool.services.interviews import Format

LEVELS = ("junior", "easy", "medium", "hard", "staff", "adaptive")
STYLES = ("screening", "deep-dive", "rapid-fire", "story")
NEWEST = 0


@click.command("interview")
@click.option("--minutes", type=click.IntRange(1, 240), metavar="N", help="How long (30).")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="How hard; easy is junior, adaptive (the default) follows how it goes.",
)
@click.option("--style", type=click.Choice(STYLES), help="How it is led (screening).")
@click.option(
    "--chapter",
    "chapters",
    multiple=True,
    metavar="NAME",
    help="Only this chapter; may be repeated.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    metavar="N",
    help="The same seed and history give the same interview.",
)
@click.option("--verdicts", is_flag=True, help="Show the verdict after each question.")
@click.option(
    "--plain",
    is_flag=True,
    help="Line by line: a single dot ends an answer, :? lists the commands.",
)
@click.option("--resume", is_flag=True, help="Go on with the interview that was not finished.")
@click.option("--list", "listed", is_flag=True, help="List the interviews that were held.")
@click.option(
    "--report",
    type=click.IntRange(min=NEWEST),
    is_flag=False,
    flag_value=NEWEST,
    metavar="[ID]",
    help="Print the report of interview ID, or of the newest.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("md", "html", "json")),
    help="How --report prints; --list knows json.",
)
@click.option(
    "--queue-missed",
    "queue",
    is_flag=True,
    help="Put the missed cards of the newest (or --report ID) interview into the review queue; "
    "with --plain those of this one, at its end.",
)
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
def command(
    minutes: int | None,
    level: str | None,
    style: str | None,
    chapters: tuple[str, ...],
    seed: int | None,
    verdicts: bool,
    plain: bool,
    resume: bool,
    listed: bool,
    report: int | None,
    form: Format | None,
    queue: bool,
    deck_dir: Path | None,
) -> int | None:
    """Rehearse: an interviewer asks, probes what was left out, and reports at the end."""
    chosen = (minutes, level, style, chapters or None, seed, verdicts or None)
    begins = any(value is not None for value in chosen)
    if resume and begins:
        raise click.UsageError("--resume goes on as it was set up; leave the other options out.")
    if form is not None and report is None and not listed:
        raise click.UsageError("--format goes with --report or --list.")
    setup = _setup(minutes, level, style, chapters, seed, verdicts)
    if listed:
        _with_app(deck_dir, lambda app: _list(app, form))
    elif plain:
        _with_app(deck_dir, lambda app: _plain(app, setup, resume, queue, seed is None))
    elif queue:
        _with_app(deck_dir, lambda app: _queue(app, report))
    elif report is not None:
        _with_app(deck_dir, lambda app: _report(app, report, form))
    else:
        from studytool.cli.open import open_interview

        return open_interview(deck_dir, setup if begins else None, resume, seed is None)
    return None


def _setup(
    minutes: int | None,
    level: str | None,
    style: str | None,
    chapters: tuple[str, ...],
    seed: int | None,
    verdicts: bool,
) -> Setup:
    from studytool.interview.model import Grade, Setup, Style

    usual = Setup()
    return Setup(
        minutes=minutes if minutes is not None else usual.minutes,
        level=usual.level if level is None else Grade("junior" if level == "easy" else level),
        style=Style(style) if style is not None else usual.style,
        chapters=tuple(dict.fromkeys(chapters)),
        seed=seed or 0,
        verdicts=verdicts,
    )


def _with_app(deck_dir: Path | None, call: Callable[[App], None]) -> None:
    from studytool.services import decks
    from studytool.services.context import open_app
    from studytool.services.safe import clean

    with open_app(deck_dir) as app:
        decks.sync(app)
        for warning in app.warnings:
            click.echo(f"warning: {clean(warning)}", err=True)
        call(app)


def _plain(app: App, setup: Setup, resume: bool, queue: bool, choose_seed: bool) -> None:
    from studytool.services import interviews
    from studytool.services.grading import GradingService
    from studytool.services.interview import Interview
    from studytool.services.plain_interview import PatientJudge, PlainInterview

    with GradingService(app) as grading:
        judge = PatientJudge(grading)
        if resume:
            held = Interview.resume(app, judge)
        else:
            chosen = interviews.with_seed(app, setup) if choose_seed else setup
            left = interviews.waiting(app)
            if left is not None:
                click.echo(
                    f"Interview {left.id} was not finished; it ends here, its report is kept."
                )
            held = Interview.begin(app, chosen, judge)
        try:
            PlainInterview(app, held, say=click.echo, tell=click.echo, queue=queue).run(_lines())
        except BrokenPipeError:
            held.pause()
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (KeyboardInterrupt, click.Abort):
            held.pause()
            raise


def _list(app: App, form: Format | None) -> None:
    import json

    from studytool.interview import document
    from studytool.services import interviews

    if form not in (None, "json"):
        raise UsageError(f"--list knows no format {form!r}.", hint="--format json, or none.")
    found = interviews.held(app)
    if form == "json":
        click.echo(json.dumps([interviews.facts(app, one) for one in found], indent=2))
        return
    waiting = interviews.waiting(app)
    if waiting is not None:
        click.echo(
            f"{waiting.id:>4}  not finished: question {waiting.question} of {waiting.total}; "
            "`studytool interview --resume` goes on"
        )
    for one in found:
        setup = one.report.setup
        click.echo(
            f"{one.id:>4}  {interviews.date_words(app, one.report)}  "
            f"{document.percent(one.report.score):>5}  {setup.minutes} min {setup.level.value} "
            f"{setup.style.value}, {document.counted(len(one.report.answers), 'question')}"
        )
    if not found and waiting is None:
        click.echo("No interview was held yet; `studytool interview` begins one.")


def _report(app: App, number: int, form: Format | None) -> None:
    from studytool.services import interviews

    one = interviews.find(app, number or None)
    if form is None:
        click.echo(interviews.plain(app, one))
    else:
        click.echo(interviews.written(app, one, form), nl=False)


def _queue(app: App, number: int | None) -> None:
    from studytool.services import interviews
    from studytool.services.safe import one_line

    one = interviews.find(app, number or None)
    done = interviews.queue_missed(app, one.id)
    for card in done:
        click.echo(f"queued {one_line(card)}")
    if not done:
        click.echo(f"Interview {one.id} has no missed cards that are not queued already.", err=True)


def _lines() -> Iterator[str]:
    """The lines of standard input as they come; bytes that are no UTF-8 don't stop an interview."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    while line := sys.stdin.readline():
        yield line
