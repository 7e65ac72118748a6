"""One description of a parameter set, for the flags, the form, the deck linter and the stored JSON.

`describe(SkipgramParams)` lists the fields of the struct with kind, range, default and help;
`decode` and `parse` turn stored or typed values into the struct, strictly, with one message that
says what is wrong, where, and what is allowed.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

import msgspec
from msgspec import inspect as shapes

from studytool.demo.spec import DemoSpec, Params
from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = bool | int | float | str
Kind: TypeAlias = Literal["bool", "int", "float", "text", "choice"]
P = TypeVar("P", bound=Params)

#: Flags of the command itself, which no parameter may take.
RESERVED = frozenset({"json", "save", "cache", "explore", "store", "help"})
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_INT = re.compile(r"[+-]?\d{1,18}")


class SpecFault(ValueError):
    """A parameter struct that can't be offered: a kind that is not allowed, or no default."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: what it takes, and what it is when nothing is said.

    `low` and `high` bound numbers, exclusively where `low_open` or `high_open` is set;
    `max_length` bounds text. `choices` are the values of a choice.
    """

    name: str
    kind: Kind
    default: Value
    help: str = ""
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[int | str, ...] = ()
    max_length: int | None = None

    @property
    def flag(self) -> str:
        """`--learning-rate` for `learning_rate`."""
        return "--" + self.name.replace("_", "-")

    @property
    def takes(self) -> str:
        """What is allowed, in words: "a whole number from 1 to 60"."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.kind == "text":
            return "text" if self.max_length is None else f"text of at most {self.max_length} signs"
        return ("a whole number" if self.kind == "int" else "a number") + self._range()

    def _range(self) -> str:
        low = high = ""
        if self.low is not None:
            low = f" {'above' if self.low_open else 'from'} {self._number(self.low)}"
        if self.high is not None:
            closed = "to" if low and not self.low_open else "up to"
            high = f" {'below' if self.high_open else closed} {self._number(self.high)}"
        return low + ("," if low and high and (self.low_open or self.high_open) else "") + high

    def _number(self, bound: float) -> str:
        return f"{bound:.0f}" if self.kind == "int" else f"{bound:g}"

    def check(self, value: object) -> Value:
        """`value` as this parameter takes it (a whole number also where a number is asked).

        Raises ValueError with what is wrong and what is allowed.
        """
        if self.kind == "bool":
            good = isinstance(value, bool)
        elif self.kind == "int":
            good = isinstance(value, int) and not isinstance(value, bool)
        elif self.kind == "float":
            good = isinstance(value, int | float) and not isinstance(value, bool)
        elif self.kind == "text":
            good = isinstance(value, str)
        else:
            good = any(value == each and type(value) is type(each) for each in self.choices)
        if not good or not self._inside(value):
            raise ValueError(f"{value!r} is not allowed; it takes {self.takes}")
        return float(cast("float", value)) if self.kind == "float" else cast("Value", value)

    def _inside(self, value: object) -> bool:
        if self.kind == "text":
            return self.max_length is None or len(cast("str", value)) <= self.max_length
        if self.kind not in ("int", "float"):
            return True
        number = cast("float", value)
        if not math.isfinite(number):
            return False
        if self.low is not None and (number <= self.low if self.low_open else number < self.low):
            return False
        return self.high is None or (number < self.high if self.high_open else number <= self.high)

    def parse(self, text: str) -> Value:
        """The value of what was typed. Raises ValueError like `check`."""
        word = text.strip()
        if self.kind == "text":
            return self.check(text)
        if self.kind == "choice":
            for choice in self.choices:
                if word == str(choice):
                    return choice
        elif self.kind == "bool" and word.lower() in _TRUE | _FALSE:
            return word.lower() in _TRUE
        elif self.kind == "int" and _INT.fullmatch(word):
            return self.check(int(word))
        elif self.kind == "float":
            try:
                return self.check(float(word))
            except ValueError:
                pass
        raise ValueError(f"{text!r} is not allowed; it takes {self.takes}")


