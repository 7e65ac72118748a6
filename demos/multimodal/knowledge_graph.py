"""Knowledge graphs: fill in the facts that are missing.

The graph is one that everybody can judge: who borders whom, what is spoken, written and paid in.
A fifth of its facts is held out. Four models place all entities in a space and read a relation as
a movement there: TransE adds it, DistMult weighs by it, ComplEx multiplies by complex numbers,
RotatE turns. A question such as (Austria, borders, ?) gives a point, and the answers are ranked
by how well they fit.

What to watch for:

1. *Baselines that tutorials leave out.* "The most frequent answer to this relation" and "what
   similar countries have" learn nothing, and are not easily beaten by much.
2. *TransE answers with the country itself.* Borders hold both ways, h + r = t and t + r = h, so
   r is 0 and the nearest point to h + r is h. Striking the question's own entity off the list is
   one line, and turns the weakest answers of all into the best.
3. *A closed world deletes right answers.* Allowing only answers that have been seen in the same
   role sounds like knowing types; it costs more than it gives.
4. *Able to represent is not the same as learnt.* Planted relations show what each score can hold,
   and that the strength of a penalty decides whether training finds it.

TransE: Bordes et al. 2013. DistMult: arXiv:1412.6575. ComplEx: arXiv:1606.06357. RotatE:
arXiv:1902.10197. Softmax over all entities, N3: arXiv:1806.07297.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from demos.kit.plots import Curves
from demos.multimodal import kg_patterns as patterns
from demos.multimodal.kg_audit import Audit, audit, audit_events
from demos.multimodal.kg_data import BORDERS, Graph, Split, split, world
from demos.multimodal.kg_explore import Atlas, top
from demos.multimodal.kg_models import RECIPES, fit
from demos.multimodal.kg_ranking import (
    Ask,
    Ranked,
    Truth,
    ask_model,
    counting,
    evaluate,
    first_is_itself,
    neighbour_vote,
)
from demos.multimodal.specs import KNOWLEDGE_GRAPH, KnowledgeGraphParams
from studytool.demo.events import (
    Cell,
    Edge,
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
from studytool.demo.events import Graph as Drawing
from studytool.demo.spec import Lab, main

FIRST = ("the country itself", "a country that it borders", "some other entity")
CASES = 8
LOOKS = 5  # times that the test MRR is measured while a model trains
CENTRE = "Austria"  # what is drawn


@dataclass
class Found:
    """What was measured, by the name of the method."""

    asks: dict[str, Ask] = field(default_factory=dict)
    plain: dict[str, Ranked] = field(default_factory=dict)
    masked: dict[str, Ranked] = field(default_factory=dict)
    raw: dict[str, float] = field(default_factory=dict)
    itself: dict[str, float] = field(default_factory=dict)
    roles: dict[str, float] = field(default_factory=dict)
    planted: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Exam:
    """The graph, its split, and the grid of all true facts."""

    graph: Graph
    parts: Split
    truth: Truth

    @property
    def sizes(self) -> tuple[int, int]:
        """How many entities and relations."""
        return len(self.graph.entities), len(self.graph.relations)

    def borders(self) -> np.ndarray:
        """The held-out borders."""
        test = self.parts.test
        return test[test[:, 1] == self.graph.relations.index(BORDERS)]


# %% The run


def run(params: KnowledgeGraphParams, lab: Lab) -> Generator[Event, None, Atlas]:
    """Read the facts, rank by counting and by four embeddings, then look at single answers."""
    torch.set_num_threads(lab.threads)
    yield from questions(params)
    yield Stage("reading", "facts of the world from Babel (CLDR) and countryinfo")
    graph = world()
    parts = split(graph, lab.rng(1), params.held)
    exam = Exam(graph, parts, Truth.of(graph.facts, len(graph.entities), len(graph.relations)))
    yield from describe(exam)
    found = Found()
    yield from baselines(exam, found)
    yield from embeddings(exam, params, found)
    yield from itself(exam, found, lab.rng(2))
    yield from cases(exam, found, lab.rng(3))
    yield from closed_world(exam, found)
    audited = audit(graph, parts, found.asks["ComplEx"])
    yield Stage("auditing", "were the negatives of training really false?")
    yield from audit_events(audited)
    yield from planted(params, found)
    yield from outcomes(exam, found)
    yield from claims(exam, params, found, audited)
    yield Finding(finding(exam, found))
    return Atlas(graph, parts, {name: found.asks[name] for name in RECIPES})


def questions(params: KnowledgeGraphParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    against = f"{params.negatives} random answers" if params.negatives else "all entities"
    yield Prediction(
        "first",
        "TransE has learnt borders, and is asked for those it never saw. Known neighbours are "
        "left out of its list. What stands first, most often?",
        FIRST,
    )
    yield Prediction(
        "times",
        f"ComplEx, {params.dim} complex coordinates, trained against {against}: how many times "
        "the mean reciprocal rank of 'the most frequent answer to this relation'?",
        unit="times",
    )
    yield Prediction(
        "best",
        "The question's own entity may not be the answer any more. Which model ranks held-out "
        "facts best?",
        tuple(RECIPES),
    )


def describe(exam: Exam) -> Iterator[Event]:
    """Each relation with its count and an example, and the facts around one country."""
    graph = exam.graph
    rows: list[list[Cell]] = []
    for number, name in enumerate(graph.relations):
        facts = graph.facts[graph.facts[:, 1] == number]
        test = int((exam.parts.test[:, 1] == number).sum())
        example = graph.say(facts[len(facts) // 3])
        rows.append([name, len(facts), test, example])
    title = f"{len(graph.facts):,} facts about {len(graph.entities)} entities"
    yield Table("relations", title, ["relation", "facts", "held out", "example"], rows)
    if CENTRE in graph.entities:
        near = graph.facts[graph.facts[:, 0] == graph.number(CENTRE)]
        edges = [Edge(CENTRE, graph.entities[t], graph.relations[r]) for _, r, t in near.tolist()]
        nodes = [CENTRE, *dict.fromkeys(edge.target for edge in edges)]
        yield Drawing("around", f"What the graph knows of {CENTRE}", nodes, edges)
    yield Note(
        "Both directions of a border are held out together, or the other direction would be the "
        "answer. Some facts look odd or are missing: that is what graphs are like."
    )


def measure(exam: Exam, name: str, ask: Ask, found: Found) -> None:
    """All figures of one method."""
    test, truth = exam.parts.test, exam.truth
    found.asks[name] = ask
    found.plain[name] = evaluate(ask, test, truth)
    found.masked[name] = evaluate(ask, test, truth, not_itself=True)
    found.raw[name] = evaluate(ask, test, truth, filtered=False).mrr()
    found.itself[name] = first_is_itself(ask, exam.borders(), truth)
    seen = Truth.of(exam.parts.train, *exam.sizes)
    found.roles[name] = evaluate(ask, test, truth, not_itself=True, roles=seen).mrr()


def baselines(exam: Exam, found: Found) -> Iterator[Event]:
    """Two methods without training."""
    yield Stage("counting", "two baselines that learn nothing")
    measure(exam, "most frequent answer", counting(exam.parts.train, exam.sizes[0]), found)
    measure(exam, "similar entities vote", neighbour_vote(exam.parts.train, *exam.sizes), found)
    yield methods(exam, found)


def embeddings(exam: Exam, params: KnowledgeGraphParams, found: Found) -> Iterator[Event]:
    """Train the four models; the curve and the table grow."""
    levels = {name: ranked.mrr() for name, ranked in found.plain.items()}
    curves = Curves("mrr", "MRR on held-out facts", "epoch", "filtered MRR", levels)
    yield Stage("training", "softmax over all entities" if not params.negatives else "sampled")
    for number, (name, recipe) in enumerate(RECIPES.items()):
        torch.manual_seed(params.seed)
        model = recipe.model(*exam.sizes, params.dim)
        epochs = params.epochs or recipe.epochs
        looks = {round(epochs * part / LOOKS) for part in range(1, LOOKS + 1)}
        n3 = params.penalty * recipe.n3
        training = fit(
            model, exam.parts.train, recipe, params.seed,
            epochs=epochs, n3=n3, negatives=params.negatives,
        )  # fmt: skip
        for epoch, loss in training:
            done = number + epoch / epochs
            yield Progress(round(done, 3), len(RECIPES), "model", f"{name}: loss {loss:.3f}")
            if epoch in looks:
                mrr = evaluate(ask_model(model), exam.parts.test, exam.truth).mrr()
                curves.add(name, epoch, mrr)
                yield curves.series()
        measure(exam, name, ask_model(model), found)
        yield methods(exam, found)


def methods(exam: Exam, found: Found) -> Table:
    """One row per method; chance is what a random order gives."""
    count = exam.sizes[0]
    chance = float(np.mean(1 / np.arange(1, count + 1)))
    rows: list[list[Cell]] = [
        ["a random order", None, round(chance, 3), None, round(10 / count, 3), None]
    ]
    for name, ranked in found.plain.items():
        score = RECIPES[name].says if name in RECIPES else "no training"
        rows.append([name, score, *(round(x, 3) for x in (*figures(ranked), found.raw[name]))])
    columns = ["method", "score", "MRR", "Hits@1", "Hits@10", "unfiltered MRR"]
    note = f"filtered, heads and tails, {count} candidates, ties count half; the best is 1"
    return Table("methods", "Held-out facts", columns, rows, note)


def figures(ranked: Ranked) -> tuple[float, float, float]:
    """MRR, Hits@1 and Hits@10."""
    return ranked.mrr(), ranked.hits(1), ranked.hits(10)


# %% Single answers


def itself(exam: Exam, found: Found, rng: np.random.Generator) -> Iterator[Event]:
    """TransE's own entity in the first place, and what one line does about it."""
    yield Stage("itself", "striking the question's own entity off the list")
    border = exam.graph.relations.index(BORDERS)
    rows: list[list[Cell]] = []
    for name in found.plain:
        before, after = found.plain[name], found.masked[name]
        row = (found.itself[name], before.mrr(border), after.mrr(border), after.mrr())
        rows.append([name, *(round(value, 3) for value in row)])
    columns = ["method", "itself first", "MRR of borders", "itself struck", "all relations"]
    yield Table("itself", "Who answers with the country itself?", columns, rows)
    answers: list[list[Cell]] = []
    for fact in rng.permutation(exam.borders())[:CASES]:
        given = [show(exam, found.asks["TransE"], fact, struck) for struck in (False, True)]
        answers.append([exam.graph.entities[fact[0]], *given])
    columns = ["country", "TransE: borders", "the country struck off"]
    title = "TransE asked for borders (✓ right; known ones are left out)"
    yield Table("neighbours", title, columns, answers)


