from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from studytool.cli.grade import command
from studytool.deck.model import FileHead
from studytool.deck.render import render_file
from studytool.errors import UsageError
from tests.grading import sample


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    folder = tmp_path / "deck"
    folder.mkdir()
    cards = [sample.card(), sample.COMPUTE, sample.CLOZE, sample.CHOICE]
    (folder / "bread.md").write_text(render_file(FileHead(1, "kitchen", "K", "Bread"), cards))
    return folder


def run(deck: Path, *arguments: str, given: str | bytes = "") -> Result:
    result = CliRunner().invoke(
        command,
        [*arguments, "--lexical", "--deck", str(deck)],
        input=given,
        standalone_mode=False,
    )
    if result.exception is not None:
        raise result.exception
    return result


def test_one_answer_in_words(deck: Path) -> None:
    out = run(deck, "bread-rise", given=sample.GOOD).stdout

    assert out.startswith("score 1.00   rating easy   judged by lexical")
    assert "by: Yeast ferments the sugar and gives off carbon dioxide" in out


def test_one_answer_as_data(deck: Path) -> None:
    graded = json.loads(run(deck, "bread-rise", "--json", given=sample.GOOD).stdout)

    assert (graded["card"], graded["score"], graded["rating"]) == ("bread-rise", 1.0, 4)
    assert graded["grader"] == "lexical"
    assert [point["verdict"] for point in graded["points"]] == ["covered", "covered"]
    assert all(point["evidence"] in sample.GOOD for point in graded["points"])


def test_a_batch_with_bad_lines(deck: Path) -> None:
    lines = [
        json.dumps({"card": "bread-rise", "answer": sample.GOOD}),
        "garbage",
        "",
        json.dumps({"card": "no-such", "answer": ""}),
        json.dumps({"card": "bread-rise"}),
        json.dumps({"card": "bread-cloze/c2", "answer": "carbon dioxide", "mine": 3}),
    ]

    result = run(deck, "--batch", given="\n".join(lines))
    out = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.return_value == 2
    assert [one.get("card") for one in out] == ["bread-rise", None, None, None, "bread-cloze/c2"]
    assert [one["line"] for one in out if "error" in one] == [2, 4, 5]
    assert out[-1]["score"] == 1


def test_a_sound_batch_ends_with_zero(deck: Path) -> None:
    line = json.dumps({"card": "bread-salt", "answer": "20 g"})

    result = run(deck, "--batch", given=f"{line}\n{line}\n")

    assert result.return_value == 0
    assert [json.loads(one)["number"]["right"] for one in result.stdout.splitlines()] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "given",
    ["", "\x00\x1b[31mred\x07", b"\xff\xfe\x80", "x" * 50_000],
    ids=["empty", "control", "no UTF-8", "50 kB"],
)
def test_odd_input(deck: Path, given: str | bytes) -> None:
    result = run(deck, "bread-rise", given=given)

    assert result.return_value == 0
    assert "\x1b" not in result.stdout
    assert "missed" in result.stdout


def test_evidence_cannot_steer_the_terminal(deck: Path) -> None:
    answer = "Yeast ferments sugar \x1b]0;title\x07and gives off carbon dioxide \x1b[2J."

    assert "\x1b" not in run(deck, "bread-rise", given=answer).stdout


def test_an_unknown_card(deck: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run(deck, "bread-rize")

    assert "bread-rise" in caught.value.hint


def test_the_judge_needs_an_address_and_consent(
    deck: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDYTOOL_LLM_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="No judge"):
        run(deck, "bread-rise", "--judge")
    monkeypatch.setenv("STUDYTOOL_LLM_BASE_URL", "https://example.invalid/v1")
    with pytest.raises(UsageError, match=r"example\.invalid") as caught:
        run(deck, "bread-rise", "--judge")

    assert "--agree example.invalid" in caught.value.hint
