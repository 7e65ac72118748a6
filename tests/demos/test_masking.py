"""The masking demo: exact answers against enumeration, what each model sees, the default run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.contextual import letters as lt
from demos.contextual import masking as demo
from demos.contextual import tiny_bert as tb
from demos.contextual.masking_explore import Filler
from demos.contextual.masking_study import BEST, TESTED_ON, prepare
from demos.contextual.specs import MASKING, MaskingParams
from studytool.demo.events import Claim, Finding, Note, Outcome, Series, Table
from studytool.demo.spec import Lab
from tests.demos.static_kit import cache_folder, check_default, of, one, play, without_times

REFUTED = {"fifteen-masked", "detection-richer", "causal-blind-to-right"}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cache_folder(tmp_path_factory.getbasetemp())


def a_chain(seed: int = 0) -> lt.Chain:
    return lt.Chain.from_counts(np.random.default_rng(seed).gamma(0.3, size=(27, 27)) + 0.01)


# ---------------------------------------------------------------------------- the exact answer


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(0, 5), min_size=1, max_size=2))
def test_filling_equals_adding_up_all_ways(seed: int, blanks: set[int]) -> None:
    chain = a_chain(seed)
    sequence = chain.draw(np.random.default_rng(seed), 1, 6)[0]
    sequence[list(blanks)] = lt.BLANK

    ours = lt.fill(chain, sequence[None])[0]

    np.testing.assert_allclose(ours, lt.fill_by_enumeration(chain, sequence), atol=1e-12)


def test_the_best_guess_with_false_letters_equals_bayes_rule() -> None:
    """80/10/10 on three letters, by summing over true letters and fates one by one."""
    chain, rate = a_chain(3), 0.3
    for read in ([3, 5, 1], [lt.BLANK, 5, 1], [3, lt.BLANK, lt.BLANK]):
        ours = lt.best_guess(chain, np.array([read]), rate, "80-10-10")[0]
        for place in range(3):
            total = np.zeros(27)
            truths = np.stack(np.meshgrid(*[np.arange(27)] * 3, indexing="ij"), -1).reshape(-1, 3)
            chance = chain.first[truths[:, 0]].copy()
            for t in (1, 2):
                chance *= chain.follows[truths[:, t - 1], truths[:, t]]
            for t in range(3):
                if read[t] == lt.BLANK:
                    chance *= 0.8 if t == place else rate * 0.8
                    continue
                true = truths[:, t] == read[t]
                chosen = 0.1 / 27 + 0.1 * true
                chance *= chosen if t == place else rate * chosen + (1 - rate) * true
            np.add.at(total, truths[:, place], chance)
            np.testing.assert_allclose(ours[place], total / total.sum(), atol=1e-10)


def test_entropies_are_those_of_long_draws() -> None:
    chain = a_chain(1)
    draws = chain.draw(np.random.default_rng(0), 3000, 12)

    np.testing.assert_allclose(chain.first @ chain.follows, chain.first, atol=1e-12)
    shares = np.bincount(draws[:, -1], minlength=27) / len(draws)
    np.testing.assert_allclose(shares, chain.first, atol=0.04)
    assert lt.causal_signal(chain, draws) == pytest.approx(
        chain.letter_entropy - chain.rate, abs=0.03
    )
    rng = np.random.default_rng(1)
    assert lt.masked_signal(chain, draws, 0.999, rng) < 0.1
    assert 0 < lt.detection_signal(chain, draws, 0.15, rng) < math.log(2)


def test_detection_without_context_has_nothing_to_learn_but_frequency() -> None:
    """If letters don't depend on each other, a drawn letter looks like any other."""
    first = np.random.default_rng(0).dirichlet(np.ones(27))
    chain = lt.Chain.from_counts(np.repeat(first[None] * 1e6 + 1e-9, 27, axis=0))
    draws = chain.draw(np.random.default_rng(0), 4000, 8)

    share = 0.15 * (1 - (chain.first**2).sum())
    false = 0.15 * (1 - chain.first) / (0.15 * (1 - chain.first) + 0.85 + 0.15 * chain.first)
    by_letter = -(false * np.log(false) + (1 - false) * np.log(1 - false)) @ chain.first
    prior = -share * np.log(share) - (1 - share) * np.log(1 - share)
    found = lt.detection_signal(chain, draws, 0.15, np.random.default_rng(1))
    assert found == pytest.approx(prior - by_letter, abs=0.01)


