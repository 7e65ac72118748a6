"""Word vectors: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated, Literal

from demos.kit.params import (
    SHOWN,
    Dim,
    MinCount,
    Negatives,
    NoisePower,
    OwnText,
    Sample,
    Shown,
    Threads,
    Window,
)
from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class SkipgramParams(Params, frozen=True, kw_only=True):
    """Skip-gram with negative sampling, trained on the packaged Wikipedia sample or your text."""

    epochs: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="passes over the text; at 5, gensim's default, it looks broken",
        ),
    ] = 25
    dim: Dim = 100
    window: Window = 5
    negatives: Negatives = 5
    power: NoisePower = 0.75
    sample: Sample = 1e-4
    lr: Annotated[
        float,
        Meta(
            gt=0,
            le=5,
            description="first learning rate, falls to zero; from about 0.5 on it blows up",
        ),
    ] = 0.025
    min_count: MinCount = 5
    threads: Threads = 1
    corpus: OwnText = ""
    words: Shown = SHOWN
    identity: Annotated[
        bool, Meta(description="also compare dot products with shifted PMI (5 s more)")
    ] = True
    peer: Annotated[bool, Meta(description="also train gensim on the same text (30 s more)")] = (
        False
    )


class CbowParams(Params, frozen=True, kw_only=True):
    """CBOW beside skip-gram and counting, on a text with planted rare words."""

    epochs: Annotated[
        int,
        Meta(
            ge=1, le=60, description="skip-gram's passes; CBOW gets as many, and 1.4 times as many"
        ),
    ] = 12
    lr: Annotated[
        float,
        Meta(
            gt=0, le=5, description="first learning rate of both; it matters more than the method"
        ),
    ] = 0.05
    divide: Annotated[
        bool, Meta(description="CBOW's exact gradient, divided by the context words; try lr 0.25")
    ] = False
    dim: Dim = 100
    window: Window = 5
    negatives: Negatives = 5
    power: NoisePower = 0.75
    sample: Sample = 1e-4
    min_count: Annotated[
        int,
        Meta(ge=1, le=1000, description="rarer words are left out; above 5 planted ones as well"),
    ] = 5
    threads: Threads = 1
    corpus: OwnText = ""
    words: Shown = SHOWN
    peer: Annotated[
        bool, Meta(description="also gensim's skip-gram, and its CBOW in the same time (40 s more)")
    ] = False


class GloveParams(Params, frozen=True, kw_only=True):
    """GloVe on the packaged Wikipedia sample or your text, by AdaGrad and by exact least squares."""

    iterations: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="passes over the table; the loss falls long after the score rests",
        ),
    ] = 15
    dim: Annotated[int, Meta(ge=2, le=200, description="numbers per vector")] = 50
    window: Window = 10
    x_max: Annotated[
        float,
        Meta(
            gt=0,
            le=10_000,
            description="counts above weigh the same; the paper's 100 is for large texts",
        ),
    ] = 10.0
    alpha: Annotated[
        float,
        Meta(
            ge=0, le=2, description="weight is (x / x_max)^alpha; 0 weighs all filled cells alike"
        ),
    ] = 0.75
    lr: Annotated[
        float, Meta(gt=0, le=5, description="eta of AdaGrad; much larger ones end in NaN")
    ] = 0.05
    min_count: MinCount = 5
    most: Annotated[int, Meta(ge=50, le=50_000, description="the most words in the table")] = 20_000
    first: Annotated[str, Meta(max_length=50, description="ratio table: the ice of the paper")] = (
        "acid"
    )
    second: Annotated[
        str, Meta(max_length=50, description="ratio table: the steam of the paper")
    ] = "metal"
    probes: Annotated[
        str, Meta(max_length=200, description="ratio table: the words k, by commas")
    ] = "sulfuric,base,alkali,hydroxide,chloride,film"
    corpus: OwnText = ""
    words: Shown = SHOWN


class FasttextParams(Params, frozen=True, kw_only=True):
    """Skip-gram over character n-grams, trained on the packaged Wikipedia sample or your text."""

    epochs: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="passes over the text; after 3, typos are found less often than before training",
        ),
    ] = 10
    min_n: Annotated[int, Meta(ge=1, le=10, description="the shortest n-gram")] = 3
    max_n: Annotated[int, Meta(ge=1, le=10, description="the longest n-gram")] = 6
    buckets: Annotated[
        int,
        Meta(
            ge=1, le=2_000_000, description="rows for n-grams; with few, unlike n-grams share one"
        ),
    ] = 100_000
    typo: Annotated[
        Literal["delete", "swap", "replace"], Meta(description="what is done to a letter")
    ] = "delete"
    dim: Dim = 100
    window: Window = 5
    negatives: Negatives = 5
    power: NoisePower = 0.75
    sample: Sample = 1e-4
    lr: Annotated[float, Meta(gt=0, le=5, description="first learning rate, falls to zero")] = 0.05
    min_count: Annotated[int, Meta(ge=1, le=1000, description="rarer words are unknown words")] = 5
    threads: Threads = 1
    corpus: OwnText = ""
    words: Shown = SHOWN
    unknown: Annotated[
        str,
        Meta(max_length=200, description="words the text lacks, by commas: what are they near?"),
    ] = "anarchistic,unfollowable,germania"


class EvaluationParams(Params, frozen=True, kw_only=True):
    """Counting, skip-gram, CBOW and GloVe on one text at about equal CPU time, judged in many ways."""

    effort: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3,
            description="times the default passes of all trained methods; at 0.3 all look broken",
        ),
    ] = 1.0
    min_count: MinCount = 5
    fasttext: Annotated[bool, Meta(description="fastText as well (8 s more)")] = False
    corpus: OwnText = ""


SKIPGRAM = DemoSpec(
    DemoInfo(
        id="skipgram",
        title="Skip-gram with negative sampling",
        chapter="static",
        summary="Word vectors trained live: neighbours, human judgements, analogies, shifted PMI.",
        paper="Mikolov et al. 2013, arXiv:1310.4546",
        seconds=25,
        module="demos.static.skipgram",
        requires=("numpy", "scipy", "numba", "gensim"),
        explore="a word shows its neighbours; king - man + woman solves an analogy both ways",
    ),
    SkipgramParams,
)

CBOW = DemoSpec(
    DemoInfo(
        id="cbow",
        title="CBOW and rare words",
        chapter="static",
        summary="CBOW against skip-gram and counting on rare words that were planted.",
        paper="Mikolov et al. 2013, arXiv:1301.3781",
        seconds=20,
        module="demos.static.cbow",
        requires=("numpy", "scipy", "numba", "gensim"),
        explore="a word shows its neighbours; king - man + woman solves an analogy both ways",
        claims=(
            "gradient-check",
            "fast-equals-slow",
            "start-loss",
            "order-ignored",
            "equal-epochs",
            "skipgram-better-rare",
            "counting-rare",
            "counting-share",
        ),
    ),
    CbowParams,
)

GLOVE = DemoSpec(
    DemoInfo(
        id="glove",
        title="GloVe and its loss",
        chapter="static",
        summary="Log counts by weighted least squares: AdaGrad, the exact solution, ratios, scores.",
        paper="Pennington, Socher and Manning 2014, D14-1162",
        seconds=25,
        module="demos.static.glove",
        requires=("numpy", "scipy", "numba", "gensim"),
        explore="a word shows its neighbours; king - man + woman solves an analogy both ways",
        claims=(
            "table-equals-loops",
            "gradient-check",
            "fast-equals-slow",
            "exact-loss",
            "lower-loss-better",
            "behind-counting",
            "ratio-spread",
        ),
    ),
    GloveParams,
)

FASTTEXT = DemoSpec(
    DemoInfo(
        id="fasttext",
        title="fastText: words from pieces",
        chapter="static",
        summary="Vectors for typos and unknown words from n-grams; spelling told from meaning.",
        paper="Bojanowski et al. 2017, arXiv:1607.04606",
        seconds=16,
        module="demos.static.fasttext",
        requires=("numpy", "scipy", "numba", "gensim"),
        explore="any string, known or invented, shows the nearest words and the spelling they share",
        claims=(
            "gradient-check",
            "fast-equals-slow",
            "typo-top10",
            "training-finds-typos",
            "neighbours-by-spelling",
            "unknown-meaning",
        ),
    ),
    FasttextParams,
)

EVALUATION = DemoSpec(
    DemoInfo(
        id="evaluation",
        title="Judging word vectors",
        chapter="static",
        summary="Four methods at equal CPU time: intervals, analogies, hubs, hidden senses, bias.",
        paper="Levy, Goldberg and Dagan 2015, TACL 3, Q15-1016",
        seconds=25,
        module="demos.static.evaluation",
        requires=("numpy", "scipy", "numba", "gensim"),
        explore="a word shows its neighbours; king - man + woman solves an analogy both ways",
        claims=(
            "glove-last",
            "predicting-better",
            "counting-cpu",
            "raw-is-input",
            "senses-hidden",
            "senses-random",
        ),
    ),
    EvaluationParams,
)
