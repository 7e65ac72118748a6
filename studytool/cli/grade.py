"""`studytool grade`: grade one typed answer, or many as JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from studytool.errors import ExitCode

if TYPE_CHECKING:
    from studytool.grading.model import Graded
    from studytool.services.grade_run import Run

_RATINGS = ("", "again", "hard", "good", "easy")


@click.command("grade")
@click.argument("card_id", metavar="[CARD]", required=False)
@click.option(
    "--batch", is_flag=True, help='Read lines {"card": …, "answer": …}, write one verdict a line.'
)
@click.option("--lexical", is_flag=True, help="By words alone, without the sentence encoder.")
@click.option("--judge", is_flag=True, help="Ask the server in STUDYTOOL_LLM_BASE_URL as well.")
@click.option("--agree", metavar="HOST", help="Agree, once for all, to send answers to that host.")
@click.option("--json", "as_json", is_flag=True, help="Print data instead of words.")
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
def command(
    card_id: str | None, batch: bool, lexical: bool, judge: bool, agree: str | None, as_json: bool,
    deck_dir: Path | None,
) -> int:  # fmt: skip
    """Grade the answer on standard input to CARD: which key points it covers, misses, contradicts.

    A line of a batch that can't be graded gives {"error": …, "line": n}; the others are graded
    all the same, and the exit code is 2.
    """
    from studytool.clock import SystemClock
    from studytool.paths import default_paths
    from studytool.services.decks import study_folders
    from studytool.services.grade_run import Run, as_line

    if batch == bool(card_id):
        raise click.UsageError("Name a CARD, or give --batch and JSON lines on standard input.")
    paths = default_paths()
    run = Run(
        paths,
        study_folders(paths, deck_dir),
        SystemClock().now().date(),
        lexical=lexical,
        judge=judge,
        agree=agree or "",
    )
    if batch:
        return _batch(run)
    answer = sys.stdin.buffer.read().decode("utf-8", "replace")
    graded = run.grade(card_id or "", answer)
    if as_json:
        click.echo(as_line(card_id or "", graded))
    else:
        _print(graded)
    _tell(run)
    return ExitCode.OK


def _batch(run: Run) -> int:
    sound = True
    for line, graded in run.batch(sys.stdin.buffer):
        click.echo(line)
        sys.stdout.flush()
        sound = sound and graded
    _tell(run)
    return ExitCode.OK if sound else ExitCode.USAGE


def _print(graded: Graded) -> None:
    from studytool.interview.prompts import spoken
    from studytool.services.safe import one_line

    rating = _RATINGS[graded.rating] if graded.rating else "yours to give: too much is unsure"
    click.echo(f"score {graded.score:.2f}   rating {rating}   judged by {one_line(graded.grader)}")
    if graded.gates:
        click.echo(f"noted: {', '.join(graded.gates)}")
    if graded.number is not None:
        given = one_line(graded.number.evidence) or "none given"
        click.echo(f"number {'right' if graded.number.right else 'wrong'}: {given}")
    for point in graded.points:
        click.echo(f"{point.verdict:<12} [{point.weight}] {one_line(spoken(point.text))}")
        if point.evidence:
            click.echo(f"{'':12}     by: {one_line(point.evidence)}")
        if point.wrong:
            click.echo(f"{'':12}     mistake: {one_line(point.wrong)} ({one_line(point.why)})")
    for voiced in graded.voiced:
        click.echo(f"{'voiced':<12}     {one_line(voiced.text)} ({one_line(voiced.why)})")
        click.echo(f"{'':12}     by: {one_line(voiced.evidence)}")


def _tell(run: Run) -> None:
    from studytool.services.safe import one_line

    for note in run.notes:
        click.echo(one_line(note), err=True)
