"""The report of an interview as lines: scores first, then what decided them, then what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.interview import document
from studytool.services import chapters
from studytool.tui import prose
from studytool.tui.text import bar, fit, hang, plain, plain_line, wrap
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studytool.interview.lines import AnswerLine, Part, Report

#: From this width on skills stand beside chapters.
WIDE = 100
NAME, BAR = 15, 14
GAP = 4


class ReportView(Lines):
    """Everything of a report but its plot."""

    def __init__(self, report: Report) -> None:
        super().__init__(id="report")
        self.report = report

    def show(self, report: Report) -> None:
        """Replace the report, after cards were put into the review queue."""
        self.report = report
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        report = self.report
        if not report.answers:
            return [Content("No question was answered.")]
        lines = self._scores(width)
        for name, places in (("Strongest", report.strongest), ("Weakest", report.weakest)):
            for at in places:
                lines += _answer(name, report.answers[at], width)
        lines += list(_misconceptions(report, width))
        lines += _heading("Time and confidence")
        for words in (document.time_words(report), document.calibration_words(report)):
            lines += wrap(Content(words), width)
        lines += _heading("Next steps")
        for number, step in enumerate(report.steps, 1):
            targets = (["card"] if step.card else []) + ([f"demo {step.demo}"] if step.demo else [])
            target = f" → {', '.join(targets)}" if targets else ""
            text = prose.inline(step.text) + plain(target, "$muted")
            lines += hang(text, width, Content.styled(f"{number} ", "bold $accent"))
        lines += list(_missed(report, width))
        return lines

    def _scores(self, width: int) -> list[Content]:
        report = self.report
        skills = _parts("Skills", report.skills, [past.skills for past in report.earlier])
        named = _parts("Chapters", report.chapters, [past.chapters for past in report.earlier])
        if width < WIDE:
            return [*skills, Content(""), *named]
        half = (width - GAP) // 2
        rows = max(len(skills), len(named))
        padded = [[*part, *[Content("")] * (rows - len(part))] for part in (skills, named)]
        return [
            fit(left, half) + " " * GAP + right.truncate(half)
            for left, right in zip(*padded, strict=True)
        ]


def _heading(words: str) -> list[Content]:
    return [Content(""), Content.styled(words, "bold")]


def _parts(
    heading: str, parts: Sequence[Part], before: Sequence[dict[str, float]]
) -> list[Content]:
    lines = [Content.styled(heading, "bold")]
    for part in parts:
        name = part.name if heading == "Skills" else chapters.title(part.name)
        full, empty = bar(part.score, BAR)
        earlier = [scores[part.name] for scores in before if part.name in scores]
        trend = document.spark([*earlier, part.score]) if earlier else ""
        lines.append(
            Content.assemble(
                fit(plain_line(name), NAME),
                Content.styled(f"{document.percent(part.score):>6} ", "bold"),
                (full, "$accent"),
                (empty, "$track"),
                (f"  {trend}", "$muted"),
            )
        )
    return lines


def _answer(name: str, line: AnswerLine, width: int) -> list[Content]:
    right = name == "Strongest"
    lead = Content.styled("✓ " if right else "✗ ", "bold $right" if right else "bold $wrong")
    lines = _heading(f"{name} · {document.percent(line.score)} · {line.level.value}")
    lines += hang(prose.inline(line.question), width, lead)
    if line.said:
        lines += hang(plain_line(f"“{line.said}”", "$muted"), width, "  ")
    else:
        lines += hang(Content.styled(document.unsaid(line), "$muted"), width, "  ")
    for text in line.instead[: 1 if right else 2]:
        lines += hang(prose.inline(text), width, Content.styled("  say: ", "bold $accent"))
    return lines


def _misconceptions(report: Report, width: int) -> Iterator[Content]:
    if not report.misconceptions:
        return
    yield from _heading("Misconceptions voiced")
    for one in report.misconceptions:
        yield from hang(prose.inline(one.text), width, Content.styled("✗ ", "bold $wrong"))
        if one.said:
            yield from hang(plain_line(f"“{one.said}”", "$muted"), width, "  ")
        if one.why:
            why = prose.inline(one.why).stylize_before("$muted")
            yield from hang(why, width, "  ")
        if one.instead:
            say = Content.styled("  say: ", "bold $accent")
            yield from hang(prose.inline(one.instead), width, say)


def _missed(report: Report, width: int) -> Iterator[Content]:
    open_ = [card for card in report.missed if card not in report.queued]
    if report.missed:
        yield from _heading("Not known well enough")
    if open_:
        yield from wrap(plain_line(", ".join(open_)), width)
        yield Content.assemble(("a", "bold $accent"), " puts them into the next review.")
    if report.queued:
        words = f"in the review queue: {', '.join(report.queued)}"
        yield from hang(plain_line(words), width, Content.styled("✓ ", "bold $right"))
