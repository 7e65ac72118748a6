"""Fusion: when do two modalities really meet?

A picture of a digit, and a question: "is it prime?". Neither is enough. The picture doesn't say
what is asked, the words don't say of what, and since every question comes with its negation, one
of the two always guesses.

So this task needs the *interaction*: the answer is no sum of something about the picture and
something about the question. A sum can't express "yes when both agree" (it's XOR in disguise).
That splits the ways to fuse into two classes, and the usual ladder early < late < attention is
not among the things one finds:

1. What only adds (late fusion of logits, a linear layer over the concatenation) ends where the
   words alone end. It can be proved: the best additive model gives every picture the same share.
2. Whatever puts a non-linearity or a product after the meeting point solves it.

Then three questions that deployments meet: what if one modality is missing at test time, says
nothing, or lies? Modality dropout cures the first, helps with the second, not with the third.

FiLM: Perez et al. 2018, arXiv:1709.07871. Gating: Arevalo et al. 2017, arXiv:1702.01992.
Modality dropout: Neverova et al. 2016, arXiv:1501.00102. Survey: Baltrušaitis et al. 2019,
arXiv:1705.09406.
"""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from demos.kit.images import GREEN, contact_sheet, picture_event
from demos.kit.plots import Curves
from demos.multimodal import fusion_lack as lack
from demos.multimodal.fusion_models import (
    ADDITIVE,
    FORMULAS,
    FUSIONS,
    INTERACTING,
    Fusion,
)
from demos.multimodal.fusion_task import Task, additive_optimum, make_task
from demos.multimodal.specs import FUSION, FusionParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Lab, main

LATE = ("about 55 %", "about 75 %", "above 95 %")
LIARS = ("as good as the picture alone, to 2 points", "worse than the picture alone")
LEVELS = (0.65, 0.85)  # between the three options of LATE
CASES = 6
GLANCE = 100  # pictures measured on while training; at the end all held-out ones are


# %% Training one fusion
# Every step draws pictures and, for each, one of the 24 wordings: a yes/no label, a logit, and
# binary cross-entropy. All fusions see the same pictures and questions in the same order.


def train(name: str, task: Task, params: FusionParams) -> Iterator[tuple[int, Fusion]]:
    """Train a fusion by its name; yields the step and the model at six moments."""
    torch.manual_seed(params.seed)
    rng = np.random.default_rng([params.seed, 1])
    model = FUSIONS[name](task.vocabulary)
    optimiser = torch.optim.Adam(model.parameters(), lr=params.lr)
    pictures, words = torch.from_numpy(task.pictures), torch.from_numpy(task.words)
    digits, answers = torch.from_numpy(task.digits), torch.from_numpy(task.answers)
    moments = {max(1, round(params.steps * part / 6)) for part in range(1, 7)}
    for step in range(1, params.steps + 1):
        chosen = torch.from_numpy(rng.choice(task.train, params.batch))
        asked = torch.from_numpy(rng.integers(0, len(words), params.batch))
        logits = model(pictures[chosen], words[asked])
        loss = binary_cross_entropy_with_logits(logits, answers[digits[chosen], asked])
        for group in optimiser.param_groups:
            group["lr"] = params.lr * min(1.0, 2 * (1 - step / params.steps) + 0.02)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step in moments:
            yield step, model


@torch.no_grad()
def says_yes(model: Fusion, task: Task, chosen: np.ndarray) -> np.ndarray:
    """What the model answers to each of the 24 wordings: (pictures, 24) booleans."""
    pictures = torch.from_numpy(task.pictures[chosen])
    words = torch.from_numpy(task.words)
    count, wordings = len(pictures), len(words)
    logits = model(pictures.repeat_interleave(wordings, 0), words.repeat(count, 1))
    return (logits > 0).reshape(count, wordings).numpy()


def accuracy(model: Fusion, task: Task, most: int | None = None) -> float:
    """The share of right answers over held-out pictures, at `most` so many, and all wordings."""
    chosen = task.test[:most]
    right = task.answers[task.digits[chosen]] > 0.5
    return float((says_yes(model, task, chosen) == right).mean())


# %% The run


@dataclass
class Found:
    """What was measured, by the name of the fusion or of the case."""

    scores: dict[str, float] = field(default_factory=dict)
    models: dict[str, Fusion] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    missing: dict[str, dict[str, float]] = field(default_factory=dict)
    useless: dict[int, dict[str, float]] = field(default_factory=dict)
    lying: dict[str, float] = field(default_factory=dict)


