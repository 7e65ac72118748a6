"""SemEval-2013 task 7, the Joint Student Response Analysis: SciEntsBank and Beetle, two-way.

    python -m tests.grading.yardstick_semeval DATA

DATA is the unpacked data set, two-way or three-way (what is not correct is incorrect): XML files, one
a question, in training/<ways>/<corpus>/ and test/<ways>/<corpus>/test-unseen-questions/, where the
corpus is sciEntsBank or beetle. A logistic regression on the
grader's features is fitted on the training part and judged on unseen questions. Prints the
macro-average F1 of correct against incorrect. Needs scikit-learn.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.grading.yardstick import loaded, matrix, table

BARS = {"scientsbank": 0.76, "beetle": 0.78}
PENALTY = 0.3


class Item(NamedTuple):
    """One question: its reference answers, the students' answers, which of them are correct."""

    question: str
    references: list[str]
    answers: list[str]
    correct: list[bool]


def read(path: Path) -> Item | None:
    """One XML file; None when it has no reference or no judged answer."""
    root = ElementTree.parse(path).getroot()
    question = root.findtext(".//questionText") or ""
    references = [text for one in root.iter("referenceAnswer") if (text := one.text)]
    judged = [
        (one.text or "", (one.get("accuracy") or "").lower() == "correct")
        for one in root.iter("studentAnswer")
        if one.get("accuracy")
    ]
    if not references or not judged:
        return None
    return Item(question, references, [text for text, _ in judged], [mark for _, mark in judged])


def part(folder: Path, corpus: str, wanted: str) -> list[Item]:
    """The questions of one part of a corpus; where it is there more than once, the fewest ways."""
    ways: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.xml")):
        names = [name.casefold() for name in path.relative_to(folder).parent.parts]
        if corpus in names and wanted in names:
            way = next((name for name in names if name.endswith("way")), "")
            ways.setdefault(way, []).append(path)
    files = ways[min(ways)] if ways else []
    return [item for path in files if (item := read(path)) is not None]


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder, encoder = Path(sys.argv[1]), loaded()
    for corpus, bar in BARS.items():
        sets = [part(folder, corpus, wanted) for wanted in ("training", "test-unseen-questions")]
        if not all(sets):
            print(f"{corpus}: {len(sets[0])} training and {len(sets[1])} test questions found")
            continue
        tables, marks = [], []
        for items in sets:
            rows = [row for item in items for row in table(encoder, *item[:3])]
            tables.append(rows)
            marks.append(np.array([mark for item in items for mark in item.correct]))
        both = matrix([*tables[0], *tables[1]])
        known, unseen = both[: len(tables[0])], both[len(tables[0]) :]
        model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=2000))
        model.fit(known, marks[0])
        score = f1_score(marks[1], model.predict(unseen), average="macro")
        print(
            f"{corpus}: macro-F1 on {len(unseen)} answers to unseen questions {score:.3f} (bar {bar})"
        )


if __name__ == "__main__":
    main()
