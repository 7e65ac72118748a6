"""Mohler et al. 2011, short answers of computer science students, graded 0..5 by two teachers.

    python -m tests.grading.yardstick_mohler DATA

DATA is the unpacked data set ("ShortAnswerGrading_v2.0" of Mohler, Bunescu and Mihalcea): a folder
that holds, at any depth, raw/questions, raw/answers and, in scores/<question>/ave, one grade a line. Features
of the grader go into a ridge regression; every question is predicted by a model fitted on the
others, so no question was seen. Prints Pearson's r and the RMSE. Needs scikit-learn.
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
    questions = _by_id(_one(folder, "questions"))
    references = _by_id(_one(folder, "answers"))
    found = {}
    for name, texts in questions.items():
        answers_file = _answers_file(folder, name)
        grades_file = next(iter(folder.rglob(f"scores/{name}/ave")), None)
        if answers_file is None or grades_file is None or name not in references:
            continue
        answers = [_text(line) for line in _lines(answers_file)]
        grades = [float(line) for line in _lines(grades_file)]
        if len(answers) == len(grades):
            found[name] = (texts[0], references[name][0], answers, grades)
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


def _one(folder: Path, name: str) -> Path:
    """The file of that name in a folder raw/, or else anywhere."""
    files = [path for path in sorted(folder.rglob(name)) if path.is_file()]
    if not files:
        raise SystemExit(f"{folder} holds no file {name}")
    return min(files, key=lambda path: path.parent.name != "raw")


def _answers_file(folder: Path, name: str) -> Path | None:
    """The answers to one question: a file of its name, in raw/ if there is one."""
    files = [path for path in folder.rglob(name) if path.is_file()]
    return min(files, key=lambda path: path.parent.name != "raw", default=None)


def _by_id(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _lines(path):
        if match := _LINE.match(line):
            found.setdefault(match["id"], []).append(_text(line))
    return found


def _text(line: str) -> str:
    """A line without its id and without marks for sentences and line breaks."""
    match = _LINE.match(line)
    return re.sub(r"<STOP>|<br\s*/?>", " ", match["text"] if match else line).strip()


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    main()
