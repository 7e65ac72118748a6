"""Which words are denied: each case names a word that must be, or must not be."""

from __future__ import annotations

import pytest

from studytool.grading.lexical import Lexicon, statement
from studytool.grading.rubric import rubric
from studytool.grading.units import Reading
from tests.grading import sample


def denied(text: str, word: str) -> bool:
    reading = Reading(text)
    return next(
        odd for token, odd in zip(reading.tokens, reading.denied, strict=True) if token.word == word
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The temperature is not fixed.", "fixed"),
        ("The temperature isn't fixed.", "fixed"),
        ("It is a myth that the temperature is fixed.", "fixed"),
        ("It is a common misconception that the temperature is fixed.", "fixed"),
        ("Many people think that it is fixed, but it is learned.", "fixed"),
        ("You might think it is fixed.", "fixed"),
        ("It's not true that it is fixed.", "fixed"),
        ("That it is fixed is wrong.", "fixed"),
        ("It is learned rather than fixed.", "fixed"),
        ("It is learned instead of fixed.", "fixed"),
        ("CLIP never fixes it.", "fixes"),
        ("That doesn't mean the scale is fixed.", "fixed"),
        ("The value is fixed. This is false.", "fixed"),
    ],
)
def test_denied(text: str, word: str) -> None:
    assert denied(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The temperature is fixed.", "fixed"),
        ("Many people think that it is fixed, but it is learned.", "learned"),
        ("It is learned rather than fixed.", "learned"),
        ("It is not only fixed, it is small.", "fixed"),
        ("It is not true that it is not fixed.", "fixed"),
        ("The wrong text must lose its row.", "row"),
        ("The squared error averages the futures.", "averages"),
        ("It is not fixed, and the scale is learned.", "learned"),
    ],
)
def test_not_denied(text: str, word: str) -> None:
    assert not denied(text, word)


def test_agreement_is_by_shared_words() -> None:
    lexicon = Lexicon(rubric(sample.card()))
    said = statement("Yeast breathes out oxygen.")

    assert lexicon.agreement(Reading("Yeast breathes out oxygen").units()[0], said) == 1
    assert lexicon.agreement(Reading("Yeast does not breathe out oxygen").units()[0], said) < 0
