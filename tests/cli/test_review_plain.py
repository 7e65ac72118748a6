"""`studytool review --plain`: the same session through pipes, for screen readers and scripts."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from studytool.cli import main as entry
from studytool.clock import FixedClock
from studytool.deck.model import DemoId, KeyPoint, Kind, Option, Result, Wrong
from studytool.grading import encoder
from studytool.schedule.model import Override, Rating, Review
from studytool.services.context import open_app
from tests.unit.study_deck import card, cloze, write

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    return write(tmp_path / "deck", card("a"), card("b", "static"))


@pytest.fixture
def review(deck: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process on bytes; gives exit code, stdout and stderr."""

    def run(
        stdin: str | bytes, *argv: str, command: str = "review --plain"
    ) -> tuple[int, str, str]:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        with pytest.raises(SystemExit) as end:
            entry.run([*command.split(), "--deck", str(deck), *argv])
        told = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, told.out, told.err

    return run


def saved(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines() if line.startswith("saved ")]


def reviews(deck: Path) -> list[Review]:
    """The answers in the log, undone ones too."""
    with open_app(deck) as app:
        return [event.body for event in app.store.events() if isinstance(event.body, Review)]


def states(deck: Path) -> dict[str, int]:
    """Answers that stand, by card."""
    with open_app(deck) as app:
        return {name: state.reps for name, state in app.store.states(app.deck_name)}


def test_a_session(review: Run, deck: Path) -> None:
    code, out, err = review("\n4\n\n4\n")

    assert (code, err) == (0, "")
    with open_app(deck) as app:
        today = app.today
        due = {name: state.due_day for name, state in app.store.states(app.deck_name)}
    lines = saved(out)
    assert [line[1:4:1] for line in lines] == [[line[1], "4", "next"] for line in lines]
    assert {line[1] for line in lines} == {"a", "b"}
    for line in lines:
        assert line[4] > today.isoformat()
        assert (
            today + timedelta(days=(due[line[1]] or 0) - today.toordinal())
        ).isoformat() == line[4]
    first = lines[0][1]
    assert out.index(f"What is {first}?") < out.index(f"It is {first}.") < out.index("saved ")
    assert "1 again <1m   2 hard <6m   3 good <10m   4 easy" in out
    assert "weight 1: Names a" in out
    assert "Nothing is left to study now." in out
    assert "2 easy" in out


@pytest.mark.parametrize("stdin", ["", "\n", "q\n", "\nq\n", "\n4", "?\n", "hello"])
def test_the_end_of_the_input_ends_the_session_cleanly(review: Run, deck: Path, stdin: str) -> None:
    code, out, err = review(stdin)

    assert (code, err) == (0, "")
    assert len(saved(out)) == len(reviews(deck)) == stdin.count("4")
    assert "Answered" in out


def test_undo_goes_back_to_the_card(review: Run, deck: Path) -> None:
    code, out, _ = review("\n4\nu\n\n1\nq\n")

    first, second = saved(out)
    assert code == 0
    assert f"undone {first[1]} review 4" in out
    assert (second[1], second[2]) == (first[1], "1")
    assert states(deck) == {first[1]: 1}
    code, out, _ = review("u\nu\nq\n")
    assert f"undone {first[1]} review 1" in out, "undo reaches back over a restart"
    assert "There is nothing to undo." in out
    assert states(deck) == {}


def test_a_typed_answer_reveals_and_is_stored(review: Run, deck: Path) -> None:
    _, out, _ = review("because of \x1b[31mthis\n3\nq\n")

    assert out.index("It is ") < out.index("saved ")
    assert [body.typed for body in reviews(deck)] == ["because of this"]
    assert reviews(deck)[0].duration_ms >= 0


def test_text_after_the_reveal_is_not_taken_for_a_rating(review: Run, deck: Path) -> None:
    code, out, _ = review("\n5\nfine\n3\nq\n")

    assert code == 0
    assert out.count("That is no command here") == 2
    assert [body.typed for body in reviews(deck)] == [""]


def test_a_rating_needs_no_reveal(review: Run) -> None:
    _, out, _ = review("4\n4\n")

    assert len(saved(out)) == 2
    assert "It is" not in out


def test_suspend_and_bury(review: Run, deck: Path) -> None:
    _, out, _ = review("s\nb\n")

    assert "suspended " in out
    assert "buried " in out
    code, out, _ = review("")
    assert code == 0
    assert "Nothing is due" in out
    _, out, _ = review("", command="review --plain --chapter static")
    assert "Nothing is due" in out


