"""The calculator of the scaling demo: from any two of N, D and C to the third, or to the optimum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from demos.foundation.scaling_laws import PUBLISHED, PowerLaw, training_flops
from studytool.demo.events import Cell, Event, Note, Table

#: Tokens per parameter of Chinchilla itself: 1.4 trillion over 70 billion.
RULE = 20.0
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_GIVEN = re.compile(r"\b([NDC])\s*=\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([kmbt]?)\b", re.IGNORECASE)
_HELP = "type two of N, D and C, such as N=70B D=1.4T; C=1e23 for what a budget buys; N=1e6"


def by_rule(flops: float, ratio: float = RULE) -> tuple[float, float]:
    """N and D with D = ratio · N and 6 N D = C."""
    parameters = (flops / 6 / ratio) ** 0.5
    return parameters, ratio * parameters


def budget_rows(flops: float) -> list[list[Cell]]:
    """What a budget buys, by the rule of 20 and by the published parametric fit."""
    rows: list[list[Cell]] = []
    choices = (("20 tokens a parameter", by_rule(flops)), ("fit", PUBLISHED.optimum(flops)))
    for name, (n, d) in choices:
        loss = round(float(PUBLISHED(n, d)), 3)
        rows.append([f"{flops:.3g}", name, f"{n:.3g}", f"{d:.3g}", round(d / n, 1), loss])
    return rows


_COLUMNS = ("C", "by", "N", "D", "tokens a parameter", "loss by the fit")


def optimum_table() -> Table:
    """Three budgets; at the middle one Chinchilla was trained."""
    rows = [row for flops in (1e21, 5.88e23, 1e26) for row in budget_rows(flops)]
    note = "the parametric fit and the rule of 20 disagree, and more so the larger the budget"
    return Table("optimum", "What a budget buys", _COLUMNS, rows, note)


@dataclass(frozen=True)
class BudgetExplorer:
    """Answers `N=70B D=1.4T`, `C=1e23`, `N=7B C=1e22`, and `N=1e6` by the ladder's own fit."""

    law: PowerLaw

    def explore(self, request: str) -> Iterator[Event]:
        """One table, or a note on how to ask."""
        given = {
            name.upper(): float(number) * _UNITS[unit.lower()]
            for name, number, unit in _GIVEN.findall(request)
        }
        if not given or any(value <= 0 for value in given.values()) or len(given) == 3:
            yield Note(_HELP)
        elif given.keys() == {"C"}:
            yield Table("explore", "A budget", _COLUMNS, budget_rows(given["C"]))
        elif given.keys() == {"N"}:
            n = given["N"]
            yield Note(
                f"The ladder's line with a floor says {self.law(n):.3f} nats a letter at "
                f"N = {n:,.0f}, as if trained like the others. Far beyond the ladder trust it less."
            )
        elif given.keys() == {"D"}:
            yield Note(
                f"By the rule of 20, D = {given['D']:.3g} tokens suit N = {given['D'] / RULE:.3g}."
            )
        else:
            yield _completed(given)


def _completed(given: dict[str, float]) -> Table:
    """The third of N, D and C, and what the same budget would buy elsewhere."""
    n = given["N"] if "N" in given else given["C"] / 6 / given["D"]
    d = given["D"] if "D" in given else given["C"] / 6 / n
    c = training_flops(n, d)
    yours: list[Cell] = [
        f"{c:.3g}", "you", f"{n:.3g}", f"{d:.3g}", round(d / n, 1), round(float(PUBLISHED(n, d)), 3)
    ]  # fmt: skip
    return Table("explore", "C = 6 N D", _COLUMNS, [yours, *budget_rows(c)])
