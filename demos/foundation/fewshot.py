"""Few-shot prompting on a real language model: it learns a task without learning anything.

GPT-3 (Brown et al. 2020, arXiv:2005.14165) showed that a large language model can be given a task
by examples in its prompt. No gradient is taken and no weight changes. Here a small real model,
SmolLM2 with 135 million weights, completes `go ->` after 0, 1, 2 … 12 examples such as
`see -> saw`. With none it fails, with twelve it is mostly right.

Did it learn the past tense from twelve examples? It had read millions of them before. Examples
say which task is meant *and in which form the answer is due*; a description alone ("The past tense
of go is") names the task, and still the model goes on in a form of its own. And labels show what
examples can't do here: with `foo` and `bar` it seems to learn nothing, until one takes out that the
prompt leans to one of them; and with *positive* and *negative* the wrong way round it goes by the
words, whatever the examples say.

The last part puts one question to the same weights as a bare text, as a text to continue, as
question and answer, and in the chat template that the model was tuned with.

    python -m demos.foundation.fewshot --task antonym --format qa
    python -m demos.foundation.fewshot --pairs "cat cats, dog dogs, bus buses, man men" --shots 3
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import torch

from demos.foundation.fewshot_talk import (
    Explorer,
    Found,
    conclude,
    finding,
    questions,
    reply_table,
    shot_plot,
)
from demos.foundation.fewshot_tasks import (
    ASKED,
    LABELS,
    PUTS,
    REVIEWS,
    TASKS,
    Format,
    Pair,
    Task,
    formats,
    own_task,
)
from demos.foundation.smollm import Model, chat, load
from demos.foundation.specs import FEWSHOT, FewshotParams
from demos.kit.data import DataFault
from studytool.demo.events import Cell, Event, Failed, Finding, Note, Progress, Stage, Table, claim
from studytool.demo.spec import Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. Asking
# A prompt is the examples and a question. The model has answered right when its likeliest next
# tokens spell the answer and the word then ends. That needs no sampling: run the right answer
# through the model once, and look whether each of its tokens was the likeliest one. The same pass
# gives the probability of the answer, p = Π p(token | all before), which says more than yes or no.


@dataclass(frozen=True)
class Answer:
    """How one question was answered: was it right, how probable was the right word, what came."""

    pair: Pair
    right: bool
    chance: float
    said: str


def ask(model: Model, form: Format, shots: Sequence[Pair], asked: Sequence[Pair]) -> list[Answer]:
    """The model's answers to all of `asked` after the same examples, which are read once."""
    prefix = model.start(model.tokens(form.prefix(shots)))
    queries = [model.tokens(form.ask(question)) for question, _ in asked]
    wanted = [model.tokens(f" {answer}") for _, answer in asked]
    rows = [query + answer for query, answer in zip(queries, wanted, strict=True)]
    chances = prefix.follow(rows)
    answers = []
    for pair, query, answer, each in zip(asked, queries, wanted, chances, strict=True):
        span = each[len(query) - 1 : len(query) + len(answer)]
        best = span.argmax(-1).tolist()
        right = best[:-1] == answer and ends_word(model, best[-1])
        total = span[torch.arange(len(answer)), answer].sum().exp().item()
        answers.append(Answer(pair, right, total, model.text(best[:1])))
    return answers


def ends_word(model: Model, token: int) -> bool:
    """True unless the token goes on with the word before it."""
    return token in model.stops or not model.text([token])[:1].isalpha()


def accuracy(answers: Sequence[Answer]) -> float:
    return float(np.mean([answer.right for answer in answers]))


def mean_chance(answers: Sequence[Answer]) -> float:
    return float(np.mean([answer.chance for answer in answers]))


def cache_error(model: Model, form: Format, shots: Sequence[Pair], asked: Sequence[Pair]) -> float:
    """How far answers' probabilities are from those without a shared prefix, the largest gap."""
    shared = ask(model, form, shots, asked)
    worst = 0.0
    for answer in shared:
        before = model.tokens(form.prefix(shots) + form.ask(answer.pair[0]))
        wanted = model.tokens(f" {answer.pair[1]}")
        each = model.start([]).follow([before + wanted])[0]
        places = torch.arange(len(wanted)) + len(before) - 1
        worst = max(worst, abs(each[places, wanted].sum().exp().item() - answer.chance))
    return worst


