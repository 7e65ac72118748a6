"""Mohler et al. 2011, short answers of computer science students, graded 0..5 by two teachers.

    python -m tests.grading.yardstick_mohler DATA

DATA is the unpacked data set ("ShortAnswerGrading_v2.0" of Mohler, Bunescu and Mihalcea) or a folder
above it. In its folder data/, raw/questions and raw/answers have a line "1.1 text" for each question
and reference, raw/1.1 a line for each student, scores/1.1/ave the grades in the same order, and
docs/files the questions that were graded, others being commented out by #. Features of the grader
go into a ridge regression; every question is predicted by a model fitted on others, so no question
was seen. Prints Pearson's r and the RMSE. Needs scikit-learn.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.grading.yardstick import loaded, matrix, table

_LINE = re.compile(r"^(?P<id>\d+\.\d+)\s+(?P<text>.*)$")
PENALTY = 10.0
FOLDS = 12


def read(folder: Path) -> dict[str, tuple[str, str, list[str], list[float]]]:
    """Question id -> (question, reference, answers, grades)."""
    data = next((path.parent.parent for path in sorted(folder.rglob("raw/questions"))), None)
    if data is None:
        raise SystemExit(f"{folder} holds no file raw/questions")
    questions, references = _by_id(data / "raw" / "questions"), _by_id(data / "raw" / "answers")
    graded = {line for line in _lines(data / "docs" / "files") if not line.startswith("#")}
    found = {}
    for name in questions:
        if name not in graded:
            continue
        answers = [_text(line) for line in _lines(data / "raw" / name)]
        grades = [float(mark) for mark in _lines(data / "scores" / name / "ave")]
        if len(answers) != len(grades):
            raise SystemExit(f"{name} has {len(answers)} answers and {len(grades)} grades")
        found[name] = (questions[name], references[name], answers, grades)
    return found


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    data = read(Path(sys.argv[1]))
    if not data:
        raise SystemExit(f"{sys.argv[1]} holds no question with answers and grades")
    encoder = loaded()
    rows: list[dict[str, float]] = []
    grades: list[float] = []
    groups: list[str] = []
    for name, (question, reference, answers, marks) in data.items():
        rows += table(encoder, question, [reference], answers)
        grades += marks
        groups += [name] * len(answers)
    model = make_pipeline(StandardScaler(), Ridge(PENALTY))
    target = np.array(grades)
    folds = GroupKFold(min(FOLDS, len(data)))
    guess = cross_val_predict(model, matrix(rows), target, groups=groups, cv=folds).clip(0, 5)
    r = np.corrcoef(guess, target)[0, 1]
    error = float(np.sqrt(np.mean((guess - target) ** 2)))
    print(f"{len(data)} questions, {len(target)} answers, unseen questions")
    print(f"r {r:.3f} (bar .62)   RMSE {error:.3f} (bar .87)")


def _by_id(path: Path) -> dict[str, str]:
    """The text of each line by the id that it begins with."""
    matches = map(_LINE.match, _lines(path))
    return {match["id"]: _text(match[0]) for match in matches if match is not None}


def _text(line: str) -> str:
    """A line without its id and without marks for sentences and line breaks."""
    match = _LINE.match(line)
    return re.sub(r"<STOP>|<br\s*/?>", " ", match["text"] if match else line).strip()


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("latin-1").split("\n") if line.strip()]


if __name__ == "__main__":
    main()
