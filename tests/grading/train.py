"""Fits the grader on the tune split and writes studytool/grading/weights.json.

    python -m tests.grading.train [--encoder PATH] [--dry]

Four models are made: with an encoder or on words alone, for points with authored mistakes or
without. Of each there are a hand rule, its thresholds from a grid, and a logistic regression;
both are judged by cross-validation in which each question is left out with two others, and the
better one is used. Held-out and fresh questions are not read. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from studytool.grading.decide import CLASSES, HandRule, Logistic, Model, Weights
from studytool.grading.encoder import Unavailable, load_encoder
from tests.grading import devset
from tests.grading.figures import CONTRADICTED, COVERED
from tests.grading.tone import ToneTrainer, toned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tests.grading.devset import Row
    from tests.grading.figures import Judged

TARGET = Path("studytool/grading/weights.json")
#: The inverse strength of the penalty (scikit-learn's C), by cross-validation on the tune split:
#: .03, .1 and .3 give the same F1 within .01, and the strongest of them gives the best-ranked scores.
PENALTY = 0.03
#: Probabilities, one row a point: shape [n, 3].
Table: TypeAlias = "NDArray[np.float64]"
Figure: TypeAlias = "Callable[[Sequence[Judged]], float]"
NOTHING = (1.0, 0.0, 0.0)
#: Folds of the cross-validation; a question is never split.
FOLDS = 8


def names_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """The names of all features that occur."""
    return tuple(sorted({name for row in rows if row.features for name in row.features}))


def fit_logistic(rows: Sequence[Row], penalty: float) -> Logistic:
    """A standardised three-class logistic regression; rows that a gate stopped teach nothing."""
    used = [row for row in rows if row.features is not None]
    names = names_of(used)
    table = np.array([[(row.features or {}).get(name, 0.0) for name in names] for row in used])
    labels = np.array([CLASSES.index(row.label) for row in used])
    scaler = StandardScaler().fit(table)
    model = LogisticRegression(C=penalty, max_iter=5000).fit(scaler.transform(table), labels)

    def numbers(values: Table) -> tuple[float, ...]:
        return tuple(float(f"{value:.5g}") for value in values)

    return Logistic(
        names=names,
        mean=numbers(scaler.mean_),
        scale=numbers(scaler.scale_),
        weights=tuple(numbers(row) for row in model.coef_),
        bias=numbers(model.intercept_),
    )


def hand_rules(*, neural: bool, wrongs: bool) -> list[HandRule]:
    """The grid of thresholds."""
    signal, wrong, margin = (
        ("projected", "wrong_projected", "contrast")
        if neural
        else ("recall", "wrong_tfidf", "contrast_tfidf")
    )
    # Without authored mistakes nothing can reach a mark beyond 1.
    marks = (0.45, 0.6, 0.75) if wrongs else (9.0,)
    edges = (-0.05, 0.0, 0.05, 0.1) if wrongs else (0.0,)
    return [
        HandRule(signal=signal, t=t, wrong=wrong, a=a, margin=margin, m=m)
        for t, a, m in product((0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6), marks, edges)
    ]


def chances(rows: Sequence[Row], model: HandRule | Logistic | Model) -> Table:
    """Probabilities of each row, shape [n, 3]."""
    return np.array(
        [NOTHING if row.features is None else model.probabilities(row.features) for row in rows]
    )


def left_out(rows: Sequence[Row], trainer: ToneTrainer | None) -> Table:
    """Probabilities of each row by a model (and a direction of tone) fitted without its fold."""
    found = np.zeros((len(rows), 3))
    for apart_at, kept, apart in _folds(rows):
        if trainer is not None:
            tone = trainer.fit(kept)
            kept, apart = trainer.out_of_fold(kept), [toned(row, tone) for row in apart]
        found[apart_at] = chances(apart, fit_logistic(kept, PENALTY))
    return found


def _folds(rows: Sequence[Row]) -> Iterator[tuple[NDArray[np.bool_], list[Row], list[Row]]]:
    """For each fold which rows are left out, the rows that are kept, and those left out."""
    number = {card: at % FOLDS for at, card in enumerate(dict.fromkeys(row.card for row in rows))}
    folds = np.array([number[row.card] for row in rows])
    for fold in range(min(FOLDS, len(number))):
        kept = [row for row, at in zip(rows, folds, strict=True) if at != fold]
        yield folds == fold, kept, [row for row, at in zip(rows, folds, strict=True) if at == fold]


def hand_left_out(rows: Sequence[Row], rules: Sequence[HandRule]) -> Table:
    """Probabilities of each row by the rule that is best without its fold."""
    by_rule = [chances(rows, rule) for rule in rules]
    found = np.zeros((len(rows), 3))
    for apart_at, kept, _ in _folds(rows):
        scores = [quality(kept, table[~apart_at]) for table in by_rule]
        found[apart_at] = by_rule[int(np.argmax(scores))][apart_at]
    return found


def quality(rows: Sequence[Row], found: Table) -> float:
    """What decides between models: the mean of the F1 scores of covered and contradicted."""
    labels = np.array([CLASSES.index(row.label) for row in rows])
    top = found.argmax(axis=1)
    scores = [
        2
        * ((labels == which) & (top == which)).sum()
        / max(1, (labels == which).sum() + (top == which).sum())
        for which in (COVERED, CONTRADICTED)
    ]
    return float(np.mean(scores))


def best_model(rows: Sequence[Row], trainer: ToneTrainer | None, *, wrongs: bool) -> Model:
    """Both ways fitted on all rows, and which one to use."""
    rules = hand_rules(neural=trainer is not None, wrongs=wrongs)
    by_hand = hand_left_out(rows, rules)
    hand, logistic = quality(rows, by_hand), quality(rows, left_out(rows, trainer))
    use = "logistic" if logistic > hand else "hand"
    print(f"  hand rule {hand:.3f}, logistic {logistic:.3f}: {use}")
    return Model(
        use=use,
        hand=max(rules, key=lambda rule: quality(rows, chances(rows, rule))),
        logistic=fit_logistic(trainer.out_of_fold(rows) if trainer else rows, PENALTY),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--encoder", default="", help="another ONNX sentence encoder")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    encoder = load_encoder(options.encoder)
    if isinstance(encoder, Unavailable):
        raise SystemExit(encoder.reason)
    memo, names = devset.Memo(encoder), devset.split().tune
    trainer = ToneTrainer(memo)
    models: dict[str, Model] = {}
    for neural, wrongs in product((True, False), (True, False)):
        name = f"{'neural' if neural else 'lexical'}{'' if wrongs else '-bare'}"
        print(name)
        rows = devset.rows(names, memo if neural else None, wrongs=wrongs)
        models[name] = best_model(rows, trainer if neural else None, wrongs=wrongs)
    if not options.dry:
        fitted = Weights(models=models, tone=trainer.fit(devset.rows(names, memo)))
        TARGET.write_bytes(msgspec.json.format(msgspec.json.encode(fitted), indent=1) + b"\n")
        print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
