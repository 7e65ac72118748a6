"""`studytool backup` and `studytool restore`: copies of the database, and the way back to one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from studytool.services.keeper import Saved


@click.command("backup")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the copy to FILE instead of the backups folder.",
)
@click.option("--list", "list_them", is_flag=True, help="List the copies instead of making one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backup(target: Path | None, list_them: bool, as_json: bool) -> None:
    """Save a verified copy of the database; works while studytool is open."""
    from studytool.clock import SystemClock
    from studytool.paths import default_paths
    from studytool.services import keeper

    paths = default_paths()
    if list_them:
        _print_list(keeper.saved(paths), paths.backups, as_json)
        return
    path = keeper.save(paths, SystemClock().now(), target)
    click.echo(json.dumps({"saved": str(path)}) if as_json else f"Saved {path}")


@click.command("restore")
@click.argument("name", metavar="FILE|latest")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def restore(name: str, as_json: bool) -> None:
    """Go back to a copy: a file, a name from `backup --list`, or "latest".

    The copy is verified first; the present database is put aside in the backups folder.
    """
    from studytool.clock import SystemClock
    from studytool.paths import default_paths
    from studytool.services import keeper

    done = keeper.restore(default_paths(), SystemClock().now(), name)
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        click.echo(json.dumps({"restored": str(done.source), "aside": aside}))
        return
    click.echo(f"Restored {done.source}")
    if done.aside is not None:
        click.echo(f"The database before it is kept as {done.aside}")


def _print_list(copies: list[Saved], folder: Path, as_json: bool) -> None:
    if as_json:
        rows = [{**one._asdict(), "made": one.made.isoformat()} for one in copies]
        click.echo(json.dumps(rows))
        return
    if not copies:
        click.echo(f"There is no backup in {folder} yet.")
    for one in copies:
        click.echo(f"{one.made:%Y-%m-%d %H:%M} UTC  {one.size / 1e6:8.1f} MB  {one.name}")
