"""World models: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated, Literal

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class DynaParams(Params, frozen=True, kw_only=True):
    """Learn from each real step once, or imagine it again many times: environment steps counted."""

    lake: Annotated[
        Literal["4x4", "8x8"],
        Meta(description="the frozen lake's map; the larger one has a reward far from the start"),
    ] = "8x8"
    replays: Annotated[
        int,
        Meta(ge=1, le=50, description="imagined steps for each real one; 1 hardly helps"),
    ] = 10
    most: Annotated[
        int,
        Meta(ge=500, le=400_000, description="real steps after which a learner is given up"),
    ] = 200_000
    epsilon: Annotated[
        float, Meta(ge=0, le=1, description="share of random actions; 0 relies on optimism alone")
    ] = 0.1
    optimism: Annotated[
        float,
        Meta(ge=0, le=1, description="first value of every action on the lake; 0 rarely finds it"),
    ] = 1.0
    taxi: Annotated[bool, Meta(description="the second world too: Taxi, 500 states")] = True

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        return self == DynaParams(seed=self.seed)


DYNA = DemoSpec(
    DemoInfo(
        id="dyna",
        title="Dyna: imagine what you have seen",
        chapter="world",
        summary="Model-based against model-free on FrozenLake and Taxi, by real steps needed.",
        paper="Sutton 1990, Dyna; Brafman and Tennenholtz 2002, R-max",
        seconds=15,
        module="demos.world.dyna",
        requires=("numpy", "gymnasium"),
        explore="type a learner (q, dyna, counts) to see its way over the lake, or: taxi",
        claims=(
            "brute-force",
            "lake-fewer",
            "counts-fewer",
            "taxi-fewer",
            "five-times-replays",
            "random-fails",
        ),
    ),
    DynaParams,
)


class MctsParams(Params, frozen=True, kw_only=True):
    """Tree search on noughts and crosses, with the true rules and with learned ones."""

    simulations: Annotated[
        int,
        Meta(ge=2, le=3000, description="imagined games before each move; 1,000 hardly ever lose"),
    ] = 300
    select: Annotated[
        Literal["uct", "puct"],
        Meta(description="how a move is picked to be imagined; puct here has an even prior"),
    ] = "uct"
    c: Annotated[
        float,
        Meta(ge=0, le=20, description="weight of the bonus for seldom tried moves; 0 is greedy"),
    ] = 1.4
    watched: Annotated[
        int,
        Meta(ge=1, le=5000, description="random games the network has watched; 3,000 are enough"),
    ] = 500
    fitting: Annotated[
        int, Meta(ge=1, le=5000, description="training steps of the network that learns the rules")
    ] = 1000
    games: Annotated[
        int, Meta(ge=2, le=200, description="games against perfect play for each figure")
    ] = 40


MCTS = DemoSpec(
    DemoInfo(
        id="mcts",
        title="Tree search in a learned world",
        chapter="world",
        summary="MCTS with true and learned rules against perfect play; then play against it.",
        paper="Kocsis and Szepesvári 2006; Schrittwieser et al. 2020, arXiv:1911.08265",
        seconds=17,
        module="demos.world.mcts",
        requires=("numpy", "torch"),
        explore="new, new second or new learned begins a game; then type a cell from 1 to 9",
        claims=(
            "minimax",
            "true-rules",
            "more-simulations",
            "nearly-right",
            "all-learned",
            "seeks-errors",
            "random-loses",
        ),
    ),
    MctsParams,
)


class RewardParams(Params, frozen=True, kw_only=True):
    """One goal, several rewards for it: given, shaped, hacked, learned from preferences."""

    preferences: Annotated[
        int,
        Meta(ge=10, le=5000, description="comparisons the learned reward sees; 30 are too few"),
    ] = 1000
    bonus: Annotated[
        float,
        Meta(ge=0, le=1, description="paid for each step nearer; 0.1 is hacked, 0.001 is not"),
    ] = 0.1
    labeller: Annotated[
        Literal["closeness", "true"],
        Meta(description="what the mistaken labeller likes; true: he makes no mistake"),
    ] = "closeness"
    level: Annotated[
        bool,
        Meta(description="set the learned typical step to -0.1; comparisons leave it open"),
    ] = True
    most: Annotated[
        int,
        Meta(ge=500, le=200_000, description="real steps after which Q-learning is given up"),
    ] = 60_000

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        return self == RewardParams(seed=self.seed)


REWARD = DemoSpec(
    DemoInfo(
        id="reward",
        title="Rewards: shaped, hacked, learned",
        chapter="world",
        summary="Sparse, shaped and naive rewards, one hacked; one learned from preferences.",
        paper="Ng, Harada and Russell 1999; Christiano et al. 2017, arXiv:1706.03741",
        seconds=6,
        module="demos.world.reward",
        requires=("numpy", "torch"),
        explore="a number of preferences, such as 30 or 300, and table or closeness after it",
        claims=(
            "q-identity",
            "shaping-faster",
            "any-bonus",
            "learned-agrees",
            "learned-return",
            "agreement-is-enough",
            "hacked-learned",
            "hacked-true",
        ),
    ),
    RewardParams,
)


class TransitionParams(Params, frozen=True, kw_only=True):
    """Four ways to say what comes next, in a world that goes two ways; and errors that grow."""

    sharp: Annotated[
        float,
        Meta(ge=0, le=100, description="0: the side is a coin toss; 60: all but settled by x"),
    ] = 3.0
    noise: Annotated[
        float,
        Meta(ge=0.02, le=0.4, description="spread of a resting place; at 0.4 the gap fills up"),
    ] = 0.1
    kernels: Annotated[
        int, Meta(ge=1, le=20, description="bells of the mixture; 1 is the single Gaussian again")
    ] = 5
    bins: Annotated[
        int, Meta(ge=2, le=201, description="bins of the categorical; 5 are too coarse")
    ] = 51
    examples: Annotated[
        int, Meta(ge=10, le=50_000, description="balls watched; 50 are learned by heart")
    ] = 4000
    steps: Annotated[
        int, Meta(ge=1, le=5000, description="training steps of each net; 30 are too few")
    ] = 1200
    paths: Annotated[
        int,
        Meta(ge=2, le=400, description="pendulum paths of 60 steps watched; 10 nearly suffice"),
    ] = 100
    unroll: Annotated[
        int,
        Meta(ge=1, le=10, description="own steps in the pendulum's loss; 5 hardly help, cost 5x"),
    ] = 1

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        return self == TransitionParams(seed=self.seed)


TRANSITION = DemoSpec(
    DemoInfo(
        id="transition",
        title="Transitions: a future that goes two ways",
        chapter="world",
        summary="Point, Gaussian, mixture and categorical predictions; error by horizon.",
        paper="Bishop 1994, Mixture Density Networks, NCRG/94/004",
        seconds=11,
        module="demos.world.transition",
        requires=("numpy", "torch"),
        explore="a place from -1 to 1 and a push, such as 0.2 left: where will the ball rest?",
        claims=(
            "gradient-check",
            "impossible-mean",
            "impossible-gaussian",
            "impossible-mixture",
            "impossible-categorical",
            "mean-wins-error",
            "lowest-error-possible",
            "likelihood-gap",
            "near-truth",
            "compounding",
            "few-paths",
            "own-states-worse",
        ),
    ),
    TransitionParams,
)


class MpcParams(Params, frozen=True, kw_only=True):
    """Learn how a pendulum moves from 400 real steps, plan in it, and see what goes wrong."""

    planner: Annotated[
        Literal["cem", "mppi", "shooting"],
        Meta(description="how torques are searched; shooting never refits and balances shakily"),
    ] = "cem"
    fitting: Annotated[
        int, Meta(ge=1, le=5000, description="gradient steps of each net; below 100 it fails")
    ] = 1500
    few: Annotated[
        int, Meta(ge=1, le=5000, description="gradient steps of the hasty net; 300 may do")
    ] = 30
    nets: Annotated[
        int, Meta(ge=2, le=10, description="members of the ensemble; each costs as much as one net")
    ] = 3
    offline: Annotated[
        int, Meta(ge=10, le=200, description="random steps behind the promises; 200 promise less")
    ] = 25
    horizon: Annotated[
        int, Meta(ge=2, le=50, description="steps imagined ahead; a short plan sees no swing")
    ] = 20
    tries: Annotated[
        int, Meta(ge=5, le=1000, description="sequences imagined in each round; time grows with it")
    ] = 120
    episodes: Annotated[
        int, Meta(ge=1, le=20, description="fresh episodes that each planner is judged on")
    ] = 3

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        return self == MpcParams(seed=self.seed)


MPC = DemoSpec(
    DemoInfo(
        id="mpc",
        title="MPC: plan in a world learned from 400 steps",
        chapter="world",
        summary="A learned pendulum, planned in: one net or several, promised against real return.",
        paper="Chua et al. 2018, PETS, arXiv:1805.12114",
        seconds=30,
        module="demos.world.mpc",
        requires=("numpy", "torch", "gymnasium"),
        explore="cem, mppi, shooting or true play an episode; fit 100 fits a new net first",
        claims=(
            "gymnasium",
            "after-400",
            "near-truth",
            "random-fails",
            "too-little",
            "ensemble-needed",
            "promise-too-good",
        ),
    ),
    MpcParams,
)
