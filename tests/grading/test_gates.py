from __future__ import annotations

import pytest

from studytool.grading import gates
from studytool.grading.lexical import Lexicon
from studytool.grading.rubric import rubric
from studytool.grading.units import Reading
from tests.grading import sample

KEYWORDS = (
    "yeast, sugar, fermentation, carbon dioxide, gluten, elastic net, gas bubbles, oven spring"
)
STRUNG = (
    "So with the yeast and the sugar and the flour, and then the gas and the bubbles, and of course "
    "the gluten and the net and the oven, and about the heat and the time of it all."
)


@pytest.mark.parametrize(
    "text",
    [
        KEYWORDS,
        STRUNG,
        KEYWORDS + "\n" + KEYWORDS,
        KEYWORDS.replace(", ", "\n- "),
        KEYWORDS.replace(", ", ". "),
        KEYWORDS.replace(",", ""),
        "There is the yeast and the sugar and the gluten and the gas and the elastic net.",
        "It is about yeast, about sugar, about carbon dioxide and about gluten nets.",
        "The answer involves yeast, sugar, fermentation, carbon dioxide and of course gluten.",
        "Yeast cells are related to sugar. Gluten nets are related to gas bubbles. We have flour with "
        "warm water. There is oven heat with crust.",
        "Trained yeast, risen dough, baked bread, learned kneading, elastic net, trapped gas",
    ],
)
def test_keywords_are_no_answer(text: str) -> None:
    assert gates.stuffed(Reading(text))


@pytest.mark.parametrize(
    "text",
    [
        sample.GOOD,
        "Yeast makes gas, gluten traps it, heat expands it.",
        "- yeast: sugar to gas\n- gluten: elastic net\n- oven: gas expands",
        "co2 = yeast(sugar)\nbubbles = gluten.trap(co2)",
        "Yeast eats sugar, makes gas, gluten holds gas, heat grows bubbles, crust sets, done",
        "um so basically the yeast it eats the sugar and you get gas",
        "There is no limit to how much gas the yeast makes.",
        "There is a net of gluten, and it holds the gas, the water and the starch.",
        "The crust is the part that sets last.",
    ],
)
def test_speech_lists_and_code_are_answers(text: str) -> None:
    assert not gates.stuffed(Reading(text))


def test_a_list_of_keywords_in_an_answer_is_found_alone() -> None:
    text = f"{sample.GOOD} {KEYWORDS}."

    assert [text[start:end] for start, end in gates.stuffed(Reading(text))] == [KEYWORDS]


def test_echo() -> None:
    lexicon = Lexicon(rubric(sample.card()))

    assert gates.echoes(
        Reading("Bread dough rises, and that is why the dough rises").units()[0], lexicon
    )
    assert not gates.echoes(Reading("Bread dough rises as yeast makes gas").units()[0], lexicon)


def test_code_and_scripts() -> None:
    assert gates.is_code("x = f(y)\nreturn x @ w")
    assert not gates.is_code(sample.GOOD)
    assert gates.is_foreign("Дрожжи сбраживают сахар")
    assert not gates.is_foreign("Yeast ferments сахар")


def test_one_unit_for_everything_is_suspicious() -> None:
    assert gates.one_unit(["yeast sugar gas gluten net"] * 3)
    assert not gates.one_unit(["yeast makes gas", "gluten traps it", "heat expands it"])
