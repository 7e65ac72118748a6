"""The parts of CLIP: the loss against a reference, ranking, the towers, the picture sheets."""

from __future__ import annotations

import base64
import io
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from demos.kit.adamw import AdamW
from demos.kit.images import GREEN, GREY, contact_sheet, picture_event
from demos.kit.retrieval import bag_of_words, chance_recall, copy_similarity, ranks, recall_at
from demos.kit.towers import ImageTower, TwoTowers, WordTower, ink
from demos.kit.words import Vocabulary
from demos.multimodal.clip import contrastive_loss, loss_floor, loss_from_definition, shifted
from demos.multimodal.clip_study import modality_gap


def unit(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    vectors = rng.normal(size=(n, d))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# The loss


@given(st.integers(0, 10**6), st.integers(2, 12), st.floats(0.01, 5))
@settings(max_examples=40, deadline=None)
def test_loss_is_minus_log_probability_of_the_pairs(seed: int, n: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    images, texts = unit(rng, n, 6), unit(rng, n, 6)

    ours = contrastive_loss(torch.from_numpy(images), torch.from_numpy(texts), 1 / temperature)

    expected = loss_from_definition(images, texts, 1 / temperature)
    assert ours.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_loss_equals_open_clip() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its import warns of is not ours
        from open_clip.loss import ClipLoss
    for seed in range(5):
        rng = np.random.default_rng(seed)
        images = torch.from_numpy(unit(rng, 64, 128)).float()
        texts = torch.from_numpy(unit(rng, 64, 128)).float()
        scale = torch.tensor(1 / 0.07)
        theirs = ClipLoss()(images, texts, scale)
        assert contrastive_loss(images, texts, scale).item() == pytest.approx(
            theirs.item(), abs=1e-6
        )


def test_gradient_of_the_loss_is_its_finite_difference() -> None:
    generator = torch.Generator().manual_seed(1)
    shape = (5, 4)
    images = torch.randn(shape, dtype=torch.float64, generator=generator, requires_grad=True)
    texts = torch.randn(shape, dtype=torch.float64, generator=generator, requires_grad=True)
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(contrastive_loss, (images, texts, scale))


def test_directions_are_the_two_halves() -> None:
    rng = np.random.default_rng(0)
    images, texts = torch.from_numpy(unit(rng, 7, 5)), torch.from_numpy(unit(rng, 7, 5))

    one = contrastive_loss(images, texts, 10, "image_to_text")
    other = contrastive_loss(images, texts, 10, "text_to_image")

    assert one.item() != pytest.approx(other.item())
    assert contrastive_loss(texts, images, 10, "image_to_text").item() == pytest.approx(
        other.item()
    )
    assert contrastive_loss(images, texts, 10).item() == pytest.approx((one + other).item() / 2)


def test_equal_vectors_give_ln_n() -> None:
    same = torch.ones(9, 4, dtype=torch.float64) / 2

    assert contrastive_loss(same, same, 50).item() == pytest.approx(math.log(9))


@given(st.integers(0, 10**6), st.integers(2, 10), st.floats(0.02, 10))
@settings(max_examples=60, deadline=None)
def test_no_vectors_get_below_the_floor(seed: int, n: int, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    images = unit(rng, n, 4)
    texts = images + rng.normal(size=(n, 4)) * rng.choice([0.0, 0.1, 1.0])
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)

    loss = loss_from_definition(images, texts, 1 / temperature)

    assert loss >= loss_floor(n, temperature) - 1e-9


def test_a_simplex_reaches_the_floor() -> None:
    corners = np.eye(6) - 1 / 6
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)

    loss = loss_from_definition(corners, corners, 1 / 0.3)

    assert loss == pytest.approx(loss_floor(6, 0.3), rel=1e-12)


def test_floor_at_tau_one_is_near_ln_n() -> None:
    assert loss_floor(256, 1.0) == pytest.approx(4.55, abs=0.005)  # ln(1 + 255 e^-1.004)
    assert loss_floor(256, 0.07) < 0.001


def test_gap_of_shifted_clouds() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 3))

    assert modality_gap(cloud, cloud + np.array([3.0, 4.0, 0.0])) == pytest.approx(5)


# Ranking


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_ranks_count_ties_against_the_model(seed: int, n: int, levels: int) -> None:
    table = np.random.default_rng(seed).integers(0, levels, (n, n)).astype(float)

    expected = [sum(1 for j in range(n) if j != i and table[i, j] >= table[i, i]) for i in range(n)]

    assert ranks(table).tolist() == expected


@pytest.mark.parametrize("score", [0.0, math.nan])
def test_a_constant_or_broken_model_is_last_not_first(score: float) -> None:
    places = ranks(np.full((10, 10), score))

    assert recall_at(places, 5) == 0
    assert recall_at(places, 10) == 1
    assert chance_recall(5, 10) == 0.5


def test_ranks_take_the_right_columns() -> None:
    table = np.array([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5]])

    assert ranks(table, np.array([1, 2])).tolist() == [0, 1]


def test_bag_of_words_ignores_new_words_and_order() -> None:
    known = ["red heart", "blue heart", "red square"]

    vectors = bag_of_words(["heart red", "red heart", "green", "heart"], known)

    np.testing.assert_allclose(vectors[0], vectors[1])
    assert not vectors[2].any()
    assert np.linalg.norm(vectors[3]) == pytest.approx(1)


def test_copying_takes_the_picture_of_the_nearest_caption() -> None:
    black, white, grey = (np.full((2, 2, 3), v, np.uint8) for v in (0, 255, 100))

    table = copy_similarity(
        ["dark thing"],
        np.stack([white, grey, black]),
        ["dark cat", "bright dog"],
        np.stack([black, white]),
    )

    assert np.argsort(-table[0]).tolist() == [2, 1, 0]


