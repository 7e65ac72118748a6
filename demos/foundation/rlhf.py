"""Learning from preferences, with the one curve that nobody can draw in earnest.

A language model predicts what text comes next; what people want is something else. InstructGPT
(Ouyang et al. 2022, arXiv:2203.02155) repairs that in three steps, and all three happen below on
a language of 24 words:

1. *Supervised fine-tuning* (SFT): imitate sentences. Here they come from a small grammar.
2. *A reward model* (RM): people compare two answers, and a model learns a score from which their
   choices follow. Comparing is what people do well; the score is only a *proxy*.
3. *Reinforcement learning*: move the policy toward a high score, on a leash of length β to step 1.

Here the people are a formula, the *gold* reward, so that it can be plotted beside the proxy. Watch
the two part: the score keeps rising after the sentences have become worse. Then see what other
ways make of the very same comparisons: choosing the best of n answers, and DPO (Rafailov et al.
2023, arXiv:2305.18290), which needs neither a reward model nor sampling.

    python -m demos.foundation.rlhf --beta 0.3
    python -m demos.foundation.rlhf --explore        then: because because because
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from math import log
from typing import TypeAlias, TypeVar

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from demos.foundation.rlhf_talk import (
    Bench,
    Curve,
    Ending,
    Explorer,
    conclude,
    ending,
    finding,
    overopt_plot,
    pipeline_table,
    questions,
    sample_table,
    step_plot,
)
from demos.foundation.rlhf_world import (
    F64,
    LENGTH,
    SIZE,
    Language,
    Policy,
    RewardModel,
    chosen,
)
from demos.foundation.specs import RLHF, RlhfParams
from demos.kit.adamw import AdamW
from demos.kit.plots import Curves
from studytool.demo.events import Event, Finding, Progress, Stage, claim
from studytool.demo.spec import Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The losses
# A comparison says that answer w was preferred to answer l. Bradley and Terry's model of it:
# P(w preferred to l) = sigmoid(r(w) - r(l)). Only differences of rewards are ever seen.


def preference_loss(better: Tensor, worse: Tensor) -> Tensor:
    """-log sigmoid(r_w - r_l), in nats (Ouyang et al. 2022, equation 1); scores (n,)."""
    return nnf.softplus(worse - better).mean()


def kl_per_sentence(log_chances: Tensor, reference: Tensor) -> Tensor:
    """KL(π || π_ref) along sampled sentences, (n,) nats: exact at each word, so never negative.

    Both are (n, length, words). The difference of the sentences' own log-probabilities has the
    same mean, but single batches of it can be negative, which is a common alarm.
    """
    return (log_chances.exp() * (log_chances - reference)).sum((1, 2))


def reinforce_loss(log_pi: Tensor, advantage: Tensor) -> Tensor:
    """Its gradient is the policy gradient: push what did better than the mean (Williams 1992)."""
    return -(advantage * log_pi).mean()


def clipped_loss(log_pi: Tensor, old: Tensor, advantage: Tensor, clip: float) -> Tensor:
    """PPO's clipped surrogate (Schulman et al. 2017, arXiv:1707.06347, equation 7), negated.

    `old` are the log-probabilities under the policy that sampled: several updates may reuse one
    batch, and moving the ratio of the two beyond 1 ± clip earns nothing more.
    """
    ratio = (log_pi - old).exp()
    return -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()


def dpo_margin(log_pi: tuple[Tensor, Tensor], ref: tuple[Tensor, Tensor], beta: float) -> Tensor:
    """β (log-ratio of the chosen answer - log-ratio of the rejected one), (n,)."""
    return beta * ((log_pi[0] - ref[0]) - (log_pi[1] - ref[1]))


def dpo_loss(log_pi: tuple[Tensor, Tensor], ref: tuple[Tensor, Tensor], beta: float) -> Tensor:
    """-log sigmoid of the margin (Rafailov et al. 2023, equation 7); pairs are (chosen, rejected)."""
    return nnf.softplus(-dpo_margin(log_pi, ref, beta)).mean()


# %% [markdown]
# ## 2. Where they lead
# Reward minus β KL has a best policy in closed form (Rafailov et al., equation 4):
# π*(y) = π_ref(y) exp(r(y) / β) / Z. On a handful of answers it can be written down, and DPO's
# loss over all pairs has to have just that minimum, although it never sees a reward.


def tilted(reference: F64, reward: F64, beta: float) -> F64:
    """π* for given π_ref and reward, each (answers,)."""
    logits = np.log(reference) + reward / beta
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def dpo_optimum(reference: F64, reward: F64, beta: float) -> F64:
    """The policy (answers,) that minimises the expected DPO loss over all pairs, by Newton steps.

    The labels follow Bradley and Terry with `reward`; nothing but their frequencies is used.
    """
    prefer = 1 / (1 + np.exp(reward[None] - reward[:, None]))
    implicit = np.zeros_like(reward)  # β log(π / π_ref)
    for _ in range(60):
        modelled = 1 / (1 + np.exp(implicit[None] - implicit[:, None]))
        weights = modelled * (1 - modelled)
        hessian = np.diag(weights.sum(1)) - weights
        implicit -= np.linalg.pinv(hessian) @ (modelled - prefer).sum(1)
    return tilted(reference, implicit, beta)


def objective(logits: F64, reward: F64, reference: F64, beta: float) -> float:
    """What RL maximises, E[r] - β KL(π || π_ref), over a handful of answers."""
    chances = tilted(np.ones_like(logits), logits, 1.0)
    return float(chances @ (reward - beta * np.log(chances / reference)))


def policy_gradient(logits: F64, reward: F64, reference: F64, beta: float) -> F64:
    """Its gradient by the score function: E[(A - mean A) ∇ log π], A = r - β log(π / π_ref)."""
    chances = tilted(np.ones_like(logits), logits, 1.0)
    advantage = reward - beta * np.log(chances / reference)
    return chances * (advantage - chances @ advantage)


def policy_gradient_error(rng: np.random.Generator) -> float:
    """The largest relative deviation of `policy_gradient` from central differences."""
    worst, step = 0.0, 1e-5
    for _ in range(10):
        logits, reward = rng.normal(0, 1, (2, 6))
        reference = rng.dirichlet(np.ones(6) * 3)
        exact = policy_gradient(logits, reward, reference, 0.3)
        rest = (reward, reference, 0.3)
        guess = [
            (objective(logits + nudge, *rest) - objective(logits - nudge, *rest)) / (2 * step)
            for nudge in np.eye(6) * step
        ]
        worst = max(worst, float(np.abs(exact - guess).max() / np.abs(exact).max()))
    return worst


def dpo_gradient_error(policy: Policy, reference: Policy, pairs: Pairs, beta: float) -> float:
    """DPO's gradient through the network against its closed form, the largest relative deviation.

    Closed form (Rafailov et al., section 4): each pair pulls log π(w) up and log π(l) down with
    weight β sigmoid(-margin): most where the implicit reward is most wrong.
    """
    policy, reference = (copy.deepcopy(model).double() for model in (policy, reference))
    both = (pairs.better[:32], pairs.worse[:32])
    with torch.no_grad():
        ref = _log_pair(reference, both)
    weights = list(policy.parameters())
    log_pi = _log_pair(policy, both)
    automatic = torch.autograd.grad(dpo_loss(log_pi, ref, beta), weights, retain_graph=True)
    pull = beta * torch.sigmoid(-dpo_margin(log_pi, ref, beta)).detach()
    exact = torch.autograd.grad(-(pull * (log_pi[0] - log_pi[1])).mean(), weights)
    size = max(each.abs().max().item() for each in exact)
    gaps = zip(automatic, exact, strict=True)
    return max((one - two).abs().max().item() for one, two in gaps) / size


def best_of_n_kl(n: int) -> float:
    """How far choosing the best of n moves from the policy: log n - (n - 1)/n nats at most."""
    return log(n) - (n - 1) / n


def best_of_n(proxy: F64, values: F64, n: int) -> float:
    """The expected value of the answer with the best proxy among n, over all choices of n.

    `proxy` and `values` are (N,). The k-th best of N is the best of n with chance
    C(N - k, n - 1) / C(N, n), so no draw is needed.
    """
    total = len(proxy)
    chance, mean = n / total, 0.0
    for place, index in enumerate(np.argsort(-proxy, kind="stable")):
        mean += chance * values[index]
        if total - place <= n:
            break
        chance *= (total - place - n) / (total - place - 1)
    return float(mean)


# %% [markdown]
# ## 3. Step 1 and step 2


@dataclass(frozen=True)
class Pairs:
    """Comparisons: the preferred sentence and the other, each (n, 12)."""

    better: Tensor
    worse: Tensor

    def take(self, rows: Tensor | slice) -> Pairs:
        return Pairs(self.better[rows], self.worse[rows])


_BATCH = 64
_TEXTS, _HELD_OUT = 4000, 1000
# RL forgets gradients slowly: else its steps grow as sentences become alike, and it collapses.
_SLOW = (0.9, 0.999)


def imitate(
    policy: Policy, texts: Tensor, generator: torch.Generator, steps: int
) -> Iterator[float]:
    """Step 1: train on `texts` (n, 12); yields the loss in nats per word."""
    optimiser = AdamW(policy.parameters(), decay=0.0)
    for _ in range(steps):
        batch = texts[torch.randint(len(texts), (128,), generator=generator)]
        loss = -chosen(policy(batch), batch).mean() / LENGTH
        optimiser.clear()
        loss.backward()
        optimiser.step(3e-3)
        yield loss.item()


def compare(
    policy: Policy, language: Language, count: int, scale: float, generator: torch.Generator
) -> Pairs:
    """What labellers give: `count` pairs of the policy's sentences, chosen by noisy gold.

    They prefer as Bradley and Terry say, with gold in units of `scale`: at a difference of one
    they pick the better one 73 times in 100.
    """
    one, two = policy.sample(count, generator), policy.sample(count, generator)
    gap = torch.from_numpy((language.gold(one) - language.gold(two)) / scale)
    first = (torch.rand(count, generator=generator) < torch.sigmoid(gap))[:, None]
    return Pairs(torch.where(first, one, two), torch.where(first, two, one))


def learn_reward(
    model: RewardModel, pairs: Pairs, generator: torch.Generator, steps: int
) -> Iterator[float]:
    """Step 2: fit scores to the comparisons; yields the loss in nats, ln 2 at first."""
    optimiser = AdamW(model.parameters(), decay=0.01)
    for _ in range(steps):
        part = pairs.take(torch.randint(len(pairs.better), (_BATCH,), generator=generator))
        loss = preference_loss(model(part.better), model(part.worse))
        optimiser.clear()
        loss.backward()
        optimiser.step(3e-3)
        yield loss.item()


# %% [markdown]
# ## 4. Step 3, and what can take its place


def reinforce(bench: Bench, beta: float) -> Iterator[tuple[Policy, Tensor]]:
    """Step 3: sample, score, and push; yields the policy and the sentences of each step.

    The penalty is inside the reward, r - β (log π - log π_ref), as in InstructGPT (equation 2,
    with γ = 0). The advantage is the reward standardised within the batch.
    """
    params, policy = bench.params, copy.deepcopy(bench.reference)
    optimiser = AdamW(policy.parameters(), decay=0.0, betas=_SLOW)
    generator = bench.generator(3)
    for _ in range(params.steps):
        said = policy.sample(params.batch, generator)
        with torch.no_grad():
            old, ref = chosen(policy(said), said), chosen(bench.reference(said), said)
            reward = torch.from_numpy(bench.proxy(said)).float() - beta * (old - ref)
            advantage = (reward - reward.mean()) / (reward.std() + 1e-6)
        yield policy, said
        for _ in range(4 if params.method == "ppo" else 1):
            log_pi = chosen(policy(said), said)
            loss = (
                clipped_loss(log_pi, old, advantage, params.clip)
                if params.method == "ppo"
                else reinforce_loss(log_pi, advantage)
            )
            optimiser.clear()
            loss.backward()
            optimiser.step(params.lr)


def prefer_directly(bench: Bench, pairs: Pairs, steps: int) -> Iterator[Policy]:
    """DPO: the same comparisons, no reward model, no sampling; yields the policy at each step."""
    policy, generator = copy.deepcopy(bench.reference), bench.generator(4)
    optimiser = AdamW(policy.parameters(), decay=0.0)
    with torch.no_grad():
        ref = torch.stack(_log_pair(bench.reference, (pairs.better, pairs.worse)))
    for _ in range(steps):
        rows = torch.randint(len(pairs.better), (_BATCH,), generator=generator)
        log_pi = _log_pair(policy, (pairs.better[rows], pairs.worse[rows]))
        loss = dpo_loss(log_pi, (ref[0][rows], ref[1][rows]), bench.params.dpo_beta)
        optimiser.clear()
        loss.backward()
        optimiser.step(1e-3)
        yield policy


def _log_pair(policy: Policy, both: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return chosen(policy(both[0]), both[0]), chosen(policy(both[1]), both[1])


# %% [markdown]
# ## 5. The run


@dataclass
class Study:
    """What the parts of a run hand on: the comparisons, and every ending by name."""

    bench: Bench
    pairs: Pairs
    curves: dict[str, Curve] = field(default_factory=dict)
    endings: dict[str, Ending] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)


def run(params: RlhfParams, lab: Lab) -> Steps[Explorer]:
    """Yields the lesson; returns what scores typed sentences afterwards."""
    torch.set_num_threads(lab.threads)
    torch.manual_seed(lab.seed)
    yield Stage("ask", "guess before you see it")
    yield from questions(params)
    yield pipeline_table(params)
    yield from _formulas(lab)
    bench = yield from _sft(params, lab)
    study = yield from _reward_model(bench)
    leashes = [("no leash", 0.0)] + (
        [(f"leash β = {params.beta:g}", params.beta)] * (params.beta > 0)
    )
    for name, beta in leashes:
        yield from _reinforce(study, name, beta)
    yield from _dpo(study)
    yield from _best_of_n(study)
    yield from conclude(bench, study.curves, study.endings)
    yield Finding(finding(bench, study.curves, study.endings))
    return Explorer(bench, study.policies)


def _formulas(lab: Lab) -> Iterator[Event]:
    yield Stage("check", "policy gradient and DPO on six answers, where the best is known")
    error = policy_gradient_error(lab.rng(10))
    text = "the policy gradient of r - β KL equals finite differences (largest relative deviation)"
    yield claim("policy-gradient", text, error, "<=", 1e-6)
    rng = lab.rng(11)
    reference, reward = rng.dirichlet(np.ones(6) * 3), rng.normal(0, 1, 6)
    gap = np.abs(dpo_optimum(reference, reward, 0.5) - tilted(reference, reward, 0.5)).max()
    text = "DPO's minimum, found without any reward, is π_ref exp(r/β)/Z (largest deviation)"
    yield claim("dpo-optimum", text, gap, "<=", 1e-6)


def _sft(params: RlhfParams, lab: Lab) -> Steps[Bench]:
    yield Stage("step 1: SFT", "imitate sentences of the language")
    rng = lab.rng(0)
    language = Language.draw(rng)
    texts = torch.from_numpy(language.write(_TEXTS, rng))
    policy = Policy()
    generator = torch.Generator().manual_seed(int(lab.rng(1).integers(2**31)))
    plot = Curves("sft", "Step 1: loss of the imitating policy", "step", "nats per word")
    plot.levels |= {
        f"ln {SIZE}: knows nothing": log(SIZE),
        "the language's own entropy": language.entropy(),
    }
    for number, loss in enumerate(imitate(policy, texts, generator, params.sft_steps)):
        if number % 10 == 0:
            plot.add("SFT", number, loss)
            yield Progress(number, params.sft_steps, note=f"loss {loss:.2f}")
    yield plot.series()
    return Bench.build(params, lab, language, policy)


def _reward_model(bench: Bench) -> Steps[Study]:
    params, generator = bench.params, bench.generator(2)
    count = params.preferences
    yield Stage("step 2: reward model", f"{count:,} comparisons of two sentences each")
    everything = compare(
        bench.reference,
        bench.language,
        count + _HELD_OUT,
        bench.gold_scale / params.care,
        generator,
    )
    pairs, held_out = everything.take(slice(count)), everything.take(slice(count, None))
    losses = list(learn_reward(bench.model, pairs, generator, params.rm_steps))
    bench.calibrate()
    text = "before training the reward model's loss is ln 2"
    yield claim("start-loss", text, round(losses[0], 6), "==", round(log(2), 6), unit="nats")
    with torch.no_grad():
        right = (bench.model(held_out.better) > bench.model(held_out.worse)).double().mean()
    knows = np.mean(bench.language.gold(held_out.better) > bench.language.gold(held_out.worse))
    text = (
        "the reward model agrees with labellers on new pairs, above chance 0.5 and below "
        f"{knows:.2f}, which gold itself reaches as labellers are not sure either"
    )
    yield claim("rm-accuracy", text, right.item(), ">=", 0.53)
    shaken = copy.deepcopy(bench.reference)
    with torch.no_grad():
        for weight in shaken.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=generator)
    error = dpo_gradient_error(shaken, bench.reference, pairs, params.dpo_beta)
    text = "DPO's gradient through the network is its closed form (largest relative deviation)"
    yield claim("dpo-gradient", text, error, "<=", 1e-6)
    study = Study(bench, pairs)
    study.policies["SFT"] = bench.reference
    study.endings["SFT"] = ending(bench, bench.reference)
    return study


def _reinforce(study: Study, name: str, beta: float) -> Iterator[Event]:
    bench, steps = study.bench, study.bench.params.steps
    yield Stage(f"step 3: RL, {name}", f"{steps} steps of {bench.params.batch} sentences")
    curve = study.curves[name] = Curve()
    for number, (policy, said) in enumerate(reinforce(bench, beta)):
        with torch.no_grad():
            kl = kl_per_sentence(policy(said), bench.reference(said)).mean().item()
        curve.add(bench, said, kl)
        if number % 5 == 0 or number == steps - 1:
            note = f"proxy {curve.proxy[-1]:+.1f}, gold {curve.gold[-1]:+.1f} SD"
            yield Progress(number + 1, steps, note=note)
        if (number + 1) % 30 == 0 or number == steps - 1:
            yield step_plot(name, curve)
    yield sample_table(bench, name, curve)
    study.policies[name], study.endings[name] = policy, ending(bench, policy)
    yield overopt_plot(study.curves)


def _dpo(study: Study) -> Iterator[Event]:
    bench, steps = study.bench, study.bench.params.dpo_steps
    yield Stage("DPO", f"{steps} steps on the same comparisons, without a reward model")
    curve = study.curves["DPO"] = Curve()
    generator = bench.generator(5)
    for number, policy in enumerate(prefer_directly(bench, study.pairs, steps)):
        if number % 10 == 0 or number == steps - 1:
            said = policy.sample(300, generator)
            with torch.no_grad():
                kl = kl_per_sentence(policy(said), bench.reference(said)).mean().item()
            curve.add(bench, said, kl)
            yield Progress(number + 1, steps, note=f"gold {curve.gold[-1]:+.1f} SD")
    study.policies["DPO"], study.endings["DPO"] = policy, ending(bench, policy)
    yield overopt_plot(study.curves)


def _best_of_n(study: Study) -> Iterator[Event]:
    bench = study.bench
    yield Stage("best of n", "no training at all: sample n answers, show the one with most proxy")
    said = bench.reference.sample(8192, bench.generator(6))
    proxy, gold, parts = bench.proxy(said), bench.gold(said), bench.language.parts(said)
    curve = study.curves["best of n"] = Curve()
    pick: Callable[[F64, int], float] = lambda values, n: best_of_n(proxy, values, n)  # noqa: E731
    for n in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        curve.point(pick(proxy, n), pick(gold, n), best_of_n_kl(n))
    n = 64
    study.endings[f"best of {n}"] = Ending(
        pick(proxy, n), pick(gold, n), best_of_n_kl(n),
        pick(parts.helpful, n), pick(parts.repeats, n), pick(parts.grammar, n),
    )  # fmt: skip
    yield overopt_plot(study.curves)


if __name__ == "__main__":
    main(RLHF)
