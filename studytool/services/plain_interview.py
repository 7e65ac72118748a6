"""An interview line by line, for screen readers, pipes and tests. The same Interview as full screen.

The protocol, in lines:

    text                 goes into the answer; a line with a single dot ends it
    ..text  ::text       an answer's line that begins with a dot or a colon
    :command             one of COMMANDS; `:?` lists them

After the answer to a question one line says how sure the candidate is: 1 to 5, or empty. A
probe is answered like a question, without that line. An answer given out loud (`:aloud`) is
followed by a line with the numbers of the key points that it had, or an empty one.

`tell` gets the lines that scripts rely on, each after what it says is on disk:

    question NUMBER TOTAL CARD LIMIT     a question was asked; LIMIT is its soft limit in seconds
    probe NUMBER CARD                    a probe was asked
    sure? CARD                           the line with the confidence is expected
    tick? CARD                           the line with the key points is expected
    saved CARD                           the answer is stored
    paused ID NUMBER TOTAL               the session ended before the interview; it can be resumed
    finished ID                          the interview is over; its report follows

The end of the input pauses the interview; an answer half given is kept as a draft.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.errors import UsageError
from studytool.interview import document
from studytool.interview.model import LONGEST_ANSWER, Phase
from studytool.interview.prompts import spoken
from studytool.services import chapters, interviews
from studytool.services.interview import YOU
from studytool.services.plain_card import demo_command
from studytool.services.safe import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from studytool.deck.model import Card
    from studytool.grading.model import Graded
    from studytool.services.context import App
    from studytool.services.grading import GradingService
    from studytool.services.interview import Interview, Line, View

COMMANDS = {
    "hint": "a hint; costs score",
    "skip": "on to the next question",
    "unknown": "say that you don't know",
    "aloud": "you have answered out loud",
    "show": "the command that runs the demo of this question",
    "time": "how much time is left",
    "again": "hear the question again",
    "clear": "throw away what you have typed of this answer",
    "pause": "stop the clock until the next line",
    "end": "end the interview now and see the report",
    "quit": "leave; `studytool interview --plain --resume` goes on from here",
    "?": "this list",
}
#: How often an answer in progress is saved, in seconds; the end of the input always saves it.
KEEP_EVERY = 0.5
INTRO = "A line with a single dot ends an answer; :? lists the commands."


class PatientJudge:
    """Waits for the sentence encoder before the first verdict, so that a pipe is always judged alike."""

    def __init__(self, grading: GradingService) -> None:
        grading.learn()
        self._grading = grading
        self._ready = grading.prepare()

    def grade(self, card: Card, answer: str) -> Graded:
        self._ready.result()
        return self._grading.grade(card, answer)


class PlainInterview:
    """One interview over lines; `say` gets words, `tell` the lines that scripts rely on."""

    def __init__(
        self,
        app: App,
        interview: Interview,
        *,
        say: Callable[[str], None],
        tell: Callable[[str], None],
        queue: bool = False,
    ) -> None:
        """With `queue` the missed cards go into the review queue at the end."""
        self._app = app
        self._held = interview
        self._say = say
        self._tell = tell
        self._queue = queue
        self._typed: list[str] = []
        self._length = 0
        self._kept_at = -KEEP_EVERY
        self._told: tuple[Line, ...] = ()
        self._place: tuple[object, ...] = ()
        self._left = False

    def run(self, lines: Iterable[str]) -> None:
        """Hold the interview until it is over, `:quit`, or the end of the input."""
        reading = iter(lines)
        self._say(head_line(self._held.view()))
        while not self._left:
            view = self._put()
            if view.phase is Phase.OVER:
                self._finish()
                return
            line = next(reading, None)
            if line is None:
                break
            self._held.unpause()
            self._take(clean(line.rstrip("\r\n")), view)
        if self._typed and view.phase is Phase.ASKING:
            self._held.draft("\n".join(self._typed))
        self._held.pause()
        view = self._held.view()
        self._say("\nYour interview is kept. `studytool interview --plain --resume` goes on.")
        self._tell(f"paused {view.id} {view.number} {view.total}")

    # what is asked

    def _put(self) -> View:
        """Say what has not been said, and return where the interview stands."""
        view = self._held.view()
        if view.phase is Phase.JUDGING:
            self._held.judge()
            view = self._held.view()
        if view.phase is not Phase.OVER:
            self._show(view)
        return view

    def _show(self, view: View) -> None:
        """Say the lines that are new since the last time."""
        same = 0
        for before, now in zip(self._told, view.lines, strict=False):
            if before != now:
                break
            same += 1
        resumed = not self._told
        for line in view.lines[same:]:
            if line.who != YOU or resumed:
                self._say(f"\n{line.who}: {clean(line.text)}")
        self._told = view.lines
        place = (view.number, view.card, view.probe, view.phase)
        if place != self._place:
            self._place = place
            self._mark(view)

    def _mark(self, view: View) -> None:
        card = one_line(view.card)
        match view.phase:
            case Phase.ASKING if view.probe:
                self._tell(f"probe {view.probe} {card}")
            case Phase.ASKING:
                self._tell(f"question {view.number} {view.total} {card} {view.limit:.0f}")
            case Phase.SURE:
                self._tell(f"sure? {card}")
            case Phase.TICKING:
                for number, point in enumerate(view.points, 1):
                    self._say(f"  {number}. weight {point.weight}: {one_line(spoken(point.text))}")
                self._say("Which of these did you say? Their numbers, or an empty line for none.")
                self._tell(f"tick? {card}")
            case Phase.VERDICT:
                self._verdict(view)
        if view.phase is Phase.ASKING and view.draft and not self._typed:
            self._typed = view.draft.split("\n")
            self._length = len(view.draft)
            self._say("\nYou had typed:\n" + clean(view.draft))

    def _verdict(self, view: View) -> None:
        line = view.verdict
        if line is None:
            return
        self._say(f"\nVerdict: {document.percent(line.score)}")
        for point in line.points:
            sign = document.MARKS[point.verdict.value]
            said = f"  “{one_line(point.evidence)}”" if point.evidence else ""
            self._say(f"  {sign} {one_line(spoken(point.text))}{said}")
        self._say("An empty line goes on.")

    # what is said

    def _take(self, line: str, view: View) -> None:
        if line.startswith(":") and not line.startswith("::"):
            self._command(line[1:].strip().lower(), view)
            return
        match view.phase:
            case Phase.ASKING:
                self._text(line)
            case Phase.SURE:
                self._sure(line.strip())
            case Phase.TICKING:
                self._ticks(line, view)
            case Phase.VERDICT:
                self._held.go_on()

    def _text(self, line: str) -> None:
        if line == ".":
            self._hand_in()
            return
        if self._length > LONGEST_ANSWER:
            return
        self._typed.append(line[1:] if line.startswith(("..", "::")) else line)
        self._length += len(line) + 1
        if self._length > LONGEST_ANSWER:
            self._say(f"Only the first {LONGEST_ANSWER:,} signs are taken.")
        now = self._app.clock.monotonic()
        if now - self._kept_at >= KEEP_EVERY:
            self._kept_at = now
            self._held.draft("\n".join(self._typed))

    def _hand_in(self) -> None:
        text, card = "\n".join(self._typed), one_line(self._held.view().card)
        self._forget()
        if not text.strip():
            self._say("That was empty. :unknown says that you don't know, :skip goes on.")
            return
        self._held.answer(text)
        self._tell(f"saved {card}")

    def _forget(self) -> None:
        self._typed, self._length = [], 0

    def _sure(self, word: str) -> None:
        if word in ("", "1", "2", "3", "4", "5"):
            self._held.sure(int(word) if word else None)
        else:
            self._say("A number from 1 (guessing) to 5 (certain), or an empty line.")

    def _ticks(self, line: str, view: View) -> None:
        words = line.replace(",", " ").split()
        numbers = [int(word) for word in words if word.isdecimal() and len(word) < 4]
        if len(numbers) < len(words) or any(not 1 <= n <= len(view.points) for n in numbers):
            self._say(f"Numbers from 1 to {len(view.points)}, or an empty line.")
            return
        self._held.tick([number - 1 for number in numbers])
        self._tell(f"saved {one_line(view.card)}")

    # commands

    def _command(self, name: str, view: View) -> None:
        try:
            self._obey(name, view)
        except UsageError:
            self._say("That is not possible now.")

    def _obey(self, name: str, view: View) -> None:
        held = self._held
        match name:
            case "hint":
                held.hint()
            case "skip" | "unknown":
                held.skip() if name == "skip" else held.unknown()
                self._forget()
                self._tell(f"saved {one_line(view.card)}")
            case "aloud":
                held.spoke()
                self._forget()
            case "show":
                self._demo()
            case "time":
                self._say(time_words(view))
            case "again":
                self._place, self._told = (), ()
            case "clear":
                self._forget()
                held.draft("")
            case "pause":
                held.pause()
                self._say("The clock stands. The next line lets it run again.")
            case "end":
                held.finish()
            case "quit":
                self._left = True
            case "?" | "help":
                width = max(map(len, COMMANDS)) + 2
                self._say("\n".join(f"  :{key:<{width}}{text}" for key, text in COMMANDS.items()))
            case _:
                self._say("There is no such command; :? lists them.")

    def _demo(self) -> None:
        turn = self._held.state.turn
        if turn is not None and turn.card.demo is not None:
            self._held.showed()
        if turn is not None:
            self._say(demo_command(turn.card))

    def _finish(self) -> None:
        one = interviews.find(self._app, self._held.id)
        self._say("\nInterviewer: Thank you, that was all. Here is how it went.\n")
        self._tell(f"finished {one.id}")
        self._say(interviews.plain(self._app, one))
        if not one.report.missed:
            return
        if self._queue:
            for card in interviews.queue_missed(self._app, one.id):
                self._tell(f"queued {one_line(card)}")
        else:
            self._say(
                "\n`studytool interview --queue-missed` puts the missed cards into the next review."
            )


def head_line(view: View) -> str:
    """The first line of a session: what was asked for."""
    setup = view.setup
    names = ", ".join(map(chapters.title, setup.chapters)) or "all chapters"
    return (
        f"Interview {view.id}: {setup.minutes} min, {setup.level.value}, {setup.style.value}, "
        f"{one_line(names)}, seed {setup.seed}, {document.counted(view.total, 'question')}. {INTRO}"
    )


def time_words(view: View) -> str:
    """The time on this answer and the time left."""
    return (
        f"{document.clock(view.seconds)} of {document.clock(view.limit)} on this answer; "
        f"{document.clock(view.left)} left."
    )
