from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from studytool.grading.text import plain, shown, stem, tokens
from studytool.grading.units import Reading


def test_forms_of_a_word_have_one_stem() -> None:
    assert (
        len({stem(word) for word in ("normalise", "normalised", "normalising", "normalisation")})
        == 1
    )
    assert len({stem(word) for word in ("normalize", "normalise")}) == 1
    assert len({stem(word) for word in ("cluster", "clusters", "clustered", "clustering")}) == 1


def test_numbers_have_one_form() -> None:
    assert [token.stem for token in tokens("32,768 32768.0 .07 0.07 1e3")] == [
        "32768", "32768", "0.07", "0.07", "1000",
    ]  # fmt: skip


def test_markup_is_taken_off() -> None:
    text = "The **scale** is `exp(t)` [^clip], see {claim:clip/tau-one} and [this](http://x)"

    assert plain(text) == "The scale is exp(t) , see and this"


def test_references_are_not_shown_and_code_is() -> None:
    text = "It starts at `0.07` [^clip], see {claim:clip/tau-one}. And 2 * 3 [^a] [^b]"

    assert shown(text) == "It starts at `0.07`, see. And 2 * 3"


def test_cjk_characters_are_words() -> None:
    assert [token.word for token in tokens("温度 is fixed")] == ["温", "度", "is", "fixed"]


def test_sentences_and_clauses() -> None:
    reading = Reading("Yeast eats sugar, e.g. from flour, and gives off gas. Gluten traps it!")

    spans = {unit.text for unit in reading.units()}

    assert "Gluten traps it" in spans
    assert "and gives off gas" in spans
    assert "Yeast eats sugar, e.g. from flour, and gives off gas" in spans


def test_speech_without_stops_is_cut() -> None:
    reading = Reading("and so the thing is like this you know " * 40)

    assert all(last - first <= 60 for first, last in reading.sentences)


@given(st.text(max_size=400))
def test_units_are_substrings_in_order(text: str) -> None:
    units = Reading(text).units()

    assert all(text[unit.start : unit.end] == unit.text for unit in units)
    assert [unit.start for unit in units] == sorted(unit.start for unit in units)
    assert all(len(unit.tokens) == len(unit.denied) > 0 for unit in units)
