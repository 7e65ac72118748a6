"""The runner against real processes: what it hands on, what it keeps out, and that it leaves none behind."""

from __future__ import annotations

import asyncio
import math
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from studytool.demo import registry
from studytool.demo.events import (
    Done,
    Event,
    Failed,
    Matrix,
    Metric,
    Note,
    Outcome,
    Stage,
    Table,
    Text,
)
from studytool.demo.params import decode
from studytool.demo.runner import DemoRun, Limits, RunState
from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.usefixtures("plugin"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc and pidfds"),
]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., DemoRun]:
    """Makes a run of a demo of the plugin."""

    def build(demo: str, limits: Limits | None = None, **params: Any) -> DemoRun:
        found = registry.load(demo)
        chosen = decode(found.spec.params, params)
        return DemoRun(found, chosen, cache=tmp_path / "cache", limits=limits)

    return build


async def events_of(run: DemoRun) -> list[Event]:
    async with run:
        return [event async for event in run]


def is_gone(pid: int | None, within: float = 5.0) -> bool:
    """Whether a process ends within so many seconds; it may be anybody's child."""
    assert pid is not None
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready, _, _ = select.select([watched], [], [], within)
        return bool(ready)
    finally:
        os.close(watched)


async def first(run: DemoRun, kind: type[Event]) -> Any:
    """The first event of a kind; the run goes on."""
    async for event in run:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__}")


