"""`studytool stats`: what was done, and how well it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from studytool.services.overview import Stats


@click.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
def command(as_json: bool, deck_dir: Path | None) -> None:
    """What you have done and how well it holds.

    `ready` is the mean predicted recall of all cards of a chapter, unseen ones counted as 0;
    retention is the share of the last 30 days' reviews that were not Again.
    """
    import msgspec

    from studytool.services import decks
    from studytool.services.context import open_app
    from studytool.services.overview import stats
    from studytool.services.safe import clean

    with open_app(deck_dir) as app:
        decks.sync(app)
        for warning in app.warnings:
            click.echo(f"warning: {clean(warning)}", err=True)
        found = stats(app)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        click.echo(_words(found))


def _words(stats: Stats) -> str:
    from studytool.services import chapters
    from studytool.services.safe import one_line

    retention = "-" if stats.retention_30d is None else f"{stats.retention_30d:.1%}"
    today = stats.today
    lines = [
        f"answers     {stats.reviews:,}",
        f"cards       {stats.cards:,}, seen {stats.seen:,}, due {stats.due:,}, new {stats.new:,}",
        f"today       {today.reviews:,} answers, {today.new:,} new, {today.again:,} again, "
        f"{today.minutes:g} min",
        f"streak      {stats.streak:,} {'day' if stats.streak == 1 else 'days'}",
        f"retention   {retention} (30 days)",
        f"next 7 days {' '.join(map(str, stats.forecast))}",
    ]
    if stats.by_chapter:
        titles = {name: one_line(chapters.title(name)) for name in stats.by_chapter}
        width = max(7, *map(len, titles.values()))
        lines += ["", f"{'chapter':<{width}}  cards   seen    due    new  ready"]
        lines += [
            f"{titles[name]:<{width}}  {row.cards:>5}  {row.seen:>5}  {row.due:>5}  {row.new:>5}"
            f"  {row.ready:>5.0%}"
            for name, row in stats.by_chapter.items()
        ]
    return "\n".join(lines)
