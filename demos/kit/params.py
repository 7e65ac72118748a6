"""Parameters that several demos share: range and description, written once."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from studytool.demo.spec import Meta, Params

OwnText: TypeAlias = Annotated[
    str, Meta(max_length=4096, description="your own UTF-8 text file instead")
]
Dim: TypeAlias = Annotated[int, Meta(ge=2, le=500, description="numbers per vector")]
Window: TypeAlias = Annotated[
    int, Meta(ge=1, le=20, description="reach to each side; small: same role, large: same topic")
]
Negatives: TypeAlias = Annotated[
    int,
    Meta(ge=1, le=20, description="noise words per prediction; each adds ln 2 to the first loss"),
]
NoisePower: TypeAlias = Annotated[
    float, Meta(ge=0, le=1.5, description="noise is count^power; 0 uniform, 1 plain unigram")
]
Sample: TypeAlias = Annotated[
    float, Meta(ge=0, le=1, description="subsampling threshold of frequent words; 0 keeps all")
]
MinCount: TypeAlias = Annotated[int, Meta(ge=1, le=1000, description="rarer words are left out")]
Threads: TypeAlias = Annotated[
    int, Meta(ge=1, le=16, description="several write at once without locks: not reproducible")
]
Shown: TypeAlias = Annotated[
    str, Meta(max_length=200, description="words whose neighbours are shown, by commas")
]

#: What `Shown` is unless something else is asked for.
SHOWN = "king,water,german,music,moon"


def as_default(params: Params, *free: str) -> bool:
    """Whether all parameters but the seed and `free` have their default values: bars are for these."""
    default = type(params)()
    names = set(params.__struct_fields__) - {"seed", *free}
    return all(getattr(params, name) == getattr(default, name) for name in names)
