"""What the interview screens say, as content: the talk, the clock, a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.interview import document, prompts
from studytool.interview.model import Phase, Style
from studytool.tui import prose
from studytool.tui.text import plain, plain_line, seconds, wrap
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.interview.lines import AnswerLine
    from studytool.interview.model import Setup
    from studytool.services.interview import Line, View

WHO = 13
#: What is shown of one's own answer, in lines, and what is looked at of any text, in signs.
TALLEST, LONGEST = 8, 8_000
STYLES = {"Interviewer": "bold $accent", "You": "bold $right", "Hint": "bold $due"}
VERDICTS = {"covered": "$right", "missed": "$muted", "contradicted": "$wrong", "unsure": "$due"}


def title(setup: Setup) -> Content:
    """The left end of the title."""
    style = "" if setup.style is Style.SCREENING else f" · {setup.style.value}"
    words = f"{setup.minutes} min · {setup.level.value}{style} · seed {setup.seed}"
    return Content.assemble(("Interview", "bold"), (f" · {words}", "$muted"))


def place(view: View) -> Content:
    """The right end of the title."""
    words = f"question {view.number} of {view.total}"
    if view.limit and view.phase is Phase.ASKING:
        words += f"   soft limit {seconds(view.limit)}"
    return Content.styled(words, "$muted")


def clock(view: View, spent: float) -> str:
    """The time on this answer: `2:13`, and what it is over the limit by."""
    words = seconds(spent)
    over = spent - view.limit
    return f"{words}   {seconds(over)} over" if view.limit and over >= 1 else words


class TalkView(Lines):
    """Who said what, each line hanging behind its speaker."""

    DEFAULT_CSS = "TalkView { margin-top: 1; }"

    def __init__(self) -> None:
        super().__init__(id="talk")
        self.talk: tuple[Line, ...] = ()

    def show(self, talk: Sequence[Line]) -> None:
        """Replace what was said."""
        if tuple(talk) != self.talk:
            self.talk = tuple(talk)
            self.changed()

    def lay_out(self, width: int) -> list[Content]:
        lines: list[Content] = []
        before = ""
        for said in self.talk:
            if before and said.who != before:
                lines.append(Content(""))
            name = said.who if said.who != before else ""
            lead = Content.styled(f"{name:<{WHO}}", STYLES[said.who])
            block = behind(lead, _said(said, width - WHO))
            if said.who == "You" and (len(block) > TALLEST or len(said.text) > LONGEST):
                more = f"{'':<{WHO}}… {len(said.text):,} signs in all"
                block = [*block[:TALLEST], Content.styled(more, "$muted")]
            lines += block
            before = said.who
        return lines


def _said(said: Line, width: int) -> list[Content]:
    """One line of the talk: Markdown of a card as prose, everything else as it is written."""
    if not said.deck:
        return wrap(plain(said.text[:LONGEST]), width)
    lines = prose.lay_out(prose.parse(prompts.unmarked(said.text[:LONGEST])), width)
    return [line.stylize_before("$muted") for line in lines] if said.who == "Hint" else lines


def behind(lead: Content, lines: Sequence[Content]) -> list[Content]:
    """Lines behind a lead, which stands before the first."""
    blank = " " * lead.cell_length
    return [(lead if at == 0 else Content(blank)) + line for at, line in enumerate(lines)]


def verdict(line: AnswerLine) -> Content:
    """How a question went, when that is shown at once."""
    parts = [Content.styled(f"Worth {document.percent(line.score)}", "bold")]
    for point in line.points:
        name = point.verdict.value
        sign = Content.styled(f"{document.MARKS[name]} ", f"bold {VERDICTS[name]}")
        parts.append(sign + prose.inline(prompts.spoken(point.text)))
        if point.evidence:
            parts.append(plain_line(f"    “{point.evidence}”", "$muted"))
    if not line.points:
        parts.append(Content(document.unsaid(line)))
    return Content("\n").join(parts)