def run(params: FusionParams, lab: Lab) -> Generator[Event, None, Fused]:
    """Ask, train ten models on the same questions, then take a modality away."""
    torch.set_num_threads(lab.threads)
    yield from questions(params)
    yield Stage("preparing", "1,797 handwritten digits, 24 wordings of six yes/no questions")
    task = make_task(lab.rng())
    found = Found()
    yield from explain(task)
    yield from interaction(task, params, found)
    yield from cases(task, found, lab.rng(2))
    torch.manual_seed(lab.seed)
    yield from missing(task, params, found, lab)
    yield from useless(task, params, found, lab)
    yield from lying(task, params, found, lab)
    yield from outcomes(params, found)
    yield from claims(task, params, found)
    yield Finding(finding(found))
    return Fused(task, found)


def questions(params: FusionParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    yield Prediction(
        "late",
        "Late fusion: a picture classifier and a question classifier, their logits added, both "
        "trained together. How often is it right? (guessing: 50 %)",
        LATE,
    )
    yield Prediction(
        "useless",
        f"{params.images} training pictures, and beside each {params.noise} numbers of pure "
        "noise as a second modality. How many points of accuracy does the noise cost?",
        unit="points",
    )
    yield Prediction(
        "liar",
        f"A caption is right for {params.caption:.0%} of the training pictures and random at test. "
        "With modality dropout in training, how good is the joint model then?",
        LIARS,
    )


def explain(task: Task) -> Iterator[Event]:
    """What is possible with one modality, and with a sum."""
    picture_part, _ = additive_optimum(task.answers)
    yield Note(
        f"The picture alone allows {task.image_only():.1%} and the words alone "
        f"{task.text_only():.1%}. The best sum of a digit's and a question's logit, fitted by "
        f"Newton's method, gives all ten digits the same logit to {np.abs(picture_part).max():.0e}:"
        " a question asks it to rise where its negation asks it to fall."
    )


def interaction(task: Task, params: FusionParams, found: Found) -> Iterator[Event]:
    """Train all fusions; the table and the curves grow with each."""
    levels = {"words alone at best": task.text_only()}
    curves = Curves("accuracy", "Right answers on held-out pictures", "step", "share", levels)
    yield Stage("fusing", f"{len(FUSIONS)} models, {params.steps} steps each")
    for number, name in enumerate(FUSIONS):
        for step, model in train(name, task, params):
            score = accuracy(model, task, None if step == params.steps else GLANCE)
            curves.add(name, step, score)
            done = number + step / params.steps
            yield Progress(round(done, 3), len(FUSIONS), "model", f"{name}: {score:.3f}")
            found.scores[name], found.models[name] = score, model
        used = [p for p in found.models[name].parameters() if p.grad is not None]
        found.sizes[name] = sum(p.numel() for p in used)
        yield curves.series()
        yield fusion_table(found)


def fusion_table(found: Found) -> Table:
    rows: list[list[Cell]] = [
        [name, FORMULAS[name], f"{found.sizes[name]:,}", round(score, 3)]
        for name, score in found.scores.items()
    ]
    columns = ["fusion", "logit", "weights used", "accuracy"]
    return Table("fusions", "One task, ten ways", columns, rows)


def cases(task: Task, found: Found, rng: np.random.Generator) -> Iterator[Event]:
    """Single questions, and who answers them."""
    chosen = rng.choice(task.test, CASES, replace=False)
    asked = rng.integers(0, len(task.questions), CASES)
    yield picture_event(
        "digits",
        "Held-out pictures",
        contact_sheet([[shade(task, n) for n in chosen]], [[GREEN] * CASES], scale=6),
        caption="scikit-learn's digits (UCI)",
    )
    yield case_table("cases", "Who answers what", task, found, chosen, asked)


def case_table(
    id: str, title: str, task: Task, found: Found, chosen: np.ndarray, asked: np.ndarray
) -> Table:
    """One row per picture and question: the right answer and what four of the models say."""
    shown = ("text only", "late", "concat, MLP", "FiLM")
    said = {name: says_yes(found.models[name], task, chosen) for name in shown}
    rows: list[list[Cell]] = []
    for row, (picture, question) in enumerate(zip(chosen, asked, strict=True)):
        right = bool(task.answers[task.digits[picture], question])
        answers = [bool(said[name][row, question]) for name in shown]
        marks = [f"{_word(each)} {'✓' if each == right else '✗'}" for each in answers]
        rows.append([int(task.digits[picture]), task.questions[question], _word(right), *marks])
    return Table(id, title, ["digit", "question", "right", *shown], rows)


def shade(task: Task, number: int) -> np.ndarray:
    """A picture (8, 8, 3) in dark ink on white."""
    grey = (255 * (1 - task.pictures[number].reshape(8, 8))).astype(np.uint8)
    return grey[:, :, None].repeat(3, 2)


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


# %% Missing, useless, lying


def missing(task: Task, params: FusionParams, found: Found, lab: Lab) -> Iterator[Event]:
    """Two halves of a digit; then one of them is gone."""
    yield Stage("missing", "the left and the right half of a digit as two modalities")
    data, steps = lack.halves(task), 2 * params.steps  # half a digit is harder to name
    train_set, test_set = data.take(task.train), data.take(task.test)
    kinds = {
        "joint": (train_set, 0.0),
        "joint, modality dropout": (train_set, params.dropout),
        "left half only": (train_set.without("second"), 0.0),
        "right half only": (train_set.without("first"), 0.0),
    }
    for number, (name, (given, dropout)) in enumerate(kinds.items(), 1):
        model = lack.fit(given, lab.rng(3), steps, dropout=dropout)
        found.missing[name] = {
            "both": lack.accuracy(model, test_set),
            "only left": lack.accuracy(model, test_set.without("second")),
            "only right": lack.accuracy(model, test_set.without("first")),
        }
        yield Progress(number, len(kinds), "model", name)
    columns = ["trained", "both", "only left", "only right"]
    rows: list[list[Cell]] = [
        [name, *(round(value, 3) for value in row.values())] for name, row in found.missing.items()
    ]
    yield Table("missing", "One half is missing at test time", columns, rows)


def useless(task: Task, params: FusionParams, found: Found, lab: Lab) -> Iterator[Event]:
    """A second modality of pure noise, with few and with more training pictures."""
    yield Stage("useless", f"{params.noise} numbers of noise beside each picture")
    data = lack.with_noise(task, lab.rng(4), params.noise)
    for count in (params.images, 4 * params.images):
        train_set, test_set = data.take(task.train[:count]), data.take(task.test)
        steps = min(params.steps, 400)
        alone = lack.fit(train_set.without("second"), lab.rng(5), steps)
        joint = lack.fit(train_set, lab.rng(5), steps)
        dropped = lack.fit(train_set, lab.rng(5), steps, dropout=params.dropout)
        found.useless[count] = {
            "picture alone": lack.accuracy(alone, test_set.without("second")),
            "with the noise": lack.accuracy(joint, test_set),
            "modality dropout": lack.accuracy(dropped, test_set),
        }
    columns = ["training pictures", *found.useless[params.images]]
    rows: list[list[Cell]] = [
        [count, *(round(value, 3) for value in row.values())]
        for count, row in found.useless.items()
    ]
    yield Table("useless", "A modality that says nothing", columns, rows)


def lying(task: Task, params: FusionParams, found: Found, lab: Lab) -> Iterator[Event]:
    """A caption that can be trusted in training and not at test."""
    yield Stage("lying", f"a caption right for {params.caption:.0%} of the training pictures")
    honest = lack.with_captions(task, lab.rng(6), params.caption)
    random = lack.with_captions(task, lab.rng(7), 0.0).take(task.test)
    train_set, test_set = honest.take(task.train), honest.take(task.test)
    alone = lack.fit(train_set.without("second"), lab.rng(8), params.steps)
    joint = lack.fit(train_set, lab.rng(8), params.steps)
    dropped = lack.fit(train_set, lab.rng(8), params.steps, dropout=params.dropout)
    found.lying = {
        "picture alone": lack.accuracy(alone, test_set.without("second")),
        "joint, honest captions": lack.accuracy(joint, test_set),
        "joint, random captions": lack.accuracy(joint, random),
        "modality dropout, random captions": lack.accuracy(dropped, random),
        "modality dropout, no captions": lack.accuracy(dropped, random.without("second")),
    }
    rows: list[list[Cell]] = [[name, round(value, 3)] for name, value in found.lying.items()]
    yield Table("lying", "A modality that lies at test time", ["case", "accuracy"], rows)


# %% What came out


def outcomes(params: FusionParams, found: Found) -> Iterator[Outcome]:
    """How each question came out."""
    late = found.scores["late"]
    kind = LATE[sum(late > level for level in LEVELS)]
    yield Outcome("late", kind, f"{late:.1%}; one hidden layer: {found.scores['concat, MLP']:.1%}")
    few = found.useless[params.images]
    cost = few["picture alone"] - few["with the noise"]
    text = f"{few['picture alone']:.1%} alone, {few['with the noise']:.1%} with the noise"
    yield Outcome("useless", 100 * cost, text)
    liar, alone = (
        found.lying["modality dropout, random captions"],
        found.lying["picture alone"],
    )
    text = f"{liar:.1%} where the picture alone gives {alone:.1%}"
    yield Outcome("liar", LIARS[liar < alone - 0.02], text)


def claims(task: Task, params: FusionParams, found: Found) -> Iterator[Event]:
    """What holds for any run, then what the default setting is good for."""
    picture_part, _ = additive_optimum(task.answers)
    text = "the best additive model has the same logit for every digit; largest difference"
    yield claim("additive-optimum", text, np.abs(picture_part).max(), "<=", 1e-6)
    turned = FusionParams(seed=params.seed) != params
    if turned:
        yield Note("The other claims are stated for the default setting, so not here.")
        return
    scores = found.scores
    text = "fusion by adding: the best of late and concat-linear"
    yield claim("additive", text, max(scores[name] for name in ADDITIVE), "<=", 0.60)
    text = "fusion with a product or a hidden layer: the worst of five"
    yield claim("interacting", text, min(scores[name] for name in INTERACTING), ">=", 0.95)
    text = "commonly taught: cross-attention fuses best; ahead of one hidden layer by"
    ahead = scores["cross-attention"] - scores["concat, MLP"]
    yield claim("attention-best", text, ahead, ">=", 0.0, expect="refuted")
    lost = min(found.missing["joint"][side] for side in ("only left", "only right"))
    yield claim("missing-joint", "joint training, then a half is missing", lost, "<=", 0.70)
    kept = found.missing["joint, modality dropout"]
    text = "with modality dropout, the worse half alone"
    yield claim("missing-dropout", text, min(kept["only left"], kept["only right"]), ">=", 0.83)
    text = "and on both halves it loses against the joint model"
    both = found.missing["joint"]["both"] - kept["both"]
    yield claim("dropout-cost", text, both, "<=", 0.03)
    few = found.useless[params.images]
    text = "commonly taught: more modalities never hurt; gain from one that is noise"
    gain = few["with the noise"] - few["picture alone"]
    yield claim("more-never-hurts", text, gain, ">=", 0.0, expect="refuted")
    yield claim("useless-cost", "a useless modality costs", -gain, ">=", 0.35)
    alone = found.lying["picture alone"]
    text = "a lying caption, joint model, below the picture alone by"
    yield claim("lying", text, alone - found.lying["joint, random captions"], ">=", 0.08)
    text = "commonly taught: modality dropout makes fusion robust; below the picture alone by"
    gap = alone - found.lying["modality dropout, random captions"]
    yield claim("dropout-cures-lies", text, gap, "<=", 0.02, expect="refuted")


def finding(found: Found) -> str:
    """The sentence to say, with what was just measured."""
    scores, lying = found.scores, found.lying
    return (
        f"Adding logits is no fusion: on questions that need picture and words together it reaches "
        f"{scores['late']:.0%}, what the words alone give, while any product or hidden layer after "
        f"the meeting point reaches {min(scores[name] for name in INTERACTING):.0%} or more, and "
        f"cross-attention isn't needed ({scores['cross-attention']:.0%}). Modality dropout cures a "
        f"missing modality, not a lying one: {lying['modality dropout, random captions']:.0%} "
        f"where the picture alone gives {lying['picture alone']:.0%}."
    )


@dataclass(frozen=True)
class Fused:
    """Serves "7 is it prime": a held-out picture of the digit, and what the models answer."""

    task: Task
    found: Found

    def explore(self, request: str) -> Iterator[Event]:
        """A digit and a question in one of the 24 wordings, or something near one."""
        digit, _, question = request.strip().lower().rstrip("?").partition(" ")
        near = difflib.get_close_matches(question.strip(), self.task.questions, 1, 0.4)
        if len(digit) != 1 or digit not in "0123456789" or not near:
            known = "; ".join(self.task.questions[::4])
            yield Note(f"Type a digit and a question, such as: 7 is it prime. Others: {known}.")
            return
        asked = self.task.questions.index(near[0])
        pictures = self.task.test[self.task.digits[self.task.test] == int(digit)][:CASES]
        if not len(pictures):
            yield Note(f"No held-out picture shows {digit} with this seed.")
            return
        sheet = contact_sheet(
            [[shade(self.task, n) for n in pictures]], [[GREEN] * len(pictures)], scale=6
        )
        yield picture_event("asked-digits", f"Held-out pictures of {digit}", sheet)
        wordings = np.full(len(pictures), asked)
        yield case_table("asked", near[0], self.task, self.found, pictures, wordings)


if __name__ == "__main__":
    main(FUSION)
