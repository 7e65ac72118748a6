"""The continual demo: the Fisher information by brute force, the methods' parts, the bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from demos.frontier import continual as demo
from demos.frontier import continual_net as parts
from demos.frontier.specs import CONTINUAL, ContinualParams
from studytool.demo.events import Claim, Event, Matrix, Note, Outcome, Prediction
from studytool.demo.events import Table as TableEvent
from tests.demos.static_kit import check_default, of, one, play

TINY = ContinualParams(epochs=1, width=16, kept=5, rate=5e-3, sweep=False)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("continual")


def some(seed: int, count: int = 12) -> tuple[parts.Net, parts.Examples]:
    """A small random network and random pictures, in double precision."""
    torch.manual_seed(seed)
    data = parts.Examples(
        torch.rand(count, 64, dtype=torch.float64).round(decimals=1), torch.randint(0, 10, (count,))
    )
    return parts.Net(7).double(), data


# --------------------------------------------------------------------------------- Fisher


def brute_force(
    net: parts.Net, data: parts.Examples, scenario: parts.Scenario, seen: int
) -> list[torch.Tensor]:
    """Σ_y p(y|x) (∂ log p(y|x) / ∂θ)², one example and one class at a time, by autograd."""
    found = [torch.zeros_like(parameter) for parameter in net.parameters()]
    for place in range(len(data)):
        one_ = data.take(torch.tensor([place]))
        logits = parts.masked(net(one_.pictures), one_.digits, scenario, seen)
        logs = logits.log_softmax(1)[0]
        for digit in range(10):
            if (share := logs[digit].exp().item()) == 0:
                continue
            gradients = torch.autograd.grad(logs[digit], list(net.parameters()), retain_graph=True)
            for total, gradient in zip(found, gradients, strict=True):
                total += share * gradient**2 / len(data)
    return found


@pytest.mark.parametrize(("scenario", "seen"), [("class", 5), ("class", 2), ("task", 3)])
def test_the_fisher_information_is_that_of_brute_force(scenario: parts.Scenario, seen: int) -> None:
    net, data = some(1)
    wanted = brute_force(net, data, scenario, seen)
    for got, want in zip(parts.fisher(net, data, scenario, seen), wanted, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-15)
        assert want.max() > 0


def test_the_fisher_information_is_the_curvature_of_the_divergence() -> None:
    net, data = some(2)
    found = parts.fisher(net, data, "class", 5)
    with torch.no_grad():
        before = net(data.pictures).log_softmax(1)
        for parameter, importance in zip(net.parameters(), found, strict=True):
            place = int(importance.argmax())
            parameter.view(-1)[place] += 1e-4
            after = net(data.pictures).log_softmax(1)
            parameter.view(-1)[place] -= 1e-4
            divergence = (before.exp() * (before - after)).sum(1).mean()
            want = importance.view(-1)[place] * 1e-8 / 2
            assert divergence.item() == pytest.approx(want.item(), rel=1e-2)


def test_the_empirical_fisher_is_another_thing() -> None:
    net, data = some(3)
    empirical = torch.zeros_like(net.layers[2].weight)
    for place in range(len(data)):
        loss = torch.nn.functional.cross_entropy(
            net(data.pictures[place : place + 1]), data.digits[place : place + 1]
        )
        (gradient,) = torch.autograd.grad(loss, [net.layers[2].weight])
        empirical += gradient**2 / len(data)
    exact = parts.fisher(net, data, "class", 5)[4]
    assert (exact - empirical).abs().max() > 0.1 * exact.max()


def test_classes_not_yet_seen_have_no_importance() -> None:
    net, data = some(4)
    weight = parts.fisher(net, data, "class", 2)[4]
    assert (weight[4:] == 0).all()
    assert (weight[:4].sum(1) > 0).all()


def test_the_penalty_pulls_each_weight_by_its_importance() -> None:
    net, data = some(5)
    anchors = [parts.anchor(net, data, "class", 5)]
    assert parts.penalty(net, anchors).item() == 0
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    anchors.append(parts.anchor(net, data, "class", 5))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    parts.penalty(net, anchors).backward()
    for number, parameter in enumerate(net.parameters()):
        want = sum(old.importance[number] * (parameter - old.weights[number]) for old in anchors)
        torch.testing.assert_close(parameter.grad, want)


# ------------------------------------------------------------------------------ the parts


def test_the_scenario_says_which_classes_compete() -> None:
    logits, digits = torch.zeros(2, 10), torch.tensor([3, 8])
    task = parts.masked(logits, digits, "task", 1).softmax(1)
    assert task[0].nonzero().ravel().tolist() == [2, 3]
    assert task[1].nonzero().ravel().tolist() == [8, 9]
    many = parts.masked(logits, digits, "class", 3).softmax(1)
    torch.testing.assert_close(many[:, :6], torch.full((2, 6), 1 / 6))
    assert not many[:, 6:].any()


def test_the_memory_has_so_many_of_each() -> None:
    train, _ = parts.load(np.random.default_rng(0))
    memory = parts.choose_memory(train.task(2), 7, np.random.default_rng(1))
    assert torch.bincount(memory.digits, minlength=10).tolist() == [0, 0, 0, 0, 7, 7, 0, 0, 0, 0]
    rows = {tuple(row) for row in memory.pictures.tolist()}
    assert len(rows) == 14
    assert rows <= {tuple(row) for row in train.pictures.tolist()}
    everything = parts.choose_memory(train, 10_000, np.random.default_rng(1))
    assert len(everything) == len(train)


def test_training_and_test_pictures_are_different_ones() -> None:
    train, test = parts.load(np.random.default_rng(0))
    assert (len(train), len(test)) == (1347, 450)
    assert not {tuple(r) for r in train.pictures.tolist()} & {
        tuple(r) for r in test.pictures.tolist()
    }


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_class_means_are_the_nearest_centroid_of_scikit_learn() -> None:
    train, test = parts.load(np.random.default_rng(3))
    other = NearestCentroid().fit(train.pictures.numpy(), train.digits.numpy())
    life = parts.class_means(train, test)
    assert (life.says[-1] == other.predict(test.pictures.numpy())).mean() >= 0.995
    assert life.accuracy.shape == (5, 5)
    assert (life.accuracy[np.triu_indices(5, 1)] == 0).all()
    assert life.given > life.final


def test_what_is_forgotten_by_hand() -> None:
    accuracy = np.array([[0.9, 0, 0], [0.5, 0.8, 0], [0.1, 0.6, 1.0]])
    life = parts.Life(demo.NAIVE, accuracy, np.zeros((3, 1), np.int64), 0.5)
    assert life.forgotten == pytest.approx(((0.9 - 0.1) + (0.8 - 0.6)) / 2)
    assert life.final == pytest.approx(1.7 / 3)


def test_ewc_without_strength_is_naive() -> None:
    train, test = parts.load(np.random.default_rng(0))
    lives = [
        parts.Learner(method, "class", 8, 1, 1e-3, np.random.default_rng(5)).live(train, test)
        for method in (demo.NAIVE, parts.Method("hardly", strength=1e-30))
    ]
    np.testing.assert_array_equal(lives[0].accuracy, lives[1].accuracy)


# ------------------------------------------------------------------------------ small runs


def test_a_small_run_shows_each_method_and_repeats_itself(cache: Path) -> None:
    events, explorer = play(demo.run, TINY, cache)

    assert events == play(demo.run, TINY, cache)[0]
    assert of(Claim, events) == []
    assert {event.id for event in of(Prediction, events)} == {"first", "given", "best"}
    names = [row[0] for row in one(TableEvent, events, "methods-class").rows]
    assert names == ["naive", "EWC, λ = 1,000", "replay, 1 of each", "replay, 5 of each",
                     "all at once", "class means"]  # fmt: skip
    naive = one(Matrix, events, "class-naive").values
    assert np.triu(np.array(naive), 1).max() == 0
    assert len(one(TableEvent, events, "cases").rows) == 6

    table, matrix = explorer.explore("replay 3 task")
    assert table.rows[0][6] == "30 pictures"
    assert matrix.id == "task-replay, 3 of each"
    (joint,) = explorer.explore("joint")
    assert joint.rows[0][5] is None
    wrong = ("", "task", "ewc", "ewc -1", "ewc nan", "replay 0", "replay 2.5", "replay inf", "sing")
    for request in wrong:
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


# ------------------------------------------------------------------------- the default run

REFUTED = {"ewc-right-strength", "replay-best"}


def checked(seed: int, cache: Path) -> tuple[dict[str, float], list[Event]]:
    events, _ = play(demo.run, ContinualParams(seed=seed), cache)
    check_default(events, CONTINUAL.info.claims, REFUTED)
    return {claim.id: claim.value for claim in of(Claim, events)}, events


@pytest.fixture(scope="session")
def default_run(cache: Path) -> tuple[dict[str, float], list[Event]]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(
    cache: Path, default_run: tuple[dict[str, float], list[Event]]
) -> None:
    claims, events = default_run
    assert set(claims) == set(CONTINUAL.info.claims)
    tiny, _ = play(demo.run, TINY, cache)
    given = [
        event.value
        for run in (tiny, events)
        for event in of(Outcome, run)
        if event.prediction == "given"
    ]
    assert given[0] != given[1]  # the answer depends on the settings


@pytest.mark.seeds
def test_the_bars_hold_over_four_seeds(
    cache: Path, default_run: tuple[dict[str, float], list[Event]]
) -> None:
    runs = [default_run[0], *(checked(seed, cache)[0] for seed in (1, 2, 3))]
    for name in CONTINUAL.info.claims:
        print(name, [round(run[name], 4) for run in runs])
    assert min(run["replay-keeps"] for run in runs) >= 0.77
    assert max(run["ewc-class"] for run in runs) <= 0.40
    assert max(run["naive-forgets"] for run in runs) <= 0.22
    assert np.mean([run["replay-best"] for run in runs]) <= 0