def show(exam: Exam, ask: Ask, fact: np.ndarray, struck: bool) -> str:
    """The first three answers for the tail of a fact, the right ones with a tick."""
    head, relation = int(fact[0]), int(fact[1])
    place = np.array([head]), np.array([relation])
    known = Truth.of(exam.parts.train, *exam.sizes).answers(*place, True)[0]
    if struck:
        known[head] = True
    right = exam.truth.answers(*place, True)[0]
    first = top(ask, head, relation, True, known)[:3]
    return ", ".join(exam.graph.entities[each] + " ✓" * bool(right[each]) for each in first)


def cases(exam: Exam, found: Found, rng: np.random.Generator) -> Iterator[Event]:
    """Held-out facts of the other relations, answered by ComplEx."""
    border = exam.graph.relations.index(BORDERS)
    others = exam.parts.test[exam.parts.test[:, 1] != border]
    rows: list[list[Cell]] = []
    for fact in rng.permutation(others)[: CASES + 4]:
        head, relation, tail = (int(part) for part in fact)
        question = f"{exam.graph.entities[head]} · {exam.graph.relations[relation]}"
        answers = show(exam, found.asks["ComplEx"], fact, True)
        rows.append([question, answers, exam.graph.entities[tail]])
    title = "ComplEx on facts it never saw (✓ right)"
    yield Table("answers", title, ["question", "first three answers", "held out"], rows)


