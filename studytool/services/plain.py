"""A session line by line: for screen readers, pipes and tests. The same Session as full screen.

What comes in is lines, what goes out is text and, for each stored answer, one `saved` line
after it is on disk. Everything that comes from a deck is cleaned before it is said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from studytool.errors import UsageError
from studytool.schedule.model import Rating
from studytool.services import timefmt
from studytool.services.plain_card import answer_text, demo_command, question_text
from studytool.services.safe import clean, one_line
from studytool.services.study import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from studytool.services.context import App
    from studytool.services.types import Question, Rated, SessionQuery, Undone

HELP = """\
  an empty line   reveal the answer
  other text      your own answer: it is kept with the rating, and the answer is revealed
  1 2 3 4         rate: again, hard, good, easy
  u               undo the last step
  s               suspend this card
  b               bury this card until tomorrow
  d               say how to run the demo of this card
  q               quit (so does the end of the input)
  ?               this list"""


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
    ) -> None:
        self._app = app
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
        self._typed, self._revealed = "", False
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
            case _ if self._revealed and line:
                self._say("That is no command here: 1 to 4 rates, ? lists the commands.")
            case _:
                self._typed = line
                self._reveal(question)

    def _reveal(self, question: Question) -> None:
        self._revealed = True
        self._say(answer_text(question, self._app))
        buttons = (
            f"{choice.rating.value} {choice.rating.name.lower()} {choice.interval_text}"
            for choice in question.choices
        )
        self._say("\n" + "   ".join(buttons))

    def _rate(self, rating: Rating) -> None:
        seconds = self._app.clock.monotonic() - self._begun
        rated = self._session.rate(rating, duration_ms=round(seconds * 1000), typed=self._typed)
        self._tell(_saved(rated, as_json=self._as_json))
        if rated.leech:
            self._say(
                f"{one_line(rated.card_id)} keeps being forgotten, so it is suspended: "
                "rewrite it, or split it in two. u takes this back."
            )

    def _undo(self) -> None:
        undone = self._session.undo()
        if undone is None:
            self._say("There is nothing to undo.")
        else:
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
