"""A session line by line: for screen readers, pipes and tests. The same Session as full screen.

What comes in is lines, what goes out is text and, for each stored answer, one `saved` line
after it is on disk. Everything that comes from a deck is cleaned before it is said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import msgspec

from studytool.deck.model import Kind
from studytool.errors import UsageError
from studytool.grading.model import Verdict
from studytool.schedule.model import Rating
from studytool.services import timefmt, verdicts
from studytool.services.plain_card import (
    answer_text,
    demo_command,
    question_text,
    verdict_text,
)
from studytool.services.safe import clean, one_line
from studytool.services.study import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from studytool.grading.model import Graded
    from studytool.schedule.model import Override
    from studytool.services.context import App
    from studytool.services.grading import GradingService
    from studytool.services.types import Question, Rated, SessionQuery, Undone

HELP = """\
  an empty line   reveal the answer
  other text      your own answer: it is graded, kept with the rating, and the answer is revealed
  x 2             after the verdict: tick or untick key point 2, where you judge otherwise
  1 2 3 4         rate: again, hard, good, easy
  u               undo the last step
  s               suspend this card
  b               bury this card until tomorrow
  d               say how to run the demo of this card
  q               quit (so does the end of the input)
  ?               this list"""


class _Verdict(TypedDict, total=False):
    """The parameters of Session.rate that a verdict gives."""

    suggested: Rating | None
    ticked: Sequence[int]
    corrections: Sequence[Override]


class SavedLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="saved"):
    """An answer that is on disk, as `--json` prints it; `next` is a date."""

    card: str
    rating: int
    next: str
    interval: str
    event: str
    leech: bool


class UndoneLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="undone"):
    """A step taken back, as `--json` prints it."""

    card: str
    what: str
    rating: int | None
    event: str


class PlainReview:
    """One session over lines; `say` gets words, `tell` the lines that scripts rely on."""

    def __init__(
        self,
        app: App,
        query: SessionQuery,
        *,
        say: Callable[[str], None],
        tell: Callable[[str], None],
        as_json: bool = False,
        grading: GradingService | None = None,
    ) -> None:
        """`grading` judges typed answers; without it they are kept and not judged."""
        self._app = app
        self._grading = grading
        self._graded: Graded | None = None
        self._by_hand: dict[int, bool] = {}
        self._session = Session(app, query)
        self._say = say
        self._tell = tell
        self._as_json = as_json
        self._typed = ""
        self._revealed = False
        self._begun = 0.0

    def run(self, lines: Iterable[str]) -> None:
        """Serve cards until none is left, `q`, or the end of the input."""
        reading = iter(lines)
        told: Question | None = None
        while True:
            question = self._session.current()
            if question is None and told is None:
                self._say(self._nothing_due())
                return
            if question is None:
                self._say("\nNothing is left to study now. u undoes the last step, Enter ends.")
            elif question is not told:
                self._put(question, first=told is None)
                told = question
            line = clean(next(reading, "q")).strip()
            if line == "q" or (question is None and line != "u"):
                break
            self._obey(line, question)
        self._say(self._summary())

    def _put(self, question: Question, *, first: bool) -> None:
        done, total = self._session.position
        self._say(f"\n[{done + 1}/{total}] {question_text(question)}")
        if first:
            self._say("\nEnter reveals, text is your answer, ? lists the commands.")
        if question.card.kind is Kind.CHOICE:
            self._say("\nName your choice by its letter and a bracket, such as a)")
        self._typed, self._revealed = "", False
        self._graded, self._by_hand = None, {}
        self._begun = self._app.clock.monotonic()

    def _obey(self, line: str, question: Question | None) -> None:
        if question is None or line == "u":
            self._undo()
            return
        match line:
            case "1" | "2" | "3" | "4":
                self._rate(Rating(int(line)))
            case "s":
                self._session.suspend()
                self._say(f"suspended {one_line(question.card_id)}; u brings it back")
            case "b":
                self._session.bury()
                self._say(f"buried {one_line(question.card_id)} until tomorrow")
            case "d":
                self._say(demo_command(question.card))
            case "?":
                self._say(HELP)
            case _ if self._revealed and line.startswith("x "):
                self._tick(line[2:].strip(), question)
            case _ if self._revealed and line:
                self._say("That is no command here: 1 to 4 rates, ? lists the commands.")
            case _:
                self._typed = self._typed or line
                self._reveal(question)

    def _reveal(self, question: Question) -> None:
        self._revealed = True
        self._say(answer_text(question, self._app))
        if self._typed:
            self._judge(question)
        buttons = (
            f"{choice.rating.value} {choice.rating.name.lower()} {choice.interval_text}"
            for choice in question.choices
        )
        self._say("\n" + "   ".join(buttons))

    def _judge(self, question: Question) -> None:
        """Say the verdict on the typed answer, by the best grader there is."""
        if self._grading is None:
            return
        if self._graded is None:
            self._grading.prepare().result()
            graded = self._grading.grade(question.card, self._typed, question.card_id)
            self._graded = verdicts.number_alone(graded, self._typed)
        settled = verdicts.settle(self._graded, self._by_hand)
        notice = verdicts.only_words(self._grading.why_lexical)
        self._say(verdict_text(settled, question.card.kind, notice))

    def _tick(self, word: str, question: Question) -> None:
        """Tick or untick the key point of that number: the user's own verdict."""
        graded = self._graded
        if graded is None or not verdicts.fits(graded, question.card):
            self._say("There is no verdict on key points to change.")
            return
        at = int(word) - 1 if word.isdecimal() and len(word) < 4 else -1
        if not 0 <= at < len(graded.points):
            self._say(f"A number from 1 to {len(graded.points)}.")
            return
        covered = verdicts.settle(graded, self._by_hand).points[at].verdict is Verdict.COVERED
        self._by_hand[at] = not covered
        self._judge(question)

    def _rate(self, rating: Rating) -> None:
        seconds = self._app.clock.monotonic() - self._begun
        rated = self._session.rate(
            rating, duration_ms=round(seconds * 1000), typed=self._typed, **self._verdict()
        )
        if self._by_hand and self._grading is not None:
            self._grading.learn()
        self._tell(_saved(rated, as_json=self._as_json))
        if rated.leech:
            self._say(
                f"{one_line(rated.card_id)} keeps being forgotten, so it is suspended: "
                "rewrite it, or split it in two. u takes this back."
            )

    def _verdict(self) -> _Verdict:
        """What is stored of the verdict on the current answer."""
        question, graded = self._session.current(), self._graded
        if graded is None or question is None:
            return {}
        settled = verdicts.settle(graded, self._by_hand)
        if not verdicts.fits(graded, question.card):
            return {"suggested": settled.rating}
        return {
            "suggested": settled.rating,
            "ticked": sorted(verdicts.ticked(settled)),
            "corrections": verdicts.corrections(question.card_id, graded, self._by_hand),
        }

    def _undo(self) -> None:
        undone = self._session.undo()
        if undone is None:
            self._say("There is nothing to undo.")
        else:
            if self._grading is not None:
                self._grading.learn()
            self._tell(_undone(undone, as_json=self._as_json))

    def _nothing_due(self) -> str:
        from studytool.services.overview import overview

        seen = overview(self._app)
        if not seen.total_cards:
            raise UsageError(
                f"There are no cards in {self._app.deck_folder}.",
                hint="`studytool deck new` writes a first one.",
            )
        if seen.next_due is None:
            return "Nothing is due."
        return f"Nothing is due; next {timefmt.relative_day(seen.next_due, self._app.today)}."

    def _summary(self) -> str:
        done = self._session.summary()
        left = done.remaining
        return (
            f"\nAnswered {done.answered} in {timefmt.duration(math.ceil(done.seconds))}: "
            f"{done.again} again, {done.hard} hard, {done.good} good, {done.easy} easy.\n"
            f"Left today: {left.learning + left.review} due, {left.new} new. "
            f"Due tomorrow: {done.tomorrow}."
        )


def _saved(rated: Rated, *, as_json: bool) -> str:
    card, day = one_line(rated.card_id), rated.next_due.isoformat()
    if not as_json:
        return f"saved {card} {rated.rating.value} next {day}"
    line = SavedLine(
        card=rated.card_id,
        rating=rated.rating.value,
        next=day,
        interval=rated.interval_text,
        event=rated.event,
        leech=rated.leech,
    )
    return msgspec.json.encode(line).decode()


def _undone(undone: Undone, *, as_json: bool) -> str:
    if not as_json:
        rating = "" if undone.rating is None else f" {undone.rating.value}"
        return f"undone {one_line(undone.card_id)} {undone.what}{rating}"
    line = UndoneLine(
        card=undone.card_id, what=undone.what, rating=undone.rating, event=undone.event
    )
    return msgspec.json.encode(line).decode()
