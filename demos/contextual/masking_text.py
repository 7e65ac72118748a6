"""BERT's masking on real text: what share of the word pieces meets which fate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from demos.contextual.letters import HIDDEN, KEPT, REPLACED, UNCHANGED, corrupt, fates
from demos.kit.corpus import Corpus
from demos.kit.minilm import packaged_tokenizer
from studytool.demo.events import Cell, Event, Table, Text, claim

_PIECES, _WORDS = 64_000, 60_000
_SHOWN = 60
_FATES = {HIDDEN: "[MASK]", REPLACED: "random piece", UNCHANGED: "left as it is"}
_SHARES = {HIDDEN: 0.8, REPLACED: 0.1, UNCHANGED: 0.1}


def count_fates(corpus: Corpus, rate: float, rng: np.random.Generator) -> Iterator[Event]:
    """A passage as BERT would read it, the four counts, and what is claimed of them."""
    tokenizer = packaged_tokenizer()
    words = (corpus.words[number] for number in corpus.ids[:_WORDS] if number >= 0)
    encoding = tokenizer.encode(" ".join(words), add_special_tokens=False)
    pieces = np.array(encoding.ids[:_PIECES], np.int64)
    fate = fates(rng, pieces.shape, rate, "80-10-10")
    size = tokenizer.get_vocab_size()
    read = corrupt(pieces, fate, rng, tokenizer.token_to_id("[MASK]"), size)
    spelled = [
        _spell(tokenizer.id_to_token(int(now)), old, int(what))
        for now, old, what in zip(read[:_SHOWN], encoding.tokens, fate, strict=False)
    ]
    yield Text(
        "passage", "As BERT reads it: {true piece} after what stands there", " ".join(spelled)
    )
    yield _table(fate, rate)
    if rate == 0.15:  # the very value of the default
        yield from _claims(fate)


def _spell(now: str, old: str, what: int) -> str:
    if what == KEPT:
        return old
    return f"{now}{{{old}}}" if what != UNCHANGED else f"{now}{{kept}}"


def _table(fate: NDArray[np.int64], rate: float) -> Table:
    n = len(fate)
    rows: list[list[Cell]] = [
        [name, int((fate == kind).sum()), round(n * rate * _SHARES[kind]),
         round(100 * float((fate == kind).mean()), 2)]
        for kind, name in _FATES.items()
    ]  # fmt: skip
    chosen = int((fate != KEPT).sum())
    rows.append(["selected, so with loss", chosen, round(n * rate), round(100 * chosen / n, 2)])
    rows.append(["not selected: read, no loss", n - chosen, round(n * (1 - rate)),
                 round(100 * (n - chosen) / n, 2)])  # fmt: skip
    columns = ["what happens to a piece", "counted", "expected", "% of all"]
    title = f"{n:,} word pieces of Wikipedia, {rate:.0%} selected"
    return Table("fates", title, columns, rows)


def _claims(fate: NDArray[np.int64]) -> Iterator[Event]:
    shares = [float((fate == kind).mean()) for kind in _FATES]
    off = max(abs(share - 0.15 * _SHARES[kind]) for share, kind in zip(shares, _FATES, strict=True))
    text = "shares of 12, 1.5 and 1.5 % of all pieces: the largest deviation"
    yield claim("shares", text, 100 * off, "<=", 0.4, unit="points")
    text = "BERT replaces 15 % of all tokens by [MASK] (share counted)"
    yield claim("fifteen-masked", text, 100 * shares[0], ">=", 14, unit="%", expect="refuted")
