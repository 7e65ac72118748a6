"""Command-line flags from a parameter struct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from studytool.demo.params import Param, Value, decode, describe

if TYPE_CHECKING:
    from studytool.demo.spec import Params


class _Flag(click.ParamType[Any]):
    """Lets a `Param` do the conversion, so that flags and forms accept the same."""

    def __init__(self, param: Param) -> None:
        self.param = param
        self.name = param.kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Value:
        try:
            return self.param.parse(value) if isinstance(value, str) else self.param.check(value)
        except ValueError as fault:
            self.fail(str(fault), param, ctx)


def options(params: type[Params]) -> list[click.Option]:
    """One option for each parameter: `--epochs`, `--symmetric/--no-symmetric`, …"""
    return [_option(param) for param in describe(params)]


def _option(param: Param) -> click.Option:
    if param.kind == "bool":
        names = [f"{param.flag}/--no-{param.flag[2:]}", param.name]
        state = "on" if param.default else "off"
        return click.Option(names, default=None, help=f"{param.help} (default: {state})".strip())
    words = f"{param.help} ({param.takes}; default {_shown(param.default)})".strip()
    return click.Option(
        [param.flag, param.name],
        type=_Flag(param),
        default=None,
        metavar=_METAVAR[param.kind],
        help=words,
    )


_METAVAR = {"int": "N", "float": "X", "text": "TEXT", "choice": "CHOICE"}


def _shown(default: Value) -> str:
    return repr(default) if isinstance(default, str) and not default.isalnum() else str(default)


def collect(params: type[Params], given: dict[str, Any]) -> tuple[Params, dict[str, Any]]:
    """Split click's keyword arguments into the parameters and the rest."""
    names = {param.name for param in describe(params)}
    said = {name: value for name, value in given.items() if name in names and value is not None}
    rest = {name: value for name, value in given.items() if name not in names}
    return decode(params, said), rest