def closed_world(exam: Exam, found: Found) -> Iterator[Event]:
    """Only answers that have been seen in that role: right answers go too."""
    yield Stage("closed world", "allowing only answers seen in the same role in training")
    seen = Truth.of(exam.parts.train, *exam.sizes)
    lost = []
    for tails, side in ((True, 2), (False, 0)):
        allowed = seen.seen_in_role(exam.parts.test[:, 1], tails)
        lost.append(~np.take_along_axis(allowed, exam.parts.test[:, [side]], 1))
    rows: list[list[Cell]] = [
        [name, round(found.masked[name].mrr(), 3), round(found.roles[name], 3)] for name in RECIPES
    ]
    note = f"{np.mean(lost):.1%} of the right answers were never seen in that role"
    columns = ["model", "all entities", "seen in the role"]
    yield Table("roles", "MRR with the closed-world filter", columns, rows, note)


def planted(params: KnowledgeGraphParams, found: Found) -> Iterator[Event]:
    """Four patterns in a made-up graph, with a firm penalty and for RotatE with a weak one too."""
    yield Stage("patterns", "symmetric, directed, inverse and composed relations, planted")
    epochs = params.epochs or patterns.EPOCHS
    runs = [(name, name, patterns.FIRM) for name in RECIPES]
    runs.append(("RotatE, weak penalty", "RotatE", patterns.WEAK))
    for label, name, n3 in runs:
        figures = patterns.learn_planted(name, params.dim, params.seed, params.penalty * n3, epochs)
        found.planted[label] = figures
        yield Progress(len(found.planted), len(runs), "model", label)
        rows: list[list[Cell]] = [
            [label, *(round(row[column], 3) for column in (*patterns.PATTERNS, "itself", "masked"))]
            for label, row in found.planted.items()
        ]
        columns = ["model", *patterns.PATTERNS, "itself first", "symmetric, struck"]
        note = "filtered MRR of what was held out; direction: share right, chance 0.5"
        yield Table("patterns", "Planted relations", columns, rows, note)


