"""The App, the thread of the store, the line of a session, and how intervals read."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.clock import FixedClock, study_day
from studytool.errors import SettingsError, StorageLocked, UsageError
from studytool.paths import Paths, builtin_content
from studytool.schedule.model import CardState, Moment, Phase
from studytool.services import timefmt
from studytool.services.agenda import AHEAD_MS, Agenda
from studytool.services.context import BUILTIN_DECK, App, deck_identity, open_app
from studytool.services.worker import StoreWorker
from studytool.settings import Settings, Study
from tests.unit.study_deck import card, write

DAY = 739_943


# The App ---------------------------------------------------------------------------------------


def test_opening_an_app_touches_nothing(clock: FixedClock, paths: Paths) -> None:
    with open_app(None, clock, paths) as app:
        assert (app.deck_name, app.deck_folder) == (BUILTIN_DECK, builtin_content())
        assert app.settings == Settings()
        assert app.warnings == []
    assert not paths.data.exists()
    assert not paths.config.exists()


def test_the_store_opens_on_first_use_and_closes_with_the_app(
    clock: FixedClock, paths: Paths
) -> None:
    with open_app(None, clock, paths) as app, open_app(None, clock, paths) as other:
        assert app.store is app.store
        with pytest.raises(StorageLocked):
            _ = other.store
    with open_app(None, clock, paths) as app:
        assert app.store.counts("none", app.moment).total == 0


def test_two_folders_of_one_name_are_two_decks(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (write(tmp_path / name / "cards", card("a")) for name in "ab")
    monkeypatch.chdir(one.parent)

    assert deck_identity(Path("cards"), paths) == deck_identity(one, paths)
    assert deck_identity(one, paths)[0] != deck_identity(two, paths)[0]
    assert deck_identity(one, paths)[0].startswith("cards-")


def test_a_deck_may_be_named_by_its_folder_in_the_users_decks(paths: Paths) -> None:
    write(paths.decks / "mine", card("a"))

    assert deck_identity(Path("mine"), paths)[1] == (paths.decks / "mine").resolve()
    with pytest.raises(UsageError, match="no folder nowhere"):
        deck_identity(Path("nowhere"), paths)


def test_faults_of_the_settings_are_warnings(clock: FixedClock, paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("[study]\nrollover_hour = 99\n")

    with open_app(None, clock, paths) as app:
        assert app.settings == Settings()
        assert any("line 2" in warning for warning in app.warnings)
        assert any("settings.toml.bad-2026-11-23" in warning for warning in app.warnings)


def test_saved_settings_are_used_at_once_and_bad_ones_not_at_all(
    clock: FixedClock, paths: Paths
) -> None:
    with open_app(None, clock, paths) as app:
        app.save_settings(Settings(study=Study(desired_retention=0.8)))
        assert app.policy.desired_retention == 0.8
        with pytest.raises(SettingsError):
            app.save_settings(Settings(study=Study(desired_retention=2.0)))
        assert app.policy.desired_retention == 0.8
    with open_app(None, clock, paths) as app:
        assert app.policy.desired_retention == 0.8


@pytest.mark.parametrize("hour", [0, 4, 12])
def test_the_app_knows_the_study_day_and_its_end(
    clock: FixedClock, paths: Paths, hour: int
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(f"[study]\nrollover_hour = {hour}\n")
    with open_app(None, clock, paths) as app:
        assert app.today == study_day(clock.now(), hour, clock.zone())
        assert app.moment == app.store.moment()
        ends = app.rollover.ends_at
        assert ends is not None
        clock.advance(timedelta(milliseconds=ends - app.moment.at_ms))
        assert app.moment.at_ms == ends
        assert app.moment.day == app.today.toordinal()


# The worker ------------------------------------------------------------------------------------


async def test_calls_run_in_order_on_one_thread() -> None:
    worker = StoreWorker()
    seen: list[tuple[int, int]] = []

    def note(number: int) -> int:
        seen.append((number, threading.get_ident()))
        return number * 2

    results = await asyncio.gather(*(worker.run(note, number) for number in range(20)))
    await worker.close()

    assert results == [number * 2 for number in range(20)]
    assert [number for number, _ in seen] == list(range(20))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


async def test_what_a_call_raises_reaches_the_caller() -> None:
    worker = StoreWorker()

    def fail() -> None:
        raise UsageError("no", hint="so")

    with pytest.raises(UsageError) as caught:
        await worker.run(fail)
    assert caught.value.hint == "so"
    assert await worker.run(len, "abc") == 3
    await worker.close()


async def test_close_waits_and_runs_the_last_call_on_the_same_thread() -> None:
    worker = StoreWorker()
    begun, go_on = threading.Event(), threading.Event()
    order: list[str] = []
    threads: set[int] = set()

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        threads.add(threading.get_ident())
        order.append("slow")

    def last() -> None:
        threads.add(threading.get_ident())
        order.append("last")

    running = asyncio.create_task(worker.run(slow))
    await asyncio.to_thread(begun.wait, 10)
    closing = asyncio.create_task(worker.close(last))
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing
    await running

    assert order == ["slow", "last"]
    assert len(threads) == 1
    await worker.close(last)
    assert order == ["slow", "last"]
    with pytest.raises(RuntimeError, match="closed"):
        await worker.run(len, "abc")


async def test_a_cancelled_wait_leaves_the_call_whole() -> None:
    worker = StoreWorker()
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        done.append(1)

    task = asyncio.create_task(worker.run(slow))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await worker.run(lambda: len(done)) == 1
    await worker.close()


async def test_a_whole_app_lives_on_the_worker(clock: FixedClock, paths: Paths) -> None:
    worker = StoreWorker()
    app: App = await worker.run(open_app, None, clock, paths)

    counts = await worker.run(lambda: app.store.counts(app.deck_name, app.moment))

    assert counts.total == 0
    await worker.close(app.close)


# The line of a session -------------------------------------------------------------------------

actions = st.lists(
    st.tuples(
        st.sampled_from(["take", "drop", "put_first", "put_last", "wait"]),
        st.sampled_from("abcde"),
        st.integers(0, 3 * AHEAD_MS),
    ),
    max_size=30,
)


@given(actions)
def test_a_card_is_in_the_agenda_at_most_once(steps: list[tuple[str, str, int]]) -> None:
    agenda = Agenda("abc")
    inside = set("abc")
    for action, name, at in steps:
        if action == "take":
            ahead = agenda.peek(at)
            taken = agenda.take(at)
            assert taken == ahead
            if taken is not None:
                inside.remove(taken)
        elif action == "drop":
            assert agenda.drop(name) == (name in inside)
            inside.discard(name)
        elif action == "wait":
            agenda.wait(name, at)
            inside.add(name)
        else:
            getattr(agenda, action)(name)
            inside.add(name)
        assert len(agenda) == len(inside)


def test_the_order_of_an_agenda() -> None:
    agenda = Agenda("ab")
    agenda.wait("w", 1_000)
    agenda.wait("v", 5_000)
    agenda.put_first("f")

    assert agenda.take(0) == "f"
    assert agenda.take(999) == "a"
    assert agenda.take(1_000) == "w"
    assert agenda.take(1_000) == "b"
    assert agenda.peek(5_000 - AHEAD_MS - 1) is None
    assert agenda.take(5_000 - AHEAD_MS) == "v"
    assert len(agenda) == 0


# Words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(30, "<1m"), (60, "<1m"), (330, "<6m"), (600, "<10m"), (3_600, "1h"), (5_400, "1.5h")],
)
def test_steps_read(seconds: int, text: str) -> None:
    state = CardState(phase=Phase.LEARNING, due_at=seconds * 1_000)

    assert timefmt.interval(state, Moment(0, DAY)) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [(1, "1d"), (29, "29d"), (30, "1mo"), (94, "3.1mo"), (364, "12mo"), (365, "1y"), (500, "1.4y")],
)
def test_intervals_read(days: int, text: str) -> None:
    state = CardState(phase=Phase.REVIEW, due_day=DAY + days)

    assert timefmt.interval(state, Moment(0, DAY)) == text
    assert timefmt.interval(CardState(), Moment(0, DAY)) == "new"


def test_durations_and_days_read() -> None:
    assert [timefmt.duration(count) for count in (5, 90, 3_600, 7_500)] == [
        "5 s",
        "2 min",
        "1 h",
        "2 h 5 min",
    ]
    today = date(2026, 11, 23)
    said = [timefmt.relative_day(today + timedelta(days=n), today) for n in (-3, -1, 0, 1, 5)]
    assert said == ["3 days ago", "yesterday", "today", "tomorrow", "in 5 days"]


def test_the_context_loads_nothing_heavy(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; from studytool.services.context import open_app\n"
        "with open_app() as app: app.moment, app.rollover\n"
        "heavy = {'sqlalchemy', 'textual', 'torch', 'numpy', 'tomlkit', 'fsrs_rs_python', 'markdown_it'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
