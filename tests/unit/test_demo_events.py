"""The event codec: every event comes back; numbers on the line are finite; sizes are capped."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.demo import events as ev

texts = st.text(max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
many_floats = st.lists(floats, max_size=5)
many_texts = st.lists(texts, max_size=4)
cells = st.one_of(texts, floats, st.booleans(), st.none(), st.integers(-(2**53), 2**53))
edges = st.builds(ev.Edge, source=texts, target=texts, label=texts, weight=floats)
lines = st.builds(ev.Line, name=texts, x=many_floats, y=many_floats)

STRATEGIES: dict[type[ev.Event], st.SearchStrategy[ev.Event]] = {
    ev.Stage: st.builds(ev.Stage, name=texts, text=texts),
    ev.Progress: st.builds(ev.Progress, done=floats, total=floats, unit=texts, note=texts),
    ev.Metric: st.builds(ev.Metric, name=texts, value=floats, step=st.none() | floats, unit=texts),
    ev.Series: st.builds(
        ev.Series,
        id=texts,
        title=texts,
        lines=st.lists(lines, max_size=3),
        x_label=texts,
        y_label=texts,
        levels=st.dictionaries(texts, floats, max_size=3),
    ),
    ev.Matrix: st.builds(
        ev.Matrix,
        id=texts,
        title=texts,
        values=st.lists(many_floats, max_size=4),
        rows=many_texts,
        columns=many_texts,
        note=texts,
    ),
    ev.Table: st.builds(
        ev.Table,
        id=texts,
        title=texts,
        columns=many_texts,
        rows=st.lists(st.lists(cells, max_size=4), max_size=4),
        note=texts,
    ),
    ev.Text: st.builds(ev.Text, id=texts, title=texts, text=texts),
    ev.Image: st.builds(
        ev.Image,
        id=texts,
        title=texts,
        png=texts,
        width=st.integers(0, 9999),
        height=st.integers(0, 9999),
        caption=texts,
        credit=texts,
    ),
    ev.Graph: st.builds(
        ev.Graph, id=texts, title=texts, nodes=many_texts, edges=st.lists(edges, max_size=4)
    ),
    ev.Note: st.builds(ev.Note, text=texts),
    ev.Prediction: st.builds(
        ev.Prediction, id=texts, question=texts, options=many_texts, unit=texts
    ),
    ev.Outcome: st.builds(ev.Outcome, prediction=texts, value=texts | floats, text=texts),
    ev.Claim: st.builds(
        ev.Claim,
        id=texts,
        text=texts,
        value=floats,
        op=st.sampled_from(["<=", ">=", "<", ">", "=="]),
        bound=floats,
        holds=st.booleans(),
        unit=texts,
        expect=st.sampled_from(["holds", "refuted"]),
    ),
    ev.Finding: st.builds(ev.Finding, text=texts),
    ev.Done: st.builds(ev.Done, seconds=floats, explore=texts),
    ev.Failed: st.builds(ev.Failed, error=texts, hint=texts, trace=texts),
}


def test_every_event_has_a_strategy() -> None:
    assert set(STRATEGIES) == set(get_args(ev.Event))


@given(st.one_of(*STRATEGIES.values()))
def test_every_event_comes_back_from_one_line(event: ev.Event) -> None:
    line = ev.encode(event)

    assert b"\n" not in line
    assert ev.decode(line) == event


@given(st.one_of(*STRATEGIES.values()))
def test_the_type_is_the_name_in_lower_case(event: ev.Event) -> None:
    assert json.loads(ev.encode(event))["type"] == type(event).__name__.lower()


def test_numbers_on_the_line_are_finite_and_come_back_as_nan() -> None:
    plot = ev.Series(
        "s", "S", [ev.Line("a", [0, 1], [math.nan, math.inf])], levels={"l": -math.inf}
    )
    line = ev.encode(plot)

    assert b"NaN" not in line
    assert b"Infinity" not in line
    back = ev.decode(line)
    assert isinstance(back, ev.Series)
    assert [math.isnan(y) for y in back.lines[0].y] == [True, True]
    assert math.isnan(back.levels["l"])


def test_a_metric_without_a_number_keeps_its_step() -> None:
    back = ev.decode(ev.encode(ev.Metric("loss", math.nan)))

    assert isinstance(back, ev.Metric)
    assert math.isnan(back.value)
    assert back.step is None


def test_arrays_and_scalars_of_numpy_are_taken_as_they_are() -> None:
    plot = ev.Matrix("m", "M", np.eye(2))  # type: ignore[arg-type]

    assert ev.decode(ev.encode(plot)) == ev.Matrix("m", "M", [[1, 0], [0, 1]], [], [])
    half: Any = np.float32(0.5)
    assert ev.decode(ev.encode(ev.Metric("x", half))) == ev.Metric("x", 0.5)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="can't carry a complex"):
        ev.encode(ev.Metric("x", 1j))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "event",
    [
        ev.Matrix("big", "B", [[0.0] * 201] * 100),
        ev.Series("big", "B", [ev.Line("a", [0.0] * 20_001, [])]),
        ev.Series("big", "B", [ev.Line("a", [], [0.0] * 20_001)]),
        ev.Table("big", "B", ["a"], [[0]] * 20_001),
        ev.Image("big", "B", "A" * 2_000_001, 1, 1),
        ev.Text("big", "B", "x" * (8 * 2**20)),
    ],
    ids=["matrix", "series-x", "series-y", "table", "image", "text"],
)
def test_an_event_that_is_too_large_is_named(event: ev.Event) -> None:
    with pytest.raises(ev.EventTooLarge, match="'big' has"):
        ev.encode(event)


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b'{"type":"nothing"}', b'{"type":"text","id":null,"title":"","text":""}'],
)
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        ev.decode(line)


def test_a_claim_judges_itself() -> None:
    good = ev.claim("c", "it works", 0.7, ">=", 0.65)
    myth = ev.claim("m", "more is better", 0.4, ">=", 0.5, expect="refuted")
    nothing = ev.claim("n", "it converges", math.nan, "<=", 1)

    assert (good.holds, good.as_expected) == (True, True)
    assert (myth.holds, myth.as_expected) == (False, True)
    assert (nothing.holds, nothing.as_expected) == (False, False)