# Data and towers


def test_adamw_equals_torch() -> None:
    generator = torch.Generator().manual_seed(3)
    start = [torch.randn(shape, generator=generator) for shape in ((4, 3), (3,), ())]
    ours = [each.clone().requires_grad_() for each in start]
    theirs = [each.clone().requires_grad_() for each in start]
    mine = AdamW(ours, decay=0.1)
    groups = [
        {"params": theirs[:1], "weight_decay": 0.1},
        {"params": theirs[1:], "weight_decay": 0.0},
    ]
    reference = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.98))
    for step in range(20):
        rate = 0.1 / (step + 1)
        for group in reference.param_groups:
            group["lr"] = rate
        for parameters, optimiser in ((ours, mine), (theirs, reference)):
            loss = sum((each**2 + each.sin()).sum() for each in parameters)
            for each in parameters:
                each.grad = None
            loss.backward()
            mine.step(rate) if optimiser is mine else reference.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 10**6), st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_shifting_moves_ink_and_adds_only_paper(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = np.full((4, 32, 32, 3), 255, np.uint8)
    pixels[:, 10:20, 10:20] = rng.integers(0, 200, (4, 10, 10, 3))

    moved = shifted(pixels, most, rng)

    assert moved.shape == pixels.shape
    for before, after in zip(pixels, moved, strict=True):
        rows, columns = np.nonzero((after != 255).any(axis=2))
        assert abs(rows.min() - 10) <= most
        assert abs(columns.min() - 10) <= most
        np.testing.assert_array_equal(
            after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1],
            before[10:20, 10:20],
        )


def test_ink_is_zero_on_paper() -> None:
    pictures = ink(np.array([[[[255, 255, 255], [0, 0, 0]]]], np.uint8))

    assert pictures.shape == (1, 3, 1, 2)
    assert pictures[0, :, 0].T.tolist() == [[0, 0, 0], [1, 1, 1]]


def tiny_towers(*, learn_temperature: bool = True) -> tuple[TwoTowers, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    names = ["red heart", "blue square", "green", "two words more"]
    text = WordTower(Vocabulary(names), 16)
    model = TwoTowers(ImageTower(4, 16), text, learn_temperature=learn_temperature)
    return model, torch.rand(4, 3, 32, 32), text.prepare(names)


def test_gradient_reaches_both_towers_and_the_temperature() -> None:
    model, pictures, words = tiny_towers()
    for _ in range(2):  # the first step only moves the residual blocks' zero scales
        loss = contrastive_loss(model.images(pictures), model.texts(words), model.scale)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad

    without = [name for name, p in model.named_parameters() if not p.grad.abs().sum() > 0]
    # A key bias adds the same to every logit of a softmax, but it is one tensor with q and v.
    assert without == []


def test_a_fixed_temperature_gets_no_gradient() -> None:
    model, pictures, words = tiny_towers(learn_temperature=False)

    contrastive_loss(model.images(pictures), model.texts(words), model.scale).backward()

    assert model.log_scale.grad is None


def test_scale_is_clipped_at_100() -> None:
    model, _, _ = tiny_towers()
    assert model.temperature == pytest.approx(0.07)

    model.log_scale.data.fill_(20.0)

    assert model.scale.item() == 100


def test_padding_and_batch_mates_do_not_change_a_text() -> None:
    model, _, words = tiny_towers()

    together = model.read(words)
    alone = np.concatenate([model.read(row[None]) for row in words])

    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_word_order_counts_and_a_text_without_words_is_finite() -> None:
    model, _, _ = tiny_towers()

    one, other, empty = model.read(model.text.prepare(["red square", "square red", ""]))

    assert not np.allclose(one, other, atol=1e-4)
    assert np.isfinite(empty).all()


def test_words_are_hidden_in_training_only() -> None:
    vocabulary = Vocabulary(["red heart", "blue square"])
    tower = WordTower(vocabulary, 16, hidden=1.0)
    words, unknown = tower.prepare(["red heart"]), tower.prepare(["zebra yak"])

    assert torch.equal(tower.train()(words), tower(unknown))
    assert not torch.equal(tower.eval()(words), tower(unknown))
    assert vocabulary.unknown("a Red zebra") == ("a", "zebra")


# Sheets


def test_contact_sheet_frames_each_picture() -> None:
    black = np.zeros((4, 4, 3), np.uint8)

    sheet = contact_sheet([[black, black], [black]], [[GREEN, GREY], [GREY]], scale=2)

    assert sheet.shape == (2 * 14 + 2, 2 * 14 + 2, 3)
    assert sheet[2, 2].tolist() == list(GREEN)
    assert sheet[2, 16].tolist() == list(GREY)
    assert sheet[4, 4].tolist() == [0, 0, 0]
    assert sheet[20, 20].tolist() == [255, 255, 255]


def test_contact_sheet_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(ValueError, match="needs pictures"):
        contact_sheet([], [])
    with pytest.raises(ValueError, match="one frame"):
        contact_sheet([[np.zeros((4, 4, 3), np.uint8)]], [[GREEN, GREY]])


def test_picture_event_keeps_few_colours_exactly() -> None:
    pixels = np.zeros((6, 5, 3), np.uint8)
    pixels[2:4] = (46, 160, 67)

    event = picture_event("x", "title", pixels)
    back = Pillow.open(io.BytesIO(base64.b64decode(event.png))).convert("RGB")

    np.testing.assert_array_equal(np.asarray(back), pixels)
