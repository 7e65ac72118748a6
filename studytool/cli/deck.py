"""`studytool deck`: check, format, list, show and write cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from studytool.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Card, Fault, Located

LEVELS = ("easy", "medium", "hard", "staff")
KINDS = ("explain", "compare", "derive", "compute", "debug", "design", "choice", "cloze")

_DECK = click.option(
    "--deck",
    "deck_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The deck in this folder instead of the built-in one and your own.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print data instead of words.")
_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


@click.group("deck")
def command() -> None:
    """Check, format, list, show and write cards."""


@command.command("check")
@_PATHS
@_DECK
@_JSON
def check(paths: tuple[Path, ...], deck_dir: Path | None, as_json: bool) -> int:
    """Say what is wrong with the cards: all of them, or those in PATHS.

    Ends with 1 when there are errors; warnings are about style.
    """
    from studytool.services import decks, demos
    from studytool.services.safe import one_line

    catalogue = demos.catalogue()
    report = decks.check(_folders(deck_dir), paths, catalogue.demos)
    for warning in catalogue.warnings:
        click.echo(one_line(warning), err=True)
    if as_json:
        counts_by = {
            name: getattr(report, name)
            for name in ("by_level", "by_kind", "by_chapter", "by_area", "by_demo", "sources")
        }
        found = {"errors": _flat(report.errors), "warnings": _flat(report.warnings)}
        _print_json({"cards": report.cards, **found, **counts_by, "coverage": report.coverage})
    else:
        for fault in (*report.errors, *report.warnings):
            click.echo(one_line(str(fault)))
        counts = f"{len(report.errors)} errors, {len(report.warnings)} warnings"
        click.echo(f"{report.cards} cards, {counts}", err=True)
    return ExitCode.CONTENT if report.errors else ExitCode.OK


@command.command("fmt")
@_PATHS
@_DECK
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; end with 1 when a file would change.",
)
@click.option(
    "--drop-comments", is_flag=True, help="Format files even where that loses comments in TOML."
)
@_JSON
def fmt(
    paths: tuple[Path, ...],
    deck_dir: Path | None,
    only_check: bool,
    drop_comments: bool,
    as_json: bool,
) -> int:
    """Bring card files into their canonical form: all of the deck, or those in PATHS.

    A file with faults is left as it is.
    """
    from studytool.services.deck_files import format_files
    from studytool.services.safe import one_line

    wanted = list(paths) or _folders(deck_dir)
    report = format_files(wanted, write=not only_check, drop_comments=drop_comments)
    if as_json:
        changed = [str(path) for path in report.changed]
        errors = _flat(report.faults)
        _print_json({"changed": changed, "unchanged": report.unchanged, "errors": errors})
    else:
        for path in report.changed:
            click.echo(one_line(f"{'would change' if only_check else 'changed'} {path}"))
        for fault in report.faults:
            click.echo(one_line(str(fault)), err=True)
        counts = f"{len(report.changed)} changed, {report.unchanged} unchanged, {len(report.faults)} faults"
        click.echo(counts, err=True)
    failed = report.faults or (only_check and report.changed)
    return ExitCode.CONTENT if failed else ExitCode.OK


@command.command("list")
@_DECK
@_JSON
def list_(deck_dir: Path | None, as_json: bool) -> int:
    """List the cards in reading order."""
    from studytool.deck.load import load_folders
    from studytool.services.safe import one_line

    deck = load_folders(_folders(deck_dir))
    if as_json:
        _print_json([_entry(located) for located in deck.cards])
    else:
        for located in deck.cards:
            card = located.card
            click.echo(one_line(f"{card.id:<32} {card.level:<6} {card.kind:<8} {card.question}"))
    if deck.faults:
        click.echo(f"{len(deck.faults)} faults: `studytool deck check` lists them.", err=True)
    return ExitCode.OK


@command.command("show")
@click.argument("card_id", metavar="ID")
@_DECK
@_JSON
def show(card_id: str, deck_dir: Path | None, as_json: bool) -> int:
    """Print one card."""
    from studytool.services import decks
    from studytool.services.card_text import plain_card
    from studytool.services.safe import clean

    located = decks.find(_folders(deck_dir), card_id)
    if as_json:
        _print_json(_entry(located) | {"card": located.card, "content_hash": located.content_hash})
    else:
        click.echo(clean(plain_card(located)))
    return ExitCode.OK


@command.command("new")
@click.argument("card_id", metavar="ID")
@click.option("--chapter", required=True, help="The chapter, such as static or multimodal.")
@click.option("--question", required=True, help="The question, on one line.")
@click.option(
    "--topic",
    default="",
    help="The topic: it names the file. Without it, the chapter's first file.",
)
@click.option("--area", default="", help="The area of the syllabus, for a file that is made.")
@click.option("--level", type=click.Choice(LEVELS), default="medium", show_default=True)
@click.option("--kind", type=click.Choice(KINDS), default="explain", show_default=True)
@click.option("--demo", default=None, metavar="ID", help="The demo that shows the answer.")
@_DECK
def new(
    card_id: str, chapter: str, question: str, topic: str, area: str, level: str, kind: str,
    demo: str | None, deck_dir: Path | None,
) -> int:  # fmt: skip
    """Write the skeleton of a card and print file:line.

    Without --deck it goes to your own decks; contributors name the folder with --deck content.
    """
    from studytool.deck.model import Kind, Level
    from studytool.paths import default_paths
    from studytool.services.deck_files import NewCard, own_deck, scaffold
    from studytool.services.safe import one_line

    wanted = NewCard(card_id, chapter, question, topic, area, Level(level), Kind(kind), demo)
    folders = _folders(deck_dir)
    target = folders[0] if deck_dir is not None else own_deck(default_paths())
    place = scaffold(wanted, folders, target)
    click.echo(one_line(f"{place.path}:{place.line}"))
    return ExitCode.OK


def _folders(deck_dir: Path | None) -> list[Path]:
    from studytool.paths import default_paths
    from studytool.services.decks import study_folders

    return study_folders(default_paths(), deck_dir)


def _entry(located: Located) -> dict[str, object]:
    """What scripts may rely on of one card."""
    from studytool.deck.cloze import sibling_ids

    card: Card = located.card
    names = (
        "id", "question", "chapter", "area", "topic", "level", "kind", "demo", "no_demo", "params",
        "sources", "checked", "tags", "needs", "follow_ups", "contested",
    )  # fmt: skip
    place = {"path": located.place.path, "line": located.place.line}
    return {name: getattr(card, name) for name in names} | place | {"siblings": sibling_ids(card)}


def _flat(faults: Sequence[Fault]) -> list[dict[str, object]]:
    """Faults as scripts read them."""
    return [
        {
            "path": fault.place.path,
            "line": fault.place.line,
            "col": fault.place.col,
            "rule": fault.rule,
            "severity": fault.severity,
            "what": fault.what,
            "expected": fault.expected,
            "nearest": fault.nearest,
        }
        for fault in faults
    ]


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


if __name__ == "__main__":
    import sys

    from studytool.cli.main import run

    run(["deck", *sys.argv[1:]])