def choose(
    model: Model, shots: Sequence[tuple[str, bool]], labels: tuple[str, str]
) -> tuple[float, float]:
    """The share of the other reviews whose label is right: by more probability, and calibrated.

    A prompt makes one label likelier whatever is asked (Zhao et al. 2021, arXiv:2102.09690). As
    half of the reviews are good, the calibrated share puts the threshold at the median.
    """
    form = Format("review", "Review: {q}\nSentiment:")
    prefix = model.start(model.tokens(form.prefix([(text, labels[good]) for text, good in shots])))
    rest = [review for review in REVIEWS if review not in shots]
    rows = [model.tokens(form.ask(text)) for text, _ in rest]
    chances = prefix.follow(rows)
    first = [model.tokens(f" {label}")[0] for label in labels]
    ends = [each[len(row) - 1, first] for row, each in zip(rows, chances, strict=True)]
    lead = np.array([(end[1] - end[0]).item() for end in ends])
    good = np.array([kind for _, kind in rest])
    plain, calibrated = ((lead > bar) == good for bar in (0.0, np.median(lead)))
    return float(plain.mean()), float(calibrated.mean())


# %% [markdown]
# ## 2. The run


def run(params: FewshotParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what completes typed prompts afterwards."""
    torch.set_num_threads(lab.threads)
    try:
        needed = params.shots + 1
        task = own_task(params.pairs, needed) if params.pairs else TASKS[params.task]
        yield Stage("ask", "guess before you see it")
        yield from questions(params, task)
        model = yield from load(lab)
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None
    return (yield from lesson(params, lab, task, model))


def lesson(params: FewshotParams, lab: Lab, task: Task, model: Model) -> Steps[Explorer]:
    """The run on a given model."""
    form, before = formats(task)[params.format], model.fingerprint()
    found = Found(params, task)
    deal = lab.rng(0).permutation(len(task.pairs))
    held = min(params.items, len(task.pairs) - params.shots)
    asked = [task.pairs[index] for index in deal[:held]]
    rest = [task.pairs[index] for index in deal[held:]]
    yield from _checks(model, form, rest[:3], asked[:3])
    yield from _shots(model, form, found, rest, asked, lab)
    yield from _orders(model, form, found, rest, asked, lab)
    yield from _formats(model, found, rest, asked)
    yield from _labels(model, found, lab)
    yield from _templates(model, found)
    found.changed = float(model.fingerprint() != before)
    yield from conclude(found)
    yield Finding(finding(found))
    return Explorer(model, form.prefix(rest[: params.shots]), form)


def _checks(model: Model, form: Format, shots: list[Pair], asked: list[Pair]) -> Iterator[Event]:
    yield Stage("check", "tokens there and back; shared prefix against the whole prompt")
    text = form.prefix([*shots, *asked])
    wrong = model.text(model.tokens(text)) != text
    yield claim("round-trip", "a prompt's tokens spell the prompt (1: they don't)", wrong, "==", 0)
    error = cache_error(model, form, shots, asked)
    text = "probabilities after a cached prefix equal those of the whole prompt (largest gap)"
    yield claim("cache-equal", text, error, "<=", 1e-4)


def _shots(
    model: Model, form: Format, found: Found, rest: list[Pair], asked: list[Pair], lab: Lab
) -> Iterator[Event]:
    """More and more examples, in several draws; no draw has an example that is asked for."""
    params = found.params
    counts = sorted({n for n in (0, 1, 2, 4, 8, params.shots) if n <= params.shots})
    yield Stage("shots", f"{len(asked)} questions after {', '.join(map(str, counts))} examples")
    total = 1 + params.draws * (len(counts) - 1)
    done = 0
    replies: dict[int, list[Answer]] = {}
    for count in counts:
        for draw in range(params.draws if count else 1):
            order = lab.rng(10 + draw).permutation(len(rest))[:count]
            answers = ask(model, form, [rest[index] for index in order], asked)
            found.add(count, accuracy(answers), mean_chance(answers))
            replies.setdefault(count, answers)
            done += 1
            yield Progress(done, total, "prompt", f"{count} shots: {accuracy(answers):.0%} right")
        yield shot_plot(found, model.size)
    first, last = replies[counts[0]], replies[counts[-1]]
    cells = [
        (a.pair[0], a.pair[1], a.said, a.chance, b.said, b.chance, b.right)
        for a, b in zip(first[:10], last[:10], strict=True)
    ]
    yield reply_table(cells, counts[-1])


def _orders(
    model: Model, form: Format, found: Found, rest: list[Pair], asked: list[Pair], lab: Lab
) -> Iterator[Event]:
    """The same examples in six orders: to a person the task is the same."""
    shots = rest[: min(4, found.params.shots)]
    yield Stage("order", f"the same {len(shots)} examples in six orders")
    rows: list[list[Cell]] = []
    for number in range(6):
        order = [shots[index] for index in lab.rng(20 + number).permutation(len(shots))]
        answers = ask(model, form, order, asked)
        found.orders.append((accuracy(answers), mean_chance(answers)))
        said = ", ".join(question for question, _ in order)
        rows.append([said, *(round(value, 3) for value in found.orders[-1])])
        yield Progress(number + 1, 6, "order")
    yield Table("orders", "One set of examples, six orders", ["order", "right", "p(answer)"], rows)


def _formats(model: Model, found: Found, rest: list[Pair], asked: list[Pair]) -> Iterator[Event]:
    """The same examples, written in four ways; only the last one says what is asked."""
    few = min(4, found.params.shots)
    yield Stage("format", f"four ways to write it, with no example and with {few}")
    rows: list[list[Cell]] = []
    for number, form in enumerate(formats(found.task).values()):
        none, some = (ask(model, form, rest[:count], asked) for count in (0, few))
        found.formats[form.name] = (accuracy(none), accuracy(some))
        example = form.show(rest[0]).strip().replace("\n", " ⏎ ")
        chances = (mean_chance(none), mean_chance(some))
        rows.append([example, *(round(v, 3) for v in (*found.formats[form.name], *chances))])
        yield Progress(number + 1, 4, "format")
    columns = ["example", "right, 0 shots", f"right, {few}", "p(answer), 0", f"p(answer), {few}"]
    yield Table("formats", "One task, four formats", columns, rows)


def _labels(model: Model, found: Found, lab: Lab) -> Iterator[Event]:
    """Opinions with labels that mean something, nothing, or the opposite; chance is one half."""
    count = min(8, max(2, found.params.shots))
    yield Stage("labels", f"the mood of a sentence after {count} examples, three sets of labels")
    good, bad = ([r for r in REVIEWS if r[1] == kind] for kind in (True, False))
    rows: list[list[Cell]] = []
    for name, labels in LABELS.items():
        scores = []
        for draw in range(2):
            rng = lab.rng(30 + draw)
            picked = [part[i] for part in (good, bad) for i in rng.permutation(12)[: count // 2]]
            scores.append(choose(model, [picked[i] for i in rng.permutation(len(picked))], labels))
        plain, calibrated = (float(each) for each in np.mean(scores, axis=0))
        found.labels[name] = (plain, calibrated)
        rows.append(
            [name, f"{labels[1]} / {labels[0]}", round(plain, 3), round(calibrated, 3), 0.5]
        )
        yield Progress(len(rows), len(LABELS), "label set")
    columns = ["", "good / bad", "right", "right, calibrated", "chance"]
    note = "calibrated: a prompt's leaning to one label is taken out"
    yield Table("labels", "Do examples teach new labels?", columns, rows, note)


def _templates(model: Model, found: Found) -> Iterator[Event]:
    """One question to the same weights in four wrappings."""
    yield Stage("template", "raw text against the chat template, same weights, likeliest tokens")
    rows: list[list[Cell]] = []
    for name, put in {**PUTS, "chat template": ""}.items():
        prompts = [
            put.format(q=q) if put else chat(PUTS["bare question"].format(q=q)) for q, _ in ASKED
        ]
        replies = model.greedy(prompts, 10)
        hits = [answer in reply for (_, answer), reply in zip(ASKED, replies, strict=True)]
        found.templates[name] = float(np.mean(hits))
        shown = replies[0].strip().replace("\n", " ⏎ ") or "(nothing: the text ends)"
        rows.append([name, shown, round(found.templates[name], 3)])
        yield Progress(len(rows), len(PUTS) + 1, "template")
    title = f"What is the capital of {ASKED[0][0]}? The same weights, four ways to ask"
    yield Table("templates", title, ["put as", f"continues {ASKED[0][0]} with", "right"], rows)
    yield Note(
        "The weights were tuned on conversations: so the bare question is text like any other, "
        "and the template is what says that an answer is due."
    )


if __name__ == "__main__":
    main(FEWSHOT)
