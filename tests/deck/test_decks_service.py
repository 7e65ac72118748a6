"""The deck in the store: what is synchronised, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.deck import parse
from studytool.errors import UsageError
from studytool.paths import Paths, builtin_content
from studytool.services import decks, demos
from studytool.services.context import App, open_app
from tests.deck.strategies import body_of, file_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "deck"
    (root / "sub").mkdir(parents=True)
    (root / "a.md").write_text(file_of(body_of("one"), body_of("two")), encoding="utf-8")
    (root / "sub" / "b.md").write_text(file_of(body_of("three")), encoding="utf-8")
    return root


@pytest.fixture
def app(folder: Path, paths: Paths, clock: FixedClock) -> Iterator[App]:
    with open_app(folder, clock, paths) as opened:
        yield opened


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are parsed."""
    names: list[str] = []

    def counting(text: str, path: str) -> object:
        names.append(path)
        return original(text, path)

    original = parse.parse_file
    monkeypatch.setattr(parse, "parse_file", counting)
    return names


def cards_of(app: App) -> dict[str, str]:
    return {stored.card.id: stored.path for stored in app.store.cards(app.deck_name)}


def test_only_what_changed_is_parsed(app: App, folder: Path, parsed: list[str]) -> None:
    report = decks.sync(app)
    assert (report.added, report.total) == (3, 3)
    assert cards_of(app) == {"one": "a.md", "two": "a.md", "three": "sub/b.md"}
    assert parsed == ["a.md", "sub/b.md"]

    parsed.clear()
    again = decks.sync(app)
    assert (again.added, again.changed, again.retired, again.total) == (0, 0, 0, 3)
    assert parsed == []

    text = (folder / "a.md").read_text(encoding="utf-8").replace("Because.", "Since.", 1)
    (folder / "a.md").write_text(text, encoding="utf-8")
    assert decks.sync(app).changed == 1
    assert parsed == ["a.md"]


def test_a_renamed_file_moves_its_cards_and_a_removed_one_retires_them(
    app: App, folder: Path
) -> None:
    decks.sync(app)
    (folder / "a.md").rename(folder / "z.md")
    (folder / "sub" / "b.md").unlink()
    report = decks.sync(app)

    assert (report.moved, report.retired, report.total) == (2, 1, 2)
    assert cards_of(app) == {"one": "z.md", "two": "z.md"}
    assert decks.card_file(app, "z.md") == folder / "z.md"


def test_a_file_with_faults_gives_its_sound_cards_and_warns_until_it_is_mended(
    app: App, folder: Path
) -> None:
    broken = file_of(body_of("one"), body_of("two", sections="### Anwser\nx"))
    (folder / "a.md").write_text(broken, encoding="utf-8")

    for _ in range(2):
        app.warnings.clear()
        decks.sync(app)
        (warning,) = app.warnings
        assert "a.md has 2 faults" in warning
        assert "line 17" in warning
    assert set(cards_of(app)) == {"one", "three"}

    (folder / "a.md").write_text(broken.replace("Anwser", "Answer"), encoding="utf-8")
    app.warnings.clear()
    assert decks.sync(app).total == 3
    assert app.warnings == []


def test_a_file_that_can_not_be_read_leaves_its_cards_as_they_were(app: App, folder: Path) -> None:
    decks.sync(app)
    (folder / "a.md").write_bytes(b"\xff\xfe\x00")

    assert decks.sync(app).total == 3
    assert "UTF-8" in app.warnings[0]


def test_an_id_in_two_files_counts_once(app: App, folder: Path) -> None:
    (folder / "c.md").write_text(file_of(body_of("one"), body_of("four")), encoding="utf-8")
    assert decks.sync(app).total == 4
    assert cards_of(app)["one"] == "a.md"

    (folder / "a.md").unlink()
    decks.sync(app)
    assert cards_of(app)["one"] == "c.md"


def test_the_default_study_set_holds_the_users_own_decks(paths: Paths, clock: FixedClock) -> None:
    own = paths.decks / "work" / "mine.md"
    own.parent.mkdir(parents=True)
    own.write_text(file_of(body_of("my-own-card")), encoding="utf-8")

    with open_app(None, clock, paths) as app:
        decks.sync(app)
        stored = app.store.card(app.deck_name, "my-own-card")
        assert stored is not None
        assert decks.card_file(app, stored.path) == own
        builtin = next(path for name, path in cards_of(app).items() if name != "my-own-card")
        assert decks.card_file(app, builtin).is_relative_to(builtin_content())
    assert decks.study_folders(paths) == [builtin_content(), paths.decks]
    assert decks.study_folders(paths, Path("work")) == [own.parent.resolve()]


def test_the_built_in_deck_is_sound() -> None:
    report = decks.check([builtin_content()], [], demos.catalogue().demos)

    assert [str(fault) for fault in report.errors] == []
    assert report.cards >= 60


def test_paths_inside_the_deck_are_checked_with_the_whole_deck_in_view(
    folder: Path, tmp_path: Path
) -> None:
    linked = file_of(body_of("five", sections="### Answer\nx\n### Follow-ups\n- one\n- gone"))
    (folder / "sub" / "c.md").write_text(linked, encoding="utf-8")
    (tmp_path / "other.md").write_text(linked, encoding="utf-8")

    inside = decks.check([folder], [folder / "sub" / "c.md"], None)
    outside = decks.check([folder], [tmp_path / "other.md"], None)

    assert (inside.cards, outside.cards) == (1, 1)
    assert [fault.what for fault in inside.errors] == ["follow-up 'gone' is no card of this deck"]
    assert len(outside.errors) == 2
    with pytest.raises(UsageError, match="nowhere"):
        decks.check([folder], [tmp_path / "nowhere"], None)


def test_a_card_is_found_by_its_id_or_the_nearest_is_named(folder: Path) -> None:
    assert decks.find([folder], "two").card.id == "two"
    assert decks.find([folder], "two/c1").card.id == "two"
    with pytest.raises(UsageError, match="thre") as fault:
        decks.find([folder], "thre")
    assert "three" in fault.value.hint
