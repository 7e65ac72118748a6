"""The readers of the public yardsticks, on small data in the layouts that these have."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from tests.grading import yardstick_mohler, yardstick_semeval

XML = """<question id="{id}"><questionText>Why?</questionText>
<referenceAnswers>
<referenceAnswer category="BEST" id="a">Because of heat.</referenceAnswer></referenceAnswers>
<studentAnswers><studentAnswer id="1" accuracy="correct">Heat.</studentAnswer>
<studentAnswer id="2" accuracy="contradictory">Cold.</studentAnswer></studentAnswers></question>"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")


def test_mohler(tmp_path: Path) -> None:
    data = tmp_path / "ShortAnswerGrading_v2.0" / "data"
    write(data / "raw" / "questions", "1.1 What is a stack?\n1.2 What is a queue?\n")
    write(data / "raw" / "answers", "1.1 Last in, first out.\n1.2 First in, first out.\n")
    write(data / "raw" / "1.1", "1.1 a pile<br>of things\n1.1 caf\xe9\n")
    write(data / "raw" / "1.2", "1.2 a line\n")
    write(data / "scores" / "1.1" / "ave", "4.5\n0\n")
    write(data / "docs" / "files", "1.1\n#1.2\n")

    assert yardstick_mohler.read(tmp_path) == {
        "1.1": (
            "What is a stack?",
            "Last in, first out.",
            ["a pile of things", "caf\xe9"],
            [4.5, 0.0],
        )
    }

    write(data / "scores" / "1.1" / "ave", "4.5\n")
    with pytest.raises(SystemExit, match=r"1\.1 has 2 answers and 1 grades"):
        yardstick_mohler.read(tmp_path)


def test_semeval(tmp_path: Path) -> None:
    # The folder's own name must not be taken for a part.
    folder = tmp_path / "training"
    unseen = Path("test") / "3way" / "sciEntsBank" / "test-unseen-questions"
    for at, place in enumerate((Path("training") / "3way" / "sciEntsBank", unseen)):
        write(folder / place / f"q{at}.xml", XML.format(id=at))

    known = yardstick_semeval.part(folder, "scientsbank", "training")
    test = yardstick_semeval.part(folder, "scientsbank", "test-unseen-questions")

    assert len(known) == len(test) == 1
    assert known[0] == ("Why?", ["Because of heat."], ["Heat.", "Cold."], [True, False])
    assert yardstick_semeval.part(folder, "beetle", "training") == []
