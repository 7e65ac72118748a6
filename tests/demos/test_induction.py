"""Induction heads: the data, what is reachable by hand, head scores, explore, the claims."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.foundation.induction import (
    CLIFF,
    LENGTH,
    LONGEST,
    SHORTEST,
    HeadScore,
    Look,
    Rows,
    Trial,
    cliff_of,
    copy_by_hand,
    draw_rows,
    look,
    new_model,
    previous_heads,
    run,
    score_heads,
    seen_so_far,
    train,
)
from demos.foundation.induction_explore import InductionExplorer, letters
from demos.foundation.specs import INDUCTION, InductionParams
from demos.kit.decoder import Decoder
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Matrix,
    Note,
    Outcome,
    Series,
    Table,
)
from tests.demos.foundation_kit import over_seeds, values
from tests.demos.static_kit import check_default, of, one, play

TINY = InductionParams(steps=25, batch=4, width=8, tokens=10)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("induction")


@pytest.fixture(scope="module")
def rows() -> Rows:
    return draw_rows(np.random.default_rng(0), 60, 32)


# The data


@given(st.integers(0, 999), st.integers(2, 40))
@settings(max_examples=20)
def test_the_second_copy_is_the_first(seed: int, tokens: int) -> None:
    drawn = draw_rows(np.random.default_rng(seed), 5, tokens)

    assert drawn.ids.shape == (5, LENGTH)
    for ids, n, scored in zip(drawn.ids, drawn.stretch, drawn.scored, strict=True):
        assert SHORTEST <= n <= LONGEST
        np.testing.assert_array_equal(ids[:n], ids[n : 2 * n])
        np.testing.assert_array_equal(np.flatnonzero(scored), np.arange(n + 1, 2 * n))


def test_no_token_and_no_pair_is_favoured() -> None:
    ids = draw_rows(np.random.default_rng(1), 4000, 4).ids[:, :SHORTEST]
    pairs = np.bincount((ids[:, :-1] * 4 + ids[:, 1:]).ravel(), minlength=16)

    assert pairs.min() / pairs.max() > 0.9


# By hand


def by_definition(ids: list[int], place: int, match: int) -> int:
    """What followed the most recent occurrence of the longest suffix, up to `match` tokens."""
    before = ids[:place]
    for size in range(match, 0, -1):
        ends = [e for e in range(size, place) if before[e - size : e] == before[place - size :]]
        if ends:
            return before[ends[-1]]
    return -1


@pytest.mark.parametrize("match", [1, 3])
def test_copying_by_hand_equals_its_definition(rows: Rows, match: int) -> None:
    hits = [
        by_definition(rows.ids[row].tolist(), place, match) == rows.ids[row, place]
        for row, place in np.argwhere(rows.scored)
    ]

    assert copy_by_hand(rows, match) == pytest.approx(np.mean(hits))
    assert copy_by_hand(rows, 3) >= copy_by_hand(rows, 1) > 0.7


def test_guessing_a_seen_token_is_far_from_copying(rows: Rows) -> None:
    assert 1 / 32 < seen_so_far(rows) < 0.2


# Scores of heads


class Scripted(torch.nn.Module):
    """A stand-in for a model whose attention and answers are written by hand."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, ids: Any, maps: list[Any] | None = None, off: Any = ()) -> Any:
        weights = torch.zeros(len(ids), 2, LENGTH, LENGTH)
        weights[:, 0, torch.arange(1, LENGTH), torch.arange(LENGTH - 1)] = 1
        for row, n in enumerate(self.rows.stretch.tolist()):
            for query in range(n, 2 * n):
                weights[row, 1, query, query - n + 1] = 0.75
                weights[row, 1, query, query - n] = 0.25
        if maps is not None:
            maps.append(weights)
        copied = torch.zeros(len(ids), LENGTH, 32)
        for row, n in enumerate(self.rows.stretch.tolist()):
            for query in range(n, 2 * n):
                answer = -1 if off else int(ids[row, query - n + 1])
                copied[row, query, answer] = 9
        return copied