# %% What came out


def outcomes(exam: Exam, found: Found) -> Iterator[Outcome]:
    """How each question came out."""
    own = found.itself["TransE"]
    right = first_is_right(exam, found.asks["TransE"])
    shares = (own, right, 1 - own - right)
    text = f"{own:.0%} the country itself, {right:.0%} a right neighbour"
    yield Outcome("first", FIRST[int(np.argmax(shares))], text)
    ours, base = found.plain["ComplEx"].mrr(), found.plain["most frequent answer"].mrr()
    yield Outcome("times", ours / base, f"{ours:.3f} against {base:.3f}")
    masked = {name: found.masked[name].mrr() for name in RECIPES}
    best = max(masked, key=lambda name: masked[name])
    yield Outcome("best", best, ", ".join(f"{name} {value:.3f}" for name, value in masked.items()))


def first_is_right(exam: Exam, ask: Ask) -> float:
    """How often a held-out neighbour comes first, when learnt ones are left out."""
    facts, hits = exam.borders(), []
    learnt = Truth.of(exam.parts.train, *exam.sizes)
    for tails, side in ((True, 0), (False, 2)):
        known, relation = facts[:, side], facts[:, 1]
        scores = ask(known, relation, tails).copy()
        scores[learnt.answers(known, relation, tails)] = -np.inf
        right = exam.truth.answers(known, relation, tails)
        hits.append(right[np.arange(len(facts)), scores.argmax(1)])
    return float(np.mean(hits))


