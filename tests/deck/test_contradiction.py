"""The matcher that finds an author contradicting their own answer."""

from __future__ import annotations

import pytest

from studytool.deck.contradiction import statement, statements
from studytool.deck.contradiction import voices as voices_one_of

WRONG = "The temperature is a fixed constant of 0.07."


def voices(text: str, wrong: str) -> bool:
    return voices_one_of(statements(text), statement(wrong))


@pytest.mark.parametrize(
    "text",
    [
        "In CLIP the temperature is a fixed constant of 0.07, as in other work.",
        "First a word. The temperatures are fixed constants of 0.07.",
        "It's no secret, nobody doubts it. The temperature is a fixed constant of 0.07",
    ],
)
def test_a_sentence_that_says_it_is_found(text: str) -> None:
    assert voices(text, WRONG)


@pytest.mark.parametrize(
    "text",
    [
        "The temperature is not a fixed constant of 0.07.",
        "It is a myth that the temperature is a fixed constant of 0.07.",
        "The temperature is learned and starts at 0.07.",
        "The temperature is learned. A fixed constant would have to be tuned. It starts at 0.07.",
        "`The temperature is a fixed constant of 0.07`",
    ],
)
def test_a_sentence_that_denies_or_differs_is_not(text: str) -> None:
    assert not voices(text, WRONG)


def test_a_negative_statement_is_voiced_by_its_negative() -> None:
    wrong = "Skip-gram never updates the output matrix."

    assert voices("Note that skip-gram doesn't update the output matrix.", wrong)
    assert not voices("Skip-gram updates the output matrix.", wrong)


def test_the_order_of_words_matters() -> None:
    assert not voices(
        "Skip-gram trains slower than CBOW does.", "CBOW trains slower than skip-gram."
    )
    assert voices("CBOW trains slower than skip-gram does.", "CBOW trains slower than skip-gram.")


def test_a_statement_of_two_words_is_too_short_to_judge() -> None:
    assert not voices("It is fixed and constant.", "It is fixed.")
