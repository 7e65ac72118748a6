"""Prints every figure of the grader on the development set, with 95 % bootstrap intervals.

    python -m tests.grading.report [--held-out | --fresh]

Without a flag: the tune split by cross-validation, each question judged by a model that was
fitted without it. With one: the held-out or the fresh questions, judged by the weights that are
shipped.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from studytool.grading.decide import weights
from studytool.grading.encoder import Unavailable, load_encoder
from tests.grading import devset, train
from tests.grading.figures import BARS, CONTRADICTED, FIGURES, f1, interval, judged
from tests.grading.tone import ToneTrainer, toned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.encoder import Encoder
    from tests.grading.figures import Judged

#: What contradictions are worth when no author wrote down mistakes.
BARE_BAR = 0.35


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints the grader's figures.")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--held-out", action="store_true", help="the questions kept apart")
    either.add_argument("--fresh", action="store_true", help="the questions written afresh")
    options = parser.parse_args()
    held_out = options.held_out or options.fresh
    encoder = load_encoder()
    if isinstance(encoder, Unavailable):
        raise SystemExit(encoder.reason)
    memo = devset.Memo(encoder)
    split = devset.split()
    names, title = split.tune, "tune, cross-validated"
    if held_out:
        names, title = (split.fresh, "fresh") if options.fresh else (split.held_out, "held-out")
    print(f"{title}: {len(names)} questions")
    for title, neural in (("minilm-int8", memo), ("lexical", None)):
        print(f"\n{title}")
        table(answers(names, neural, wrongs=True, held_out=held_out))
        bare = answers(names, neural, wrongs=False, held_out=held_out)
        line("contradiction F1, no mistakes", bare, partial(f1, which=CONTRADICTED), ">=", BARE_BAR)


def answers(
    names: Sequence[str], encoder: Encoder | None, *, wrongs: bool, held_out: bool
) -> list[Judged]:
    """The judged answers to the questions `names`."""
    rows = devset.rows(names, encoder, wrongs=wrongs)
    shipped = weights().model(neural=encoder is not None, wrongs=wrongs)
    if held_out:
        tone = weights().tone
        return judged(
            rows, train.chances([toned(row, tone) for row in rows] if tone else rows, shipped)
        )
    if shipped.use == "hand":
        rules = train.hand_rules(neural=encoder is not None, wrongs=wrongs)
        return judged(rows, train.hand_left_out(rows, rules))
    return judged(rows, train.left_out(rows, ToneTrainer(encoder) if encoder else None))


def table(found: Sequence[Judged]) -> None:
    """One line a figure, with its bar where it has one."""
    bars = {name: (sign, bar) for name, sign, bar in BARS}
    for name, figure in FIGURES.items():
        sign, bar = bars.get(name, ("", 0.0))
        line(name, found, figure, sign, bar)


def line(name: str, found: Sequence[Judged], figure: train.Figure, sign: str, bar: float) -> None:
    value = figure(found)
    low, high = interval(found, figure)
    text = f"  {name:<32} {value:5.2f}  [{low:.2f}, {high:.2f}]"
    if sign:
        met = value >= bar if sign == ">=" else value <= bar
        text += f"   bar {sign} {bar:.2f} {'met' if met else 'MISSED'}"
    print(text)


if __name__ == "__main__":
    main()
