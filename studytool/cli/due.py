"""`studytool due`: how many cards a review would serve now; loads neither Textual nor SQLAlchemy."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("due")
@click.option(
    "--deck", "deck_dir", type=click.Path(path_type=Path), metavar="DIR", help="Another deck."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(deck_dir: Path | None, as_json: bool) -> None:
    """How many cards are due: new and review cards within today's limits, and learning cards."""
    from studytool.services.context import open_app
    from studytool.services.due import due
    from studytool.services.safe import clean

    with open_app(deck_dir) as app:
        counts = due(app)
        for warning in app.warnings:
            click.echo(clean(warning), err=True)
    if as_json:
        click.echo(json.dumps({**counts._asdict(), "total": counts.total}))
        return
    click.echo(
        f"{counts.total} due: {counts.new} new, {counts.learning} learning, {counts.review} review"
    )
