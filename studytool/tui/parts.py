"""The parts a card is drawn from: each lays itself out in lines for a width, and knows no widget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from studytool.tui import prose
from studytool.tui.text import hang, plain_line
from studytool.tui.widgets.check_list import Item, item_block

if TYPE_CHECKING:
    from collections.abc import Sequence


class Part(Protocol):
    """A stretch of a card. `name` finds it again; `gap` asks for a blank line before it."""

    @property
    def name(self) -> str: ...
    @property
    def gap(self) -> bool: ...

    def lay_out(self, width: int) -> list[Content]:
        """Its lines at `width` cells; none when it has nothing to say."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Text that wraps; of more than `most` lines the first ones are shown, and how many follow."""

    content: Content
    name: str = ""
    gap: bool = True
    most: int = 0

    def lay_out(self, width: int) -> list[Content]:
        lines = self.content.wrap(width) if self.content else []
        if self.most and len(lines) > self.most:
            more = Content.styled(f"… {len(lines) - self.most:,} more lines", "$muted")
            return [*lines[: self.most], more]
        return lines


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown, parsed once."""

    blocks: tuple[prose.Block, ...]
    name: str = ""
    gap: bool = True

    def lay_out(self, width: int) -> list[Content]:
        return prose.lay_out(self.blocks, width)


@dataclass(frozen=True, slots=True)
class Entries:
    """A heading and a list under it, each entry hanging behind its sign."""

    heading: str
    entries: Sequence[tuple[Content, Content]]
    name: str = ""
    gap: bool = True

    def lay_out(self, width: int) -> list[Content]:
        if not self.entries:
            return []
        lines = [Content.styled(self.heading, "bold")]
        for sign, content in self.entries:
            lines.extend(hang(content, width, sign))
        return lines


@dataclass(slots=True)
class Line:
    """A rule across with words set into its ends; the words may be replaced."""

    name: str = ""
    left: str = ""
    right: str = ""
    dotted: bool = False
    gap: bool = True

    def lay_out(self, width: int) -> list[Content]:
        sign = "┄" if self.dotted else "─"
        left, right = (
            (f" {self.left} " if self.left else ""),
            (f" {self.right}" if self.right else ""),
        )
        if len(left) + len(right) + 2 > width:
            left = ""
        return [
            Content.assemble(
                (sign * 2, "$track"),
                (left, "$muted"),
                (sign * max(0, width - len(left) - len(right) - 2), "$track"),
                (right, "$muted"),
            )
        ]


@dataclass(slots=True)
class Ticks:
    """Lines to tick under a heading, `aside` behind it; with `frozen` the verdicts show and the ticks
    stay.

    `cursor` is None while the arrow keys are not here; `starts` are the lines where the items
    began in the last layout.
    """

    name: str
    items: tuple[Item, ...]
    ticked: set[int] = field(default_factory=set)
    heading: str = ""
    aside: str = ""
    frozen: bool = False
    gap: bool = True
    cursor: int | None = None
    starts: list[int] = field(default_factory=list)
    _blocks: dict[tuple[object, ...], list[Content]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def lay_out(self, width: int) -> list[Content]:
        if not self.items:
            return []
        lines = []
        if self.heading:
            aside = Content.assemble("   ", plain_line(self.aside, "$muted")) if self.aside else ""
            lines = Content.assemble((self.heading, "bold"), aside).wrap(width)
        self.starts = []
        for number, item in enumerate(self.items):
            self.starts.append(len(lines))
            lines.extend(self._block(number, item, width))
        return lines

    def _block(self, number: int, item: Item, width: int) -> list[Content]:
        """The lines of one item; the very same ones as long as nothing about it changes."""
        ticked, here = number in self.ticked, number == self.cursor
        key = (number, width, ticked, here, self.frozen)
        block = self._blocks.get(key)
        if block is None:
            block = item_block(item, ticked, self.frozen, width)
            if here:
                block = [
                    (line + " " * (width - line.cell_length)).stylize_before("on $cursor-ground")
                    for line in block
                ]
            self._blocks[key] = block
        return block

    def item_at(self, line: int) -> int | None:
        """The item that line `line` of this part belongs to."""
        above = [start for start in self.starts if start <= line]
        return len(above) - 1 if above else None
