"""`studytool demo list|show|run|new`: what can be run, and running it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studytool.safetext import clean, one_line


@click.group("demo")
def command() -> None:
    """List, show and run the demos."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_demos(as_json: bool) -> None:
    """List every demo that is installed."""
    from studytool.services import demos

    found = demos.catalogue()
    for warning in found.warnings:
        click.echo(f"warning: {clean(warning)}", err=True)
    if as_json:
        _print_json([demos.facts(each) for each in found.demos.values()])
        return
    chapter = ""
    width = max((len(name) for name in found.demos), default=0)
    for demo in found.demos.values():
        if demo.spec.info.chapter != chapter:
            chapter = demo.spec.info.chapter
            click.echo(one_line(chapter))
        info = demo.spec.info
        needs = "" if demo.installed else f"  needs: {demo.install}"
        click.echo(f"  {info.id:{width}}  {info.seconds:3.0f} s  {one_line(info.title)}{needs}")


@command.command("show")
@click.argument("demo_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(demo_id: str, as_json: bool) -> None:
    """Show one demo and what can be turned in it."""
    from studytool.demo.params import describe
    from studytool.services import demos

    found = demos.find(demo_id)
    if as_json:
        _print_json({**demos.facts(found), "params": demos.parameter_facts(found)})
        return
    info = found.spec.info
    click.echo(f"{one_line(info.title)} ({info.id}, {one_line(info.chapter)})")
    click.echo(one_line(info.summary))
    click.echo(f"Source: {one_line(info.paper)}")
    click.echo(f"Takes about {info.seconds:.0f} s on one core.")
    if info.explore:
        click.echo(f"Afterwards, with --explore: {one_line(info.explore)}")
    if not found.installed:
        click.echo(f"Not installed: {', '.join(found.missing)}. Install with: {found.install}")
    click.echo("Parameters:")
    for param in describe(found.spec.params):
        default = param.default if param.default != "" else '""'
        click.echo(f"  {param.flag}  {param.takes}, default {default}. {one_line(param.help)}")


class _RunGroup(click.Group):
    """`run` with one command for each demo, whose flags come from the demo's parameters."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from studytool.services import demos

        return list(demos.catalogue().demos)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from studytool.demo.flags import options
        from studytool.services import demos

        found = demos.find(cmd_name)
        info = found.spec.info
        return click.Command(
            cmd_name,
            params=[*options(found.spec.params), *_run_options()],
            callback=lambda **given: _run(cmd_name, given),
            help=f"{info.title}. {info.summary}",
            short_help=info.title,
            epilog=f"Source: {info.paper}",
        )


@command.group("run", cls=_RunGroup, subcommand_metavar="ID [OPTIONS]", no_args_is_help=False)
def run() -> None:
    """Run a demo in a process of its own. Its parameters are flags: see `run ID --help`.

    Ends with code 4 when the demo fails or a claim comes out other than expected.
    """


def _run_options() -> list[click.Option]:
    flag: dict[str, Any] = {"is_flag": True}
    return [
        click.Option(["--json", "as_json"], **flag, help="Print one JSON event a line."),
        click.Option(
            ["--save"],
            type=click.Path(path_type=Path, file_okay=False),
            help="Write report, pictures, plots and all events to a folder.",
        ),
        click.Option(["--explore"], **flag, help="Then answer requests, one a line."),
        click.Option(["--no-store"], **flag, help="Keep this run out of the history."),
        click.Option(["--log"], **flag, help="Show what the libraries print, on stderr."),
    ]


def _run(demo_id: str, given: dict[str, Any]) -> int:
    import asyncio
    import io
    import sys

    from studytool.cli.demo_live import Options, run_demo
    from studytool.demo.flags import collect
    from studytool.services import demos
    from studytool.services.context import open_app

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows ? instead
    params, rest = collect(demos.find(demo_id).spec.params, given)
    options = Options(
        as_json=rest["as_json"],
        save=rest["save"],
        explore=rest["explore"],
        store=not rest["no_store"],
        log=rest["log"],
    )
    with open_app() as app:
        code = asyncio.run(run_demo(app, demo_id, params, options))
    click.get_current_context().exit(code)


@command.command("new")
@click.argument("demo_id", metavar="ID")
@click.option("--chapter", required=True, help="The chapter that it belongs to.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where to put it; here when not said.",
)
def new(demo_id: str, chapter: str, folder: Path) -> None:
    """Write the files of a new demo, as a package that runs and can be installed."""
    from studytool.services.demo_scaffold import scaffold

    made = scaffold(demo_id, chapter, folder)
    for path in made.files:
        click.echo(str(path))
    click.echo(f"\nRun it:      cd {made.folder} && python -m {made.module} --flips 1000", err=True)
    click.echo(f"Test it:     cd {made.folder} && python -m pytest", err=True)
    click.echo(f"Register it: pip install -e {made.folder}", err=True)
    click.echo(
        f"To register it in a package of your own, add to its pyproject.toml:\n{made.entry_point}",
        err=True,
    )


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
