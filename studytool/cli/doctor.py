"""`studytool doctor`: is the database sound, and is its state what the log says?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from studytool.errors import ExitCode

if TYPE_CHECKING:
    from studytool.store.doctor import Report


@click.command("doctor")
@click.option("--rebuild", is_flag=True, help="Compute the state again from the log and store it.")
@click.option("--quick", is_flag=True, help="Skip comparing every index with its table.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(rebuild: bool, quick: bool, as_json: bool) -> int:
    """Check the database file and compare its state with the event log.

    Exits with 0 when all is sound (after --rebuild: when it is sound by then), else with 3.
    """
    from studytool.services import keeper
    from studytool.services.context import open_app

    with open_app() as app:
        report = keeper.examine(app, quick=quick, rebuild=rebuild)
        where = str(app.paths.database)
    if report is None:
        if as_json:
            click.echo(json.dumps({"sound": True, "database": where, "events": 0, "cards": 0}))
        else:
            click.echo(f"There is no database at {where} yet, so nothing can be wrong with it.")
        return ExitCode.OK
    if as_json:
        click.echo(json.dumps(_as_json(report, where)))
    else:
        _print(report, where)
    return ExitCode.OK if report.sound else ExitCode.STORAGE


def _as_json(report: Report, where: str) -> dict[str, object]:
    import msgspec

    return {"sound": report.sound, "database": where, **msgspec.to_builtins(report)}


def _print(report: Report, where: str) -> None:
    from studytool.services.safe import clean

    click.echo(f"{where}: {report.events} events, {report.cards} cards with a memory")
    for fault in report.faults:
        click.echo(f"  fault: {clean(fault)}")
    for difference in report.differences:
        click.echo(f"  {clean(str(difference))}")
    if report.more:
        click.echo(f"  … and {report.more} more differences")
    for note in report.notes:
        click.echo(f"  note: {clean(note)}")
    if report.rebuilt:
        click.echo("The state was computed again from the log and stored.")
    if report.sound:
        click.echo("Sound: the file is whole and the state is what the log says.")
    elif report.faults:
        click.echo(
            "Not sound. `studytool restore latest` goes back to the newest backup.", err=True
        )
    else:
        click.echo("The log is whole; `studytool doctor --rebuild` mends the state.", err=True)
