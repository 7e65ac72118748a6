"""The whole chain: real cards, real store, real schedule, a real demo in a child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studytool.clock import FixedClock
from studytool.errors import StorageLocked
from studytool.paths import Paths
from studytool.services.context import open_app
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.demos import DemosScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.review import ReviewScreen
from tests.tui.helpers import keys, on, press, text, until


def app_over(deck: Path, paths: Paths, clock: FixedClock, **start: Any) -> StudyApp:
    return StudyApp(StoreDesk(open_app(deck, clock, paths)), **start)


async def test_study_a_card_run_its_demo_and_come_back(
    plugin: Path, deck: Path, paths: Paths, clock: FixedClock
) -> None:
    app = app_over(deck, paths, clock)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "2 new" in text(app))
        assert "Welcome." in text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "What is one and one?" in text(app))
        await press(pilot, "t", *"two")
        await press(pilot, "ctrl+r")
        assert "Measured here: (run toy)." in text(app)
        await press(pilot, "d")
        await until(pilot, lambda: on(app, DemoScreen))
        await until(pilot, lambda: "Say it: “A sum of ones is a count.”" in text(app))
        assert "✓ one and one is two   2 = 2" in text(app)
        await press(pilot, "l")
        await until(pilot, lambda: "stray words [red]on[/red] stdout" in text(app))
        await press(pilot, "l", "e", *"hello", "enter")
        await until(pilot, lambda: "HELLO" in text(app))
        await press(pilot, "escape", "b")
        await until(pilot, lambda: on(app, ReviewScreen))
        assert "you said" in text(app)
        await press(pilot, "3")
        await until(pilot, lambda: "✓ saved" in text(app))
        await press(pilot, "u")
        await until(pilot, lambda: "undone: good" in text(app))
        await press(pilot, "space")
        await until(pilot, lambda: "Measured here: 2." in text(app))
    # Another start: the run is in the history, undo goes on from there.
    app = app_over(deck, paths, clock, start="demos")
    async with app.run_test(size=(100, 120)) as pilot:  # high enough for all demos
        await until(pilot, lambda: "✓ 23 Nov" in text(app))
        assert on(app, DemosScreen)


async def type_and_leave(app: StudyApp, words: str) -> None:
    """Type into the first card's answer, and end the app once the draft is on its way."""
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "What is one and one?" in text(app))
        await press(pilot, "t", *words)
        screen = app.screen
        assert isinstance(screen, ReviewScreen)
        await until(pilot, lambda: screen._draft_timer is None)


async def test_a_draft_survives_the_end_of_the_app(
    plugin: Path, deck: Path, paths: Paths, clock: FixedClock
) -> None:
    await type_and_leave(app_over(deck, paths, clock, start="review"), "half an")
    await type_and_leave(app_over(deck, paths, clock, start="review"), " answer")
    app = app_over(deck, paths, clock, start="review")
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "half an answer" in text(app))


async def test_an_edit_shows_the_new_text_and_keeps_the_memory(
    deck: Path, paths: Paths, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def rewrite(app: StudyApp, path: str, line: int) -> bool:
        del app
        seen.append((path, line))
        file = Path(path)
        file.write_text(file.read_text(encoding="utf-8").replace("It is two.", "It is II."))
        return True

    monkeypatch.setattr("studytool.tui.editor.edit", rewrite)
    app = app_over(deck, paths, clock, start="review")
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "What is one and one?" in text(app))
        await press(pilot, "space", "e")
        await until(pilot, lambda: "It is II." in text(app))
        assert seen == [(str(deck / "toy.md"), 8)]
        await press(pilot, "3")
        await until(pilot, lambda: "✓ saved" in text(app))


async def test_browse_and_filter_real_cards(deck: Path, paths: Paths, clock: FixedClock) -> None:
    app = app_over(deck, paths, clock, start="browse")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "What is two and two?" in text(app))
        await press(pilot, *"double")
        await until(pilot, lambda: "1 of 2" in text(app))
        await until(pilot, lambda: "It is four." in text(app))
        assert on(app, BrowseScreen)
        await press(pilot, "enter", "space", "4")
        await until(pilot, lambda: "1 answer" in text(app))
        await press(pilot, "enter")
        assert on(app, BrowseScreen)


async def test_the_shipped_deck_opens(paths: Paths, clock: FixedClock) -> None:
    app = StudyApp(StoreDesk(open_app(None, clock, paths)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "Welcome." in text(app))
        await press(pilot, "enter")
        await until(pilot, lambda: "space" in keys(app))
        await press(pilot, "space", "m")
        assert "Key points" in text(app)


async def test_an_empty_folder_has_its_word(
    tmp_path: Path, paths: Paths, clock: FixedClock
) -> None:
    app = app_over(tmp_path, paths, clock)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: "There are no cards in this deck yet." in text(app))
        assert "studytool deck new" in text(app)
        assert on(app, HomeScreen)


async def test_a_second_instance_ends_with_the_storage_fault(
    deck: Path, paths: Paths, clock: FixedClock
) -> None:
    with open_app(deck, clock, paths) as first:
        assert first.store is not None
        app = app_over(deck, paths, clock)
        async with app.run_test() as pilot:
            await until(pilot, lambda: app._exit)
    assert isinstance(app.fault, StorageLocked)
    assert app.return_code == 3
