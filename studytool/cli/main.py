"""The command `studytool`: finds the command group, turns every fault into a message and an exit code.

Nothing is imported until it's needed: `--help` and `due` load neither Textual nor SQLAlchemy.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studytool import __version__
from studytool.errors import ExitCode, StudytoolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: name -> (where it is, what the list says). The texts stand here so that --help imports nothing.
COMMANDS: dict[str, tuple[str, str]] = {
    "review": ("studytool.cli.review:command", "Study what is due (--plain: line by line)."),
    "interview": (
        "studytool.cli.interview:command",
        "Rehearse with an interviewer; reports (--plain: line by line).",
    ),
    "browse": ("studytool.cli.open:browse", "Look through the cards."),
    "story": ("studytool.cli.story:command", "Read the history in two minutes, as plain text."),
    "demo": ("studytool.cli.demo:command", "List, show and run the demos."),
    "deck": ("studytool.cli.deck:command", "Check, format, list and write cards."),
    "grade": ("studytool.cli.grade:command", "Grade typed answers against a card's key points."),
    "due": ("studytool.cli.due:command", "How many cards are due."),
    "stats": ("studytool.cli.stats:command", "What you have done and how well it holds."),
    "doctor": (
        "studytool.cli.doctor:command",
        "Check the database, rebuild its state from the log.",
    ),
    "backup": ("studytool.cli.backup:backup", "Save a verified copy of the database."),
    "restore": ("studytool.cli.backup:restore", "Go back to a saved copy."),
}


class LazyGroup(click.Group):
    """A click group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            raise UsageError(
                f"There is no command {args[0]!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else "`studytool --help` lists them.",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 a fault in the content, 2 usage, 3 storage, 4 a demo failed, 130 cancelled.",
)
@click.option(
    "--deck",
    "deck_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Study the cards of this folder instead of the built-in deck.",
)
@click.version_option(__version__, prog_name="studytool")
@click.pass_context
def cli(ctx: click.Context, deck_dir: Path | None) -> None:
    """Practise machine-learning interview questions whose answers can be run.

    Without a command it opens the app.
    """
    if ctx.invoked_subcommand is None:
        from studytool.cli.open import open_screen

        raise SystemExit(open_screen("home", deck_dir))
    if deck_dir is not None:
        raise UsageError(
            f"--deck stands after the command: `studytool {ctx.invoked_subcommand} --deck {deck_dir}`."
        )


def run(argv: Sequence[str] | None = None) -> None:
    """The entry point of the console script; always leaves by SystemExit."""
    raise SystemExit(int(_invoke(sys.argv[1:] if argv is None else list(argv))))


def _invoke(argv: list[str]) -> int:
    try:
        # Not cli.main(), which would end with 1 when the reader of a pipe went away.
        with cli.make_context("studytool", argv) as context:
            result: Any = cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except StudytoolError as error:
        _tell(error.title, error.message, error.hint)
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"`{error.ctx.command_path} --help` says how."
        else:
            hint = ""
        _tell("That can't be done so", error.format_message(), hint)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("Cancelled.", err=True)
        return ExitCode.CANCELLED
    except BrokenPipeError:
        # The reader went away, which is no fault; the flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception:  # noqa: BLE001 - the last net: a fault of our own, kept in a log and said in one line
        return _internal_fault()
    return result if isinstance(result, int) else ExitCode.OK


def _tell(title: str, message: str, hint: str) -> None:
    from studytool.services.safe import clean

    click.echo(f"{title}: {clean(message)}", err=True)
    if hint:
        click.echo(clean(hint), err=True)


def _internal_fault() -> int:
    """Write the traceback to a file of the state folder and say where it is."""
    import traceback

    from studytool.clock import SystemClock
    from studytool.paths import default_paths

    text = traceback.format_exc()
    folder = default_paths().state
    log = folder / f"fault-{SystemClock().now():%Y%m%dT%H%M%S}.log"
    last = text.strip().splitlines()[-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
    except OSError:
        click.echo(text, err=True)
        return ExitCode.INTERNAL
    _tell(
        "studytool met a fault of its own", last, f"Nothing saved is lost. The details are in {log}"
    )
    return ExitCode.INTERNAL


if __name__ == "__main__":
    run()
