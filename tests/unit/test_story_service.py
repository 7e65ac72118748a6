"""Stories of decks: found, checked with the cards, printed, and shown with what their links are called."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from studytool.cli.main import cli
from studytool.clock import FixedClock
from studytool.deck.story import FILE
from studytool.demo.spec import DemoInfo
from studytool.errors import UsageError
from studytool.paths import Paths, builtin_content
from studytool.services import decks, story
from studytool.services.context import open_app
from studytool.services.demos import catalogue

TEXT = """title = "Ours"
asked = ["sgns-gradients", "nowhere"]

[[step]]
name = "word2vec"
year = 2013
broke = "Counts treat words as separate symbols, and that is a sentence long enough to be broken."
fixed = "Vectors \u001b[31mthat predict neighbours."
trained = "On raw text."
sources = ["arXiv:1310.4546 §2.2"]
cards = ["sgns-gradients", "nowhere"]
demos = ["skipgram", "nothing"]
""".replace("\u001b", "\\u001b")


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    folder = tmp_path / "deck"
    folder.mkdir()
    shutil.copy(builtin_content() / "static" / "word2vec.md", folder)
    (folder / FILE).write_text(TEXT, "utf-8")
    return folder


def test_a_story_is_checked_with_the_cards(deck: Path) -> None:
    report = decks.check([deck], [], catalogue().demos)
    found = [fault for fault in report.errors if fault.place.path.endswith(FILE)]

    assert [(fault.place.line, fault.rule) for fault in found] == [
        (2, "unknown-card"),
        (11, "unknown-card"),
        (12, "unknown-demo"),
    ]


def test_the_story_alone_is_checked_as_part_of_its_deck(deck: Path) -> None:
    inside = decks.check([deck], [deck / FILE], None)
    outside = decks.check([builtin_content()], [deck / FILE], None)

    for report in (inside, outside):
        assert [fault.rule for fault in report.errors] == ["unknown-card", "unknown-card"]
        assert report.cards == 0


def test_the_built_in_story_has_no_faults() -> None:
    path = builtin_content() / FILE
    report = decks.check([builtin_content()], [path], catalogue().demos)
    assert (report.errors, report.warnings) == ((), ())


def test_links_say_what_they_are(deck: Path, paths: Paths, clock: FixedClock) -> None:
    info = DemoInfo("skipgram", "Skip-gram", "static", "", "", 25, "m")
    with open_app(deck, clock, paths) as app:
        decks.sync(app)
        (told,) = story.told(app, {"skipgram": info})

    assert told.asked == ("sgns-gradients",)
    assert [link.kind for link in told.pages[0].links] == ["card", "demo"]
    assert told.pages[0].links[0].words.startswith("Derive the negative-sampling loss")
    assert told.pages[0].links[1].words == "Skip-gram"


def test_own_decks_tell_their_own(deck: Path, paths: Paths, clock: FixedClock) -> None:
    shutil.copytree(deck, paths.decks / "mine")
    with open_app(None, clock, paths) as app:
        decks.sync(app)
        assert [told.title for told in story.told(app, {})] == ["From TF-IDF to GPT-4", "Ours"]


def test_a_story_that_cannot_be_read_is_told(deck: Path, paths: Paths, clock: FixedClock) -> None:
    (deck / FILE).write_bytes(b"title = \xff")
    with open_app(deck, clock, paths) as app, pytest.raises(UsageError, match="isn't UTF-8"):
        story.told(app, {})


@pytest.mark.parametrize("width", [40, 60, 100])
def test_plain_lines_fit(width: int) -> None:
    (built_in,), _ = story.read([builtin_content()])
    lines = list(story.plain(built_in, width))

    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for step in built_in.steps:
        assert f"{step.name} ({step.year})" in text
        assert all(" ".join(getattr(step, key).split()) in text for key, _ in story.PARTS)


def test_the_command_prints_it_clean(deck: Path) -> None:
    result = CliRunner().invoke(cli, ["story", "--deck", str(deck)])

    assert result.exit_code == 0
    assert "Ours (" in result.stdout
    assert "\x1b" not in result.stdout
    assert "what broke" in result.stdout


def test_the_command_prints_json() -> None:
    result = CliRunner().invoke(cli, ["story", "--json"])

    (data,) = msgspec.json.decode(result.stdout)
    assert len(data["step"]) == 11


def test_a_deck_without_a_story(deck: Path) -> None:
    (deck / FILE).unlink()
    result = CliRunner().invoke(cli, ["story", "--deck", str(deck)])

    assert isinstance(result.exception, UsageError)
    assert "no story" in result.exception.message