def test_json_puts_data_on_stdout_and_words_on_stderr(review: Run, deck: Path) -> None:
    code, out, err = review("\n3\nu\n4\nq\n", "--json")

    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line["type"] for line in lines] == ["saved", "undone", "saved"]
    assert [line["rating"] for line in lines] == [3, 3, 4]
    assert lines[0]["card"] == lines[1]["card"] == lines[2]["card"]
    assert lines[0]["event"] == lines[1]["event"]
    assert lines[0]["interval"] == "<10m"
    assert set(lines[2]) == {"type", "card", "rating", "next", "interval", "event", "leech"}
    assert "What is" in err


def test_chapters_limits_and_their_faults(review: Run) -> None:
    _, out, _ = review("4\n", "--chapter", "static")
    assert [line[1] for line in saved(out)] == ["b"]

    code, out, err = review("4\n", "--chapter", "statik")
    assert (code, out) == (2, "")
    assert "Did you mean 'static'?" in err
    code, _, err = review("", "--limit", "0")
    assert code == 2
    code, _, err = review("", command="review --json")
    assert code == 2
    assert "--plain" in err


def test_a_limited_session(tmp_path: Path, review: Run, deck: Path) -> None:
    write(deck, *(card(f"c{n}") for n in range(5)))

    _, out, _ = review("4\n" * 9, "--limit", "2")

    assert len(saved(out)) == 2


def test_an_empty_folder_says_what_to_do(review: Run, deck: Path) -> None:
    write(deck)

    code, _, err = review("")

    assert code == 2
    assert "no cards" in err
    assert "deck new" in err


def test_a_missing_folder_is_usage(tmp_path: Path, review: Run) -> None:
    code, out, err = review("", "--deck", str(tmp_path / "nowhere"))

    assert (code, out) == (2, "")
    assert "nowhere" in err


def test_the_demo_command_can_be_pasted(review: Run, deck: Path) -> None:
    one = card(
        "a",
        demo=DemoId("clip"),
        no_demo=None,
        params={"temperature": 0.07, "text_tower": "frozen one", "mirror": False, "plot": True},
    )
    write(deck, one)
    _, out, _ = review("d\n")
    assert (
        "studytool demo run clip --temperature 0.07 --text-tower 'frozen one' --no-mirror --plot"
        in out.splitlines()
    )

    write(deck, card("b"))
    _, out, _ = review("d\n")
    assert "This card has no demo: a test." in out


def test_choice_and_cloze_cards(review: Run, deck: Path) -> None:
    options = (Option("this", True), Option("that", False, "not that"))
    write(deck, card("pick", kind=Kind.CHOICE, options=options), cloze("gaps", 2, "static"))

    _, out, _ = review("\n4\n\n4\n")

    assert "  a) this\n  b) that" in out
    assert "b) wrong - that: not that" in out
    assert "gaps has […], part 2." in out
    assert {line[1] for line in saved(out)} == {"pick", "gaps/c1"}


def test_a_change_of_the_text_is_shown(review: Run, deck: Path) -> None:
    review("1\n", "--chapter", "lexical")
    write(deck, card("a", answer="It is quite a."))

    _, out, _ = review("")

    assert "The text has changed since your last answer:" in out
    assert "+It is quite a." in out