def describe(params: type[Params]) -> tuple[Param, ...]:
    """The fields of a parameter struct in their written order, the seed last.

    Raises SpecFault naming the first field of a kind that can't be offered.
    """
    info = shapes.type_info(params)
    if not isinstance(info, shapes.StructType):
        raise SpecFault(f"{params!r} is not a struct of parameters")
    written = {field.name: field.type for field in msgspec.structs.fields(params)}
    found = [_param(field, written[field.name]) for field in info.fields]
    return (*(p for p in found if p.name != "seed"), *(p for p in found if p.name == "seed"))


def _param(field: shapes.Field, written: Any) -> Param:
    """`written` is the annotation, which keeps the order of a Literal's choices."""
    kind, help_text = field.type, ""
    if isinstance(kind, shapes.Metadata):
        help_text = str((kind.extra_json_schema or {}).get("description", ""))
        kind = kind.type
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        raise SpecFault(f"parameter {field.name!r} has no default")
    if field.name in RESERVED:
        raise SpecFault(f"parameter {field.name!r} has the name of a flag that every demo has")
    name, default = field.name, field.default
    if isinstance(kind, shapes.BoolType):
        return Param(name, "bool", default, help_text)
    if isinstance(kind, shapes.StrType):
        return Param(name, "text", default, help_text, max_length=kind.max_length)
    if isinstance(kind, shapes.LiteralType):
        literal = get_args(written)[0] if get_origin(written) is Annotated else written
        return Param(name, "choice", default, help_text, choices=get_args(literal))
    if isinstance(kind, shapes.IntType | shapes.FloatType):
        low = kind.gt if kind.ge is None else kind.ge
        high = kind.lt if kind.le is None else kind.le
        number: Kind = "int" if isinstance(kind, shapes.IntType) else "float"
        return Param(
            name, number, default, help_text, low, high, kind.gt is not None, kind.lt is not None
        )
    raise SpecFault(
        f"parameter {name!r} has a type that can't be offered; "
        "bool, int, float, str and Literal can"
    )


def encode(params: Params) -> dict[str, Value]:
    """The parameters as plain JSON values, all of them."""
    return cast("dict[str, Value]", msgspec.to_builtins(params))


def decode(kind: type[P], values: Mapping[str, Any], *, where: str = "") -> P:
    """The struct of stored or configured values; what is not said keeps its default.

    `where` begins the message ("demo skipgram"). Raises UsageError for an unknown name, naming
    the nearest, and for a value that is not allowed.
    """
    known = {param.name: param for param in describe(kind)}
    start = f"{where}: " if where else ""
    checked: dict[str, Value] = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"{start}there is no parameter {name!r}", hint=_nearest(name, known))
        try:
            checked[name] = known[name].check(value)
        except ValueError as fault:
            raise UsageError(f"{start}{name} = {fault}") from fault
    try:
        return msgspec.convert(checked, kind)
    except msgspec.ValidationError as fault:
        raise UsageError(f"{start}{fault}") from fault


def parse(kind: type[P], texts: Mapping[str, str], *, where: str = "") -> P:
    """Like `decode`, from what was typed into a form."""
    known = {param.name: param for param in describe(kind)}
    values: dict[str, Any] = dict(texts)
    for name, text in texts.items():
        if name in known:
            try:
                values[name] = known[name].parse(text)
            except ValueError as fault:
                start = f"{where}: " if where else ""
                raise UsageError(f"{start}{name} = {fault}") from fault
    return decode(kind, values, where=where)


def check_params(spec: DemoSpec[Any], values: Mapping[str, Any]) -> str | None:
    """What is wrong with a card's parameters for this demo, or None."""
    try:
        decode(spec.params, values, where=f"demo {spec.info.id}")
    except UsageError as fault:
        return f"{fault.message} ({fault.hint})" if fault.hint else fault.message
    return None


def _nearest(name: str, known: Mapping[str, Param]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "Its parameters are " + ", ".join(known) + "."
