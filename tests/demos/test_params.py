"""Parameters that demos share, and when bars are meant for them."""

from __future__ import annotations

import pytest

from demos.kit.params import as_default
from demos.lexical.specs import NgramParams
from demos.static.specs import CbowParams


@pytest.mark.parametrize(
    ("params", "default"),
    [
        (CbowParams(), True),
        (CbowParams(seed=3, peer=True), True),
        (CbowParams(dim=50), False),
        (CbowParams(seed=3, corpus="own.txt"), False),
    ],
)
def test_bars_are_for_the_default_settings(params: CbowParams, default: bool) -> None:
    assert as_default(params, "peer", "words") is default


def test_only_what_is_named_is_free() -> None:
    assert not as_default(NgramParams(prefix="of the"), "words")
    assert as_default(NgramParams(prefix="of the"), "words", "prefix")
