"""What the few-shot demo asks, measures and says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from demos.foundation.fewshot_tasks import Format, Task
from demos.foundation.smollm import Model, chat
from demos.foundation.specs import FewshotParams
from studytool.demo.events import (
    Cell,
    Claim,
    Event,
    Line,
    Note,
    Outcome,
    Prediction,
    Series,
    Table,
    Text,
    claim,
)

ORDERS = ("less than 10 points", "10 to 30 points", "more than 30 points")
LABELLED = (
    "it follows the examples, 75 % and more",
    "about half and half",
    "it goes by the words, 25 % and less as the examples say",
)
RAW = ("it answers most of them", "it answers some", "it answers none")


@dataclass
class Found:
    """What a run measured: accuracy and p(answer) by number of shots, order, format, labels."""

    params: FewshotParams
    task: Task
    right: dict[int, list[float]] = field(default_factory=dict)
    chance: dict[int, list[float]] = field(default_factory=dict)
    orders: list[tuple[float, float]] = field(default_factory=list)
    formats: dict[str, tuple[float, float]] = field(default_factory=dict)
    labels: dict[str, tuple[float, float]] = field(default_factory=dict)
    templates: dict[str, float] = field(default_factory=dict)
    changed: float = 0.0

    def add(self, count: int, right: float, chance: float) -> None:
        self.right.setdefault(count, []).append(right)
        self.chance.setdefault(count, []).append(chance)

    @property
    def most(self) -> int:
        return max(self.right)

    @property
    def spread(self) -> float:
        """Best minus worst accuracy over the orders of the same examples."""
        rights = [right for right, _ in self.orders]
        return max(rights) - min(rights)

    @property
    def plain(self) -> bool:
        """Only the seed is turned: the setting that the bars are stated for."""
        return msgspec.structs.replace(self.params, seed=0) == FewshotParams()


def questions(params: FewshotParams, task: Task) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    question, answer = task.pairs[0]
    yield Prediction(
        "shots",
        f"A model of 135 million weights completes “{question} ->”. After {params.shots} examples "
        f"like “{question} -> {answer}”, how many per cent of new ones does it get right?",
        unit="%",
    )
    yield Prediction(
        "order",
        "The same examples in another order: how far apart are the best and worst of six orders?",
        ORDERS,
    )
    yield Prediction(
        "labels",
        "In the examples good reviews are labelled “negative” and bad ones “positive”. What does it "
        "do with new reviews, its leaning to one label taken out?",
        LABELLED,
    )
    yield Prediction(
        "raw",
        "This is a chat model. It gets the bare text “What is the capital of France?”, without "
        "the chat template, and five more like it. What does it do?",
        RAW,
    )


def shot_plot(found: Found, size: int) -> Series:
    """Accuracy and the probability of the answer by number of examples."""
    counts = sorted(found.right)
    lines = [
        Line("right", counts, [float(np.mean(found.right[n])) for n in counts]),
        Line("p(answer)", counts, [float(np.mean(found.chance[n])) for n in counts]),
    ]
    levels = {f"a token by chance: 1 in {size:,}": 1 / size}
    title = f"Examples in the prompt, no weight changed: {found.task.name}"
    return Series("shots", title, lines, "examples", "share", levels)


def reply_table(cells: Sequence[tuple[str, str, str, float, str, float, bool]], most: int) -> Table:
    """Single questions: what comes with no example and with the most."""
    rows: list[list[Cell]] = [
        [question, answer, repr(none), round(p, 4), repr(some), round(q, 3), "✓" if right else "✗"]
        for question, answer, none, p, some, q, right in cells
    ]
    columns = ["asked", "answer", "0 shots say", "p(answer)", f"{most} say", "p(answer)", ""]
    return Table("replies", "The likeliest next token", columns, rows)


# --------------------------------------------------------------------------- the verdict


def conclude(found: Found) -> Iterator[Event]:
    """The outcomes of the guesses, and the claims."""
    last = float(np.mean(found.right[found.most]))
    yield Outcome(
        "shots", 100 * last, f"{found.most} examples: {last:.0%}; none: {_none(found):.0%}"
    )
    spread = found.spread
    kind = 0 if spread < 0.1 else 1 if spread <= 0.3 else 2
    worst, best = min(found.orders)[0], max(found.orders)[0]
    yield Outcome("order", ORDERS[kind], f"from {worst:.0%} to {best:.0%} right")
    flipped, natural = found.labels["flipped"][1], found.labels["natural"][1]
    kind = 0 if flipped >= 0.75 else 2 if flipped <= 0.25 else 1
    text = f"{flipped:.0%} as the examples say; with labels the right way round {natural:.0%}"
    yield Outcome("labels", LABELLED[kind], text)
    raw = found.templates["bare question"]
    kind = 0 if raw > 0.5 else 1 if raw > 0 else 2
    text = f"{raw:.0%} answered; in the chat template {found.templates['chat template']:.0%}"
    yield Outcome("raw", RAW[kind], text)
    yield claim("no-training", "weights changed by all this", found.changed, "==", 0)
    if found.plain:
        yield from _claims(found)
    else:
        yield Note("The bars are stated for the default settings, so not here.")


def _none(found: Found) -> float:
    return float(np.mean(found.right[0]))


def _claims(found: Found) -> Iterator[Claim]:
    """Bounds with slack that hold on any seed."""
    text = "with no example it completes the pairs right in"
    yield claim("zero-shot", text, _none(found), "<=", 0.1)
    text = "with twelve examples in"
    yield claim("twelve-shot", text, float(np.mean(found.right[found.most])), ">=", 0.7)
    yield claim(
        "words-alone",
        "commonly taught: say the task in words and no example is needed; right without any",
        found.formats["sentence"][0],
        ">=",
        0.5,
        expect="refuted",
    )
    (plain, calibrated), natural = found.labels["arbitrary"], found.labels["natural"][1]
    text = "real labels after eight examples, calibrated: right in"
    yield claim("natural-labels", text, natural, ">=", 0.85)
    text = "labels that mean nothing, with the prompt's leaning taken out, gain"
    yield claim("calibration", text, calibrated - plain, ">=", 0.05)
    yield claim(
        "any-mapping",
        "commonly taught: a language model learns any mapping from examples; labels the wrong way "
        "round, right in",
        found.labels["flipped"][1],
        ">=",
        0.5,
        expect="refuted",
    )
    text = "the chat template answers more of the questions than the bare text, by"
    gap = found.templates["chat template"] - found.templates["bare question"]
    yield claim("template", text, gap, ">=", 0.5)


def finding(found: Found) -> str:
    """The sentence to say, with what was just measured."""
    last = float(np.mean(found.right[found.most]))
    none, some = found.formats["sentence"]
    (plain, calibrated), flipped = found.labels["arbitrary"], found.labels["flipped"][1]
    return (
        f"In-context learning takes no gradient: the same weights complete {_none(found):.0%} of the "
        f"pairs after no example and {last:.0%} after {found.most}. The examples say which task is "
        f"meant and how an answer looks: the task put in words is {none:.0%} right with none and "
        f"{some:.0%} with a few. The order of the same examples moves it between "
        f"{min(found.orders)[0]:.0%} and {max(found.orders)[0]:.0%}. Labels that mean nothing are "
        f"right in {plain:.0%}, and in {calibrated:.0%} once the prompt's leaning to one of them is "
        f"taken out; with labels the wrong way round it follows the examples in {flipped:.0%} only and "
        "otherwise the words. So report several prompts, calibrate, and show controls."
    )


# --------------------------------------------------------------------------- afterwards

HELP = (
    "Type a text to see the likeliest next tokens and what follows; `chat: QUESTION` puts it into "
    "the chat template, `shots: WORD` after the examples of the run."
)
_LONGEST = 600


@dataclass(frozen=True)
class Explorer:
    """Completes typed prompts with the likeliest tokens; `examples` is the run's prefix in `form`."""

    model: Model
    examples: str
    form: Format

    def explore(self, request: str) -> Iterator[Event]:
        """`The capital of France is`, `chat: What is the capital of France?`, `shots: fly`."""
        kind, _, rest = request.partition(":")
        asked = request.strip()
        if kind.strip() == "chat" and rest.strip():
            prompt = chat(rest.strip())
        elif kind.strip() == "shots" and rest.strip():
            prompt = self.examples + self.form.ask(rest.strip())
        else:
            prompt = asked
        if not asked or len(asked) > _LONGEST:
            yield Note(HELP)
            return
        rows: list[list[Cell]] = [
            [repr(token), round(chance, 4)] for token, chance in self.model.chances(prompt)
        ]
        yield Table("explore", f"After “{prompt[-60:]}”", ["next token", "probability"], rows)
        (reply,) = self.model.greedy([prompt], 24)
        yield Text("explore-text", "The likeliest continuation", reply or "(the text ends here)")
