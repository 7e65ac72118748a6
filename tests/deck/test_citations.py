"""Which numbers need a citation, and which references a text has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.deck import refs
from studytool.deck.citations import numbers, sentences, uncited


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It has 1,558M parameters and 48 layers.", ["1,558", "48"]),
        ("an 80/10/10 split", ["80"]),
        ("k=5 and AUC .39, -3.5 dB", ["5", ".39", "3.5"]),
        ("0.000 on every query", ["0.000"]),
        ("1 % of the tokens", ["1"]),
        ("a rate of 5e-4, 10x faster", ["5", "10"]),
        ("trained for 2000 steps on 2048 tokens", ["2000", "2048"]),
        ("costs $5 for 10 items", ["5", "10"]),
        ("7B and 2K and 5GB", ["7", "2", "5"]),
        ("line one\n8 on line two", ["8"]),
        ("R@10 is 0.71", ["0.71"]),
        # names
        ("GPT-2, BERT, word2vec, R@10, Top-1, ViT-L/14, F1, BM25, FP16, L2, c1", []),
        ("3CosAdd in 2D, the 3rd 4-gram, 1st of 2-grams", []),
        ("2C predictions, 6ND operations", []),
        # bounds, places, years, identifiers
        ("between -1 and +1, from 0 to 1.", []),
        ("equation 3, Eq. (4), §2.5, Table 2, Figure 1, step 2 and (3)", []),
        ("In 2013, Mikolov et al. (2013), Levy and Goldberg 2014, since 2017, the 1950s", []),
        ("arXiv:1301.3781, https://example.org/3, [x](notes/4.md), doi:10.1000/182", []),
        ("1. first\n2) second\n- third", []),
        # code and formulas
        ("`x = 3`, $y = 4$, $$z = 5$$ and\n\n```\n6\n```\n", []),
        ("two towers, three losses, N² pairs", []),
        ("{{c1::hidden}} and {claim:clip/r-at-1} and [^source2]", []),
    ],
)
def test_numbers_that_need_a_citation(text: str, found: list[str]) -> None:
    assert [number.text for number in numbers(text)] == found
    assert all(text.startswith(number.text, number.start) for number in numbers(text))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("It has 48 layers [^gpt]. It has 12 heads.", ["12"]),
        ("It has 48 layers.[^gpt] It has 12 heads.", ["12"]),
        ("It has 48 layers. [^gpt] It has 12 heads [^gpt].", []),
        ("It has 48 layers,\nwith 12 heads [^gpt].", []),
        ("Measured: 0.71 {claim:clip/r1}, or 0.5 [^derived].", []),
        ("- 48 layers\n- 12 heads [^gpt]", ["48"]),
        ("48 layers\n\n12 heads [^gpt]", ["48"]),
        ("| 48 | a |\n| 12 | b [^gpt] |", ["48"]),
        ("As in e.g. GPT-2, 48 layers, cf. Radford [^gpt].", []),
        ("`[^gpt]` 48 layers", ["48"]),
    ],
)
def test_a_citation_covers_its_sentence(text: str, missing: list[str]) -> None:
    assert [number.text for number in uncited(text)] == missing


def test_numbers_of_the_question_are_given() -> None:
    assert not uncited(
        "With 256 pairs there are 256 labels.", "A batch of 256 pairs: how many labels?"
    )
    assert [n.text for n in uncited("It is 5.5 nats.", "A batch of 256 pairs?")] == ["5.5"]


@given(st.text(alphabet="aA1 .\n-|[^]{}:`$/!?", max_size=60))
def test_sentences_cover_the_text_without_overlap(text: str) -> None:
    pieces = list(sentences(text))

    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(text.startswith(number.text, number.start) for number in numbers(text))


def test_references_are_found_outside_code() -> None:
    text = "a [^one] `[^two]` {claim:clip/r-at-1}\n```\n[^three] {claim:x/y}\n```\n[^derived] {claim:clip}"

    assert [note.name for note in refs.notes(text)] == ["one", "derived"]
    assert [(ref.demo, ref.claim) for ref in refs.claims(text)] == [("clip", "r-at-1")]
    assert [broken for broken, _ in refs.broken_claims(text)] == ["{claim:clip}"]
    assert [text[note.start : note.end] for note in refs.notes(text)] == ["[^one]", "[^derived]"]


@given(st.text(alphabet="a`~$\n \\1", max_size=40))
def test_blanking_code_keeps_every_place(text: str) -> None:
    masked = refs.mask_code(text)

    assert len(masked) == len(text)
    assert [i for i, c in enumerate(masked) if c == "\n"] == [
        i for i, c in enumerate(text) if c == "\n"
    ]
    assert all(new in (old, " ") for new, old in zip(masked, text, strict=True))


def test_text_without_its_footnote_marks() -> None:
    text = "At 0.07 [^clip], not `x[^1]`; twice [^a][^b]."
    assert refs.without_notes(text) == "At 0.07, not `x[^1]`; twice."