def claims(
    exam: Exam, params: KnowledgeGraphParams, found: Found, audited: Audit
) -> Iterator[Event]:
    """What the default setting is good for."""
    if KnowledgeGraphParams(seed=params.seed) != params:
        yield Note("The claims are stated for the default setting, so not here.")
        return
    mrr = {name: ranked.mrr() for name, ranked in found.plain.items()}
    text = "ComplEx's MRR over that of the most frequent answer"
    times = mrr["ComplEx"] / mrr["most frequent answer"]
    yield claim("complex-counting", text, times, ">=", 1.7, unit="times")
    ahead = mrr["ComplEx"] - mrr["similar entities vote"]
    yield claim("complex-vote", "ComplEx ahead of the vote of similar entities", ahead, ">=", 0.02)
    text = "TransE asked for a border answers with the country itself"
    yield claim("transe-itself", text, found.itself["TransE"], ">=", 0.95)
    border = exam.graph.relations.index(BORDERS)
    gain = found.masked["TransE"].mrr(border) - found.plain["TransE"].mrr(border)
    text = "striking that entity off the list adds to TransE's MRR of borders"
    yield claim("mask-gain", text, gain, ">=", 0.12)
    text = "commonly taught: symmetry makes TransE the worst; masked, behind the best of the others"
    others = max(found.masked[name].mrr() for name in RECIPES if name != "TransE")
    behind = others - found.masked["TransE"].mrr()
    yield claim("transe-worst", text, behind, ">", 0.0, expect="refuted")
    text = "commonly taught: allow only types seen in that role; adds to TransE's masked MRR"
    typed = found.roles["TransE"] - found.masked["TransE"].mrr()
    yield claim("closed-world", text, typed, ">=", 0.0, expect="refuted")
    text = "unfiltered, ComplEx's MRR looks lower by"
    yield claim("raw-filtered", text, mrr["ComplEx"] - found.raw["ComplEx"], ">=", 0.05)
    text = "negatives drawn by the model's score are true facts more often than even draws, times"
    ratio = audited.weighted / audited.uniform
    yield claim("negatives-true", text, ratio, ">=", 6, unit="times")
    yield from planted_claims(found)


def planted_claims(found: Found) -> Iterator[Event]:
    """What each score holds, and what training made of it."""
    text = "DistMult on the direction of an edge, away from one half by"
    off = abs(found.planted["DistMult"]["direction"] - 0.5)
    yield claim("distmult-direction", text, off, "<=", 1e-9)
    text = "TransE names a person as their own spouse"
    yield claim("planted-itself", text, found.planted["TransE"]["itself"], ">=", 0.95)
    text = "RotatE, firm penalty: the worst of symmetric, inverse, composition"
    yield claim("rotate-firm", text, worst(found.planted["RotatE"]), ">=", 0.8)
    text = "commonly taught: what RotatE can represent it learns; the worst with a weak penalty"
    weak = worst(found.planted["RotatE, weak penalty"])
    yield claim("rotate-weak", text, weak, ">=", 0.9, expect="refuted")
    text = "commonly taught: ComplEx can't compose; MRR of held-out compositions"
    made = found.planted["ComplEx"]["composition"]
    yield claim("complex-compose", text, made, "<=", 0.5, expect="refuted")


def worst(row: dict[str, float]) -> float:
    """The lowest MRR of the patterns that RotatE's authors list."""
    return min(row["symmetric"], row["inverse"], row["composition"])


def finding(exam: Exam, found: Found) -> str:
    """The sentence to say, with what was just measured."""
    border = exam.graph.relations.index(BORDERS)
    transe, masked = found.plain["TransE"].mrr(border), found.masked["TransE"].mrr(border)
    best = max((found.masked[name].mrr(), name) for name in RECIPES)
    counted = found.plain["most frequent answer"].mrr()
    return (
        f"TransE put the country itself first in {found.itself['TransE']:.0%} of border questions; "
        f"striking it off took the borders' MRR from {transe:.2f} to {masked:.2f}, and then "
        f"{best[1]} was the best of four with {best[0]:.2f} on all relations. Report counting next "
        f"to it ({counted:.2f}): a link predictor is worth what it adds to that."
    )


if __name__ == "__main__":
    main(KNOWLEDGE_GRAPH)
