"""Word vectors: the demos of this chapter and what can be turned in each."""

from __future__ import annotations

from typing import Annotated

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
    dim: Annotated[int, Meta(ge=2, le=500, description="numbers per word vector")] = 100
    window: Annotated[
        int,
        Meta(ge=1, le=20, description="reach to each side; small: same role, large: same topic"),
    ] = 5
    negatives: Annotated[
        int, Meta(ge=1, le=20, description="noise words per pair; each adds ln 2 to the first loss")
    ] = 5
    power: Annotated[
        float, Meta(ge=0, le=1.5, description="noise is count^power; 0 uniform, 1 plain unigram")
    ] = 0.75
    sample: Annotated[
        float, Meta(ge=0, le=1, description="subsampling threshold of frequent words; 0 keeps all")
    ] = 1e-4
    lr: Annotated[
        float,
        Meta(
            gt=0,
            le=5,
            description="first learning rate, falls to zero; from about 0.5 on it blows up",
        ),
    ] = 0.025
    min_count: Annotated[int, Meta(ge=1, le=1000, description="rarer words are left out")] = 5
    threads: Annotated[
        int, Meta(ge=1, le=16, description="several write at once without locks: not reproducible")
    ] = 1
    corpus: Annotated[
        str, Meta(max_length=4096, description="your own UTF-8 text file instead of Wikipedia")
    ] = ""
    words: Annotated[
        str, Meta(max_length=200, description="words whose neighbours are shown, by commas")
    ] = "king,water,german,music,moon"
    identity: Annotated[
        bool, Meta(description="also compare dot products with shifted PMI (5 s more)")
    ] = True
    peer: Annotated[bool, Meta(description="also train gensim on the same text (30 s more)")] = (
        False
    )


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
