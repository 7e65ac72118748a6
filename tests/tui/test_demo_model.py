"""The fold of a demo's events into panels, verdicts and a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.demo import events as ev
from studytool.tui import demo_model
from studytool.tui.demo_model import Curve, DemoModel, Phase


def fed(*events: ev.Event) -> DemoModel:
    model = DemoModel()
    for event in events:
        model.feed(event)
    return model


@given(st.integers(1, 9_000))
def test_a_curve_is_thinned_and_ends_at_the_newest_point(points: int) -> None:
    curve = Curve("loss")
    for step in range(points):
        curve.add(step, step / 2)
    x, y = curve.points()
    assert len(x) == len(y) <= 2 * demo_model.MAX_POINTS + 1
    assert (x[0], x[-1], y[-1]) == (0, points - 1, (points - 1) / 2)
    assert x == sorted(set(x))


def test_a_later_panel_of_the_same_id_replaces_the_earlier() -> None:
    model = fed(
        ev.Table("nn", "neighbours", ("a",), ((1,),)),
        ev.Table("nn", "neighbours", ("a",), ((2,),)),
        ev.Text("nn", "a text of the same id", "x"),
    )
    table = model.panels["table:nn"]
    assert isinstance(table, ev.Table)
    assert (table.rows, len(model.panels), len(model.history)) == (((2,),), 2, 3)


def test_dirty_keys_are_taken_once_and_in_order() -> None:
    model = fed(ev.Stage("a"), ev.Metric("loss", 1.0, step=0), ev.Progress(1, 2))
    assert model.take_dirty() == ["log", "head", "curve:loss"]
    assert model.take_dirty() == []


def test_results_are_held_back_until_every_prediction_is_answered() -> None:
    first, second = ev.Prediction("a", "?", ("x", "y")), ev.Prediction("b", "?", unit="nats")
    model = fed(first, second, ev.Outcome("a", "x"), ev.claim("c", "t", 1, ">=", 0))
    assert model.held_back
    assert model.asking is not None
    assert model.asking.prediction is first
    model.answer("a", "x")
    assert model.asking is not None
    assert model.asking.prediction is second
    model.answer("b", None)
    assert not model.held_back


@pytest.mark.parametrize(
    ("answer", "outcome", "right"),
    [
        ("x", "x", True),
        ("x", "y", False),
        (1.0, 1.05, True),
        (1.0, 1.2, False),
        (None, "x", None),
    ],
)
def test_a_guess_is_right_or_not(
    answer: str | float | None, outcome: str | float, right: bool | None
) -> None:
    model = fed(ev.Prediction("a", "?"), ev.Outcome("a", outcome))
    model.answer("a", answer)
    assert model.guesses["a"].right is right


def test_a_broken_off_run_asks_nothing_more() -> None:
    model = fed(ev.Prediction("a", "?"), ev.Failed("boom"))
    assert (model.phase, model.asking) == (Phase.FAILED, None)


def test_cancel_is_only_for_what_runs() -> None:
    running, done = fed(ev.Stage("a")), fed(ev.Done())
    running.cancel()
    done.cancel()
    assert (running.phase, done.phase) == (Phase.CANCELLED, Phase.DONE)


def test_a_fault_of_an_answer_leaves_the_run_done() -> None:
    model = fed(ev.Done(1.0, "ask"), ev.Failed("no such word"))
    assert model.phase is Phase.DONE
    assert model.failed is not None
    model.ask("again")
    assert model.failed is None


def test_the_log_is_bounded() -> None:
    model = DemoModel()
    for number in range(3 * demo_model.LOG_LINES):
        model.note_log(str(number))
    assert len(model.log) <= 2 * demo_model.LOG_LINES
    assert model.log[-1] == str(3 * demo_model.LOG_LINES - 1)