def test_scores_of_known_heads(rows: Rows) -> None:
    maps: list[Any] = []
    Scripted(rows)(torch.from_numpy(rows.ids), maps)
    scores = score_heads(maps, rows)

    assert scores[0, 0].previous == pytest.approx(1)
    assert scores[0, 0].induction < 0.01
    assert scores[0, 1].induction == pytest.approx(0.75)
    assert scores[0, 1].duplicate == pytest.approx(0.25)


def test_heads_that_share_the_work_are_switched_off_together() -> None:
    scores = {
        (0, 0): HeadScore(0.2, 0, 0),
        (0, 1): HeadScore(0.5, 0, 0),
        (1, 0): HeadScore(0.1, 0, 0.9),
    }

    assert previous_heads(scores) == [(0, 1), (0, 0)]
    scores[0, 0] = HeadScore(0.16, 0, 0)
    assert previous_heads(scores) == [(0, 1)]


def test_accuracy_of_a_known_copier(rows: Rows) -> None:
    model: Any = Scripted(rows)

    assert look(model, rows).accuracy == 1
    assert look(model, rows, {(0, 0)}).accuracy < 0.1


def test_losses_of_an_untrained_model_are_ln_v(rows: Rows) -> None:
    seen = look(new_model(InductionParams(), 2), rows)

    assert seen.repeated == pytest.approx(np.log(32), rel=0.02)
    assert seen.fresh == pytest.approx(np.log(32), rel=0.02)
    assert 0 <= seen.accuracy < 0.15


def test_a_head_that_is_off_has_no_weight_left(rows: Rows) -> None:
    model = new_model(InductionParams(), 1)
    ids = torch.from_numpy(rows.ids)

    with torch.no_grad():
        silent = model(ids, off={(0, 0), (0, 1)})
        bare = model.output(model.norm(model.tokens(ids) + model.blocks[0].attention.outward.bias))
    torch.testing.assert_close(silent, bare)


def test_training_sees_the_same_rows_whatever_the_model() -> None:
    def weights(layers: int) -> list[Any]:
        model = new_model(TINY, layers)
        list(train(model, TINY, np.random.default_rng(3)))
        return [parameter.detach() for parameter in model.parameters()]

    for first, again in zip(weights(2), weights(2), strict=True):
        assert torch.equal(first, again)


def trial_with(steps: list[int], values: list[float]) -> Trial:
    trial = Trial(new_model(TINY, 1))
    trial.steps = steps
    trial.looks = [Look(value, 0, 0, {(0, 0): HeadScore(0, 0, 0)}) for value in values]
    return trial


def test_rises_are_told_apart() -> None:
    steps = list(range(0, 601, 25))
    even = trial_with(steps, [s / 600 for s in steps])
    sudden = trial_with(steps, [0.9 if s > 200 else 0.1 for s in steps])
    slow = trial_with(steps, [min(0.9, s / 250) for s in steps])

    assert [cliff_of(t, 600) for t in (even, slow, sudden)] == [CLIFF[0], CLIFF[1], CLIFF[2]]
    gain, start = sudden.rise(100)
    assert gain == pytest.approx(0.8)
    assert 100 <= start <= 200


# A tiny run


@pytest.fixture(scope="module")
def tiny(cache: Path) -> tuple[list[Event], InductionExplorer]:
    return play(run, TINY, cache)


def test_a_tiny_run_is_whole(tiny: tuple[list[Event], InductionExplorer]) -> None:
    events, _ = tiny
    plots = {each.id: each for each in of(Series, events)}

    assert set(plots) == {"accuracy-1", "accuracy-2", "loss-1", "loss-2"}
    assert plots["accuracy-2"].levels["chance: 1/10"] == 0.1
    assert len(of(Matrix, events)) == 2
    assert len(one(Table, events, "heads").rows) == 4
    assert not of(Claim, events), "bars are stated for the default settings only"
    assert len(of(Finding, events)) == 1
    came = {each.prediction: each.value for each in of(Outcome, events)}
    assert came["cliff"] in CLIFF
    assert set(came) == {"cliff", "one-layer", "ablated"}


