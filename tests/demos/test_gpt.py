"""The GPT demo: sampling rules, the checks it makes of itself, a tiny run, the default claims."""

from __future__ import annotations

from math import exp, log
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given
from hypothesis import strategies as st

from demos.foundation.gpt import (
    ODD_TEXTS,
    RANKS,
    attention_error,
    check_cache,
    losses,
    peeking,
    round_trip_faults,
    run,
    train_step,
)
from demos.foundation.gpt_panel import GptExplorer, NgramLines, head_scores, parse_request
from demos.foundation.sampling import (
    GREEDY,
    Sampling,
    Writer,
    nucleus_size,
    softmax,
    top_k,
    top_p,
)
from demos.foundation.specs import GPT, GptParams
from demos.kit.adamw import AdamW
from demos.kit.bpe import Bpe, learn
from demos.kit.decoder import Decoder, DecoderConfig
from demos.kit.tokens import tokenise
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Matrix,
    Note,
    Outcome,
    Progress,
    Series,
    Stage,
    Table,
    Text,
)
from tests.demos.foundation_kit import over_seeds, small_corpus, values, write_corpus
from tests.demos.static_kit import cache_folder, check_default, of, one, play, without_times

TINY = GptParams(steps=12, batch=4, width=16, heads=2, context=16, vocabulary=300)
spreads = st.lists(st.floats(-6, 6), min_size=2, max_size=12).map(np.array)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cache_folder(tmp_path_factory.mktemp("gpt"))


@pytest.fixture(scope="module")
def small() -> Decoder:
    config = DecoderConfig(280, width=16, heads=2, context=16)
    return Decoder(config, seed=2, std=0.3)


@pytest.fixture(scope="module")
def bpe() -> Bpe:
    return learn({" the": 9, " city": 5, " of": 7, " encyclopedia": 2, " philosophies": 3}, 280)


# Sampling


@given(spreads)
def test_temperature_one_is_torchs_softmax(logits: Any) -> None:
    theirs = torch.from_numpy(logits).softmax(0).numpy()

    np.testing.assert_allclose(softmax(logits), theirs, atol=1e-12)


def test_temperature_divides_the_logits() -> None:
    logits = np.array([2.0, 1.0, 0.0])

    p = softmax(logits, 0.5)

    assert p[0] / p[1] == pytest.approx(exp(1 / 0.5))
    assert softmax(logits, 0.01)[0] == pytest.approx(1)
    assert softmax(logits, 1000).max() == pytest.approx(1 / 3, abs=1e-3)


@given(spreads, st.integers(1, 14))
def test_top_k_keeps_the_likeliest_in_proportion(logits: Any, k: int) -> None:
    p = softmax(logits)

    kept = top_k(p, k)

    assert (kept > 0).sum() == min(k, len(p))
    assert kept.sum() == pytest.approx(1)
    assert p[kept > 0].min() >= p[kept == 0].max(initial=0)
    np.testing.assert_allclose(kept[kept > 0] / kept.max(), p[kept > 0] / p.max(), rtol=1e-9)


@given(spreads, st.floats(0.01, 1))
def test_the_nucleus_is_the_fewest_that_reach_the_mass(logits: Any, mass: float) -> None:
    p = softmax(logits)
    kept = top_p(p, mass) > 0
    descending = sorted(p, reverse=True)
    fewest = next(
        (n for n in range(1, len(p)) if sum(descending[:n]) >= mass - 1e-12), len(descending)
    )

    assert kept.sum() == fewest
    assert p[kept].min() >= p[~kept].max(initial=0)


def test_a_peaked_distribution_has_a_small_nucleus() -> None:
    assert nucleus_size(np.array([0.95, 0.03, 0.02]), 0.9) == 1
    assert nucleus_size(np.full(100, 0.01), 0.9) == 90


def test_rules_come_in_order_and_greedy_is_the_maximum() -> None:
    logits = np.log([0.5, 0.25, 0.15, 0.1])

    p = Sampling(temperature=1, top_k=3, top_p=0.8).shape(logits)

    np.testing.assert_allclose(p, [2 / 3, 1 / 3, 0, 0])  # of 5/9, 5/18, 1/6 the first two reach 0.8
    assert {GREEDY.draw(logits, np.random.default_rng(n)) for n in range(5)} == {0}


def test_draws_follow_the_distribution() -> None:
    logits, rng = np.log([0.7, 0.2, 0.1]), np.random.default_rng(0)

    drawn = np.bincount([Sampling().draw(logits, rng) for _ in range(3000)], minlength=3)

    np.testing.assert_allclose(drawn / 3000, [0.7, 0.2, 0.1], atol=0.04)


# The writer


