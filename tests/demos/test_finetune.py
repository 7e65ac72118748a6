"""Fine-tuning: LoRA's algebra, the four starts, the tasks, a tiny run, the default claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.foundation.finetune import (
    METHODS,
    NameExplorer,
    fit,
    lora_checks,
    lora_numbers,
    run,
    training_memory,
    tune,
)
from demos.foundation.finetune_models import DigitNet, Lora, TunableMiniLM
from demos.foundation.finetune_tasks import (
    CLASSES,
    Names,
    all_names,
    few_of_each,
    load_digits,
    load_names,
    majority,
    nearest_name,
)
from demos.foundation.specs import FINETUNE, FinetuneParams
from demos.kit.minilm import MiniLM
from studytool.demo.events import Claim, Event, Finding, Note, Outcome, Table
from tests.demos.foundation_kit import over_seeds, values
from tests.demos.static_kit import check_default, of, one, play

TINY = FinetuneParams(shots=1, labels=1, steps=2)
TEXTS = ["slice of pizza", "dog", "a much longer name of a thing", "cat"]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("finetune")


@pytest.fixture(scope="module")
def minilm() -> TunableMiniLM:
    return TunableMiniLM(3)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# LoRA


@given(st.integers(1, 8), st.floats(0.5, 32), st.integers(0, 99))
@settings(max_examples=20)
def test_lora_is_its_equation(rank: int, alpha: float, seed: int) -> None:
    weight, x = drawn(6, 9, seed=seed), drawn(4, 9, seed=seed + 1)
    lora = Lora(rank, alpha, seed)
    lora.attach("w", weight)
    with torch.no_grad():
        lora.up["w"] += drawn(6, rank, seed=seed + 2)

    added = nnf.linear(x, weight) + lora.add("w", x)
    by_hand = x @ (weight + alpha / rank * lora.up["w"] @ lora.down["w"]).T

    torch.testing.assert_close(added, by_hand, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(nnf.linear(x, lora.merged("w", weight)), by_hand)
    assert torch.linalg.matrix_rank(lora.merged("w", weight) - weight) <= rank


def test_at_the_start_only_b_has_a_gradient() -> None:
    lora, x = Lora(2, 4, 0), drawn(5, 7)
    lora.attach("w", drawn(3, 7))

    added = lora.add("w", x)
    assert isinstance(added, torch.Tensor)
    assert added.abs().max() == 0
    (added * drawn(5, 3)).sum().backward()

    up, down = lora.up["w"].grad, lora.down["w"].grad
    assert up is not None
    assert down is not None
    assert up.abs().max() > 0
    assert down.abs().max() == 0


def test_numbers_trained_are_rank_times_both_sides() -> None:
    net = DigitNet(0)
    lora = Lora(4, 8, 0)
    trained = net.adapt(lora)

    shapes = [(256, 64), (128, 256), (10, 128)]
    assert sum(each.numel() for each in trained) == lora_numbers(shapes, 4) == 3368


def test_memory_counts_weights_gradients_and_two_moments() -> None:
    assert training_memory(1_000_000, 0) == pytest.approx(4.0)
    assert training_memory(1_000_000, 1_000_000) == pytest.approx(16.0)


def test_lora_checks_find_a_base_that_was_changed() -> None:
    base = DigitNet(0)
    net, pixels = base.copy(), drawn(20, 64)
    net.adapt(Lora(4, 8, 0))
    first = net.logits(pixels).detach()
    assert lora_checks(base, net, first, pixels) == (0, pytest.approx(0, abs=1e-6), 0)

    with torch.no_grad():
        net.weights["1.weight"] += 0.1
    assert lora_checks(base, net, first, pixels)[2] > 0.01
    assert lora_checks(base, net, first + 1, pixels)[0] == pytest.approx(1)


def test_checks_need_a_lora() -> None:
    with pytest.raises(ValueError, match="no LoRA"):
        lora_checks(DigitNet(0), DigitNet(0), drawn(2, 10), drawn(2, 64))


# The loop and the digit network


def test_only_what_is_trained_changes() -> None:
    net = DigitNet(0)
    before = net.copy()
    head = [net.weights[f"{net.last}.{part}"].requires_grad_() for part in ("weight", "bias")]

    fit(net, (drawn(30, 64), torch.arange(30) % 10), [(head, 0.01)], 5, np.random.default_rng(0))

    for name, weight in net.weights.items():
        assert torch.equal(weight, before.weights[name]) == (not name.startswith(net.last))


def test_the_loop_learns_what_is_learnable() -> None:
    net = DigitNet(0)
    every = [weight.requires_grad_() for weight in net.weights.values()]
    pixels, labels = drawn(40, 64), torch.arange(40) % 10

    loss = fit(net, (pixels, labels), [(every, 0.003)], 60, np.random.default_rng(0))

    assert loss < 0.2
    assert (net.logits(pixels).argmax(1) == labels).float().mean() > 0.9


def test_the_loop_needs_no_more_rows_than_there_are() -> None:
    weight = torch.zeros(2, 3, requires_grad=True)
    x = torch.eye(3)

    losses = list(
        tune(
            lambda rows: x[torch.from_numpy(rows)] @ weight.T,
            torch.tensor([0, 1, 0]),
            [([weight], 0.1)],
            6,
            32,
            np.random.default_rng(0),
        )
    )

    assert losses[0] == pytest.approx(np.log(2))
    assert losses[-1] < losses[0]


# MiniLM


def test_without_tuning_it_is_minilm(minilm: TunableMiniLM) -> None:
    plain = MiniLM()

    with torch.no_grad():
        ours = minilm.vectors(TEXTS).numpy()

    np.testing.assert_allclose(ours, plain.sentences(TEXTS), atol=1e-5)


def test_lora_on_minilm_starts_as_minilm_and_can_be_taken_off(minilm: TunableMiniLM) -> None:
    base = dict(minilm.weights)
    with torch.no_grad():
        before = minilm.vectors(TEXTS)
        trained = minilm.adapt(Lora(4, 8, 0))
        start = minilm.vectors(TEXTS)
        for each in trained:
            each += 0.1
        changed = minilm.vectors(TEXTS)
        minilm.replace(base)
        after = minilm.vectors(TEXTS)

    assert sum(each.numel() for each in trained) == lora_numbers([(384, 384)] * 12, 4)
    assert torch.equal(start, before)
    assert (changed - before).abs().max() > 1e-3
    assert torch.equal(after, before)


def test_gradients_reach_every_weight_that_is_used(minilm: TunableMiniLM) -> None:
    base = dict(minilm.weights)
    minilm.replace(base)
    minilm.head = drawn(3, 384)
    trained = minilm.unfreeze()

    minilm.logits(TEXTS[:2]).logsumexp(1).sum().backward()

    assert all(each.grad is not None for each in trained)
    minilm.replace(base)


def test_random_weights_are_another_model_of_the_same_shape(minilm: TunableMiniLM) -> None:
    base = dict(minilm.weights)
    minilm.randomise(1)

    assert all(minilm.weights[name].shape == weight.shape for name, weight in base.items())
    name = "encoder.layer.0.attention.self.query.weight"
    assert minilm.weights[name].std().item() == pytest.approx(0.02, rel=0.1)
    minilm.replace(base)


# The tasks


def test_digits_are_turned_and_parted() -> None:
    upright = load_digits(np.random.default_rng(0), 3, 0)
    turned = load_digits(np.random.default_rng(0), 3, 1)

    assert torch.bincount(turned.new[1]).tolist() == [3] * 10
    first = upright.new[0].reshape(-1, 8, 8).numpy()
    np.testing.assert_array_equal(
        turned.new[0].reshape(-1, 8, 8).numpy(), np.rot90(first, 1, axes=(1, 2))
    )
    assert torch.equal(upright.old[0], turned.old[0])
    parts = [upright.old, upright.old_test, upright.new, upright.new_test]
    pictures = [row.numpy().tobytes() for pixels, _ in parts for row in pixels]
    assert len(set(pictures)) == len(pictures)


def test_few_of_each() -> None:
    assert few_of_each(np.array([0, 0, 1, 0, 1, 1, 2]), 2).tolist() == [0, 1, 2, 4, 6]


def test_names_are_parted_and_balanced() -> None:
    train, test = load_names(np.random.default_rng(0), 4, 50)

    assert torch.bincount(train.labels).tolist() == [4] * len(CLASSES)
    assert not set(train.texts) & set(test.texts)
    assert len(test.texts) == 50
    assert ("slice of pizza", CLASSES.index("Food & Drink")) in all_names()


def test_baselines_without_a_network() -> None:
    train = Names(["red apple", "old horse"], torch.tensor([0, 1]))
    test = Names(["green apple", "sea horse", "horses"], torch.tensor([0, 1, 1]))

    assert nearest_name(train, test) == 1
    assert majority(test.labels) == pytest.approx(2 / 3)


# A tiny run


@pytest.fixture(scope="module")
def tiny(cache: Path) -> tuple[list[Event], NameExplorer]:
    return play(run, TINY, cache)


def test_a_tiny_run_is_whole(tiny: tuple[list[Event], NameExplorer]) -> None:
    events, _ = tiny

    for id, firsts in (("digits", 1), ("text", 2)):
        rows = one(Table, events, id).rows
        assert [row[0] for row in rows[firsts:]] == list(METHODS)
        trained = {str(row[0]): row[3] for row in rows[firsts:]}
        assert trained["full"] == trained["from scratch"]
    assert {claim.id for claim in of(Claim, events)} == {
        "lora-identity",
        "lora-merge",
        "lora-removal",
    }
    assert all(claim.as_expected for claim in of(Claim, events))
    came = {each.prediction: each.value for each in of(Outcome, events)}
    assert came["digits-best"] in METHODS
    assert came["forgets-least"] in METHODS[1:]
    assert len(of(Finding, events)) == 1


def test_same_seed_same_events(tiny: tuple[list[Event], NameExplorer], cache: Path) -> None:
    assert play(run, TINY, cache)[0] == tiny[0]


def test_a_probe_leaves_the_encoder_alone(tiny: tuple[list[Event], NameExplorer]) -> None:
    rows = {str(row[0]): row for row in one(Table, tiny[0], "text").rows}
    before = next(note.text for note in of(Note, tiny[0]) if "old skill" in note.text)

    assert f"rho {rows['probe'][2]:.3f}" in before
    assert rows["from scratch"][2] != rows["probe"][2]


def test_a_name_is_sorted(tiny: tuple[list[Event], NameExplorer]) -> None:
    events = list(tiny[1].explore("A red sports car"))

    sorted_, near = of(Table, events)
    assert sum(float(str(row[1])) for row in sorted_.rows) == pytest.approx(1, abs=0.01)
    assert len(near.rows) == 5


@pytest.mark.parametrize("request_", ["", "   ", "?!"])
def test_requests_without_words(tiny: tuple[list[Event], NameExplorer], request_: str) -> None:
    (event,) = tiny[1].explore(request_)

    assert isinstance(event, Note)


# The default setting


@pytest.mark.demo
def test_claims_at_the_default_setting(cache: Path) -> None:
    events, _ = play(run, FinetuneParams(), cache)

    check_default(events, FINETUNE.info.claims, {"pretraining-always-helps"})
    came = {each.prediction: each.value for each in of(Outcome, events)}
    assert came["digits-best"] == "from scratch"


@pytest.mark.seeds
def test_bars_over_seeds(cache: Path) -> None:
    def one_run(seed: int) -> dict[str, float]:
        events, _ = play(run, msgspec.structs.replace(FinetuneParams(), seed=seed), cache)
        check_default(events, FINETUNE.info.claims, {"pretraining-always-helps"})
        return values(events)

    found: dict[str, Any] = over_seeds(one_run, [1, 2, 3])

    assert min(found["lora-forgets-least"]) >= 0.1
    assert max(found["pretraining-always-helps"]) < 0