def test_same_seed_same_events(tiny: tuple[list[Event], InductionExplorer], cache: Path) -> None:
    assert play(run, TINY, cache)[0] == tiny[0]
    assert play(run, msgspec.structs.replace(TINY, seed=1), cache)[0] != tiny[0]


@pytest.mark.parametrize("changes", [{"layers": 1}, {"positions": "none"}, {"tokens": 62}])
def test_odd_settings_run(changes: dict[str, Any], cache: Path) -> None:
    events, _ = play(run, msgspec.structs.replace(TINY, steps=20, **changes), cache)

    assert len(of(Finding, events)) == 1
    assert ("one-layer" in {each.prediction for each in of(Outcome, events)}) == (
        "layers" not in changes
    )


def test_a_width_that_heads_cannot_share_is_said(cache: Path) -> None:
    events, explorer = play(run, msgspec.structs.replace(TINY, heads=3), cache)

    assert explorer is None
    assert isinstance(events[-1], Failed)


# Explore


def test_heads_can_be_switched_off_and_on(tiny: tuple[list[Event], InductionExplorer]) -> None:
    explorer = tiny[1]
    (table,) = of(Table, list(explorer.explore("off 0.0 0.1 1.0 1.1")))
    assert [row[0] for row in table.rows] == ["all heads", "without 0.0, 0.1, 1.0, 1.1"]
    (each,) = of(Table, list(explorer.explore("heads")))
    assert len({row[1] for row in each.rows}) == 1  # all are off already

    (back,) = of(Table, list(explorer.explore("off")))
    assert back.rows[0][1] == back.rows[1][1]


def test_typed_tokens_are_continued(tiny: tuple[list[Event], InductionExplorer]) -> None:
    events = list(tiny[1].explore("a b cd ab"))

    (table,), (reads,) = of(Table, events), of(Matrix, events)
    assert len(table.rows) == 5
    assert reads.columns == list("abcdab")
    assert [sum(row) for row in reads.values] == pytest.approx([1] * 4, abs=1e-5)


@pytest.mark.parametrize("request_", ["", "off 9.9", "off x", "a", "a ?", "z z", "a" * 99])
def test_requests_that_cannot_be_served(
    tiny: tuple[list[Event], InductionExplorer], request_: str
) -> None:
    (event,) = tiny[1].explore(request_)

    assert isinstance(event, Note)


def test_signs_are_different() -> None:
    assert len(set(letters(range(62)))) == 62


# The default setting


@pytest.fixture(scope="session")
def default_run(cache: Path) -> tuple[list[Event], InductionExplorer]:
    return play(run, InductionParams(), cache)


@pytest.mark.demo
def test_claims_at_the_default_setting(
    default_run: tuple[list[Event], InductionExplorer],
) -> None:
    check_default(default_run[0], INDUCTION.info.claims, {"one-layer-chance"})
    came = {each.prediction: each.value for each in of(Outcome, default_run[0])}
    assert came["cliff"] == CLIFF[2]


@pytest.mark.demo
def test_the_trained_model_copies_what_is_typed(
    default_run: tuple[list[Event], InductionExplorer],
) -> None:
    explorer = default_run[1]
    right = 0
    for a, b in product("agk", "mqt"):
        (table,) = of(Table, list(explorer.explore(f"x {a} {b} c d e f h i x {a}")))
        right += table.rows[0][0] == b
    assert right >= 7


@pytest.mark.seeds
def test_bars_over_seeds(cache: Path) -> None:
    def one_run(seed: int) -> dict[str, float]:
        events, _ = play(run, InductionParams(seed=seed), cache)
        check_default(events, INDUCTION.info.claims, {"one-layer-chance"})
        return values(events)

    found = over_seeds(one_run, [1, 2, 3])

    assert min(found["two-layers"]) >= 0.90
    assert max(found["one-layer"]) <= 0.35
    assert np.median(found["ablated"]) <= 0.30


def test_a_decoder_is_what_is_trained() -> None:
    model = new_model(InductionParams(), 2)

    assert isinstance(model, Decoder)
    assert all(block.network is None for block in model.blocks)
