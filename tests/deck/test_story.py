"""Stories: read from TOML, faults with their lines, links that must exist, a length that is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.deck.load import load_folder
from studytool.deck.story import FILE, MOST_WORDS, Story, lint_story, parse_story
from studytool.paths import builtin_content

STEP = """
[[step]]
name = "word2vec"
year = 2013
broke = "Counts know no neighbours."
fixed = "Vectors that predict them."
trained = "On raw text."
sources = ["arXiv:1310.4546 §2.2"]
cards = ["sgns"]
demos = ["skipgram"]
"""
TEXT = f'title = "T"\nasked = ["tell"]\nlesson = "L"\n{STEP}{STEP}'


def sound(text: str) -> Story:
    story, faults = parse_story(text, FILE)
    assert faults == ()
    assert story is not None
    return story


def test_a_sound_story() -> None:
    story = sound(TEXT)

    assert [step.name for step in story.steps] == ["word2vec", "word2vec"]
    assert story.words == 2 + 2 * (1 + 4 + 4 + 3)
    assert lint_story(story, TEXT, FILE, {"sgns", "tell"}, {"skipgram"}) == ()
    assert lint_story(story, TEXT, FILE, {"sgns", "tell"}, None) == ()


@pytest.mark.parametrize(
    ("change", "line", "rule", "words"),
    [
        (('title = "T"', "title = "), 1, "story-toml", "isn't TOML"),
        (("trained =", "tought ="), 5, "story-field", "`tought`"),
        (("year = 2013", "year = 13"), 7, "story-field", "step 1, year"),
        (('"arXiv:1310.4546 §2.2"', ""), 11, "story-field", "step 1, sources"),
        (("2013", '"2013"'), 7, "story-field", "expected `int`"),
        (('title = "T"\n', ""), 1, "story-field", "`title`"),
        (('lesson = "L"', "lesson = 1"), 3, "story-field", "the story, lesson"),
    ],
)
def test_faults_say_where(change: tuple[str, str], line: int, rule: str, words: str) -> None:
    story, (fault,) = parse_story(TEXT.replace(*change, 1), FILE)

    assert story is None
    assert (fault.place.line, fault.rule) == (line, rule)
    assert words in fault.what


def test_no_steps_is_no_story() -> None:
    story, faults = parse_story('title = "T"\n', FILE)

    assert story is None
    assert [fault.rule for fault in faults] == ["story-field"]


def test_links_must_lead_somewhere() -> None:
    faults = lint_story(sound(TEXT), TEXT, FILE, {"sgn"}, {"skipgrams"})

    found = [(fault.place.line, fault.rule, fault.nearest) for fault in faults]
    second = TEXT.index("[[step]]", TEXT.index("[[step]]") + 1)
    below = TEXT[:second].count("\n")
    assert found == [
        (2, "unknown-card", ""),
        (12, "unknown-card", "sgn"),
        (13, "unknown-demo", "skipgrams"),
        (below + 8, "unknown-card", "sgn"),
        (below + 9, "unknown-demo", "skipgrams"),
    ]


def test_a_long_story_is_an_error() -> None:
    long = "word " * (MOST_WORDS + 1)
    text = TEXT.replace('lesson = "L"', f'lesson = "{long}"')

    (fault,) = lint_story(sound(text), text, FILE, {"sgns", "tell"}, {"skipgram"})
    assert fault.rule == "story-length"


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    story, faults = parse_story(text, FILE)
    assert (story is None) == bool(faults)


def test_the_built_in_story_is_the_one_of_the_brief() -> None:
    story = sound((builtin_content() / FILE).read_text("utf-8"))

    assert [step.name for step in story.steps] == [
        "TF-IDF", "N-grams", "word2vec", "GloVe", "ELMo", "BERT", "GPT-2", "GPT-3", "InstructGPT",
        "ChatGPT", "GPT-4",
    ]  # fmt: skip
    assert story.words <= MOST_WORDS
    years = [step.year for step in story.steps]
    assert years == sorted(years)
    assert all(step.cards for step in story.steps)


def test_the_built_in_story_is_asked_by_narrative_cards() -> None:
    from studytool.interview.plan import is_story

    story = sound((builtin_content() / FILE).read_text("utf-8"))
    cards = {card.card.id: card.card for card in load_folder(builtin_content()).cards}

    assert story.asked
    assert all(is_story(cards[name]) for name in story.asked)  # type: ignore[index]
