"""What `python -m demos.<chapter>.<name>` does: run in this process and print to the terminal.

Exit codes: 0, or 4 when the run failed or a claim came out other than expected, 2 for a wrong
argument, 130 after Ctrl-C. Everything the library code prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studytool.demo.environment import THREADS
from studytool.demo.events import Claim, Event, Failed, decode
from studytool.demo.flags import collect, options
from studytool.demo.play import answer, cache_folder, make_lab, play
from studytool.demo.save import Saver
from studytool.demo.words import Words
from studytool.errors import ExitCode, StudytoolError

if TYPE_CHECKING:
    from collections.abc import Generator

    from studytool.demo.spec import DemoSpec, Explorer, Params


def main_for(spec: DemoSpec[Any], argv: list[str] | None = None) -> int:
    """Parse `argv` (the process's own arguments when None), run, print; return the exit code."""
    command = click.Command(
        spec.info.id,
        params=[*options(spec.params), *_common()],
        callback=lambda **given: _main(spec, given),
        help=f"{spec.info.title}. {spec.info.summary}",
        epilog=f"Source: {spec.info.paper}",
    )
    args = sys.argv[1:] if argv is None else argv
    program = f"python -m {spec.info.module}"
    try:
        code = command.main(args, prog_name=program, standalone_mode=False)
    except click.ClickException as fault:
        fault.show()
        return ExitCode.USAGE
    except StudytoolError as fault:
        click.echo(f"{fault.title}: {fault}", err=True)
        return fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return ExitCode.CANCELLED
    except BrokenPipeError:
        # The reader of a pipe went away; the write at shutdown must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return int(code)


def _common() -> list[click.Option]:
    folder = click.Path(path_type=Path, file_okay=False)
    return [
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON event a line."),
        click.Option(["--save"], type=folder, help="Write report, plots and events to a folder."),
        click.Option(["--cache"], type=folder, help="Keep what is reusable in this folder."),
        click.Option(["--explore"], is_flag=True, help="Then answer requests, one a line."),
    ]


def _main(spec: DemoSpec[Any], given: dict[str, Any]) -> int:
    params, rest = collect(spec.params, given)
    saver = Saver.open(rest["save"], spec, params) if rest["save"] else None
    printer = _Printer(as_json=rest["as_json"], saver=saver)
    explorer = _run(spec, params, rest["cache"], printer)
    if saver is not None:
        from studytool.demo.report import write

        saver.finish()
        write(saver.folder)
        click.echo(f"saved to {saver.folder}", err=True)
    if rest["explore"] and explorer is not None:
        for request in map(str.strip, sys.stdin):
            if request:
                with contextlib.redirect_stdout(sys.stderr):
                    lines = list(answer(explorer, request, install_command(spec)))
                for line in lines:
                    printer.show(line)
    return ExitCode.DEMO if printer.bad else ExitCode.OK


def _run(
    spec: DemoSpec[Any], params: Params, cache: Path | None, printer: _Printer
) -> Explorer | None:
    from studytool.paths import default_paths

    save = printer.saver.folder if printer.saver else None
    threads = _cap_threads()
    lab = make_lab(spec, params, cache or cache_folder(default_paths()), threads, save)
    steps = play(spec, params, lab, install_command(spec))
    while True:
        with contextlib.redirect_stdout(sys.stderr):
            line, explorer = _step(steps)
        if line is None:
            return explorer
        printer.show(line)


def _cap_threads() -> int:
    """As in the runner's process, one thread unless OMP_NUM_THREADS asks for more; returns how many.

    The demo's module has been imported, so libraries that read the environment as they are loaded
    have to be told.
    """
    threads = int(os.environ.get("OMP_NUM_THREADS", "1") or 1)
    for name in THREADS:
        os.environ.setdefault(name, str(threads))
    if "numpy" in sys.modules and find_spec("threadpoolctl") is not None:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        threadpool_limits(threads)
    return threads


def _step(steps: Generator[bytes, None, Explorer | None]) -> tuple[bytes | None, Explorer | None]:
    try:
        return next(steps), None
    except StopIteration as end:
        return None, end.value


def install_command(spec: DemoSpec[Any], distribution: str = "studytool") -> str:
    """The exact command that installs what the demo needs."""
    return f"pip install '{distribution}[{spec.info.extra}]'"


class _Printer:
    """Prints the lines of a run, keeps them for the report, and remembers whether one was bad."""

    def __init__(self, *, as_json: bool, saver: Saver | None) -> None:
        self.saver = saver
        self.bad = False
        self._as_json = as_json
        self._words = Words()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal without ✓ shows ? instead

    def show(self, line: bytes) -> None:
        event = decode(line)
        self.bad |= is_bad(event)
        if self.saver is not None:
            self.saver.add(line)
        if self._as_json:
            click.echo(line.decode())
        for words in () if self._as_json else self._words.lines(event):
            click.echo(words)


def is_bad(event: Event) -> bool:
    """True for what makes a run end with exit code 4."""
    return isinstance(event, Failed) or (isinstance(event, Claim) and not event.as_expected)
