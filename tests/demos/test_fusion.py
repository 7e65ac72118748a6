"""The fusion demo: the task's optima, the models' forms, small runs, the default run."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from demos.multimodal import fusion as demo
from demos.multimodal import fusion_lack as lack
from demos.multimodal.fusion_models import FUSIONS, Fusion
from demos.multimodal.fusion_task import Task, additive_optimum, make_task
from demos.multimodal.specs import FUSION, FusionParams
from studytool.demo.events import Claim, Event, Note, Outcome, Prediction, Table
from tests.demos.static_kit import check_default, of, one, play

REFUTED = {"attention-best", "more-never-hurts", "dropout-cures-lies"}
SMALL = FusionParams(steps=24, batch=32, images=20, noise=30)


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task(np.random.default_rng(3))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], demo.Fused]:
    return play(demo.run, SMALL, tmp_path_factory.mktemp("lab"))


# ---------------------------------------------------------------------------- the task


def test_each_question_stands_with_its_negation(task: Task) -> None:
    columns = task.answers.T.reshape(6, 2, 2, 10)  # question, negated or not, wording, digit

    np.testing.assert_array_equal(columns[:, :, 0], columns[:, :, 1])
    np.testing.assert_array_equal(columns[:, 0] + columns[:, 1], 1)


@pytest.mark.parametrize(
    ("digit", "question", "answer"),
    [
        (7, "is it prime", 1),
        (9, "has it exactly two divisors", 0),
        (4, "is it odd", 0),
        (5, "is it greater than four", 1),
        (8, "is there no hole in its shape", 0),
        (6, "can three divide it", 1),
    ],
)
def test_the_answers_are_right(task: Task, digit: int, question: str, answer: int) -> None:
    assert task.answers[digit, task.questions.index(question)] == answer


def test_one_modality_has_the_optimum_that_counting_finds(task: Task) -> None:
    digits = task.digits[task.test]
    by_words = [max(column.mean(), 1 - column.mean()) for column in task.answers[digits].T]

    assert task.text_only() == pytest.approx(float(np.mean(by_words)))
    assert task.image_only() == pytest.approx(0.5)
    assert not set(task.train) & set(task.test)


def test_the_best_additive_model_ignores_the_picture(task: Task) -> None:
    picture, question = additive_optimum(task.answers)

    assert np.abs(picture).max() < 1e-9
    shares = task.answers.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(question, np.log(shares / (1 - shares)), atol=1e-6)


def test_without_negations_the_picture_would_help(task: Task) -> None:
    picture, _ = additive_optimum(task.answers[:, [0, 4, 8]])

    assert np.abs(picture).max() > 0.5


# -------------------------------------------------------------------------- the models


def logits(model: Fusion, pictures: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        result: torch.Tensor = model(pictures, words)
    return result.double()


@pytest.mark.parametrize("name", FUSIONS)
def test_only_additive_models_have_no_interaction(name: str, task: Task) -> None:
    torch.manual_seed(1)
    model = FUSIONS[name](task.vocabulary)
    a, b = torch.rand(2, 5, 64)
    words = torch.from_numpy(task.words)
    first, second = words[:5], words[5:10]
    mixed = (
        logits(model, a, first) - logits(model, b, first)
        - logits(model, a, second) + logits(model, b, second)
    )  # fmt: skip

    additive = name in {"image only", "text only", "late", "concat, linear"}
    assert (mixed.abs().max() < 1e-5) == additive


def test_attention_equals_a_loop_over_words_and_patches(task: Task) -> None:
    torch.manual_seed(2)
    model = FUSIONS["cross-attention"](task.vocabulary)
    picture, words = torch.rand(1, 64), torch.from_numpy(task.words[:1])
    with torch.no_grad():
        square = picture.view(8, 8)
        patches = [
            model.patch(square[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].reshape(4)).relu()
            + model.place[4 * r + c]
            for r, c in itertools.product(range(4), range(4))
        ]
        question = model.question(words)[0]
        found = []
        for word in words[0]:
            query = model.query(model.question.table(word) + question)
            weights = torch.stack([query @ model.key(p) / 8 for p in patches]).softmax(0)
            values = [w * model.value(p) for w, p in zip(weights, patches, strict=True)]
            found.append(torch.stack(values).sum(0))
        expected = model.head((torch.stack(found).mean(0) + question).relu())

    torch.testing.assert_close(model(picture, words), expected, atol=1e-5, rtol=1e-5)


# ------------------------------------------------------------- missing, useless, lying


def test_halves_make_the_picture_again(task: Task) -> None:
    data = lack.halves(task)
    whole = np.concatenate([data.first.reshape(-1, 8, 4), data.second.reshape(-1, 8, 4)], axis=2)

    np.testing.assert_array_equal(whole.reshape(-1, 64), task.pictures)
    assert not data.without("first").first.any()
    assert data.without("first").second.any()


def test_captions_are_right_as_often_as_said(task: Task) -> None:
    data = lack.with_captions(task, np.random.default_rng(0), 0.6)
    right = (data.second.argmax(1) == data.digits).mean()

    assert right == pytest.approx(0.6 + 0.4 / 10, abs=0.04)


def test_dropout_hides_one_modality_and_never_both() -> None:
    data = lack.Two(
        np.ones((50, 2), np.float32), np.ones((50, 3), np.float32), np.zeros(50, np.int64)
    )
    seen = []
    original = lack.joint_model

    def watched(first: int, second: int) -> torch.nn.Module:
        model = original(first, second)
        model.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lack, "joint_model", watched)
        lack.fit(data, np.random.default_rng(0), 40, dropout=0.5)
    rows = torch.cat(seen)
    first, second = rows[:, 0] > 0, rows[:, 2] > 0

    assert not (~first & ~second).any()
    assert (first & second).float().mean().item() == pytest.approx(0.5, abs=0.06)
    assert (~first).float().mean().item() == pytest.approx(0.25, abs=0.05)


# -------------------------------------------------------------------------------- runs


def test_a_small_run_asks_then_answers(small: tuple[list[Event], demo.Fused]) -> None:
    events, _ = small
    kinds = [type(event) for event in events]

    assert kinds.index(Outcome) > max(n for n, kind in enumerate(kinds) if kind is Prediction)
    assert {event.prediction for event in of(Outcome, events)} == {"late", "useless", "liar"}
    assert {event.id for event in of(Claim, events)} == {"additive-optimum"}
    assert len(one(Table, events, "fusions").rows) == len(FUSIONS)
    for row in one(Table, events, "cases").rows:
        assert all(str(cell).endswith(("✓", "✗")) for cell in row[3:])


def test_same_seed_same_events(tmp_path: Path, small: tuple[list[Event], demo.Fused]) -> None:
    again, _ = play(demo.run, SMALL, tmp_path)
    other, _ = play(
        demo.run, FusionParams(steps=24, batch=32, images=20, noise=30, seed=1), tmp_path
    )

    assert again == small[0]
    assert other != small[0]


def test_explore_answers_and_helps(small: tuple[list[Event], demo.Fused]) -> None:
    _, explorer = small
    table = one(Table, list(explorer.explore("7 is it prime?")), "asked")

    assert {row[0] for row in table.rows} == {7}
    assert {row[2] for row in table.rows} == {"yes"}
    for wrong in ("", "prime", "12 is it prime", "7", "7 zzzz"):
        (note,) = explorer.explore(wrong)
        assert isinstance(note, Note)
        assert "Type a digit" in note.text


# ------------------------------------------------------------------------- the default


def test_the_default_run(tmp_path: Path) -> None:
    events, _ = play(demo.run, FusionParams(), tmp_path)

    check_default(events, FUSION.info.claims, REFUTED)


@pytest.mark.seeds
def test_three_more_seeds(tmp_path: Path) -> None:
    found: dict[str, list[float]] = {}
    for seed in (1, 2, 3):
        events, _ = play(demo.run, FusionParams(seed=seed), tmp_path)
        check_default(events, FUSION.info.claims, REFUTED)
        for claim in of(Claim, events):
            found.setdefault(claim.id, []).append(claim.value)

    assert np.median(found["additive"]) <= 0.56
    assert np.median(found["missing-dropout"]) >= 0.85
    assert min(found["interacting"]) >= 0.95
    assert min(found["useless-cost"]) >= 0.35
