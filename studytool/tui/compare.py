"""Two runs of a demo side by side: what was set differently, what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.demo.events import Table
from studytool.tui.text import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studytool.demo.events import Claim
    from studytool.demo.params import Value
    from studytool.services.demo_history import PastRun
    from studytool.tui.demo_model import DemoModel


def run_name(run: PastRun) -> str:
    """`21 Nov 14:03`, in UTC."""
    return f"{run.at.day} {run.at:%b %H:%M}"


def run_line(run: PastRun, defaults: Mapping[str, Value]) -> str:
    """An earlier run in one line: when, how it went, what was set."""
    verdict = {True: "✓", False: "✗", None: "stopped"}[run.passed]
    changed = [
        f"{name}={value}" for name, value in run.params.items() if defaults.get(name) != value
    ]
    return f"{run_name(run)}  {verdict}  {run.seconds:.1f} s  {' '.join(changed) or 'defaults'}"


def table(params: Mapping[str, Value], model: DemoModel, other: PastRun) -> Table:
    """The table of this run beside `other`: differing parameters, then claims, then metrics."""
    rows: list[tuple[str, str, str]] = []
    for name in dict.fromkeys([*params, *other.params]):
        mine, theirs = params.get(name), other.params.get(name)
        if mine != theirs:
            rows.append((name, _shown(mine), _shown(theirs)))
    claims = {claim.id: claim for claim in model.claims.values()}
    for key in dict.fromkeys([*claims, *other.claims]):
        pair = claims.get(key), other.claims.get(key)
        name = next(claim.text for claim in pair if claim is not None)
        rows.append((name, _claim(pair[0]), _claim(pair[1])))
    metrics = {name: metric.value for name, metric in model.metrics.items()}
    for name in dict.fromkeys([*metrics, *other.metrics]):
        rows.append((name, _metric(metrics.get(name)), _metric(other.metrics.get(name))))
    return Table("compare", "Side by side", ("", "this run", run_name(other)), rows)


def _shown(value: Value | None) -> str:
    return "–" if value is None else str(value)


def _claim(claim: Claim | None) -> str:
    if claim is None:
        return "–"
    return f"{'✓' if claim.holds else '✗'} {number(claim.value)}"


def _metric(value: float | None) -> str:
    return "–" if value is None else number(value)
