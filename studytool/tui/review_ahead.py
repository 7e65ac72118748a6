"""The answer of the card on the table, set while its question is read: revealing it only draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.tui import card_parts

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.tui.parts import Part
    from studytool.tui.review_state import Table
    from studytool.tui.widgets.card_sheet import CardSheet


def content(table: Table) -> tuple[object, ...]:
    """What the text of a card is made of, but for what is ticked, chosen or typed."""
    sheet, question = table.sheet, table.sheet.question
    return (
        question.card, question.prompt, question.answer, question.change, question.state.note,
        sheet.claims, sheet.follow_ups, sheet.demo_title, table.graded, table.notice,
    )  # fmt: skip


class Ahead:
    """Keeps the parts of one answer, and for which card, sections and input they hold."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._parts: tuple[Part, ...] = ()

    def prepare(self, sheet: CardSheet, table: Table, opened: Collection[str]) -> None:
        """Set the answer of `table` for `sheet`, unless that is done."""
        key = _key(table, opened)
        if key != self._key:
            self._key, self._parts = key, tuple(card_parts.answered(table, opened))
            sheet.prepare(self._parts)

    def take(self, table: Table, opened: Collection[str]) -> tuple[Part, ...]:
        """The parts of the answer; once only, as its lists remember what is ticked."""
        fits = self._key == _key(table, opened)
        parts = self._parts if fits else tuple(card_parts.answered(table, opened))
        self._key, self._parts = (), ()
        return parts


def _key(table: Table, opened: Collection[str]) -> tuple[object, ...]:
    marks = (frozenset(table.chosen), frozenset(table.ticked))
    return (id(table), frozenset(opened), table.typed, *marks, *content(table))