def test_writing_by_the_cache_is_reading_anew_each_time(small: Decoder, bpe: Bpe) -> None:
    writer = Writer(small, bpe)
    prompt = writer.read("The  CITY")

    ids = list(prompt)
    for _ in range(16 - len(prompt)):
        ids.append(int(writer.logits(ids).argmax()))

    written = writer.write(prompt, 16 - len(prompt), GREEDY, np.random.default_rng(0))
    assert written == ids[len(prompt) :]


def test_writing_goes_on_beyond_the_context(small: Decoder, bpe: Bpe) -> None:
    writer = Writer(small, bpe)

    assert (
        len(writer.write(writer.read("the " * 40), 50, Sampling(), np.random.default_rng(0))) == 50
    )


def test_prompts_are_spelt_as_the_corpus(small: Decoder, bpe: Bpe) -> None:
    writer = Writer(small, bpe)

    assert bpe.decode(writer.read(" The\tCity ")) == " the city"
    assert bpe.decode(writer.read("  ")) == "."
    assert writer.tell("the", 30, Sampling(), [1]).isprintable()


# What the run checks of itself


def test_losses_are_minus_the_log_of_the_chosen(small: Decoder) -> None:
    windows = np.random.default_rng(0).integers(0, 280, (3, 10))
    with torch.no_grad():
        p = small(torch.from_numpy(windows)).softmax(-1).numpy()

    expected = [[-log(p[row, at, windows[row, at + 1]]) for at in range(9)] for row in range(3)]
    np.testing.assert_allclose(losses(small, windows), expected, atol=1e-5)


def test_a_step_lowers_the_loss_of_its_batch() -> None:
    model = Decoder(DecoderConfig(50, width=16, heads=2), seed=0)
    optimiser = AdamW(model.parameters(), decay=0.01)
    batch = np.random.default_rng(0).integers(0, 50, (4, 12))

    seen = [train_step(model, optimiser, batch, 0.01) for _ in range(12)]

    assert seen[-1] < 0.9 * seen[0]


def test_the_cache_check_finds_a_stale_cache(
    small: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = np.random.default_rng(0).integers(0, 280, 14)
    good = check_cache(small, window)
    assert good.error < 1e-10
    assert good.tokens == (14, 105)

    monkeypatch.setattr("demos.kit.decoder.Cache.length", property(lambda cache: 0))
    assert check_cache(small, window).error > 1e-3


def test_peeking_is_found(small: Decoder) -> None:
    leaky = Decoder(DecoderConfig(280, width=16, heads=2, causal=False), seed=2, std=0.3)
    window = np.random.default_rng(0).integers(0, 280, 14)

    assert peeking(small, window, np.random.default_rng(1)) == 0
    assert peeking(leaky, window, np.random.default_rng(1)) > 1e-3


def test_attention_and_tokens_are_right(bpe: Bpe, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attention_error(np.random.default_rng(0)) < 1e-13
    assert round_trip_faults(bpe, ODD_TEXTS) == 0
    monkeypatch.setattr(nnf, "scaled_dot_product_attention", lambda q, k, v, **_: v)
    assert attention_error(np.random.default_rng(0)) > 0.1


def test_ngram_lines_see_nothing_before_their_window() -> None:
    text = tokenise(small_corpus(), 300, every=4)
    windows = text.held_out(6, 12)

    surprise = NgramLines(text.train, 300).surprise(windows)
    alone = NgramLines(text.train, 300).surprise(windows[3:4])

    assert surprise[3].shape == (6, 11)
    for n in (1, 2, 3):
        np.testing.assert_allclose(surprise[n][3], alone[n][0])
    assert surprise[3].mean() < surprise[2].mean() < surprise[1].mean()


def test_head_scores_of_known_maps() -> None:
    before = torch.zeros(1, 2, 12, 12)
    before[:, 0, torch.arange(1, 12), torch.arange(11)] = 1
    before[:, 1] = (torch.ones(12, 12).tril() / torch.arange(1, 13)[:, None])[None]

    scores = head_scores([before])

    np.testing.assert_allclose(scores[0, 0], (1, 0, 0, 1), atol=1e-4)
    assert scores[0, 1][3] == pytest.approx(np.mean([9, 10, 11, 12]), rel=1e-3)


# A tiny run


@pytest.fixture(scope="module")
def own_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_corpus(tmp_path_factory.mktemp("own")))


@pytest.fixture(scope="module")
def tiny(own_text: str, cache: Path) -> tuple[list[Event], GptExplorer]:
    return play(run, msgspec.structs.replace(TINY, corpus=own_text), cache)


def test_a_tiny_run_is_whole(tiny: tuple[list[Event], GptExplorer]) -> None:
    events, _ = tiny
    loss = [each for each in of(Series, events) if each.id == "loss"][-1]

    assert loss.levels["ln V: chance"] == pytest.approx(log(300))
    assert {"unigram", "bigram", "trigram"} < set(loss.levels)
    held = next(line for line in loss.lines if line.name == "held out")
    assert held.y[-1] < held.y[0]
    assert {"tokens", "samples", "lines", "cases", "next", "heads", "cache"} <= {
        table.id for table in of(Table, events)
    }
    assert len(of(Matrix, events)) == 2
    structural = {"tokens-round-trip", "attention-equals-torch", "no-peeking", "cache-equal"}
    assert {claim.id for claim in of(Claim, events)} == structural
    assert all(claim.as_expected for claim in of(Claim, events))
    assert len(of(Finding, events)) == 1


def test_outcomes_answer_the_questions(tiny: tuple[list[Event], GptExplorer]) -> None:
    came = {each.prediction: each.value for each in of(Outcome, tiny[0])}

    assert came["start"] == pytest.approx(log(300), rel=0.02)
    assert came["rank"] in RANKS
    assert 1 <= float(came["nucleus"]) <= 300


def lasting(events: list[Event]) -> list[Event]:
    """Without times, and without what only the first reading of a text says."""
    return [
        event
        for event in without_times(events)
        if not (isinstance(event, Stage) and event.name == "corpus")
        and not (isinstance(event, Progress) and event.unit == "byte")
    ]


def test_same_seed_same_events(
    tiny: tuple[list[Event], GptExplorer], own_text: str, cache: Path
) -> None:
    again, _ = play(run, msgspec.structs.replace(TINY, corpus=own_text), cache)
    other, _ = play(run, msgspec.structs.replace(TINY, corpus=own_text, seed=1), cache)

    assert lasting(again) == lasting(tiny[0])
    assert lasting(other) != lasting(tiny[0])


def test_large_weights_start_above_ln_v(own_text: str, cache: Path) -> None:
    params = msgspec.structs.replace(TINY, corpus=own_text, init=1.0, steps=10)
    events, _ = play(run, params, cache)

    came = {each.prediction: each.value for each in of(Outcome, events)}
    assert float(came["start"]) > 1.5 * log(300)


def test_without_the_mask_the_leak_is_said(own_text: str, cache: Path) -> None:
    params = msgspec.structs.replace(TINY, corpus=own_text, causal=False, steps=10)
    events, _ = play(run, params, cache)

    found = {claim.id: claim for claim in of(Claim, events)}
    assert not found["no-peeking"].holds
    assert found["no-peeking"].as_expected
    assert "cache-equal" not in found
    assert "leak" in of(Finding, events)[0].text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heads": 5}, "divisible"),
        ({"corpus": "no-such-file.txt"}, "no-such-file.txt"),
        ({"corpus": "own", "vocabulary": 2000}, "tokens spell it"),
    ],
)
def test_what_cannot_run_says_why(
    changes: dict[str, Any], said: str, own_text: str, cache: Path
) -> None:
    changes = {k: own_text if v == "own" else v for k, v in changes.items()}
    events, explorer = play(run, msgspec.structs.replace(TINY, **changes), cache)

    assert explorer is None
    assert isinstance(events[-1], Failed)
    assert said in events[-1].error
    assert events[-1].hint


