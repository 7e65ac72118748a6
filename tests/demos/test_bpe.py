"""Byte-pair encoding: round trips, merges by brute force, and a corpus as tokens."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from demos.kit.bpe import Bpe, learn
from demos.kit.data import DataFault
from demos.kit.tokens import tokenise
from tests.demos.foundation_kit import small_corpus

COUNTS = {" the": 50, " then": 20, " other": 9, " aaaa": 7, " aaaaa": 3, " banana": 5}


@pytest.fixture(scope="module")
def bpe() -> Bpe:
    return learn(COUNTS, 270)


def slow_merges(counts: dict[str, int], number: int) -> list[bytes]:
    """The joined tokens by the definition, one word after the other."""
    words = {word: [bytes([b]) for b in word.encode()] for word in counts}
    order = {bytes([b]): b for b in range(256)}
    found = []
    for _ in range(number):
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            break
        left, right = min(pairs, key=lambda p: (-pairs[p], order[p[0]], order[p[1]]))
        order[left + right] = len(order)
        found.append(left + right)
        for parts in words.values():
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (left, right):
                    parts[at : at + 2] = [left + right]
                at += 1
    return found


def test_merges_equal_the_definition(bpe: Bpe) -> None:
    assert bpe.tokens[256:] == slow_merges(COUNTS, 14)


@given(st.dictionaries(st.text("ab ", min_size=1, max_size=9), st.integers(1, 9), max_size=6))
@example({"aaaaaaa": 1, "aab": 2})
def test_any_merges_equal_the_definition(counts: dict[str, int]) -> None:
    assert learn(counts, 264).tokens[256:] == slow_merges(counts, 8)


@given(st.text(max_size=60))
@example("naïve 🙂\x00\n\n  שלום\ud800"[:-1])
def test_any_text_comes_back(text: str) -> None:
    bpe = learn(COUNTS, 270)

    assert bpe.decode(bpe.encode(text)) == text


def test_frequent_words_are_one_token(bpe: Bpe) -> None:
    assert [bpe.show(i) for i in bpe.encode(" the other")] == ["·the", "·", "other"] or len(
        bpe.encode(" the")
    ) == 1
    assert len(bpe.encode(" qzx")) == 4


def test_a_word_is_encoded_as_learning_left_it(bpe: Bpe) -> None:
    for word in COUNTS:
        assert b"".join(bpe.tokens[i] for i in bpe.encode(word)) == word.encode()
        assert len(bpe.encode(word)) < len(word)


def test_tokens_to_read(bpe: Bpe) -> None:
    assert bpe.show(ord(" ")) == "·"
    assert bpe.show(0x1B) == "<1b>"
    assert bpe.show(0x9F) == "<9f>"
    assert bpe.decode([0x9F]) == "\ufffd"


def test_a_small_alphabet_names_the_byte_it_lacks() -> None:
    bpe = learn(COUNTS, 20, every_byte=False)

    assert bpe.alphabet == bytes(sorted(set("".join(COUNTS).encode())))
    with pytest.raises(ValueError, match="0x7a"):
        bpe.encode("zebra")


def test_fewer_tokens_than_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        learn(COUNTS, 255)


# A corpus as tokens


def test_streams_spell_the_corpus() -> None:
    corpus = small_corpus()
    text = tokenise(corpus, 300, every=4, first=1)

    spelled = "".join("." if i < 0 else f" {corpus.words[i]}" for i in corpus.ids)
    pieces = [text.bpe.decode(part.tolist()) for part in (text.train, text.test)]

    assert len("".join(pieces)) == len(spelled)
    assert spelled.startswith(pieces[0][:1000])  # document 0 is trained on
    assert pieces[1][:500] in spelled
    assert len(pieces[1]) == pytest.approx(len(spelled) / 4, rel=0.05)
    assert text.letters_per_token == pytest.approx(len(pieces[1]) / len(text.test), rel=1e-9)


def test_the_seed_holds_out_other_documents() -> None:
    first, second = (tokenise(small_corpus(), 300, every=4, first=n) for n in (0, 1))

    assert not np.array_equal(first.test[:200], second.test[:200])


def test_windows_are_stretches_of_their_own_side() -> None:
    text = tokenise(small_corpus(), 300, every=4)
    held = text.held_out(7, 20)
    batch = text.batch(np.random.default_rng(0), 5, 20)

    assert held.shape == (7, 20)
    np.testing.assert_array_equal(held[0], text.test[:20])
    np.testing.assert_array_equal(held[-1], text.test[-20:])
    stretches = np.lib.stride_tricks.sliding_window_view(text.train, 20)
    for row in batch:
        assert (stretches == row).all(axis=1).any()


def test_one_document_is_cut_into_pieces() -> None:
    corpus = small_corpus(1, 30_000)
    text = tokenise(corpus, 300)

    assert 0.05 < len(text.test) / (len(text.test) + len(text.train)) < 0.2


def test_a_text_with_nothing_to_hold_out_is_refused() -> None:
    with pytest.raises(DataFault, match="too short"):
        tokenise(small_corpus(1, 1000), 300)