class TestEvents:
    async def test_a_run_begins_with_a_stage_and_ends_with_done(self, make: Any) -> None:
        run = make("quick", steps=3)
        events = await events_of(run)

        assert isinstance(events[0], Stage)
        assert isinstance(events[-1], Done)
        assert events[-1].explore == "type a word to see it reversed"
        assert Outcome("how-many", 3.0) in events
        assert is_gone(run.pid)

    async def test_the_seed_and_the_cache_reach_the_run(self, make: Any, tmp_path: Path) -> None:
        await events_of(make("quick", seed=7))

        assert (tmp_path / "cache" / "quick" / "was-here").read_text() == "7"

    async def test_same_seed_same_events_even_by_hash(self, make: Any) -> None:
        first_run = await events_of(make("printer"))
        second_run = await events_of(make("printer"))

        assert first_run[-2] == second_run[-2]
        assert "hash" in str(first_run[-2])

    async def test_what_is_printed_goes_to_the_log_and_never_among_the_events(
        self, make: Any
    ) -> None:
        run = make("printer")
        events = await events_of(run)

        notes = [event.text for event in events if isinstance(event, Note)]
        assert notes[:-1] == [f"note {number}" for number in range(50)]
        assert notes[-1].startswith("stdin ''")
        for text in (
            "printed while importing",
            "written to descriptor 1",
            "printed by a child",
            '{"type": "note", "text": "stray 49"}',
            "half a line red",
        ):
            assert text in run.log

    async def test_secrets_stay_out_and_threads_are_capped(
        self, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-demos")
        monkeypatch.setenv("STUDYTOOL_LLM_URL", "http://localhost")
        monkeypatch.setenv("OMP_NUM_THREADS", "64")

        events = await events_of(make("printer"))

        table = next(event for event in events if isinstance(event, Table))
        seen = {str(name): value for name, value in table.rows}
        assert "OPENAI_API_KEY" not in seen
        assert "STUDYTOOL_LLM_URL" not in seen
        assert "sk-not-for-demos" not in str(seen)
        assert seen["OMP_NUM_THREADS"] == seen["NUMBA_NUM_THREADS"] == "1"
        assert seen["HF_HUB_OFFLINE"] == "1"

    async def test_nan_is_carried(self, make: Any) -> None:
        events = await events_of(make("crasher", how="nan"))

        metric = next(event for event in events if isinstance(event, Metric))
        matrix = next(event for event in events if isinstance(event, Matrix))
        assert math.isnan(metric.value)
        assert math.isnan(matrix.values[0][0])
        assert isinstance(events[-1], Done)

    async def test_a_flood_is_read_promptly_and_the_loop_stays_live(self, make: Any) -> None:
        """The lag counted is the loop thread's own CPU time, as other processes may hold the core."""
        longest = 0.0

        async def tick() -> None:
            nonlocal longest
            while True:
                began = time.thread_time()
                await asyncio.sleep(0.001)
                longest = max(longest, time.thread_time() - began)

        ticking = asyncio.create_task(tick())
        began = time.thread_time()
        events = await events_of(make("flooder"))
        spent = time.thread_time() - began
        ticking.cancel()

        assert sum(isinstance(event, Metric) for event in events) == 20_000
        assert longest < 0.05
        assert spent < 3

    async def test_a_run_is_started_once(self, make: Any) -> None:
        async with make("quick") as run:
            with pytest.raises(RuntimeError, match="once"):
                await run.start()


class TestFailures:
    @pytest.mark.parametrize(
        ("how", "error", "hint"),
        [
            ("raise", "ZeroDivisionError: the learning rate was zero", "a fault of the demo"),
            ("import", "No module named 'package_that_is_not_there'", "pip install 'fakedemos'"),
            ("memory", "MemoryError", "ran out of memory"),
            ("segfault", "was ended by signal SIGSEGV", "the log may say more"),
            ("exit", "SystemExit: leaving", "must return"),
            ("vanish", "ended with code 3", "the log may say more"),
            ("large", "Matrix 'attention' has 90000 numbers, at most 20000", "thin out"),
            ("print", "this one yielded a str", "a fault of the demo"),
        ],
    )
    async def test_a_crash_tells_what_happened_and_what_to_do(
        self, make: Any, how: str, error: str, hint: str
    ) -> None:
        run = make("crasher", how=how)
        events = await events_of(run)

        assert Note("so far so good") in events
        last = events[-1]
        assert isinstance(last, Failed)
        assert error in last.error
        assert hint in last.hint
        assert "\x1b" not in last.error + last.trace
        assert run.state is RunState.FAILED
        assert is_gone(run.pid)

    async def test_the_last_lines_name_the_place(self, make: Any) -> None:
        (*_, last) = await events_of(make("crasher", how="raise"))

        assert isinstance(last, Failed)
        assert "crasher.py" in last.trace
        assert last.trace.splitlines()[-1].startswith("ZeroDivisionError")

    async def test_a_segfault_shows_the_python_stack(self, make: Any) -> None:
        (*_, last) = await events_of(make("crasher", how="segfault"))

        assert isinstance(last, Failed)
        assert "crasher.py" in last.trace

    async def test_a_demo_may_give_up_itself(self, make: Any) -> None:
        events = await events_of(make("crasher", how="give-up"))

        assert events[-1] == Failed("the corpus is empty", "name another file")

    async def test_time_is_limited(self, make: Any) -> None:
        (*_, last) = await events_of(make("sleeper", limits=Limits(seconds=0.1)))

        assert isinstance(last, Failed)
        assert last.error == "the run took longer than 0.1 s"

    async def test_memory_is_limited(self, make: Any) -> None:
        limits = Limits(memory=128 * 2**20)

        (*_, last) = await events_of(make("crasher", how="hoard", limits=limits))

        assert isinstance(last, Failed)
        assert last.error == "the run used more than 0.12 GiB of memory"

    async def test_a_process_that_is_killed_from_outside_is_told(self, make: Any) -> None:
        async with make("sleeper") as run:
            await first(run, Text)
        async with make("sleeper") as run:
            events = []
            async for event in run:
                events.append(event)
                if isinstance(event, Text):
                    os.kill(run.pid, signal.SIGKILL)

        last = events[-1]
        assert isinstance(last, Failed)
        assert "SIGKILL" in last.error
        assert "memory" in last.hint


class TestEnding:
    async def test_cancel_ends_a_tree_that_ignores_sigterm_within_a_second(self, make: Any) -> None:
        run = make("spinner")
        grandchild, took = 0, math.inf
        async with run:
            async for event in run:
                if isinstance(event, Metric):
                    grandchild = int(event.value)
                    began = time.monotonic()
                    await run.cancel()
                    took = time.monotonic() - began

        assert took < 1
        assert run.state is RunState.CANCELLED
        assert is_gone(run.pid, within=0)
        assert is_gone(grandchild, within=0.5)

    async def test_a_cancelled_run_may_clean_up(self, make: Any) -> None:
        async with make("sleeper") as run:
            folder = Path((await first(run, Text)).text)
            assert folder.is_dir()

        assert not folder.exists()
        assert run.state is RunState.CANCELLED

    async def test_what_a_library_says_when_stopped_is_no_failure(self, make: Any) -> None:
        run = make("crasher", how="interrupted")
        reading = asyncio.create_task(events_of(run))
        async with asyncio.timeout(20):
            while "waiting" not in run.log:
                await asyncio.sleep(0)
        await run.cancel()
        events = await reading

        assert run.state is RunState.CANCELLED
        assert not [event for event in events if isinstance(event, Failed)]

    async def test_cancelling_the_task_that_reads_ends_the_tree(self, make: Any) -> None:
        run = make("spinner")
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def read() -> None:
            async for event in run:
                if isinstance(event, Metric):
                    seen.set_result(int(event.value))

        task = asyncio.create_task(read())
        grandchild = await seen
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert is_gone(run.pid)
        assert is_gone(grandchild)

    async def test_what_a_finished_run_left_running_is_ended(self, make: Any) -> None:
        events = await events_of(make("spinner", how="return"))

        assert isinstance(events[-1], Done)
        grandchild = next(int(event.value) for event in events if isinstance(event, Metric))
        assert is_gone(grandchild)

    async def test_cancel_is_harmless_before_and_after(self, make: Any) -> None:
        run = make("quick")
        await run.cancel()
        assert [event async for event in run] == []
        done = make("flooder")
        await events_of(done)
        await done.cancel()

        assert (run.state, done.state) == (RunState.CANCELLED, RunState.DONE)

    def test_the_death_of_the_parent_ends_the_tree(self, tmp_path: Path, plugin: Path) -> None:
        code = f"""
import asyncio, sys
sys.path.insert(0, {str(plugin)!r})
from pathlib import Path
from studytool.demo import registry
from studytool.demo.events import Metric
from studytool.demo.runner import DemoRun
async def main():
    found = registry.load("spinner")
    async with DemoRun(found, found.spec.params(), cache=Path({str(tmp_path)!r})) as run:
        async for event in run:
            if isinstance(event, Metric):
                print(run.pid, int(event.value), flush=True)
asyncio.run(main())
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            child, grandchild = map(int, parent.stdout.readline().split())
            parent.kill()

        assert is_gone(child)
        assert is_gone(grandchild)


class TestExplore:
    async def test_requests_are_answered_until_the_block_is_left(self, make: Any) -> None:
        run = make("quick")
        async with run:
            assert isinstance([event async for event in run][-1], Done)
            one = [event async for event in run.explore("live")]
            two = [event async for event in run.explore("été")]

        assert one == [Text("reversed", "live", "evil"), Metric("length", 4.0)]
        assert two[0] == Text("reversed", "été", "été")
        assert run.state is RunState.DONE
        assert is_gone(run.pid)

    async def test_a_fault_ends_the_answer_and_not_the_run(self, make: Any) -> None:
        async with make("quick") as run:
            await first(run, Done)
            (answer,) = [event async for event in run.explore("crash")]
            (word, _) = [event async for event in run.explore("abc")]

        assert isinstance(answer, Failed)
        assert answer.error == "ValueError: asked to crash"
        assert word == Text("reversed", "abc", "cba")

    async def test_an_answer_left_unread_does_not_mix_with_the_next(self, make: Any) -> None:
        async with make("quick") as run:
            await first(run, Done)
            asking = run.explore("first")
            assert isinstance(await anext(asking), Text)
            await asking.aclose()
            events = [event async for event in run.explore("second")]

        assert events == [Text("reversed", "second", "dnoces"), Metric("length", 6.0)]

    async def test_a_process_that_dies_while_it_answers_is_told(self, make: Any) -> None:
        async with make("quick") as run:
            await first(run, Done)
            (last,) = [event async for event in run.explore("die")]
            assert isinstance(last, Failed)
            assert "code 7" in last.error
            with pytest.raises(UsageError, match="answers no requests"):
                await anext(run.explore("again"))

    async def test_a_run_without_an_explorer_says_so(self, make: Any) -> None:
        run = make("flooder")
        await events_of(run)

        with pytest.raises(UsageError, match="'flooder' is done and answers no requests"):
            await anext(run.explore("hello"))