def test_a_leech_is_told(
    review: Run, deck: Path, home: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studytool.services.context.SystemClock", lambda: clock)
    path = home / "config" / "settings.toml"
    path.parent.mkdir()
    path.write_text("[study]\nleech_lapses = 1\nfuzz = false\n")
    write(deck, card("a"))

    _, out, _ = review("4\n")
    assert saved(out) == [["saved", "a", "4", "next", "2026-12-01"]]
    clock.advance(timedelta(days=8))
    _, out, _ = review("1\nu\n1\n")

    assert out.count("a keeps being forgotten, so it is suspended") == 2
    assert len(saved(out)) == 2
    _, out, _ = review("")
    assert "Nothing is due." in out


def test_nothing_from_a_deck_reaches_the_terminal_raw(review: Run, deck: Path) -> None:
    evil = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\u202etxet\x9b31m"
    one = card("a", question=f"Q {evil}?", answer=f"A {evil}.", sources={"x": f"S {evil}"})
    write(deck, one)

    _, out, err = review("\n3\n")

    for char in ("\x1b", "\x07", "\u202e", "\x9b"):
        assert char not in out + err
    assert "Q txet?" in out


def test_bytes_that_are_no_text_do_not_stop_a_session(review: Run) -> None:
    code, out, _ = review(b"caf\xff\xfe\n4\n")

    assert code == 0
    assert len(saved(out)) == 1


def test_bad_settings_are_told_and_do_not_stop_a_session(review: Run, home: Path) -> None:
    path = home / "config" / "settings.toml"
    path.parent.mkdir()
    path.write_text("[study]\nnew_per_day = -4\n")

    code, out, err = review("4\n")

    assert code == 0
    assert len(saved(out)) == 1
    assert "warning: settings.toml line 2" in err


def test_stats_of_what_was_done(review: Run, deck: Path) -> None:
    review("4\n3\nq\n")

    code, out, err = review("", "--json", command="stats")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["reviews"], found["cards"], found["seen"], found["due"]) == (2, 2, 2, 1)
    assert (found["streak"], found["today"]["reviews"]) == (1, 2)
    assert found["retention_30d"] is None
    assert found["by_chapter"]["static"]["cards"] == 1
    code, out, _ = review("", command="stats")
    assert "answers     2" in out
    assert "Counting words" in out


# Graded answers --------------------------------------------------------------------------------

POINTS = (
    KeyPoint(2, "The temperature is learned in log space [^clip]", also=("it is a trained parameter",),
             wrong=(Wrong("The temperature is a fixed constant", "it is trained [^clip]"),)),
    KeyPoint(1, "It is clipped so that logits are never scaled by more than a hundred"),
    KeyPoint(1, "Measured here it sharpens {claim:clip/tau-one}"),
)  # fmt: skip
LEARNED = "The temperature is a trained parameter, learned in log space."


