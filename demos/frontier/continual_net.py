"""A small network that learns five tasks one after another, and two ways to make it remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from demos.kit.adamw import AdamW

F64: TypeAlias = NDArray[np.float64]
Scenario: TypeAlias = Literal["class", "task"]

#: The tasks in the order in which they are learned, and each digit's task.
TASKS: Final = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
_BATCH = 32
#: Far enough below any logit to be out of the softmax, and still finite.
_OUT = -1e9


@dataclass(frozen=True)
class Examples:
    """Pictures (N, 64) in [0, 1] and their digits (N)."""

    pictures: Tensor
    digits: Tensor

    def __len__(self) -> int:
        return len(self.digits)

    def take(self, chosen: Tensor) -> Examples:
        """Those at the given places, or where the mask is true."""
        return Examples(self.pictures[chosen], self.digits[chosen])

    def task(self, number: int) -> Examples:
        """Those of one task."""
        return self.take(self.digits // 2 == number)

    def joined(self, other: Examples) -> Examples:
        """These, then the others."""
        return Examples(
            torch.cat([self.pictures, other.pictures]), torch.cat([self.digits, other.digits])
        )


def load(rng: np.random.Generator) -> tuple[Examples, Examples]:
    """scikit-learn's 1,797 digits (UCI, 8 x 8 pixels), three quarters of them to train on."""
    from sklearn.datasets import load_digits

    pictures, digits = load_digits(return_X_y=True)
    order = rng.permutation(len(digits))
    cut = len(order) * 3 // 4
    first, second = (
        Examples(
            torch.from_numpy((pictures[part] / 16).astype(np.float32)),
            torch.from_numpy(digits[part].astype(np.int64)),
        )
        for part in (order[:cut], order[cut:])
    )
    return first, second


class Net(nn.Module):
    """64 pixels, two hidden layers with relu, ten logits."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Linear(64, width), nn.Linear(width, width), nn.Linear(width, 10)]
        )

    def inputs(self, pictures: Tensor) -> list[Tensor]:
        """What each layer is given; the last entry is the logits."""
        values = [pictures]
        for layer in list(self.layers)[:-1]:
            values.append(layer(values[-1]).relu())
        return [*values, self.layers[-1](values[-1])]

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 64) -> (B, 10)."""
        return self.inputs(pictures)[-1]


def masked(logits: Tensor, digits: Tensor, scenario: Scenario, seen: int) -> Tensor:
    """Logits with the classes out that the scenario rules out.

    Task-incremental: the task of each example is given, two classes remain. Class-incremental: all
    classes of the first `seen` tasks compete.
    """
    classes = torch.arange(10)
    if scenario == "task":
        keep = classes[None, :] // 2 == digits[:, None] // 2
    else:
        keep = (classes < 2 * seen)[None, :].expand_as(logits)
    return logits.masked_fill(~keep, _OUT)


@torch.no_grad()
def fisher(net: Net, data: Examples, scenario: Scenario, seen: int) -> list[Tensor]:
    """The diagonal of the Fisher information, one tensor for each parameter of `net`.

    F_i = E_x Σ_y p(y|x) (∂ log p(y|x) / ∂θ_i)², exactly: the sum over y runs over all classes, with
    the model's own probabilities and not the true labels (the "empirical" Fisher, another thing).
    The gradient of a layer's weights is δ aᵀ for one example, so the sum of its squares over
    examples is (δ²)ᵀ a²: no loop over examples is needed.
    """
    inputs = net.inputs(data.pictures)
    probabilities = masked(inputs[-1], data.digits, scenario, seen).softmax(1)
    weights = [layer.weight for layer in net.layers]
    found = [torch.zeros_like(parameter) for parameter in net.parameters()]
    for digit in range(10):
        share = probabilities[:, digit : digit + 1] / len(data)
        if share.max() == 0:
            continue
        delta = one_hot(torch.tensor(digit), 10).float() - probabilities
        for number in reversed(range(len(weights))):
            squares = share * delta**2
            found[2 * number] += squares.T @ inputs[number] ** 2
            found[2 * number + 1] += squares.sum(0)
            if number:
                delta = (delta @ weights[number]) * (inputs[number] > 0)
    return found


@dataclass(frozen=True)
class Anchor:
    """What EWC keeps of a finished task: the weights there, and how much each mattered."""

    weights: list[Tensor]
    importance: list[Tensor]


def anchor(net: Net, data: Examples, scenario: Scenario, seen: int) -> Anchor:
    """The anchor of the task whose training has just ended."""
    weights = [parameter.detach().clone() for parameter in net.parameters()]
    return Anchor(weights, fisher(net, data, scenario, seen))


def penalty(net: Net, anchors: list[Anchor]) -> Tensor:
    """½ Σ_k Σ_i F_ki (θ_i - θ*_ki)²: equation 3 of arXiv:1612.00796, summed over the old tasks."""
    total = torch.zeros(())
    for old in anchors:
        triples = zip(net.parameters(), old.weights, old.importance, strict=True)
        for now, then, importance in triples:
            total = total + (importance * (now - then) ** 2).sum()
    return total / 2


