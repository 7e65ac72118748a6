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
        ("People say that it is fixed, but that is wrong.", "fixed"),
        ("Many people think that it is fixed. That's wrong.", "fixed"),
        ("They used to think it was fixed, which is a mistake.", "fixed"),
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
        ("The scale is learned. It is a myth that it is fixed.", "learned"),
        ("The scale is learned. It is wrong to say that it is fixed.", "learned"),
    ],
)
def test_not_denied(text: str, word: str) -> None:
    assert not denied(text, word)


@pytest.mark.parametrize(
    ("text", "disowned"),
    [
        ("People say that it is fixed, but that is wrong.", True),
        ("It is a myth that it is fixed.", True),
        ("The value is fixed. This is false.", True),
        ("The value is fixed.", False),
        ("The value is not fixed.", False),
        ("It is learned rather than fixed.", False),
    ],
)
def test_what_is_called_untrue_is_disowned_and_plain_denials_are_not(
    text: str, disowned: bool
) -> None:
    units = Reading(text).units()

    assert {unit.disowned for unit in units} == {disowned}


def test_agreement_is_by_shared_words() -> None:
    lexicon = Lexicon(rubric(sample.card()))
    said = statement("Yeast breathes out oxygen.")

    assert lexicon.agreement(Reading("Yeast breathes out oxygen").units()[0], said) == 1
    assert lexicon.agreement(Reading("Yeast does not breathe out oxygen").units()[0], said) < 0