@pytest.fixture
def clip_deck(deck: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One card with three points, graded by words alone, whatever is installed."""
    absent = encoder.Unavailable("numpy not installed")
    monkeypatch.setattr(encoder, "load_encoder", lambda *_: absent)
    question = "Why does CLIP learn its temperature?"
    one = card("clip", question=question, key_points=POINTS, sources={"clip": "arXiv:2103.00020"})
    return write(deck, one)


def test_a_typed_answer_is_graded_point_by_point(review: Run, clip_deck: Path) -> None:
    _, out, err = review(f"{LEARNED}\n3\n")

    assert err == ""
    assert "1. covered: The temperature is learned in log space\n" in out
    assert re.search(r"^ +you said: .*learned in log space$", out, re.MULTILINE)
    assert "2. missed: It is clipped" in out
    assert "judged by words alone: numpy not installed; pip install 'studytool[grading]'" in out
    assert "[^clip]" not in out.split("Your answer")[1]
    assert "{claim:" not in out
    (body,) = reviews(clip_deck)
    assert (body.ticked, body.suggested) == ((0,), Rating.HARD)


def test_a_voiced_mistake_is_named_with_its_why(review: Run, clip_deck: Path) -> None:
    _, out, _ = review("The temperature is a fixed constant.\n1\n")

    assert "1. contradicted: " in out
    assert 'that is: "The temperature is a fixed constant" - it is trained\n' in out
    assert "suggested: again, contradicts a point" in out
    assert reviews(clip_deck)[0].suggested is Rating.AGAIN


def test_a_tick_by_hand_is_stored_as_a_correction(review: Run, clip_deck: Path) -> None:
    _, out, _ = review(f"{LEARNED}\nx 2\nx 9\nx two\n3\nu\n{LEARNED}\nx 1\nx 1\n3\n")

    assert out.count("A number from 1 to 3.") == 2
    assert "2. covered: It is clipped" in out
    with open_app(clip_deck) as app:
        events = list(app.store.events(kinds=("override",)))
    assert [event.body for event in events] == [
        Override(card="clip", point=1, graded="missed", chosen="covered")
    ]
    assert [body.ticked for body in reviews(clip_deck)] == [(0, 1), (0,)]


def test_a_tick_needs_a_verdict(review: Run, clip_deck: Path) -> None:
    _, out, _ = review("\nx 1\n3\n")

    assert "There is no verdict on key points to change." in out
    assert reviews(clip_deck)[0].ticked == ()


def test_an_empty_line_after_the_reveal_keeps_what_was_typed(review: Run, clip_deck: Path) -> None:
    review(f"{LEARNED}\n\n3\n")

    assert reviews(clip_deck)[0].typed == LEARNED


@pytest.mark.parametrize(
    "text",
    [
        "x " * 25_000,
        "\x1b[31m\x00\x07\u202eevil\x9b2J",
        "温度是训练出来的参数，不是固定的常数。",
        "температура обучается",
        "logits = x @ y.T * t.exp(); loss = ce(logits)",
        "…",
    ],
    ids=["50 kB", "controls", "Chinese", "Russian", "code", "punctuation"],
)
def test_bad_answers(review: Run, clip_deck: Path, text: str) -> None:
    code, out, err = review(f"{text}\n1\n")

    assert (code, err) == (0, "")
    assert len(saved(out)) == 1
    for char in ("\x1b", "\x07", "\u202e", "\x9b", "\x00"):
        assert char not in out
    assert reviews(clip_deck)[0].suggested in (Rating.AGAIN, None)


def test_an_empty_answer_gets_no_verdict(review: Run, clip_deck: Path) -> None:
    _, out, _ = review("   \n3\n")

    assert "Your answer" not in out
    assert reviews(clip_deck)[0].suggested is None


def test_options_numbers_and_gaps_are_checked_exactly(review: Run, clip_deck: Path) -> None:
    options = (Option("this", True), Option("that", False, "not that"))
    number = card("sum", kind=Kind.COMPUTE, result=Result(5.545, 0.05, "nats"), key_points=())
    write(clip_deck, card("pick", kind=Kind.CHOICE, options=options, key_points=()))
    _, out, _ = review("b)\n1\n")
    assert "suggested: again" in out
    assert 'misconception voiced: "that" - not that' in out
    write(clip_deck, number)
    _, out, _ = review("5.55 nats\n3\n")
    assert "suggested: good, the number is right\n  number right: 5.55" in out
    _, out, _ = review("u\n6.1\n1\n")
    assert "suggested: again, the number is wrong\n  number wrong: 6.1" in out
    write(clip_deck, cloze("gaps", 1))
    _, out, _ = review("part 1\n3\n")
    assert "1. covered: part 1" in out


# Real processes --------------------------------------------------------------------------------


@contextmanager
def process(deck: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "studytool.cli.main", "review", "--plain", "--deck", str(deck), *argv],
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
    """Lines of stdout up to the one that holds `text`."""
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


def test_what_was_acknowledged_survives_a_kill(deck: Path) -> None:
    with process(deck) as child:
        send(child, "\n4\n")
        card_id = read_until(child, "saved ").splitlines()[-1].split()[1]
        child.kill()
        child.wait(20)

    assert states(deck) == {card_id: 1}


def test_an_interrupt_ends_with_130(deck: Path) -> None:
    with process(deck) as child:
        send(child, "4\n")
        read_until(child, "saved ")
        read_until(child, "What is")
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stderr is not None
        assert "Traceback" not in child.stderr.read()

    assert sum(states(deck).values()) == 1


def test_a_reader_that_leaves_is_no_fault(deck: Path) -> None:
    with process(deck) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        read_until(child, "What is")
        child.stdout.close()
        send(child, "\n4\n\n4\n")
        child.stdin.close()
        assert child.wait(20) == 0
        assert child.stderr.read() == ""


def test_on_a_terminal_it_draws_nothing(deck: Path) -> None:
    """No colours, no cursor movement, no other screen, also when it talks to a terminal."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "studytool.cli.main", "review", "--plain", "--deck", str(deck)],
        stdin=slave, stdout=slave, stderr=slave, close_fds=True,
    )  # fmt: skip
    os.close(slave)
    out = b""
    try:
        os.write(master, b"\n4\nq\n")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ready, _, _ = select.select([master], [], [], 1)
            try:
                piece = os.read(master, 4096) if ready else b""
            except OSError:  # Linux says so when the other side is closed
                break
            out += piece
            if not piece and child.poll() is not None:
                break
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()
        os.close(master)

    assert b"saved " in out
    assert b"\x1b" not in out


def test_a_card_from_the_builtin_deck(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deck that ships can be studied: three cards, each with an answer."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n4\n" * 3)))
    with pytest.raises(SystemExit) as end:
        entry.run(["review", "--plain", "--limit", "3"])

    out = capsys.readouterr().out
    assert end.value.code == 0
    assert len(saved(out)) == 3
    assert out.count("\nAnswer\n") == 3
