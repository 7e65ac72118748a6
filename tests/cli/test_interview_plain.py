"""`studytool interview --plain` and its reports: through pipes, over the real store and grader."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from studytool.cli import main as entry
from studytool.deck.model import KeyPoint, Level, Wrong
from studytool.grading import encoder
from studytool.services.context import open_app
from tests.unit.interview_kit import ask_card
from tests.unit.study_deck import card, write

Run = Callable[..., tuple[int, str, str]]

POINTS = (
    KeyPoint(
        2,
        "The temperature is learned in log space",
        also=("it is a trained parameter",),
        probe="How is the sharpness chosen?",
        wrong=(Wrong("The temperature is a fixed constant", "it is trained"),),
    ),
    KeyPoint(1, "It is clipped so that logits are never scaled by more than a hundred"),
)
GOOD = (
    "The temperature is a trained parameter, learned in log space.\n"
    "It is clipped so that logits are not scaled by more than a hundred.\n.\n"
)


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    cards = [
        ask_card(f"{chapter}-{n}", chapter, key_points=POINTS, level=Level.MEDIUM,
                 question=f"Why is the temperature of CLIP number {n} trained?")
        for chapter in ("lexical", "static")
        for n in range(3)
    ]  # fmt: skip
    return write(tmp_path / "deck", *cards)


@pytest.fixture(autouse=True)
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded by words alone, whatever is installed."""
    monkeypatch.setattr(encoder, "load_encoder", lambda *_: encoder.Unavailable("not here"))


