"""Parameters: described once, converted strictly, refused with what, where and what is allowed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.demo.params import (
    Param,
    SpecFault,
    check_params,
    decode,
    describe,
    encode,
    parse,
)
from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params
from studytool.errors import UsageError


class Knobs(Params, frozen=True, kw_only=True):
    """One of each kind."""

    epochs: Annotated[int, Meta(ge=1, le=60, description="passes")] = 20
    rate: Annotated[float, Meta(gt=0, le=1, description="learning rate")] = 0.5
    kind: Annotated[Literal["plain", "fancy"], Meta(description="variant")] = "plain"
    depth: Literal[2, 1] = 1
    symmetric: bool = True
    corpus: Annotated[str, Meta(max_length=9)] = ""


SPEC = DemoSpec(
    DemoInfo("knobs", "Knobs", "testing", "Turn them.", "none", 1, "nowhere.knobs"), Knobs
)


def by_name(name: str) -> Param:
    return {param.name: param for param in describe(Knobs)}[name]


def test_fields_are_described_in_order_with_the_seed_last() -> None:
    assert [param.name for param in describe(Knobs)] == [
        "epochs",
        "rate",
        "kind",
        "depth",
        "symmetric",
        "corpus",
        "seed",
    ]
    assert by_name("epochs") == Param("epochs", "int", 20, "passes", low=1, high=60)
    assert by_name("rate") == Param("rate", "float", 0.5, "learning rate", 0, 1, low_open=True)
    assert by_name("kind").choices == ("plain", "fancy")
    assert by_name("depth").choices == (2, 1)


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("epochs", "a whole number from 1 to 60"),
        ("rate", "a number above 0, up to 1"),
        ("kind", "one of plain, fancy"),
        ("symmetric", "true or false"),
        ("corpus", "text of at most 9 signs"),
        ("seed", "a whole number from 0 to 2147483647"),
    ],
)
def test_what_is_allowed_reads_well(name: str, takes: str) -> None:
    assert by_name(name).takes == takes


def test_a_kind_without_a_form_is_refused() -> None:
    class Listed(Params, frozen=True, kw_only=True):
        sizes: tuple[int, ...] = ()

    with pytest.raises(SpecFault, match="'sizes' has a type that can't be offered"):
        describe(Listed)


def test_a_parameter_needs_a_default() -> None:
    class Bare(Params, frozen=True, kw_only=True):
        size: int

    with pytest.raises(SpecFault, match="'size' has no default"):
        describe(Bare)


def test_a_parameter_may_not_take_the_name_of_a_common_flag() -> None:
    class Taken(Params, frozen=True, kw_only=True):
        json: bool = False

    with pytest.raises(SpecFault, match="flag that every demo has"):
        describe(Taken)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 61),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", "3"),
        ("rate", 0),
        ("rate", float("nan")),
        ("rate", float("inf")),
        ("rate", False),
        ("kind", "Plain"),
        ("depth", 3),
        ("depth", True),
        ("depth", "1"),
        ("symmetric", 1),
        ("corpus", "0123456789"),
        ("corpus", None),
    ],
)
def test_wrong_values_are_refused_with_name_value_and_range(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        decode(Knobs, {name: value}, where="demo knobs")

    assert caught.value.message.startswith(f"demo knobs: {name} = {value!r} is not allowed; ")
    assert by_name(name).takes in caught.value.message


def test_an_unknown_parameter_names_the_nearest() -> None:
    assert (
        check_params(SPEC, {"epoch": 3})
        == "demo knobs: there is no parameter 'epoch' (Did you mean 'epochs'?)"
    )


def test_good_parameters_of_a_card_are_fine() -> None:
    assert check_params(SPEC, {"epochs": 3, "rate": 1}) is None


def test_a_whole_number_stands_for_a_number() -> None:
    assert decode(Knobs, {"rate": 1}).rate == 1.0
    assert isinstance(decode(Knobs, {"rate": 1}).rate, float)


def test_a_rule_across_fields_is_told_like_any_other() -> None:
    class Ordered(Params, frozen=True, kw_only=True):
        low: int = 1
        high: int = 2

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low must not be above high")

    with pytest.raises(UsageError, match="low must not be above high"):
        decode(Ordered, {"low": 5}, where="demo ordered")


def test_what_is_typed_is_converted() -> None:
    typed = {"epochs": " 7 ", "rate": "1e-3", "depth": "2", "symmetric": "no", "corpus": " a "}
    expected = Knobs(epochs=7, rate=0.001, depth=2, symmetric=False, corpus=" a ")

    assert parse(Knobs, typed) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [("epochs", "1e1"), ("epochs", ""), ("rate", "fast"), ("symmetric", "maybe"), ("depth", "3")],
)
def test_what_can_not_be_converted_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"{name} = {text!r} is not allowed"):
        parse(Knobs, {name: text})


knobs = st.builds(
    Knobs,
    epochs=st.integers(1, 60),
    rate=st.floats(0, 1, exclude_min=True),
    kind=st.sampled_from(["plain", "fancy"]),
    depth=st.sampled_from([1, 2]),
    symmetric=st.booleans(),
    corpus=st.text(max_size=9),
    seed=st.integers(0, 2**31 - 1),
)


@given(knobs)
def test_stored_parameters_come_back(params: Knobs) -> None:
    assert decode(Knobs, encode(params)) == params


@given(knobs)
def test_typed_parameters_come_back(params: Knobs) -> None:
    assert parse(Knobs, {name: str(value) for name, value in encode(params).items()}) == params
