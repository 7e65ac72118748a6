"""Future directions: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class ContinualParams(Params, frozen=True, kw_only=True):
    """Five tasks one after another: what is left of the first, and what keeps it."""

    kept: Annotated[
        int,
        Meta(ge=1, le=100, description="examples of each digit replayed; 50 beat the class means"),
    ] = 10
    strength: Annotated[
        float,
        Meta(gt=0, le=1e7, description="EWC's pull to old weights; 1e6 learns hardly anything new"),
    ] = 1000.0
    epochs: Annotated[
        int,
        Meta(ge=1, le=100, description="passes over each task; 1 is too few for replay to work"),
    ] = 10
    width: Annotated[
        int,
        Meta(
            ge=2,
            le=512,
            description="hidden units in each of two layers; 4 are too few for ten digits",
        ),
    ] = 128
    rate: Annotated[
        float, Meta(gt=0, le=1, description="learning rate of Adam; 0.1 harms even the joint task")
    ] = 1e-3
    sweep: Annotated[bool, Meta(description="EWC at four more strengths, from 10 to 100,000")] = (
        True
    )

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        return self == ContinualParams(seed=self.seed)


CONTINUAL = DemoSpec(
    DemoInfo(
        id="continual",
        title="Learning one thing after another",
        chapter="frontier",
        summary="Forgetting on split digits: naive, EWC and replay, with and without the task.",
        paper="Kirkpatrick et al. 2017, arXiv:1612.00796; van de Ven et al. 2020",
        seconds=16,
        module="demos.frontier.continual",
        requires=("numpy", "torch", "sklearn", "PIL"),
        explore="naive, ewc 100, replay 5 or joint; with the word task after it, the task is given",
        claims=(
            "naive-forgets",
            "names-the-last",
            "replay-keeps",
            "few-beat-ewc",
            "ewc-class",
            "ewc-right-strength",
            "same-network",
            "task-given",
            "ewc-task",
            "replay-best",
            "joint",
        ),
    ),
    ContinualParams,
)
