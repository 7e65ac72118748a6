"""The number of a `compute` card: found in the answer, and held against the result.

Reads 10.4, 10,4, 32,768, 10 400, 1e3, 1.5×10^3, 5 k, 3 M, 40 % and a unit with an SI prefix
(ms against s, GB against MB).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from studytool.grading.model import Number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.deck.model import Result

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-−+]?)\s?"
    r"(?P<body>\d{1,3}(?:[,'\u2009\u202f ]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)"
    r"(?:[eE](?P<exponent>[-+]?\d{1,3})|\s?[×x*·]\s?10\s?(?:\^|\*\*)\s?\(?(?P<power>[-−+]?\d{1,3})\)?)?"
    r"(?P<unit>\s?(?:%|[^\W\d_]{1,12}|°)(?:/[^\W\d_]{1,12})?)?"
)
_SCALES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "mio": 1e6, "b": 1e9, "bn": 1e9,
    "billion": 1e9, "t": 1e12, "trillion": 1e12,
}  # fmt: skip
_PREFIXES = {
    "n": 1e-9, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "K": 1e3, "M": 1e6,
    "G": 1e9, "T": 1e12,
}  # fmt: skip
_NAMED = {"kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "milli": 1e-3, "micro": 1e-6}
_MARKS = str.maketrans({"−": "-", "\u2009": None, "\u202f": None, "'": None, " ": None})
#: Numbers beyond this many of a long answer are not looked at.
_MOST = 200


def check(answer: str, result: Result) -> Number:
    """Whether the answer gives the result within its tolerance.

    The last number that is right counts, wherever it stands; else the last number of the answer
    is shown as the one that is wrong. In "24 heads give 16 GB" only one can be meant, and a
    derivation ends with its result.
    """
    shown = ""
    for _, (text, values) in zip(range(_MOST), _numbers(answer, result.unit), strict=False):
        if any(_close(value, result) for value in values):
            return Number(True, text)
        shown = text
    return Number(False, shown)


def _close(value: float, result: Result) -> bool:
    """Within the tolerance, with room for the rounding of decimals."""
    return abs(value - result.value) <= result.tolerance * (1 + 1e-9) + 1e-12


def _numbers(text: str, unit: str) -> Iterator[tuple[str, list[float]]]:
    """Each number as written, from the end, with what it may mean in `unit`."""
    for match in reversed(list(_NUMBER.finditer(text))):
        scale = 10.0 ** int((match["exponent"] or match["power"] or "0").translate(_MARKS))
        sign = -1.0 if match["sign"] in ("-", "−") else 1.0
        values = [sign * body * scale for body in _bodies(match["body"])]
        word = (match["unit"] or "").strip()
        factors = _factors(word, unit)
        end = match.end() if word and factors != [1.0] else match.start("unit")
        shown = text[match.start() : end if end > 0 else match.end()].strip()
        yield shown, [v * f for v in values for f in factors if math.isfinite(v * f)]


def _bodies(text: str) -> list[float]:
    """What digits with separators may mean: "1,500" is 1500 or 1.5; "10,4" is 10.4."""
    text = text.translate(_MARKS)
    if "," not in text:
        return [float(text)]
    found = []
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        found.append(float(text.replace(",", "")))
    if text.count(",") == 1 and "." not in text:
        found.append(float(text.replace(",", ".")))
    return found


def _factors(word: str, unit: str) -> list[float]:
    """What the word behind a number may multiply it by so that it is in `unit`."""
    if not word or word == unit or word.casefold() == unit.casefold():
        return [1.0]
    if word == "%":
        return [1.0, 0.01] if unit != "%" else [1.0]
    if unit == "%" and word.casefold() in ("percent", "pct"):
        return [1.0]
    converted = _size(word, unit)
    if converted is not None:
        return [converted]
    return [_SCALES.get(word.casefold(), 1.0)]


def _size(word: str, unit: str) -> float | None:
    """How much of `unit` one of `word` is, when they differ in their SI prefix alone."""
    for left, right in ((_split(word, unit), 1.0), (_split(unit, word), -1.0)):
        if left is not None:
            return left if right > 0 else 1 / left
    ours, theirs = _prefix(word), _prefix(unit)
    if ours and theirs and ours[1] == theirs[1]:
        return ours[0] / theirs[0]
    return None


def _split(longer: str, shorter: str) -> float | None:
    """The prefix that makes `longer` of `shorter`."""
    found = _prefix(longer)
    return found[0] if found and shorter and found[1] == shorter else None


def _prefix(word: str) -> tuple[float, str] | None:
    for name, value in _NAMED.items():
        if word.casefold().startswith(name) and len(word) > len(name) + 2:
            return value, word[len(name) :]
    if len(word) in (2, 3, 4) and word[0] in _PREFIXES and not word.islower():
        return _PREFIXES[word[0]], word[1:]
    if word in ("ms", "us", "µs", "μs", "ns", "km", "cm", "mm", "kg", "mg", "kb"):
        return _PREFIXES[word[0]], word[1:]
    return None
