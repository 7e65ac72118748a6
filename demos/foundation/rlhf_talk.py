"""What the preference demo measures with, asks and says: scales, curves, tables, claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
import torch
from torch import Tensor

from demos.foundation.rlhf_world import (
    F64,
    LENGTH,
    WORDS,
    Language,
    Policy,
    RewardModel,
    chosen,
    say,
)
from demos.foundation.specs import RlhfParams
from studytool.demo.events import (
    Cell,
    Claim,
    Event,
    Line,
    Note,
    Outcome,
    Prediction,
    Series,
    Table,
    claim,
)
from studytool.demo.spec import Lab

FREE, DPO = "no leash", "DPO"
ENDS = (
    "above the start, within 0.3 of its peak",
    "above the start, but 0.3 or more below its peak",
    "below the model it started from",
)
_LOOK = 1500  # sentences in a measurement
_WINDOW = 10  # steps that a curve is smoothed over
_KL_SCALE = 10  # so that KL fits on the plot of the rewards


@dataclass
class Bench:
    """The world of one run and its scales: rewards are told in SD of the SFT policy's sentences."""

    params: RlhfParams
    lab: Lab
    language: Language
    reference: Policy
    model: RewardModel
    texts: Tensor
    gold_mean: float
    gold_scale: float
    proxy_mean: float = 0.0
    proxy_scale: float = 1.0

    @classmethod
    def build(cls, params: RlhfParams, lab: Lab, language: Language, policy: Policy) -> Bench:
        """With an untrained reward model; `calibrate` after it has been trained."""
        generator = torch.Generator().manual_seed(int(lab.rng(7).integers(2**31)))
        texts = policy.sample(_LOOK, generator)
        gold = language.gold(texts)
        scales = float(gold.mean()), float(gold.std())
        return cls(params, lab, language, policy, RewardModel(), texts, *scales)

    def generator(self, stream: int) -> torch.Generator:
        return torch.Generator().manual_seed(int(self.lab.rng(stream).integers(2**31)))

    @torch.no_grad()
    def calibrate(self) -> None:
        """Put the proxy's zero and unit at the SFT policy's mean and SD."""
        scores = self.model(self.texts)
        self.proxy_mean, self.proxy_scale = scores.mean().item(), scores.std().item() or 1.0

    @torch.no_grad()
    def proxy(self, said: Tensor) -> F64:
        """The reward model's score of each sentence, in SD."""
        scores = self.model(said).double().numpy()
        return (scores - self.proxy_mean) / self.proxy_scale

    def gold(self, said: Tensor) -> F64:
        """What people really want, in SD."""
        return (self.language.gold(said) - self.gold_mean) / self.gold_scale

    @property
    def plain(self) -> bool:
        """Only the seed is turned: the setting that the bars are stated for."""
        return msgspec.structs.replace(self.params, seed=0) == RlhfParams()


@dataclass
class Curve:
    """Mean proxy, gold and KL after each look, and some sentences of each."""

    proxy: list[float] = field(default_factory=list)
    gold: list[float] = field(default_factory=list)
    kl: list[float] = field(default_factory=list)
    said: list[Tensor] = field(default_factory=list)

    def add(self, bench: Bench, said: Tensor, kl: float) -> None:
        """One look at sentences drawn from the policy."""
        self.point(float(bench.proxy(said).mean()), float(bench.gold(said).mean()), kl)
        self.said.append(said[:4].clone())

    def point(self, proxy: float, gold: float, kl: float) -> None:
        self.proxy.append(proxy)
        self.gold.append(gold)
        self.kl.append(kl)

    def smooth(self, name: str) -> F64:
        """A running mean over ten steps, so that a peak is not one lucky batch."""
        values = np.array(getattr(self, name))
        window = min(_WINDOW, len(values))
        return np.convolve(values, np.ones(window) / window, "valid")

    @property
    def peak(self) -> int:
        return int(self.smooth("gold").argmax())

    @property
    def fall(self) -> float:
        """How far gold ends below its peak, in SD."""
        gold = self.smooth("gold")
        return float(gold.max() - gold[-1])

    @property
    def setback(self) -> float:
        """The furthest that the proxy ever was below an earlier value of its own, in SD."""
        proxy = self.smooth("proxy")
        return float((np.maximum.accumulate(proxy) - proxy).max())