def test_a_prompt_is_continued(tiny: tuple[list[Event], GptExplorer]) -> None:
    events = list(tiny[1].explore("t=0.5 k=3 The city"))

    table = one(Table, events, "explore-next")
    assert sum(float(str(row[2])) > 0 for row in table.rows) <= 3
    texts = of(Text, events)
    assert [text.id for text in texts] == ["explore-greedy", "explore-sampled"]
    assert all(text.text.startswith("the city") for text in texts)


@pytest.mark.parametrize("request_", ["", "t=0.5", "t=nan a", "t=0 a", "k=0 a", "p=2 a", "p=x a"])
def test_requests_that_cannot_be_served(
    tiny: tuple[list[Event], GptExplorer], request_: str
) -> None:
    (event,) = tiny[1].explore(request_)

    assert isinstance(event, Note)


def test_settings_of_a_request() -> None:
    how, prompt, wrong = parse_request("p=0.5 t=2 a  t=3", Sampling(0.8, 20, 0.9))

    assert (how, prompt, wrong) == (Sampling(2, 20, 0.5), "a t=3", "")


# The default setting


@pytest.mark.demo
def test_claims_at_the_default_setting(cache: Path) -> None:
    events, _ = play(run, GptParams(), cache)

    check_default(events, GPT.info.claims, {"beats-trigram"})
    came = {each.prediction: each.value for each in of(Outcome, events)}
    assert came["rank"] == "the bigram"


@pytest.mark.seeds
def test_bars_over_seeds(cache: Path) -> None:
    def one_run(seed: int) -> dict[str, float]:
        events, _ = play(run, GptParams(seed=seed), cache)
        check_default(events, GPT.info.claims, {"beats-trigram"})
        return values(events)

    found = over_seeds(one_run, [1, 2, 3])

    assert min(found["beats-bigram"]) > 0
    assert max(found["start-loss"]) <= 0.01
    assert max(found["cache-equal"]) <= 1e-5