def test_texts_and_numbers() -> None:
    assert lt.to_text(lt.to_numbers("Th_ CAT, 2x!")) == "th_ cat x "
    with pytest.raises(IndexError):
        lt.to_text(np.array([28]))


@pytest.mark.parametrize(
    ("recipe", "shares"), [("mask", (0.3, 0, 0)), ("80-10-10", (0.24, 0.03, 0.03))]
)
def test_fates_have_their_shares(recipe: str, shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    fate = lt.fates(rng, (300, 300), 0.3, recipe)

    found = [(fate == kind).mean() for kind in (lt.HIDDEN, lt.REPLACED, lt.UNCHANGED)]
    assert found == pytest.approx(shares, abs=0.005)
    letters = rng.integers(0, 27, fate.shape)
    read = lt.corrupt(letters, fate, rng, lt.BLANK, 27)
    assert np.all(read[fate == lt.HIDDEN] == lt.BLANK)
    same = read[(fate == lt.KEPT) | (fate == lt.UNCHANGED)]
    assert np.array_equal(same, letters[(fate == lt.KEPT) | (fate == lt.UNCHANGED)])


# ------------------------------------------------------------------------------------ the model


def test_a_block_equals_torchs_own_attention() -> None:
    torch.manual_seed(0)
    block = tb.Block(offsets=True)
    x, allowed = torch.randn(2, 9, tb.WIDTH), torch.full((9, 9), -math.inf).triu(1)
    theirs = torch.nn.MultiheadAttention(tb.WIDTH, tb.HEADS, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = block.qkv.weight, block.qkv.bias
    theirs.out_proj.weight.data, theirs.out_proj.bias.data = block.out.weight, block.out.bias
    table = block.distance.detach().numpy()
    bias = torch.zeros(tb.HEADS, 9, 9)
    for head, i, j in np.ndindex(tb.HEADS, 9, 9):
        bias[head, i, j] = float(table[head, j - i + tb.LENGTH - 1])
    mask = (bias + allowed).repeat(2, 1, 1)

    inner = block.before(x)
    expected = x + theirs(inner, inner, inner, attn_mask=mask, need_weights=False)[0]
    expected = expected + block.narrow(
        torch.nn.functional.gelu(block.widen(block.between(expected)))
    )
    torch.testing.assert_close(block(x, allowed), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("start", ["offsets", "learned", "small"])
def test_only_the_causal_model_is_blind_to_the_future(start: str) -> None:
    torch.manual_seed(0)
    draws = a_chain().draw(np.random.default_rng(0), 8, tb.LENGTH)
    causal, masked = tb.TinyBert(start, causal=True), tb.TinyBert(start)

    assert tb.future_leak(causal, draws, 10) == 0
    assert tb.future_leak(masked, draws, 10) > 0
    sight = tb.influence(causal, draws[0, :12])
    assert np.all(np.triu(sight, 1) == 0)
    assert np.all(np.diag(sight) > 0)
    assert np.all(tb.influence(masked, draws[0, :12]) > 0)


def test_rescoring_is_the_chain_rule_over_whole_sequences() -> None:
    torch.manual_seed(1)
    model = tb.TinyBert(causal=True)
    draws = a_chain().draw(np.random.default_rng(0), 3, 8)
    places = np.array([2, 5, 7])

    ours = tb.rescore(model, draws, places)

    for row, (sequence, place) in enumerate(zip(draws, places, strict=True)):
        scores = []
        for letter in range(27):
            filled = sequence.copy()
            filled[place] = letter
            logs = np.log(model.chances(filled[None])[0])
            scores.append(sum(logs[t - 1, filled[t]] for t in range(1, 8)))
        expected = np.exp(np.array(scores) - max(scores))
        np.testing.assert_allclose(ours[row], expected / expected.sum(), atol=1e-5)


def test_rescoring_by_the_exact_chain_is_the_exact_answer() -> None:
    """The identity behind the demo: left-to-right chances of whole texts hold both sides."""
    chain = a_chain(2)
    sequence = chain.draw(np.random.default_rng(4), 1, 7)[0]
    weights = []
    for letter in range(27):
        filled = sequence.copy()
        filled[3] = letter
        weights.append(chain.first[filled[0]] * chain.follows[filled[:-1], filled[1:]].prod())
    hidden = sequence.copy()
    hidden[3] = lt.BLANK

    expected = lt.fill(chain, hidden[None])[0, 3]
    np.testing.assert_allclose(np.array(weights) / sum(weights), expected, atol=1e-12)


def test_losses_are_taken_where_they_should_be() -> None:
    torch.manual_seed(0)
    model = tb.TinyBert()
    letters = torch.randint(0, 27, (4, 12))
    chosen = torch.zeros(4, 12, dtype=torch.bool)
    chosen[1, 3] = chosen[2, 5] = True
    read = letters.masked_fill(chosen, lt.BLANK)

    logs = model(read).log_softmax(-1)
    expected = -(logs[1, 3, letters[1, 3]] + logs[2, 5, letters[2, 5]]) / 2
    torch.testing.assert_close(demo.masked_loss(model, read, letters, chosen), expected)
    logs = model(letters).log_softmax(-1)
    expected = -logs[:, :-1].gather(2, letters[:, 1:, None]).mean()
    torch.testing.assert_close(demo.next_letter_loss(model, letters), expected)
    rates = [demo.rate_of(step, 100, 1.0) for step in range(100)]
    assert rates[0] < rates[39] > rates[99]


# -------------------------------------------------------------------------------------- the run


def tiny(**changes: Any) -> MaskingParams:
    return MaskingParams(**{"steps": 12, "causal_steps": 12, **changes})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer texts and a shorter leaky training: what is tested here is the telling."""
    monkeypatch.setattr("demos.contextual.masking_study.TESTED_ON", 160)
    monkeypatch.setattr("demos.contextual.masking_study.RESCORED", 32)
    monkeypatch.setattr("demos.contextual.masking.LEAKY_STEPS", 10)


@pytest.mark.usefixtures("quick")
def test_a_short_run_tells_all_of_it_and_the_same_twice(cache: Path) -> None:
    params = tiny(rate=0.4, recipe="80-10-10", all=True)
    events, filler = play(demo.run, params, cache)

    again = without_times(play(demo.run, params, cache)[0])
    assert [e for e in without_times(events) if getattr(e, "name", "") != "corpus"][-40:] == again[
        -40:
    ]
    claims = {claim.id: claim for claim in of(Claim, events)}
    assert set(claims) == {"exact-enumeration", "leak-zero"}
    assert all(claim.as_expected for claim in claims.values())
    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert outcomes["masked-share"] == 32
    assert outcomes["blank"] in BEST
    lines = {line.name: line.y for line in one(Series, events, "learnt").lines}
    assert set(lines) == {"masked", "causal"}
    assert all(curve[-1] > curve[0] for curve in lines.values())
    assert {row[0] for row in one(Table, events, "rates").rows} == {"40%", "15%"}
    assert isinstance(filler, Filler)
    (table,) = filler.explore("th_ c_t")
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [3, 6]
    (table,) = filler.explore("th_ cat")
    assert isinstance(table, Table)
    assert "e " in str(table.rows[0][1])
    for request in ("", "no blank", "_", "_" * 20):
        (note,) = filler.explore(request)
        assert isinstance(note, Note)
        assert "such as" in note.text


@pytest.mark.usefixtures("quick")
def test_the_plateau_is_named(cache: Path) -> None:
    events, _ = play(demo.run, tiny(start="small", steps=40), cache)

    assert "plateau" in of(Finding, events)[-1].text


def test_learning_starts_far_below_the_letters_shares(cache: Path) -> None:
    params = tiny()
    bench = prepare(params, Lab(cache=cache), a_chain())
    torch.manual_seed(0)
    bench.models = {kind: tb.TinyBert(causal=kind == "causal") for kind in ("masked", "causal")}

    assert bench.one.sum() == len(bench.tests) == TESTED_ON
    assert bench.learnt("masked") < 0
    assert bench.learnt("causal") < 0


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, filler = play(demo.run, MaskingParams(), cache)

    check_default(events, MASKING.info.claims, REFUTED)
    lines = {line.name: line.y for line in one(Series, events, "learnt").lines}
    assert lines["causal"][-1] > 0.93
    assert 0.8 < lines["masked"][-1] < 1
    (table,) = filler.explore("th_ cat")
    assert isinstance(table, Table)


@pytest.mark.seeds
def test_the_claims_hold_on_more_seeds(cache: Path) -> None:
    runs = []
    for seed in (1, 2, 3):
        events, _ = play(demo.run, MaskingParams(seed=seed), cache)
        check_default(events, MASKING.info.claims, REFUTED)
        runs.append({claim.id: claim.value for claim in of(Claim, events)})

    def mean(name: str) -> float:
        return float(np.mean([found[name] for found in runs]))

    assert mean("masked-near-optimum") <= 0.09
    assert mean("left-only-worse") >= 0.4
    assert mean("causal-blind-to-right") <= 0
    assert mean("shares") <= 0.2