@dataclass(frozen=True)
class Ending:
    """A policy at its end: rewards in SD, KL in nats, and what gold is made of."""

    proxy: float
    gold: float
    kl: float
    helpful: float
    repeats: float
    grammar: float


@torch.no_grad()
def ending(bench: Bench, policy: Policy) -> Ending:
    """Measured on fresh sentences."""
    said = policy.sample(_LOOK, bench.generator(8))
    parts = bench.language.parts(said)
    log_chances = policy(said)
    kl = (log_chances.exp() * (log_chances - bench.reference(said))).sum((1, 2)).mean()
    means = (parts.helpful.mean(), parts.repeats.mean(), parts.grammar.mean())
    return Ending(
        float(bench.proxy(said).mean()),
        float(bench.gold(said).mean()),
        kl.item(),
        *map(float, means),
    )


# ------------------------------------------------------------------------------ asking


def questions(params: RlhfParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    yield Prediction(
        "gold-end",
        f"RL pushes up a score learned from {params.preferences:,} comparisons, with a KL penalty "
        f"of β = {params.beta:g}. Where does what people really want end?",
        ENDS,
    )
    yield Prediction(
        "peak-kl",
        "How far from the SFT model (KL, in nats) is the policy when real quality is at its best?",
        unit="nats",
    )
    yield Prediction(
        "best",
        "Four ways use the same comparisons. Which ends with the highest gold reward?",
        _contenders(params),
    )


def _contenders(params: RlhfParams) -> tuple[str, ...]:
    leashed = (_leashed(params),) if params.beta > 0 else ()
    return (FREE, *leashed, DPO, "best of 64")


def _leashed(params: RlhfParams) -> str:
    """The name of the run with the penalty that was asked for."""
    return f"leash β = {params.beta:g}" if params.beta > 0 else FREE


def pipeline_table(params: RlhfParams) -> Table:
    """InstructGPT's three steps, there and here. The prompts are those of its table 6."""
    rows: list[list[Cell]] = [
        [
            "1 supervised fine-tuning",
            "labellers write answers",
            "about 13 thousand prompts",
            "4,000 sentences of a grammar",
        ],
        [
            "2 reward model",
            "labellers rank 4 to 9 answers",
            "about 33 thousand prompts",
            f"{params.preferences:,} pairs of the policy's own sentences",
        ],
        [
            "3 RL (PPO) with KL penalty",
            "the policy answers, the model scores",
            "about 31 thousand prompts",
            f"{params.steps} steps of {params.batch} sentences",
        ],
    ]
    columns = ["step", "what is collected", "InstructGPT", "here"]
    note = "Ouyang et al. 2022, section 3 and table 6"
    return Table("pipeline", "The InstructGPT pipeline", columns, rows, note)


# ----------------------------------------------------------------------------- showing


def step_plot(name: str, curve: Curve) -> Series:
    """Proxy, gold and KL of one run on one plot."""
    steps = list(range(1, len(curve.proxy) + 1))
    lines = [
        Line("proxy: what is optimised", steps, curve.proxy),
        Line("gold: what is wanted", steps, curve.gold),
        Line(f"KL / {_KL_SCALE}", steps, [kl / _KL_SCALE for kl in curve.kl]),
    ]
    title = f"RL, {name}: rewards in SD of the SFT model, KL in {_KL_SCALE} nats"
    return Series(f"steps-{name}", title, lines, "step", "SD", {"the SFT model": 0.0})


def overopt_plot(curves: Mapping[str, Curve]) -> Series:
    """Gold and proxy by KL, for every way of using the comparisons."""
    lines: list[Line] = []
    for name, curve in curves.items():
        if name in (DPO, "best of n"):
            lines.append(Line(f"gold, {name}", curve.kl, curve.gold))
        else:
            kl, gold = curve.smooth("kl").tolist(), curve.smooth("gold").tolist()
            lines.append(Line(f"gold, {name}", kl, gold))
    free = curves[FREE]
    proxy = free.smooth("kl").tolist(), free.smooth("proxy").tolist()
    lines.append(Line(f"proxy, {FREE}", *proxy))
    title = "What is wanted, by how far the policy has moved"
    return Series(
        "overopt", title, lines, "KL to the SFT model, nats", "SD", {"the SFT model": 0.0}
    )


def sample_table(bench: Bench, name: str, curve: Curve) -> Table:
    """Sentences at the start, at gold's peak and at the end, with both scores."""
    moments = {
        "start": 0,
        "gold's peak": min(curve.peak + _WINDOW // 2, len(curve.said) - 1),
        "end": len(curve.said) - 1,
    }
    rows: list[list[Cell]] = [
        [moment, say(sentence), round(float(proxy), 1), round(float(gold), 1)]
        for moment, place in moments.items()
        for said in (curve.said[place][:3],)
        for sentence, proxy, gold in zip(said, bench.proxy(said), bench.gold(said), strict=True)
    ]
    columns = ["when", "sentence", "proxy", "gold"]
    return Table(f"said-{name}", f"What the policy says, {name}", columns, rows)


def method_table(bench: Bench, endings: Mapping[str, Ending]) -> Table:
    """Every way beside the start and the best that a search on gold itself can find."""
    rows: list[list[Cell]] = [
        [name, *(round(value, 2) for value in _numbers(end))] for name, end in endings.items()
    ]
    best = torch.from_numpy(bench.language.search())[None]
    parts = bench.language.parts(best)
    own = [parts.helpful[0], parts.repeats[0], parts.grammar[0]]
    found = [float(bench.proxy(best)[0]), float(bench.gold(best)[0])]
    rows.append(
        ["best sentence, by search", *(round(v, 2) for v in found), None, *map(_round, own)]
    )
    columns = ["policy", "proxy", "gold", "KL", "helpful words", "repeats", "grammar"]
    note = f"gold = helpful - repeats + grammar, then in SD; best sentence: {say(best[0])}"
    return Table("methods", "Where each way ends", columns, rows, note)


def _numbers(end: Ending) -> tuple[float, ...]:
    return end.proxy, end.gold, end.kl, end.helpful, end.repeats, end.grammar


def _round(value: float) -> float:
    return round(float(value), 2)


def conclude(
    bench: Bench, curves: Mapping[str, Curve], endings: Mapping[str, Ending]
) -> Iterator[Event]:
    """The table, the outcomes of the guesses, and the claims."""
    yield method_table(bench, endings)
    name = _leashed(bench.params)
    curve, end = curves[name], curves[name].smooth("gold")[-1]
    kind = 2 if end < 0 else 1 if curve.fall >= 0.3 else 0
    text = f"at best {curve.smooth('gold').max():+.2f} SD, at the end {end:+.2f}"
    yield Outcome("gold-end", ENDS[kind], text)
    peak = float(curve.smooth("kl")[curve.peak])
    text = f"{name}: best at {peak:.1f} nats, ended at {curve.kl[-1]:.1f}"
    yield Outcome("peak-kl", peak, text)
    best = max(_contenders(bench.params), key=lambda each: endings[each].gold)
    yield Outcome("best", best, f"{best}: gold {endings[best].gold:+.2f} SD")
    if bench.plain:
        yield from _claims(curves, endings)
    else:
        yield Note("The bars are stated for the default settings, so not here.")


def _claims(curves: Mapping[str, Curve], endings: Mapping[str, Ending]) -> Iterator[Claim]:
    """Bounds with slack that hold on any seed."""
    free = curves[FREE]
    text = "without a leash the proxy only ever rises; its largest setback"
    yield claim("proxy-rises", text, free.setback, "<=", 0.3, unit="SD")
    text = "meanwhile gold falls from its peak by"
    yield claim("gold-falls", text, free.fall, ">=", 0.3, unit="SD")
    leashed = next(curve for name, curve in curves.items() if name.startswith("leash"))
    yield claim(
        "leash-prevents",
        "commonly taught: a KL penalty (here β = 0.1) prevents over-optimisation; gold's fall",
        leashed.fall,
        "<=",
        0.3,
        unit="SD",
        expect="refuted",
    )
    text = "DPO on the same comparisons ends above RL without a leash by"
    yield claim("dpo-ahead", text, endings[DPO].gold - endings[FREE].gold, ">=", 0.5, unit="SD")
    bon = curves["best of n"]
    text = "best of n, the more it chooses from, ends near its best; its fall up to n = 256"
    yield claim("best-of-n-holds", text, max(bon.gold) - bon.gold[-1], "<=", 0.3, unit="SD")


def finding(bench: Bench, curves: Mapping[str, Curve], endings: Mapping[str, Ending]) -> str:
    """The sentence to say, with what was just measured."""
    name = _leashed(bench.params)
    free, curve = curves[FREE], curves[name]
    lines = [
        f"The reward model is right only near the data it saw. Pushed without a leash its score "
        f"rose to {free.smooth('proxy')[-1]:+.1f} SD while what people want peaked at "
        f"{free.smooth('gold').max():+.1f} SD, {free.smooth('kl')[free.peak]:.0f} nats from the SFT "
        f"model, and ended at {free.smooth('gold')[-1]:+.1f}."
    ]
    if name != FREE:
        held = "held it" if curve.fall < 0.3 else "slowed it, but did not hold it"
        lines.append(
            f"A KL penalty of β = {bench.params.beta:g} {held}: it ended {curve.fall:.1f} SD below "
            f"its peak, {curve.kl[-1]:.0f} nats away."
        )
    lines.append(
        f"DPO on the same {bench.params.preferences:,} comparisons ended at "
        f"{endings[DPO].gold:+.1f} SD after {bench.params.dpo_steps} steps, and choosing the best "
        f"of 64 answers at {endings['best of 64'].gold:+.1f} without any training: so watch KL and a "
        "held-out judge, not the score that is being optimised."
    )
    return " ".join(lines)


# --------------------------------------------------------------------------- afterwards


HELP = (
    f"Type up to {LENGTH} of these words to see what each judge says: {' '.join(WORDS)}. "
    "Or: sample, for sentences of every policy."
)


@dataclass(frozen=True)
class Explorer:
    """Scores typed sentences by proxy, gold and every policy."""

    bench: Bench
    policies: Mapping[str, Policy]

    def explore(self, request: str) -> Iterator[Event]:
        """`because because because`, or `sample`."""
        words = request.lower().split()
        unknown = [word for word in words if word not in WORDS]
        if words == ["sample"]:
            yield self._samples()
        elif not words or unknown or len(words) > LENGTH:
            said = f"Not a word of this language: {', '.join(unknown)}. " if unknown else ""
            yield Note(said + HELP)
        else:
            yield self._scores(torch.tensor([[WORDS.index(word) for word in words]]))

    def _scores(self, said: Tensor) -> Table:
        parts = self.bench.language.parts(said)
        rows: list[list[Cell]] = [
            ["proxy (reward model), SD", _round(self.bench.proxy(said)[0])],
            ["gold, SD", _round(self.bench.gold(said)[0])],
            ["different helpful words", int(parts.helpful[0])],
            ["repeats", int(parts.repeats[0])],
            ["grammar, nats per step", _round(parts.grammar[0])],
        ]
        with torch.no_grad():
            for name, policy in self.policies.items():
                chance = chosen(policy(said), said).item() / said.shape[1]
                rows.append([f"log-probability per word, {name}", _round(chance)])
        return Table("explore", say(said[0]), ["judge", "says"], rows)

    def _samples(self) -> Table:
        rows: list[list[Cell]] = []
        for name, policy in self.policies.items():
            said = policy.sample(3, self.bench.generator(9))
            judged = zip(said, self.bench.proxy(said), self.bench.gold(said), strict=True)
            rows += [[name, say(one), _round(proxy), _round(gold)] for one, proxy, gold in judged]
        columns = ["policy", "sentence", "proxy", "gold"]
        return Table("explore", "Sentences of every policy", columns, rows)