@pytest.fixture
def interview(
    deck: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the command in this process on bytes; gives exit code, stdout and stderr."""

    def run(stdin: str | bytes, *argv: str) -> tuple[int, str, str]:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        with pytest.raises(SystemExit) as end:
            entry.run(["interview", *argv, "--deck", str(deck)])
        told = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, told.out, told.err

    return run


PLAIN = ("--plain", "--minutes", "4", "--level", "medium", "--seed", "7")


def told(out: str, *names: str) -> list[list[str]]:
    """The lines that scripts rely on."""
    return [line.split() for line in out.splitlines() if line.split(" ")[0] in names]


def report(interview: Run, *argv: str) -> Any:
    return json.loads(interview("", "--report", *argv, "--format", "json")[1])


def test_a_whole_interview(interview: Run) -> None:
    code, out, err = interview((GOOD + "4\n") * 2, *PLAIN)

    assert (code, err) == (0, "")
    asked = told(out, "question")
    assert [line[1:3] for line in asked] == [["1", "2"], ["2", "2"]]
    assert [line[4] for line in asked] == ["120", "120"]
    assert told(out, "finished") == [["finished", "1"]]
    assert out.index("sure? ") < out.index("finished 1") < out.index("Skills")
    found = report(interview)
    assert found["score"] == 1.0
    assert found["calibration"]["brier"] == pytest.approx(0.09)
    assert {line["grader"] for line in found["answers"]} == {"lexical"}
    assert found["strongest"]


def test_what_was_left_out_is_probed(interview: Run) -> None:
    script = (
        "I would look at the pictures first.\n.\n2\n"
        "It is a trained parameter, learned in log space.\n.\n:skip\n:end\n"
    )
    _, out, _ = interview(script, *PLAIN)

    assert told(out, "probe")[0][1] == "1"
    assert "How is the sharpness chosen?" in out
    assert "log space" not in out.split("finished")[0], "a probe does not give the answer away"
    (line,) = report(interview)["answers"]
    assert line["points"][0]["probed"] is True
    assert 0 < line["score"] < 1


def test_a_voiced_misconception_is_in_the_report(interview: Run) -> None:
    interview("The temperature is a fixed constant.\n.\n5\n:skip\n:skip\n:end\n", *PLAIN)
    found = report(interview)

    assert [one["text"] for one in found["misconceptions"]] == [
        "The temperature is a fixed constant"
    ]
    assert found["misconceptions"][0]["said"].startswith("The temperature is a fixed")
    assert found["calibration"]["brier"] == pytest.approx(0.81)


def test_the_verdict_waits_for_the_end_unless_asked_for(interview: Run) -> None:
    _, out, _ = interview("Pictures.\n.\n2\n:skip\n:skip\n", *PLAIN)
    assert "Verdict" not in out
    assert "✓" not in out.split("finished 1")[0]
    _, out, _ = interview(GOOD + "4\n\n", *PLAIN, "--verdicts")
    assert "Verdict: 100 %" in out
    assert told(out, "question")[1][1] == "2"


@pytest.mark.parametrize("cut", range(0, 120, 17))
def test_the_end_of_the_input_anywhere_can_be_resumed(interview: Run, cut: int) -> None:
    script = GOOD + "4\n:hint\n" + GOOD + "5\n"
    code, out, _ = interview(script[:cut], *PLAIN)
    assert code == 0
    assert told(out, "paused") == [["paused", "1", (out.count("question 2 2") and "2") or "1", "2"]]

    code, out, _ = interview("", "--plain", "--resume")
    assert code == 0
    assert told(out, "paused")
    if 0 < cut < len(GOOD) - 2:
        assert "You had typed:\n" + script[:cut].rstrip("\n") in out


def test_resume_takes_up_the_answer_half_typed(interview: Run) -> None:
    lines = GOOD.splitlines(keepends=True)
    interview(lines[0], *PLAIN)
    _, out, _ = interview("".join(lines[1:]) + "4\n:end\n", "--plain", "--resume")

    assert "finished 1" in out
    assert report(interview)["score"] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "x " * 25_000,
        "\x1b[31m\x00\x07\u202eevil\x9b2J",
        "温度是训练出来的参数，不是固定的常数。",
        "температура обучается",
        "```python\nlogits = x @ y.T * t.exp()\nloss = ce(logits)\n```",
        "…",
        "'; DROP TABLE interviews; --",
    ],
    ids=["50 kB", "controls", "Chinese", "Russian", "code", "punctuation", "quotes"],
)
def test_bad_answers(interview: Run, text: str) -> None:
    code, out, err = interview(f"{text}\n.\n1\n:skip\n:skip\n:end\n", *PLAIN)

    assert (code, err) == (0, "")
    assert "finished 1" in out
    for char in ("\x1b", "\x07", "\u202e", "\x9b", "\x00"):
        assert char not in out
    assert report(interview)["answers"][0]["score"] < 0.6


def test_an_empty_answer_is_asked_again(interview: Run) -> None:
    _, out, _ = interview(".\n  \n.\n:unknown\n:end\n", *PLAIN)

    assert out.count("That was empty.") == 2
    (line,) = report(interview)["answers"]
    assert (line["outcome"], line["score"]) == ("unknown", 0.0)


def test_lines_that_begin_with_a_dot_or_a_colon(interview: Run) -> None:
    _, out, _ = interview("..net\n::colon\n", *PLAIN)
    assert "paused" in out
    _, out, _ = interview("", "--plain", "--resume")
    assert "You had typed:\n.net\n:colon" in out


def test_bytes_that_are_no_text(interview: Run) -> None:
    code, out, _ = interview(b"caf\xff\xfe\n.\n3\n:end\n", *PLAIN)
    assert code == 0
    assert "finished 1" in out


def test_out_loud(interview: Run) -> None:
    _, out, _ = interview(":aloud\n5\n9\n1 2\n:end\n", *PLAIN)

    assert out.index("sure? ") < out.index("  1. weight 2: The temperature is learned in log space")
    assert "Numbers from 1 to 2" in out
    (line,) = report(interview)["answers"]
    assert (line["aloud"], line["grader"], line["score"]) == (True, "self", 1.0)


def test_commands(interview: Run) -> None:
    script = ":?\n:hint\n:hint\n:hint\n:time\n:show\n:again\n:nonsense\n:pause\nno\n:clear\n:quit\n"
    code, out, _ = interview(script, *PLAIN)

    assert code == 0
    assert out.count("Hint: ") == 4, "two hints, heard again"
    assert " of 2:00 on this answer; " in out
    assert "This card has no demo" in out
    assert "There is no such command" in out
    assert out.count("That is not possible now.") == 1
    assert out.count("question 1 2") == 2
    assert told(out, "paused") == [["paused", "1", "1", "2"]]


def test_the_same_seed_asks_the_same(interview: Run) -> None:
    first = told(interview(":quit\n", *PLAIN)[1], "question")
    second = told(interview(":quit\n", *PLAIN)[1], "question")
    assert first == second


def test_a_new_interview_ends_the_one_that_waits_and_says_so(interview: Run) -> None:
    assert "was not finished" not in interview("", *PLAIN)[1]
    assert interview("", *PLAIN)[1].startswith("Interview 1 was not finished; it ends here")


def test_easy_is_junior_and_a_seed_is_chosen_when_none_is_given(interview: Run) -> None:
    _, out, _ = interview("", "--plain", "--level", "easy")
    assert "junior" in out
    assert "seed 1" in out


def test_the_list_and_the_reports(interview: Run) -> None:
    assert "No interview was held yet" in interview("", "--list")[1]
    code, _, err = interview("", "--report")
    assert code == 2
    assert "No interview was finished" in err
    interview((GOOD + "4\n") * 2, *PLAIN)
    interview("", *PLAIN)

    code, out, _ = interview("", "--list")
    assert code == 0
    assert "100 %" in out
    assert "not finished: question 1 of 2" in out
    (row,) = json.loads(interview("", "--list", "--format", "json")[1])
    assert (row["id"], row["score"], row["seed"]) == (1, 1.0, 7)
    assert interview("", "--report", "1", "--format", "md")[1].startswith("# Interview of ")
    assert interview("", "--report", "--format", "html")[1].startswith("<!doctype html>")
    assert interview("", "--report", "9")[0] == 2


def test_missed_cards_wait_for_the_flag(interview: Run, deck: Path) -> None:
    _, out, _ = interview("Pictures.\n.\n2\n:skip\n:skip\n:end\n", *PLAIN)
    assert "--queue-missed" in out
    with open_app(deck) as app:
        assert list(app.store.states(app.deck_name)) == []
    code, out, _ = interview("", "--queue-missed")
    assert code == 0
    assert told(out, "queued")
    code, out, err = interview("", "--queue-missed", "--report", "1")
    assert (code, out) == (0, "")
    assert "no missed cards" in err
    _, out, _ = interview("Pictures.\n.\n2\n:skip\n:end\n", *PLAIN, "--queue-missed")
    assert told(out, "queued")


@pytest.mark.parametrize(
    "argv",
    [
        ("--plain", "--minutes", "0"),
        ("--plain", "--level", "guru"),
        ("--plain", "--style", "nice"),
        ("--plain", "--seed", "-1"),
        ("--plain", "--resume", "--minutes", "5"),
        ("--format", "md"),
        ("--list", "--format", "html"),
        ("--plain", "--chapter", "statik"),
        ("--plain", "--resume"),
        ("--minutes", "5"),
    ],
)
def test_wrong_usage(interview: Run, argv: tuple[str, ...]) -> None:
    code, out, err = interview("", *argv)
    assert (code, out) == (2, "")
    assert err


def test_a_deck_without_a_question_to_ask(interview: Run, deck: Path) -> None:
    write(deck)
    assert interview("", *PLAIN)[0] == 2
    write(deck, card("x"))
    assert interview("", *PLAIN)[0] == 0


def test_nothing_from_a_deck_reaches_the_terminal_raw(interview: Run, deck: Path) -> None:
    evil = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\u202etxet\x9b31m"
    point = KeyPoint(1, f"P {evil}", probe=f"R {evil}?")
    write(deck, ask_card("a", question=f"Q {evil}?", prompt=f"S {evil}", key_points=(point,)))
    _, out, err = interview("none\n.\n1\n:aloud\n:skip\n:end\n", *PLAIN)
    for form in ("md", "html", "json"):
        out += interview("", "--report", "--format", form)[1]

    for char in ("\x1b", "\x07", "\u202e", "\x9b"):
        assert char not in out + err
    assert "Q txet?" in out


# Real processes --------------------------------------------------------------------------------


@contextmanager
def process(deck: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "studytool.cli.main", "interview", *argv, "--deck", str(deck)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.kill()
        child.wait(20)
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        if child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()


def read_until(child: subprocess.Popen[str], text: str) -> str:
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"{text!r} did not come: {lines}")


def send(child: subprocess.Popen[str], text: str) -> None:
    assert child.stdin is not None
    child.stdin.write(text)
    child.stdin.flush()


def test_a_kill_resumes_at_the_same_question(deck: Path, interview: Run) -> None:
    with process(deck, *PLAIN) as child:
        send(child, "It is a trained parameter.\n.\n")
        card_id = read_until(child, "saved ").split()[-1]
        read_until(child, "sure? ")
        child.kill()
        child.wait(20)

    _, out, _ = interview("4\n:end\n", "--plain", "--resume")
    assert told(out, "sure?") == [["sure?", card_id]]
    assert report(interview)["answers"][0]["card"] == card_id


def test_an_interrupt_keeps_the_interview(deck: Path, interview: Run) -> None:
    with process(deck, *PLAIN) as child:
        read_until(child, "question 1 2")
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()

    assert "question 1 2" in interview("", "--plain", "--resume")[1]


def test_with_whatever_encoder_is_installed(deck: Path) -> None:
    """The real grader of this installation, in a process of its own."""
    with process(deck, *PLAIN) as child:
        out, err = child.communicate((GOOD + "4\n") * 2, timeout=60)
    assert child.returncode == 0
    assert err == ""
    assert "finished 1" in out
