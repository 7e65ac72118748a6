from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.deck.model import FileHead
from studytool.deck.render import render_file
from studytool.errors import UsageError
from studytool.grading import encoder as encoder_module
from studytool.grading.judge import JudgeFailed
from studytool.grading.model import Verdict
from studytool.paths import Paths
from studytool.schedule.model import Override
from studytool.services import decks
from studytool.services.context import App, open_app
from studytool.services.grading import GradingService, load_grader
from tests.grading import sample


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, paths: Paths) -> App:
    folder = tmp_path / "deck"
    folder.mkdir()
    head = FileHead(1, "kitchen", "K", "Bread")
    (folder / "bread.md").write_text(render_file(head, [sample.card(), sample.CLOZE]))
    app = open_app(folder, clock, paths)
    decks.sync(app)
    return app


async def test_words_first_then_the_encoder(app: App) -> None:
    with app, GradingService(app) as service:
        first = await service.grade_async(sample.card(), sample.GOOD)
        service.prepare([sample.card()]).result(timeout=60)
        second = await service.grade_async(sample.card(), sample.GOOD)

    assert first.grader == "lexical"
    assert second.grader == service.name
    assert bool(service.why_lexical) == (second.grader == "lexical")
    assert first.score == second.score == 1


def test_without_the_packages_words_must_do(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_module, "_installed", lambda _: False)

    with app, GradingService(app) as service:
        service.prepare().result(timeout=60)

        assert service.grade(sample.card(), sample.GOOD).grader == "lexical"
        assert "not installed" in service.why_lexical


def test_grading_runs_on_another_thread(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with app, GradingService(app) as service:
        grade = service._grader.grade

        def noting(*args: object, **kwargs: object) -> object:
            seen.append(threading.current_thread().name)
            return grade(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(service._grader, "grade", noting)
        service.grade(sample.card(), sample.GOOD)

    assert seen != [threading.current_thread().name]
    assert seen[0].startswith("grading")


def test_cards_by_id_and_cloze_siblings(app: App) -> None:
    with app, GradingService(app) as service:
        assert service.grade("bread-rise", sample.GOOD).score == 1
        assert service.grade("bread-cloze/c1", "yeast").score == 1
        with pytest.raises(UsageError, match="no-such"):
            service.grade("no-such", "x")


def test_overrides_are_stored_and_learned_from(app: App) -> None:
    with app, GradingService(app) as service:
        before = service.learn()
        for _ in range(12):
            service.override("bread-rise", 0, Verdict.MISSED, Verdict.COVERED)
        service.override("bread-rise", 0, Verdict.MISSED, Verdict.MISSED)
        stored = [e.body for e in app.store.events() if isinstance(e.body, Override)]
        after = GradingService(app)
        learned = after.learn()
        after.close()

    assert len(stored) == 12
    assert stored[0].chosen == "covered"
    assert before.apply((0.5, 0.4, 0.1))[1] < learned.apply((0.5, 0.4, 0.1))[1]


def test_a_judge_that_fails_leaves_the_offline_verdict(app: App) -> None:
    class Failing:
        def grade(self, *args: object) -> None:
            raise JudgeFailed("it broke")

    with app, GradingService(app) as service:
        offline = service.grade(sample.card(), sample.GOOD)
        graded = service.second_opinion(Failing(), sample.card(), sample.GOOD, offline)  # type: ignore[arg-type]

    assert graded is offline
    assert app.warnings[-1] == "it broke"
    assert service.judge({}) is None


def test_vectors_are_kept_in_the_cache(paths: Paths) -> None:
    grader, reason = load_grader(paths)
    if reason:
        pytest.skip(reason)

    grader.grade(sample.card(), sample.GOOD)

    assert len(list((paths.cache / "vectors").iterdir())) == 1
