"""Rules over one card: its rubric, its length, and what its kind asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.deck import cloze
from studytool.deck.contradiction import statement, statements, voices
from studytool.deck.model import Kind, Level, Severity
from studytool.deck.refs import mask_code, prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studytool.deck.faults import FaultList
    from studytool.deck.model import Card, Located, Wrong

#: Words of a spoken answer by level: outside of these there is a warning.
WORDS = {
    Level.EASY: (40, 160),
    Level.MEDIUM: (60, 220),
    Level.HARD: (80, 260),
    Level.STAFF: (80, 320),
}
#: Kinds whose answer may be as short as this many words, whatever the level.
SHORT = {Kind.CHOICE: 10, Kind.CLOZE: 5, Kind.COMPUTE: 20}

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_REFERENCE = re.compile(r"\[\^[^\]\s]+\]|\{claim:[^}\s]+\}")
_CONTROL = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Where:
    """A card, and where its faults go."""

    located: Located
    faults: FaultList

    @property
    def card(self) -> Card:
        return self.located.card

    def error(
        self,
        key: str,
        rule: str,
        what: str,
        *,
        expected: str = "",
        name: str = "",
        known: Iterable[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A fault at the part `key` of the card, or at its heading when there is no such part."""
        line = self.located.lines.get(key, self.located.place.line)
        self.faults.add(
            line, rule, what, expected=expected, name=name, known=known, severity=severity
        )

    def warn(self, key: str, rule: str, what: str, *, expected: str = "") -> None:
        """A fault of style at the part `key`."""
        self.error(key, rule, what, expected=expected, severity=Severity.WARNING)

    def within(
        self,
        key: str,
        text: str,
        at: int,
        rule: str,
        what: str,
        *,
        expected: str = "",
        name: str = "",
        known: Iterable[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A fault at offset `at` of `text`, the prose that starts at the part `key`."""
        line = self.located.lines.get(key, self.located.place.line) + text.count("\n", 0, at)
        col = at - (text.rfind("\n", 0, at) + 1) + 1 if key.endswith(".text") else 1
        self.faults.add(
            line, rule, what, col=col, expected=expected, name=name, known=known, severity=severity
        )


def check_card(where: Where) -> None:
    """All rules of this module."""
    _check_rubric(where)
    _check_misconceptions(where)
    _check_length(where)
    _check_choice(where)
    _check_result(where)
    _check_cloze(where)
    _check_controls(where)


def wrongs(card: Card) -> Iterator[tuple[str, Wrong]]:
    """Every wrong statement of the card with its key in `Located.lines`."""
    for i, point in enumerate(card.key_points):
        yield from ((f"Key points.{i}.wrong.{k}", wrong) for k, wrong in enumerate(point.wrong))
    yield from ((f"Misconceptions.{i}", wrong) for i, wrong in enumerate(card.misconceptions))


def _check_rubric(where: Where) -> None:
    card = where.card
    if not card.key_points and card.kind not in {Kind.CHOICE, Kind.CLOZE}:
        where.warn(
            "",
            "no-key-points",
            "the card has no key points",
            expected="what a full answer says, weighted",
        )
    for i, point in enumerate(card.key_points):
        if point.weight < 1:
            where.error(
                f"Key points.{i}",
                "weight",
                "a key point of weight 0",
                expected="a weight of at least 1",
            )
        if not point.wrong:
            where.error(
                f"Key points.{i}",
                "no-wrong",
                "a key point without a misconception",
                expected="at least one 'wrong: … (why: …)'",
            )
    for key, wrong in wrongs(card):
        if not wrong.why:
            where.error(
                key,
                "no-why",
                "a wrong statement without its why",
                expected="statement (why: reason)",
            )


def _check_misconceptions(where: Where) -> None:
    card = where.card
    said = [
        ("the answer", statements(card.answer)),
        *(("a key point", statements(point.text)) for point in card.key_points),
    ]
    for key, wrong in wrongs(card):
        stated = statement(wrong.text)
        speaker = next((name for name, those in said if voices(those, stated)), None)
        if speaker is not None:
            where.error(
                key,
                "own-misconception",
                f"{speaker} itself says what is listed as wrong",
                expected="a wrong statement that differs in its words, or a clearer answer",
            )


def _check_length(where: Where) -> None:
    card = where.card
    least, most = WORDS[card.level]
    least = SHORT.get(card.kind, least)
    count = spoken_words(card.answer)
    if not least <= count <= most:
        where.warn(
            "Answer",
            "answer-length",
            f"the answer has {count} words",
            expected=f"{least} to {most} words for {card.level.value} {card.kind.value}",
        )


def spoken_words(text: str) -> int:
    """How many words are said aloud: code, formulas and references aren't counted."""
    return len(_WORD.findall(_REFERENCE.sub(" ", mask_code(text))))


def _check_choice(where: Where) -> None:
    card = where.card
    if card.kind is not Kind.CHOICE:
        if card.options:
            where.error(
                "Options",
                "stray-options",
                f"options on a card of kind {card.kind.value}",
                expected='options only where kind = "choice"',
            )
        return
    if len(card.options) < 2:
        where.error(
            "Options",
            "few-options",
            f"a choice of {len(card.options)}",
            expected="at least 2 options",
        )
    if not any(option.correct for option in card.options):
        where.error(
            "Options", "no-correct-option", "no option is right", expected="at least one '- [x] …'"
        )
    for i, option in enumerate(card.options):
        if not option.correct and not option.why:
            where.error(
                f"Options.{i}",
                "no-why",
                "a wrong option without its why",
                expected="- [ ] text (why: reason)",
            )


def _check_result(where: Where) -> None:
    card = where.card
    if card.kind is Kind.COMPUTE and card.result is None:
        where.error(
            "",
            "no-result",
            "a compute card without its result",
            expected='result = { value = 10.4, tolerance = 0.05, unit = "nats" }',
        )
    if card.kind is not Kind.COMPUTE and card.result is not None:
        where.error(
            "toml.result",
            "stray-result",
            f"a result on a card of kind {card.kind.value}",
            expected='a result only where kind = "compute"',
        )


def _check_cloze(where: Where) -> None:
    card = where.card
    texts = (("", card.question), ("Prompt.text", card.prompt), ("Answer.text", card.answer))
    found = [(key, text, deletion) for key, text in texts for deletion in cloze.deletions(text)]
    if card.kind is not Kind.CLOZE:
        if found:
            key, text, deletion = found[0]
            where.within(
                key,
                text,
                deletion.start,
                "stray-deletion",
                f"a deletion on a card of kind {card.kind.value}",
                expected='deletions only where kind = "cloze"',
            )
        return
    for key, text in texts:
        for at in cloze.broken(text):
            where.within(
                key,
                text,
                at,
                "deletion-syntax",
                "a deletion that can't be read",
                expected="{{c1::hidden text}} or {{c1::hidden text::hint}}",
            )
    for key, text, deletion in found:
        if not deletion.text.strip():
            where.within(
                key,
                text,
                deletion.start,
                "empty-deletion",
                "a deletion that hides nothing",
                expected="{{c1::hidden text}}",
            )
    present = {deletion.number for _, _, deletion in found}
    if not present:
        where.error(
            "",
            "no-deletion",
            "a cloze card that hides nothing",
            expected="{{c1::hidden text}} in its Prompt",
        )
    elif present != set(range(1, len(present) + 1)):
        where.error(
            "",
            "deletion-gap",
            f"deletions are numbered {', '.join(f'c{n}' for n in sorted(present))}",
            expected="c1, c2, … without a gap",
        )


def _check_controls(where: Where) -> None:
    card = where.card
    probes = (
        (f"Key points.{i}.probe.0", point.probe or "") for i, point in enumerate(card.key_points)
    )
    for key, text in (("", card.question), *prose(card), *probes):
        if match := _CONTROL.search(text):
            name = f"U+{ord(match[0]):04X}"
            where.within(
                key,
                text,
                match.start(),
                "control-character",
                f"the invisible character {name}",
                expected="text that shows what it holds",
                severity=Severity.WARNING,
            )
