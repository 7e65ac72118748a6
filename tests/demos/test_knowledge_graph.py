"""The knowledge graph demo: scores and ranks against brute force, the graph, and the runs."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from demos.multimodal import kg_patterns as patterns
from demos.multimodal import knowledge_graph as demo
from demos.multimodal.kg_data import BORDERS, I64, KEPT, Graph, split, world
from demos.multimodal.kg_explore import Atlas
from demos.multimodal.kg_models import BATCH, RECIPES, Scorer, fit, loss
from demos.multimodal.kg_ranking import (
    Ask,
    Truth,
    ask_model,
    counting,
    evaluate,
    first_is_itself,
    neighbour_vote,
    ranks,
)
from demos.multimodal.specs import KNOWLEDGE_GRAPH, KnowledgeGraphParams
from studytool.demo.events import Claim, Event, Note, Outcome, Prediction, Table
from tests.demos.static_kit import check_default, of, one, play

REFUTED = {"transe-worst", "closed-world", "rotate-weak", "complex-compose"}
SMALL = KnowledgeGraphParams(dim=6, epochs=2)
E, R, DIM = 9, 3, 5


@pytest.fixture(scope="module")
def graph() -> Graph:
    return world()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], Atlas]:
    return play(demo.run, SMALL, tmp_path_factory.mktemp("lab"))


@pytest.fixture
def facts() -> I64:
    rng = np.random.default_rng(4)
    rows = {(int(h), int(r), int(t)) for h, r, t in rng.integers(0, (E, R, E), (40, 3))}
    return np.array(sorted(rows))


# ------------------------------------------------------------------------------ scores


def complex_of(row: torch.Tensor) -> np.ndarray:
    real, imaginary = row.detach().double().numpy().reshape(2, -1)
    return np.asarray(real + 1j * imaginary)


def by_definition(name: str, model: Scorer, h: int, r: int, t: int) -> float:
    """The papers' formulas, one triple at a time, in numpy's own complex numbers."""
    head, tail, relation = model.entity[h], model.entity[t], model.relation[r]
    if name in ("TransE", "DistMult"):
        x, y, z = (each.detach().double().numpy() for each in (head, relation, tail))
        return float(-np.sum((x + y - z) ** 2) if name == "TransE" else np.sum(x * y * z))
    a, c = complex_of(head), complex_of(tail)
    if name == "ComplEx":
        return float(np.sum(a * complex_of(relation) * c.conj()).real)
    turned = a * np.exp(1j * relation.detach().double().numpy())
    return float(-np.sum(np.abs(turned - c) ** 2))


@pytest.mark.parametrize("name", RECIPES)
def test_scores_equal_the_definition_for_tails_and_heads(name: str) -> None:
    torch.manual_seed(3)
    model = RECIPES[name].model(E, R, DIM)
    ask = ask_model(model)
    for known, r in itertools.product(range(E), range(R)):
        place = np.array([known]), np.array([r])
        tails = [by_definition(name, model, known, r, t) for t in range(E)]
        heads = [by_definition(name, model, h, r, known) for h in range(E)]
        np.testing.assert_allclose(ask(*place, True)[0], tails, atol=1e-5)
        # A distance is the same from both ends; so is the product.
        np.testing.assert_allclose(ask(*place, False)[0], heads, atol=1e-5)


@pytest.mark.parametrize(("name", "same"), [("DistMult", True), ("ComplEx", False)])
def test_only_distmult_gives_an_edge_and_its_reverse_one_score(name: str, same: bool) -> None:
    torch.manual_seed(5)
    model = RECIPES[name].model(E, R, DIM)
    rows = torch.tensor([[0, 1, 2], [3, 0, 4]])

    assert torch.allclose(model.score(rows), model.score(rows.flip(1)), atol=1e-7) == same


def test_a_real_relation_is_symmetric_and_an_imaginary_one_antisymmetric_in_complex() -> None:
    torch.manual_seed(6)
    model = RECIPES["ComplEx"].model(E, R, DIM)
    rows = torch.tensor([[0, 0, 2], [3, 1, 4]])
    with torch.no_grad():
        model.relation[0, DIM:] = 0
        model.relation[1, :DIM] = 0
        there, back = model.score(rows), model.score(rows.flip(1))

    torch.testing.assert_close(there, back * torch.tensor([1.0, -1.0]), atol=1e-7, rtol=1e-5)


def test_half_a_turn_makes_rotate_symmetric() -> None:
    torch.manual_seed(7)
    model = RECIPES["RotatE"].model(E, R, DIM)
    with torch.no_grad():
        model.relation[0] = torch.tensor([0.0, np.pi, np.pi, 0.0, np.pi])
        rows = torch.tensor([[0, 0, 2], [3, 0, 4]])
        torch.testing.assert_close(model.score(rows), model.score(rows.flip(1)))


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_is_two_cross_entropies_and_the_cubes(name: str, facts: I64) -> None:
    torch.manual_seed(8)
    model = RECIPES[name].model(E, R, DIM)
    expected = cubes = 0.0
    for h, r, t in facts.tolist():
        tails = np.array([by_definition(name, model, h, r, each) for each in range(E)])
        heads = np.array([by_definition(name, model, each, r, t) for each in range(E)])
        expected += float(np.log(np.exp(tails).sum()) - tails[t])
        expected += float(np.log(np.exp(heads).sum()) - heads[h])
        sized = complex_of if model.complex else lambda row: row.detach().double().numpy()
        rows = [model.entity[h], model.entity[t]]
        rows += [] if name == "RotatE" else [model.relation[r]]
        cubes += sum(float((np.abs(sized(row)) ** 3).sum()) for row in rows)
    value = loss(model, torch.from_numpy(facts), 0.7)

    assert value.item() == pytest.approx((expected + 0.7 * cubes) / len(facts), rel=1e-4)


def test_with_every_entity_drawn_once_sampling_counts_the_right_one_twice(facts: I64) -> None:
    torch.manual_seed(9)
    model = RECIPES["ComplEx"].model(E, R, DIM)
    batch = torch.from_numpy(facts)
    drawn = torch.arange(E).repeat(len(batch), 1)
    expected = 0.0
    for known, right, tails in ((0, 2, True), (2, 0, False)):
        scores = model.ask(batch[:, known], batch[:, 1], tails).exp()
        mine = scores.gather(1, batch[:, [right]])[:, 0]
        expected += ((mine + scores.sum(1)) / mine).log().mean().item()

    assert loss(model, batch, 0.0, drawn).item() == pytest.approx(expected, rel=1e-5)


def test_training_lowers_the_loss(facts: I64) -> None:
    torch.manual_seed(1)
    recipe = RECIPES["ComplEx"]
    model = recipe.model(E, R, DIM)
    losses = [value for _, value in fit(model, facts, recipe, 1, epochs=40, n3=0.0)]

    assert len(facts) <= BATCH
    assert losses[-1] < 0.7 * losses[0]


# ------------------------------------------------------------------------------- ranks


def brute_rank(scores: list[float], right: int, struck: set[int]) -> float:
    """Sort the list by hand; among equals the mean of the places."""
    left = [value for n, value in enumerate(scores) if n not in struck or n == right]
    places = [n for n, value in enumerate(sorted(left, reverse=True), 1) if value == scores[right]]
    return sum(places) / len(places)


@pytest.mark.parametrize(("filtered", "masked"), itertools.product((True, False), repeat=2))
def test_ranks_equal_sorting_by_hand(facts: I64, filtered: bool, masked: bool) -> None:
    rng = np.random.default_rng(2)
    grid = rng.integers(0, 5, (2, R, E, E)).astype(float)  # few values: many ties

    def ask(known: I64, relation: I64, tails: bool) -> np.ndarray:
        return np.asarray(grid[int(tails), relation, known])

    test, truth = facts[::3], {tuple(row) for row in facts.tolist()}
    expected = []
    for tails in (True, False):
        for h, r, t in test.tolist():
            known, right = (h, t) if tails else (t, h)
            others = {
                each
                for each in range(E)
                if filtered and ((known, r, each) if tails else (each, r, known)) in truth
            }
            struck = others | ({known} if masked else set())
            expected.append(brute_rank(grid[int(tails), r, known].tolist(), right, struck))
    found = evaluate(ask, test, Truth.of(facts, E, R), filtered=filtered, not_itself=masked)

    np.testing.assert_array_equal(found.ranks, expected)
    assert found.mrr() == pytest.approx(np.mean([1 / rank for rank in expected]))


def test_equal_scores_come_to_the_middle_and_not_to_the_top() -> None:
    found = ranks(np.zeros((1, 101)), np.array([7]), np.zeros((1, 101), bool))

    assert found.tolist() == [51.0]


def test_the_card_s_three_queries_have_the_mrr_it_says() -> None:
    order = -np.arange(12.0)[None].repeat(3, 0)
    known = np.zeros((3, 12), bool)
    known[1, [0, 2]] = True
    right = np.array([0, 3, 9])

    assert (1 / ranks(order, right, known)).mean() == pytest.approx(0.5333, abs=1e-4)
    assert (1 / ranks(order, right, np.zeros((3, 12), bool))).mean() == pytest.approx(0.45)


def test_an_answer_outside_the_roles_is_below_all_others() -> None:
    facts = np.array([[0, 0, 1], [0, 0, 2], [3, 0, 2]])
    held = np.array([[3, 0, 4]])

    def flat(known: I64, relation: I64, tails: bool) -> np.ndarray:
        return np.tile(np.array([0.0, 1, 2, 3, 4]), (len(known), 1))

    truth = Truth.of(np.concatenate([facts, held]), 5, 1)
    found = evaluate(flat, held, truth, roles=Truth.of(facts, 5, 1))

    # Tails: 2 is known, 1 is left before; 0, 3 and 4 are struck and tie. Heads: 0 and 3 are left, 3 is first.
    assert found.ranks.tolist() == [3.0, 1.0]


def test_counting_and_the_vote_are_what_they_say() -> None:
    train = np.array([[0, 0, 5], [1, 0, 5], [0, 1, 6], [1, 1, 6], [2, 1, 6], [3, 1, 7], [3, 0, 8]])
    base: Ask = counting(train, 9)
    vote = neighbour_vote(train, 9, 2)
    asked = np.array([2]), np.array([0])

    assert base(*asked, True)[0].tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 1]
    assert int(vote(*asked, True)[0].argmax()) == 5  # 2 is like 0 and 1, and not like 3
    assert vote(*asked, True)[0][8] == 0


def test_first_is_itself_looks_beyond_the_known_answers() -> None:
    facts = np.array([[0, 0, 1], [1, 0, 0]])

    def near(known: I64, relation: I64, tails: bool) -> np.ndarray:
        return -np.abs(np.arange(4.0)[None] - known[:, None])

    assert first_is_itself(near, facts, Truth.of(facts, 4, 1)) == 1.0


# --------------------------------------------------------------------------- the graph


@pytest.mark.parametrize(
    "fact",
    [
        ("Austria", "borders", "Italy"),
        ("Peru", "currency", "Peruvian Sol"),
        ("Côte d’Ivoire", "official language", "French (language)"),
        ("Bulgarian (language)", "written in", "Cyrillic (script)"),
        ("Japan", "time zone", "UTC+09:00"),
        ("Finland", "in subregion", "Northern Europe"),
    ],
)
def test_the_graph_holds_what_everybody_knows(graph: Graph, fact: tuple[str, str, str]) -> None:
    head, relation, tail = fact
    row = [graph.number(head), graph.relations.index(relation), graph.number(tail)]

    assert (graph.facts == row).all(1).any()
    assert graph.say(np.array(row)) == " · ".join(fact)


def test_the_split_gives_no_border_away_and_leaves_enough_to_learn(graph: Graph) -> None:
    parts = split(graph, np.random.default_rng(1))
    border = graph.relations.index(BORDERS)
    learnt = {tuple(row) for row in parts.train.tolist()}
    seen = np.bincount(parts.train[:, [0, 2]].ravel(), minlength=len(graph.entities))

    assert sorted(map(tuple, parts.facts.tolist())) == sorted(map(tuple, graph.facts.tolist()))
    assert not any((t, r, h) in learnt for h, r, t in parts.test.tolist() if r == border)
    assert seen[parts.test[:, [0, 2]]].min() >= KEPT
    assert len(parts.test) == pytest.approx(0.2 * len(graph.facts), abs=3)


def test_planted_questions_are_held_out_and_answerable() -> None:
    graph, questions = patterns.planted(np.random.default_rng(0))
    learnt = {tuple(row) for row in graph.facts.tolist()}

    assert set(questions) == set(patterns.PATTERNS)
    for facts in questions.values():
        assert len(facts) >= 8
        assert not learnt & {tuple(row) for row in facts.tolist()}
    for head, relation, tail in questions["symmetric"].tolist():
        assert (tail, relation, head) in learnt
    steps = {graph.relations[r] for r in questions["composition"][:, 1]}
    assert steps == {"third next"}


def test_distmult_is_at_chance_on_direction_and_transe_is_not() -> None:
    _, questions = patterns.planted(np.random.default_rng(0))
    torch.manual_seed(0)
    before = questions["direction"]
    model = RECIPES["DistMult"].model(300, 10, 8)
    line = RECIPES["TransE"].model(300, 10, 1)
    with torch.no_grad():
        line.entity[:, 0] = 0
        for place, day in enumerate(patterns.planted(np.random.default_rng(0))[0].entities):
            if day.startswith("day "):
                line.entity[place, 0] = float(day[4:])
        line.relation[:] = 1

    assert patterns.direction(model, before) == 0.5
    assert patterns.direction(line, before) == 1.0
    assert patterns.direction(line, before[:, ::-1].copy()) == 0.0


# -------------------------------------------------------------------------------- runs


def test_a_small_run_asks_then_answers(small: tuple[list[Event], Atlas]) -> None:
    events, _ = small
    kinds = [type(event) for event in events]

    assert kinds.index(Outcome) > max(n for n, kind in enumerate(kinds) if kind is Prediction)
    assert {event.prediction for event in of(Outcome, events)} == {"first", "times", "best"}
    assert of(Claim, events) == []
    assert len(one(Table, events, "methods").rows) == 3 + len(RECIPES)
    assert len(one(Table, events, "patterns").rows) == len(RECIPES) + 1


def test_same_seed_same_events(tmp_path: Path, small: tuple[list[Event], Atlas]) -> None:
    again, _ = play(demo.run, SMALL, tmp_path)
    other, _ = play(demo.run, KnowledgeGraphParams(dim=6, epochs=1, negatives=2, seed=1), tmp_path)

    assert again == small[0]
    assert other != small[0]


@pytest.mark.parametrize(
    ("request_text", "title"),
    [
        ("borders of Austria", "borders of Austria"),
        ("official language of haitti?", "official language of Haiti"),
        ("written in of Bulgarian", "written in of Bulgarian (language)"),
        ("who currency Euro", "who · currency · Euro"),
    ],
)
def test_explore_answers(small: tuple[list[Event], Atlas], request_text: str, title: str) -> None:
    (table,) = small[1].explore(request_text)

    assert isinstance(table, Table)
    assert table.title == title
    assert table.columns[1:] == list(RECIPES)
    assert "none in the graph" not in table.note


def test_explore_looks_capitals_up_and_helps(small: tuple[list[Event], Atlas]) -> None:
    (capital,) = small[1].explore("capital of France")
    assert isinstance(capital, Note)
    assert "France is Paris" in capital.text
    for wrong in ("", "borders", "moons of Mars", "borders of Zzzzzz", "capital of zzzzz"):
        (note,) = small[1].explore(wrong)
        assert isinstance(note, Note)
        assert "Type a relation" in note.text


# ------------------------------------------------------------------------- the default


def test_the_default_run(tmp_path: Path) -> None:
    events, _ = play(demo.run, KnowledgeGraphParams(), tmp_path)

    check_default(events, KNOWLEDGE_GRAPH.info.claims, REFUTED)


@pytest.mark.seeds
def test_three_more_seeds(tmp_path: Path) -> None:
    found: dict[str, list[float]] = {}
    for seed in (1, 2, 3):
        events, _ = play(demo.run, KnowledgeGraphParams(seed=seed), tmp_path)
        check_default(events, KNOWLEDGE_GRAPH.info.claims, REFUTED)
        for claim in of(Claim, events):
            found.setdefault(claim.id, []).append(claim.value)

    assert np.median(found["complex-counting"]) >= 1.7
    assert np.median(found["complex-vote"]) >= 0.03
    assert min(found["transe-itself"]) >= 0.95
    assert np.median(found["mask-gain"]) >= 0.12
    assert max(found["distmult-direction"]) == 0
