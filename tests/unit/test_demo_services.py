"""The use cases around demos: catalogue, start, history, guesses, comparison, saving, scaffolding."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.clock import FixedClock
from studytool.demo import events as ev
from studytool.demo.registry import UnknownDemo
from studytool.errors import MissingExtra, UsageError
from studytool.paths import Paths
from studytool.services import demo_history, demos
from studytool.services.context import open_app
from studytool.services.demo_scaffold import scaffold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.services.context import App

EVENTS: list[ev.Event] = [
    ev.Prediction("p", "Which?", ("this", "that")),
    ev.Metric("loss", 2.0, step=0),
    ev.Metric("loss", 1.0, step=1),
    ev.Metric("broken", float("nan")),
    ev.Image("i", "I", "AAAA", 1, 1),
    ev.Outcome("p", "this"),
    ev.claim("works", "it works", 0.7123, ">=", 0.65, unit="R@1"),
    ev.claim("myth", "a myth", 0.1, ">=", 0.5, expect="refuted"),
    ev.Finding("Say this."),
    ev.Done(1.0),
]


@pytest.fixture
def app(tmp_path: Path, paths: Paths, clock: FixedClock) -> Iterator[App]:
    with open_app(tmp_path, clock, paths) as opened:
        yield opened


def keep(app: App, events: list[ev.Event] = EVENTS, **more: object) -> int:
    params = {"seed": 0, "steps": 4, **more}
    return demo_history.keep_run(app, "quick", params, events, seconds=2.0)  # type: ignore[arg-type]


@pytest.mark.usefixtures("plugin")
class TestStart:
    def test_the_catalogue_knows_what_is_installed(self) -> None:
        found = demos.catalogue()

        assert found.installed("quick")
        assert not found.installed("needy")
        assert "quick" in {spec.info.id for spec in found.specs}
        assert any("broken-import" in warning for warning in found.warnings)

    def test_facts_are_what_scripts_rely_on(self) -> None:
        facts = demos.facts(demos.find("needy"))

        assert facts["installed"] is False
        assert facts["install"] == "pip install 'fakedemos[all]'"
        assert {"id", "chapter", "title", "seconds", "summary", "paper"} <= set(facts)

    def test_a_missing_package_is_told_with_the_exact_command(self, app: App) -> None:
        with pytest.raises(MissingExtra) as caught:
            demos.start(app, "needy", {})

        assert "package_that_is_not_there" in caught.value.message
        assert caught.value.hint == "Install with: pip install 'fakedemos[all]'"

    def test_wrong_names_and_values_are_refused_before_anything_runs(self, app: App) -> None:
        with pytest.raises(UnknownDemo):
            demos.start(app, "quik", {})
        with pytest.raises(UsageError, match="demo quick: steps = 0 is not allowed"):
            demos.start(app, "quick", {"steps": 0})

    async def test_a_run_with_a_cards_parameters_goes_through(self, app: App) -> None:
        async with demos.start(app, "quick", {"steps": 2}) as run:
            events = [event async for event in run]

        assert ev.Outcome("how-many", 2.0) in events
        assert (app.paths.demo_cache / "0.1.0" / "quick").is_dir()

    async def test_a_watched_run_is_saved_in_a_process_of_its_own(
        self, app: App, tmp_path: Path
    ) -> None:
        params = demos.find("quick").spec.params()

        folder = await demos.save_report(app, "quick", params, EVENTS, tmp_path / "out")

        assert "it works" in (folder / "report.md").read_text()

    async def test_a_report_has_a_folder_of_its_own_when_none_is_named(self, app: App) -> None:
        params = demos.find("quick").spec.params()

        folder = await demos.save_report(app, "quick", params, [ev.Done(1.0)])

        assert folder == app.paths.data / "reports" / "quick-20261123-100000"
        assert (folder / "report.md").exists()


class TestHistory:
    def test_a_run_comes_back_with_its_claims_and_last_numbers(self, app: App) -> None:
        run_id = keep(app)

        (past,) = demo_history.history(app, "quick")
        assert past.id == run_id
        assert past.at == datetime(2026, 11, 23, 9, 59, 58, tzinfo=UTC)
        assert past.params == {"seed": 0, "steps": 4}
        assert past.passed is True
        assert past.claims["works"] == EVENTS[6]
        assert past.metrics == {"loss": 1.0}
        assert past.finding == "Say this."

    @pytest.mark.parametrize(
        ("events", "cancelled", "passed"),
        [
            ([ev.claim("works", "it works", 0.1, ">=", 0.65), ev.Done(1)], False, False),
            ([ev.claim("myth", "m", 0.6, ">=", 0.5, expect="refuted"), ev.Done(1)], False, False),
            ([ev.Failed("it broke")], False, False),
            ([], True, None),
            ([ev.Done(1)], False, True),
        ],
    )
    def test_whether_a_run_passed(
        self, app: App, events: list[ev.Event], cancelled: bool, passed: bool | None
    ) -> None:
        demo_history.keep_run(app, "quick", {}, events, seconds=1, cancelled=cancelled)

        assert demo_history.history(app, "quick")[0].passed is passed

    def test_a_claim_without_a_number_is_not_kept(self, app: App) -> None:
        keep(app, [ev.claim("works", "it works", float("nan"), ">=", 0.65)])

        assert demo_history.history(app, "quick")[0].claims == {}

    def test_a_card_shows_the_value_of_the_users_last_run(self, app: App) -> None:
        keep(app)
        keep(app, [ev.claim("works", "it works", 0.8, ">=", 0.65, unit="R@1")])

        assert demo_history.claim_texts(app, "quick") == {
            "quick/works": "0.8 R@1",
            "quick/myth": "0.1",
        }
        assert demo_history.claim_texts(app, "never-run") == {}

    def test_the_log_is_kept_without_pictures_and_thinned(
        self, app: App, clock: FixedClock
    ) -> None:
        from datetime import timedelta

        for _ in range(demo_history.KEPT_RUNS + 2):
            keep(app)
            clock.advance(timedelta(seconds=10))

        kept = [demo_history.history(app, "quick")[i].metrics for i in (0, 9, 10, 11)]
        assert kept == [{"loss": 1.0}, {"loss": 1.0}, {}, {}]
        names = sorted(path.name for path in (app.paths.data / "runs").iterdir())
        assert len(names) == demo_history.KEPT_RUNS
        events = demo_history.read_log(app, names[-1])
        assert EVENTS[7] in events
        assert not any(isinstance(event, ev.Image) for event in events)

    @pytest.mark.parametrize("name", ["", "../collection.db", "nothing.jsonl", "bad.jsonl"])
    def test_a_log_that_is_not_there_or_damaged_is_empty(self, app: App, name: str) -> None:
        folder = app.paths.data / "runs"
        folder.mkdir(parents=True)
        (folder / "bad.jsonl").write_text("{")

        assert demo_history.read_log(app, name) == []

    def test_a_guess_is_scored_and_stored(self, app: App) -> None:
        asked = ev.Prediction("p", "Which?", ("this", "that"))

        result = demo_history.keep_guess(app, "quick", asked, "That", ev.Outcome("p", "that"), None)

        assert (result.right, result.text) == (True, "right")

    def test_two_runs_side_by_side(self, app: App) -> None:
        keep(app)
        keep(
            app,
            [ev.Metric("loss", 0.5), ev.claim("works", "it works", 0.9, ">=", 0.65)],
            steps=8,
        )
        second, first = demo_history.history(app, "quick")

        result = demo_history.compare(first, second)

        assert result.params == {"steps": (4, 8)}
        works, myth = result.claims
        assert works.change == pytest.approx(0.9 - 0.7123)
        assert (myth.name, myth.second, myth.change) == ("myth", None, None)
        assert [(pair.name, pair.change) for pair in result.metrics] == [("loss", -0.5)]


class TestScore:
    @given(st.floats(-1e9, 1e9).filter(lambda value: abs(value) > 1e-6))
    def test_a_number_guessed_exactly_has_no_error(self, value: float) -> None:
        assert demo_history.score(value, value).error == 0

    @pytest.mark.parametrize(
        ("guess", "outcome", "error", "right", "text"),
        [
            (110.0, 100.0, 0.1, True, "off by 10%"),
            (50.0, 100.0, 0.5, False, "off by 50%"),
            (-100.0, 100.0, 2.0, False, "off by 200%"),
            (0.5, 0.0, 0.5, False, "off by 50%"),
            (1e6, 1.0, 999_999, False, "far off"),
        ],
    )
    def test_numbers_have_a_relative_error(
        self, guess: float, outcome: float, error: float, right: bool, text: str
    ) -> None:
        result = demo_history.score(guess, outcome)

        assert result.error == pytest.approx(error)
        assert (result.right, result.text) == (right, text)

    def test_options_are_right_or_not(self) -> None:
        assert demo_history.score("Fancy ", "fancy").right is True
        assert demo_history.score("plain", "fancy").text == "not so"


class TestScaffold:
    def test_a_new_demo_runs_passes_its_test_and_is_a_valid_plugin(self, tmp_path: Path) -> None:
        made = scaffold("beam-search", "foundation", tmp_path)

        def python(*args: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, *args],
                cwd=made.folder,
                capture_output=True,
                text=True,
                check=False,
            )

        ran = python("-m", made.module, "--flips", "1000", "--json")
        tested = python("-m", "pytest", "-q", "-p", "no:cacheprovider")
        valid = python(
            "-c",
            "from studytool.demo.registry import spec_fault;"
            "from beam_search_demo.specs import BEAM_SEARCH as s; print(spec_fault(s, 'beam-search'))",
        )

        assert (ran.returncode, ran.stderr) == (0, "")
        assert '"type":"claim"' in ran.stdout
        assert tested.returncode == 0, tested.stdout
        assert valid.stdout.strip() == "None"

    def test_its_files_are_clean(self, tmp_path: Path) -> None:
        made = scaffold("my-demo", "static", tmp_path)
        sources = [str(path) for path in made.files if path.suffix == ".py"]

        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                "check",
                "--isolated",
                "--line-length=100",
                "--select",
                "E,F,W,B,UP,ANN,PTH,SIM",
                *sources,
            ],
            cwd=made.folder,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stdout

    def test_the_project_registers_the_demo(self, tmp_path: Path) -> None:
        import tomllib

        made = scaffold("my-demo", "static", tmp_path)

        project = tomllib.loads((made.folder / "pyproject.toml").read_text())
        points = project["project"]["entry-points"]["studytool.demos"]
        assert points == {"my-demo": "my_demo_demo.specs:MY_DEMO"}
        assert 'my-demo = "my_demo_demo.specs:MY_DEMO"' in made.entry_point

    @pytest.mark.parametrize(
        ("demo_id", "chapter"), [("Not Kebab", "static"), ("ok", "../up"), ("1st", "static")]
    )
    def test_names_are_kebab_case(self, tmp_path: Path, demo_id: str, chapter: str) -> None:
        with pytest.raises(UsageError, match="kebab-case"):
            scaffold(demo_id, chapter, tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_words_of_python_and_folders_that_exist_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="word of Python"):
            scaffold("lambda", "static", tmp_path)
        scaffold("mine", "static", tmp_path)
        with pytest.raises(UsageError, match="is there already"):
            scaffold("mine", "static", tmp_path)
