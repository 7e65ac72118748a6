"""Which skill a key point asks for.

The first rule that fits decides, on the point's own text and, where that says nothing, on the
kind of its card:

1. trade-offs      it weighs one thing against another: a cost, a choice, a budget, "cheaper"
2. failure modes   it says what goes wrong: collapse, bias, leakage, drift, "cannot", "fails"
3. evidence        it holds a number with a citation, or names a paper's result or measurement
4. mechanism       it says how or why: a formula, a gradient, "because", "so", a loss, a step
5. otherwise       debug: failure modes; design, compare: trade-offs; derive, compute: mechanism;
                   explain: correctness, the definition or fact itself

Correctness is also what every contradicted point and every voiced misconception counts against.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from studytool.deck.model import Kind

if TYPE_CHECKING:
    from studytool.deck.model import Card


class Skill(StrEnum):
    CORRECTNESS = "correctness"
    MECHANISM = "mechanism"
    EVIDENCE = "evidence"
    TRADE_OFFS = "trade-offs"
    FAILURES = "failure modes"


_TRADE_OFFS = re.compile(
    r"\b(?:trade-?offs?|costs?|price|pays?|cheap(?:er|est)?|expensive|budget|latency|memory|choice|choose|"
    r"depends|instead|versus|against|prefer\w*|better choice|at the expense|gain\w*|slower|faster|"
    r"benefits?|only worth|compromise)\b",
    re.IGNORECASE,
)
_FAILURES = re.compile(
    r"\b(?:fail\w*|collapse\w*|bias\w*|leak\w*|drift\w*|errors?|mistakes?|weak\w*|wrong|cannot|can't|"
    r"never seen|loses?|lost|harm\w*|hurt\w*|overfit\w*|diverge\w*|unstable|instability|problems?|bugs?|"
    r"hallucinat\w*|contaminat\w*|forget\w*|mismatch|false|degrade\w*|breaks?|broken|exploit\w*)\b",
    re.IGNORECASE,
)
_EVIDENCE = re.compile(
    r"\b(?:ablation|table|measured|reported|result\w*|benchmark\w*|accuracy|paper|study|experiment\w*|"
    r"preferred|matched|outperform\w*|contested|published)\b",
    re.IGNORECASE,
)
_CITED_NUMBER = re.compile(r"\d[^\n]*\[\^(?!derived\])[^\]\s]+\]")
_MECHANISM = re.compile(
    r"[=∑Σσ∂√≈·⊙]|\b(?:because|so|since|therefore|thus|hence|gradients?|loss|log|logits?|softmax|sigmoid|"
    r"matrix|matrices|project\w*|normalis\w*|normaliz\w*|dot products?|update\w*|multipl\w*|divide\w*|sum|"
    r"mean|trained (?:by|on|to)|predict\w*|step|factor\w*|proportional|optimum|minimis\w*|maximis\w*)\b",
    re.IGNORECASE,
)
_BY_KIND = {
    Kind.DEBUG: Skill.FAILURES,
    Kind.DESIGN: Skill.TRADE_OFFS,
    Kind.COMPARE: Skill.TRADE_OFFS,
    Kind.DERIVE: Skill.MECHANISM,
    Kind.COMPUTE: Skill.MECHANISM,
}


def skill(text: str, card: Card) -> Skill:
    """The skill that the key point `text` of `card` asks for."""
    if _TRADE_OFFS.search(text):
        return Skill.TRADE_OFFS
    if _FAILURES.search(text):
        return Skill.FAILURES
    if _CITED_NUMBER.search(text) or _EVIDENCE.search(text):
        return Skill.EVIDENCE
    if _MECHANISM.search(text):
        return Skill.MECHANISM
    return _BY_KIND.get(card.kind, Skill.CORRECTNESS)
