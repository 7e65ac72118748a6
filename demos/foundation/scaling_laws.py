"""Scaling laws as pure functions: three forms, how each is fitted, and what a budget should buy.

N counts parameters, D training tokens, C training operations (FLOP), L is a loss in nats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from math import exp
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

F64: TypeAlias = NDArray[np.float64]


def training_flops(parameters: float, tokens: float) -> float:
    """C = 6 N D: forward a multiply and an add per weight and token, backward twice that.

    Kaplan et al. 2020 (arXiv:2001.08361), section 2.1; attention's part in T is left out.
    """
    return 6 * parameters * tokens


# %% One variable: a line on log-log axes, and a line that ends in a floor


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """L(N) = floor + scale · N^(-exponent); `misfit` is the root mean square error of the fit."""

    scale: float
    exponent: float
    floor: float = 0.0
    misfit: float = 0.0

    def __call__(self, parameters: float) -> float:
        return float(self.floor + self.scale * parameters**-self.exponent)


def fit_line(parameters: F64, losses: F64, floor: float = 0.0) -> PowerLaw:
    """Least squares for log(L - floor) against log N: a straight line when floor is 0."""
    slope, start = np.polyfit(np.log(parameters), np.log(losses - floor), 1)
    law = PowerLaw(float(np.exp(start)), float(-slope), floor)
    errors = np.array([law(n) for n in parameters]) - losses
    return PowerLaw(law.scale, law.exponent, floor, float(np.sqrt((errors**2).mean())))


def floors(parameters: F64, losses: F64, grid: int = 400) -> list[PowerLaw]:
    """The best line for each of `grid` floors from 0 to just below the lowest loss."""
    tries = np.linspace(0, losses.min(), grid, endpoint=False)
    return [fit_line(parameters, losses, float(floor)) for floor in tries]


def fit_with_floor(parameters: F64, losses: F64) -> PowerLaw:
    """The law with the floor that fits best (Kaplan's form plus an irreducible loss)."""
    return min(floors(parameters, losses), key=lambda law: law.misfit)


def plausible(laws: list[PowerLaw], factor: float = 1.25) -> list[PowerLaw]:
    """Those whose misfit is within `factor` of the best: the points can't tell them apart."""
    best = min(law.misfit for law in laws)
    return [law for law in laws if law.misfit <= factor * best + 1e-12]


# %% Two variables


@dataclass(frozen=True, slots=True)
class Chinchilla:
    """L(N, D) = E + A / N^α + B / D^β (Hoffmann et al. 2022, arXiv:2203.15556, equation 2)."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __call__(self, parameters: F64 | float, tokens: F64 | float) -> F64:
        size = np.asarray(parameters, float) ** -self.alpha
        data = np.asarray(tokens, float) ** -self.beta
        return self.E + self.A * size + self.B * data

    def optimum(self, flops: float) -> tuple[float, float]:
        """The N and D that minimise L at 6 N D = C (equation 4).

        N = G (C/6)^(β/(α+β)), D = (C/6)^(α/(α+β)) / G, with G = (αA / βB)^(1/(α+β)).
        """
        both = self.alpha + self.beta
        g = (self.alpha * self.A / (self.beta * self.B)) ** (1 / both)
        return g * (flops / 6) ** (self.beta / both), (flops / 6) ** (self.alpha / both) / g


#: What Hoffmann et al. report from their third approach (section 3.3 of the paper).
PUBLISHED = Chinchilla(1.69, 406.4, 410.7, 0.34, 0.28)


@dataclass(frozen=True, slots=True)
class Kaplan:
    """L(N, D) = ((Nc/N)^(αN/αD) + Dc/D)^αD (Kaplan et al. 2020, equation 1.5): no floor."""

    Nc: float
    Dc: float
    alpha_n: float
    alpha_d: float

    def __call__(self, parameters: F64 | float, tokens: F64 | float) -> F64:
        size = (self.Nc / np.asarray(parameters, float)) ** (self.alpha_n / self.alpha_d)
        return (size + self.Dc / np.asarray(tokens, float)) ** self.alpha_d


#: Exponents and scales as Kaplan et al. print them (section 1.2).
KAPLAN = Kaplan(8.8e13, 5.4e13, 0.076, 0.095)


def fit_chinchilla(parameters: F64, tokens: F64, losses: F64) -> Chinchilla:
    """The five numbers from runs: Huber loss of log L, from several starts (equation 3, δ = 1e-3).

    log L is predicted as logsumexp(a - α ln N, b - β ln D, e), so that A = e^a, B = e^b, E = e^e
    stay positive. One start may end in a poor valley, hence several.
    """
    n, d, target = np.log(parameters), np.log(tokens), np.log(losses)

    def predict(point: F64) -> F64:
        a, b, e, alpha, beta = point
        terms = np.stack([a - alpha * n, b - beta * d, np.full_like(n, e)])
        return np.logaddexp.reduce(terms)

    starts = [
        np.array([a, a, np.log(losses.min()), power, power])
        for a in (2.0, 6.0, 10.0)
        for power in (0.2, 0.5)
    ]
    a, b, e, alpha, beta = _best_fit(predict, target, starts)
    return Chinchilla(exp(e), exp(a), exp(b), alpha, beta)


def fit_kaplan(parameters: F64, tokens: F64, losses: F64) -> Kaplan:
    """Kaplan's four numbers from runs, in the same way."""
    n, d, target = np.log(parameters), np.log(tokens), np.log(losses)

    def predict(point: F64) -> F64:
        log_nc, log_dc, alpha_n, alpha_d = point
        return alpha_d * np.logaddexp(alpha_n / alpha_d * (log_nc - n), log_dc - d)

    starts = [np.array([at, at, power, power]) for at in (25.0, 35.0) for power in (0.05, 0.2)]
    log_nc, log_dc, alpha_n, alpha_d = _best_fit(predict, target, starts)
    return Kaplan(exp(log_nc), exp(log_dc), alpha_n, alpha_d)


def _best_fit(predict: Callable[[F64], F64], target: F64, starts: list[F64]) -> list[float]:
    """The point with the least Huber loss over all starts."""
    from scipy.optimize import least_squares

    ends = [
        least_squares(
            lambda point: predict(point) - target,
            start,
            loss="huber",
            f_scale=1e-3,
            x_scale=np.maximum(np.abs(start), 0.1),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
            max_nfev=400,
        )
        for start in starts
    ]
    best = min(ends, key=lambda end: end.cost)
    return [float(number) for number in best.x]


# %% Checks


def planted_runs(
    law: Chinchilla | Kaplan, noise: float, rng: np.random.Generator
) -> tuple[F64, ...]:
    """48 made-up runs of a known law: N, D, and L with relative noise. 8 sizes by 6 amounts."""
    n, d = (axis.ravel() for axis in np.meshgrid(np.logspace(7.5, 10.5, 8), np.logspace(9, 12, 6)))
    return n, d, law(n, d) * np.exp(rng.normal(0, noise, n.shape))


def relative_errors(found: Chinchilla | Kaplan, truth: Chinchilla | Kaplan) -> F64:
    """How far each number of a fit is from the planted one."""
    return np.abs(np.array(astuple(found)) / np.array(astuple(truth)) - 1)


def optimum_by_search(law: Chinchilla, flops: float, points: int = 200_001) -> tuple[float, float]:
    """The best N and D for a budget by trying many, to check `Chinchilla.optimum`."""
    n = np.logspace(5, 14, points)
    best = int(np.argmin(law(n, flops / 6 / n)))
    return float(n[best]), float(flops / 6 / n[best])