def choose_memory(data: Examples, kept: int, rng: np.random.Generator) -> Examples:
    """`kept` random examples of each digit in `data`."""
    places = [
        rng.permutation(np.flatnonzero(data.digits.numpy() == digit))[:kept]
        for digit in np.unique(data.digits.numpy())
    ]
    return data.take(torch.from_numpy(np.concatenate(places)))


@dataclass(frozen=True)
class Method:
    """How to learn: `kept` examples of each class replayed, EWC of this `strength`, or neither.

    `joint` has all tasks at once, which is what the others can only hope for.
    """

    name: str
    kept: int = 0
    strength: float = 0.0
    joint: bool = False


@dataclass(frozen=True)
class Life:
    """What became of one network: `accuracy[i, j]` on task j after the task i (joint: one row).

    `says` (stages, N) is the digit named for each test picture after each task, `memory` what was
    kept for replay. `given` is the mean accuracy at the end when the very same network is told the
    pair at the test, however it was trained.
    """

    method: Method
    accuracy: F64
    says: NDArray[np.int64]
    given: float
    memory: Examples | None = None

    @property
    def final(self) -> float:
        """The mean accuracy over all tasks at the end."""
        return float(self.accuracy[-1].mean())

    @property
    def forgotten(self) -> float:
        """How much accuracy the earlier tasks have lost on average since they were learned.

        Backward transfer of arXiv:1706.08840, section 2, with its sign turned.
        """
        stages = len(self.accuracy)
        if stages == 1:
            return 0.0
        lost = self.accuracy.diagonal()[:-1] - self.accuracy[-1, : stages - 1]
        return float(lost.mean())


@dataclass
class Learner:
    """One network on its way through the tasks; `settings` are width, epochs and rate."""

    method: Method
    scenario: Scenario
    width: int
    epochs: int
    rate: float
    rng: np.random.Generator

    def live(self, train: Examples, test: Examples) -> Life:
        """Learn the tasks one after another, and sit all five tests after each."""
        torch.manual_seed(int(self.rng.integers(2**31)))
        net = Net(self.width)
        anchors: list[Anchor] = []
        memory = train.take(torch.zeros(0, dtype=torch.long))
        rows, says = [], []
        for number in range(1 if self.method.joint else len(TASKS)):
            seen = len(TASKS) if self.method.joint else number + 1
            data = train if self.method.joint else train.task(number)
            self._learn(net, data, memory, anchors, seen)
            if self.method.strength:
                anchors.append(anchor(net, data, self.scenario, seen))
            if self.method.kept:
                memory = memory.joined(choose_memory(data, self.method.kept, self.rng))
            named = self._named(net, test, self.scenario, seen)
            says.append(named.numpy())
            rows.append(_by_task(named, test))
        given = float(np.mean(_by_task(self._named(net, test, "task", seen), test)))
        return Life(self.method, np.array(rows), np.array(says), given, memory)

    @torch.no_grad()
    def _named(self, net: Net, test: Examples, scenario: Scenario, seen: int) -> Tensor:
        return masked(net(test.pictures), test.digits, scenario, seen).argmax(1)

    def _learn(
        self, net: Net, data: Examples, memory: Examples, anchors: list[Anchor], seen: int
    ) -> None:
        """Train on one task; a fresh optimiser, so that no momentum of the last one is left.

        The task at hand counts 1/t of the loss and the memory of the t - 1 tasks before the rest.
        """
        optimiser = AdamW(net.parameters(), decay=0.0, betas=(0.9, 0.999))
        for _ in range(self.epochs):
            for chosen in torch.from_numpy(self.rng.permutation(len(data))).split(_BATCH):
                loss = self._loss(net, data.take(chosen), seen)
                if len(memory):
                    again = torch.from_numpy(self.rng.integers(0, len(memory), _BATCH))
                    old = self._loss(net, memory.take(again), seen)
                    loss = loss / seen + old * (seen - 1) / seen
                if anchors:
                    loss = loss + self.method.strength * penalty(net, anchors)
                optimiser.clear()
                loss.backward()
                optimiser.step(self.rate)

    def _loss(self, net: Net, part: Examples, seen: int) -> Tensor:
        logits = masked(net(part.pictures), part.digits, self.scenario, seen)
        return cross_entropy(logits, part.digits)


def class_means(train: Examples, test: Examples) -> Life:
    """The method with nothing to forget: the mean picture of each digit, the nearest one names.

    A mean is updated from its own class alone, so the order of the tasks changes nothing.
    """
    means = torch.stack([train.pictures[train.digits == digit].mean(0) for digit in range(10)])
    near = -torch.cdist(test.pictures, means)
    says, rows = [], []
    for seen in range(1, len(TASKS) + 1):
        named = masked(near, test.digits, "class", seen).argmax(1)
        rows.append(_by_task(named, test))
        says.append(named.numpy())
    given = float(np.mean(_by_task(masked(near, test.digits, "task", 5).argmax(1), test)))
    return Life(Method("class means"), np.array(rows), np.array(says), given)


def _by_task(named: Tensor, test: Examples) -> list[float]:
    """The share named right in each task."""
    right = (named == test.digits).double()
    return [float(right[test.digits // 2 == task].mean()) for task in range(len(TASKS))]
