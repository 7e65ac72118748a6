from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.deck.model import Result
from studytool.grading import numeric


@pytest.mark.parametrize(
    ("answer", "value", "unit"),
    [
        ("ln N = 10.4 nats", 10.4, "nats"),
        ("about 10,4 nats", 10.4, "nats"),
        ("It is 32,768.", 32768, ""),
        ("32 768 in all", 32768, ""),
        ("1e3", 1000, ""),
        ("1.5×10^3 pairs", 1500, "pairs"),
        ("9.7 GB", 9.7, "GB"),
        ("9700 MB, so nine and a bit", 9.7, "GB"),
        ("20 ms", 0.02, "s"),
        ("400 million", 4e8, ""),
        ("400M", 4e8, ""),
        ("40 %", 0.4, ""),
        ("40", 40, "%"),
        ("−3.5", -3.5, ""),
        ("first 5, then 7, so 12", 12, ""),
    ],
)
def test_right(answer: str, value: float, unit: str) -> None:
    number = numeric.check(answer, Result(value, abs(value) * 0.005, unit))

    assert number.right
    assert number.evidence in answer


@pytest.mark.parametrize("answer", ["", "no idea", "11 nats", "104", "1.04"])
def test_wrong(answer: str) -> None:
    assert not numeric.check(answer, Result(10.4, 0.05, "nats")).right


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_a_number_as_written_is_right(value: float) -> None:
    assert numeric.check(
        f"the result is {value!r}", Result(value, max(1e-9, abs(value) * 1e-9))
    ).right


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert numeric.check(text, Result(1.0, 0.1)).evidence in text
