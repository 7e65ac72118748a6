"""A report as a list of blocks, from which every written form is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from studytool.interview.model import Outcome
from studytool.interview.report import verdict_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from studytool.interview.lines import AnswerLine, NextStep, Part, Report

SPARKS = "▁▂▃▄▅▆▇█"
MARKS = {"covered": "✓", "missed": "·", "contradicted": "✗", "unsure": "?"}


class Heading(NamedTuple):
    """A heading; level 1 is the title."""

    level: int
    text: str


class Words(NamedTuple):
    """A paragraph."""

    text: str


class Quote(NamedTuple):
    """Words of the candidate."""

    text: str


class Items(NamedTuple):
    """A list."""

    items: tuple[str, ...]


class Rows(NamedTuple):
    """A table: its head and its rows, all of the same length."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Words | Quote | Items | Rows


def blocks(report: Report, when: str, title: Callable[[str], str]) -> Iterator[Block]:
    """The whole report. `when` is its date in words, `title` names a chapter."""
    yield Heading(1, f"Interview of {when}: {percent(report.score)}")
    yield Words(setup_words(report, title))
    if not report.answers:
        yield Words("No question was answered.")
    yield from _scores(report, title)
    yield from _answers(report)
    yield from _misconceptions(report)
    yield Heading(2, "Time and confidence")
    yield Items((time_words(report), calibration_words(report)))
    yield Heading(2, "Next steps")
    yield Items(tuple(step_words(step) for step in report.steps))
    yield from _for_review(report)
    yield from _questions(report)


def setup_words(report: Report, title: Callable[[str], str]) -> str:
    """What was asked for, in one line."""
    setup = report.setup
    chapters = ", ".join(title(name) for name in setup.chapters) or "all chapters"
    return (
        f"{setup.minutes} minutes · {setup.level.value} · {setup.style.value} · {chapters} · "
        f"seed {setup.seed} · {counted(len(report.answers), 'question')}"
    )


def time_words(report: Report) -> str:
    """Time used against target."""
    words = f"{clock(report.seconds)} of {clock(report.target)} used"
    if report.over_limit:
        words += (
            f"; {report.over_limit} of {counted(len(report.answers), 'answer')} over the soft limit"
        )
    if report.unasked:
        words += f"; {counted(report.unasked, 'planned question')} not reached"
    return words + "."


def calibration_words(report: Report) -> str:
    """Confidence against results."""
    found = report.calibration
    if found is None:
        return "No confidence was stated, so there is nothing to calibrate."
    return (
        f"Brier score {found.brier:.2f} over {counted(found.count, 'answer')} "
        f"(0 is perfect, 0.25 is guessing): {percent(found.confident)} sure on average, "
        f"{percent(found.right)} right: {verdict_on(found)}."
    )


def trend_words(report: Report) -> str:
    """The scores of the last interviews as a sparkline; empty when this is the first."""
    if not report.earlier:
        return ""
    scores = [*(past.score for past in report.earlier), report.score]
    return f"{spark(scores)}  {' → '.join(percent(score) for score in scores)}"


def step_words(step: NextStep) -> str:
    """A next step with what to type for it."""
    commands = []
    if step.card:
        commands.append(f"card {step.card}")
    if step.demo:
        commands.append(f"studytool demo run {step.demo}")
    return f"{step.text} ({'; '.join(commands)})" if commands else f"{step.text}."


def percent(value: float) -> str:
    return f"{round(100 * value)} %"


def clock(seconds: float) -> str:
    """Minutes and seconds: 4:05."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def spark(values: Sequence[float]) -> str:
    """One character a score; the lowest block is 0, the full one 1."""
    top = len(SPARKS) - 1
    return "".join(SPARKS[round(min(1.0, max(0.0, value)) * top)] for value in values)


def counted(amount: int, one: str) -> str:
    return f"{amount} {one if amount == 1 else one + 's'}"


def _scores(report: Report, title: Callable[[str], str]) -> Iterator[Block]:
    before = [past.skills for past in report.earlier]
    if report.skills:
        yield Heading(2, "Skills")
        rows = tuple(_row(part.name, part, before) for part in report.skills)
        yield Rows(("skill", "score", "key points", "earlier"), rows)
    before = [past.chapters for past in report.earlier]
    if report.chapters:
        yield Heading(2, "Chapters")
        rows = tuple(_row(title(part.name), part, before) for part in report.chapters)
        yield Rows(("chapter", "score", "questions", "earlier"), rows)
    if report.earlier:
        yield Heading(2, "Trend")
        yield Words(trend_words(report))


def _row(name: str, part: Part, before: Sequence[dict[str, float]]) -> tuple[str, ...]:
    earlier = [scores[part.name] for scores in before if part.name in scores]
    return (name, percent(part.score), str(part.count), " ".join(map(percent, earlier)))


def _answers(report: Report) -> Iterator[Block]:
    for name, places in (("Strongest", report.strongest), ("Weakest", report.weakest)):
        if not places:
            continue
        yield Heading(2, f"{name} answers" if len(places) > 1 else f"{name} answer")
        for at in places:
            yield from _answer(report.answers[at])


def _answer(line: AnswerLine) -> Iterator[Block]:
    yield Heading(3, f"{line.question} ({percent(line.score)})")
    if line.said:
        yield Quote(line.said)
    else:
        yield Words(unsaid(line))
    if line.instead:
        yield Words("To say instead, or as well:")
        yield Items(line.instead[:3])


def unsaid(line: AnswerLine) -> str:
    """Why there is no sentence to show for an answer."""
    if line.outcome is Outcome.SKIPPED:
        return "Skipped."
    if line.outcome is Outcome.UNKNOWN:
        return "You said that you don't know."
    return "Answered out loud." if line.aloud else "Nothing in the answer matched a key point."


def _misconceptions(report: Report) -> Iterator[Block]:
    if not report.misconceptions:
        return
    yield Heading(2, "Misconceptions voiced")
    for one in report.misconceptions:
        yield Words(f"{one.text} ({one.card})")
        if one.said:
            yield Quote(one.said)
        said = f"Why it is wrong: {one.why}." if one.why else ""
        yield Words(f"{said} Say instead: {one.instead}".strip())


def _for_review(report: Report) -> Iterator[Block]:
    if not report.missed:
        return
    yield Heading(2, "For the next review")
    open_ = [card for card in report.missed if card not in report.queued]
    if open_:
        yield Words(f"Not known well enough, and left as scheduled: {', '.join(open_)}")
    if report.queued:
        yield Words(f"Put into the review queue: {', '.join(report.queued)}")


def _questions(report: Report) -> Iterator[Block]:
    if not report.answers:
        return
    yield Heading(2, "All questions")
    head = ("#", "question", "level", "score", "time", "limit", "sure", "points")
    rows = tuple(
        (
            str(number),
            line.question,
            line.level.value,
            percent(line.score) if line.outcome is Outcome.ANSWERED else line.outcome.value,
            clock(line.first_seconds),
            clock(line.limit),
            str(line.confidence or ""),
            " ".join(MARKS[point.verdict.value] for point in line.points),
        )
        for number, line in enumerate(report.answers, 1)
    )
    yield Rows(head, rows)
    graders = sorted({line.grader for line in report.answers if line.grader})
    words = "Points: ✓ covered, · missed, ✗ contradicted, ? unsure."
    if graders:
        words += f" Judged by: {', '.join(graders)}."
    yield Words(words)
