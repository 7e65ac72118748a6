"""The decoder against torch's own modules, its cache, its mask, and RoPE's property."""

from __future__ import annotations

from math import log, sqrt

import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from demos.kit.decoder import Cache, Decoder, DecoderConfig, attend, next_token_loss, rotate


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def tokens(rows: int, length: int, size: int = 50, seed: int = 0) -> Tensor:
    return torch.randint(size, (rows, length), generator=torch.Generator().manual_seed(seed))


def model(**changes: object) -> Decoder:
    config = {"vocabulary": 50, "width": 32, "heads": 4, "context": 24} | changes
    return Decoder(DecoderConfig(**config), seed=1, std=0.2)  # type: ignore[arg-type]


# Attention


@pytest.mark.parametrize("causal", [True, False])
def test_attention_equals_torchs(causal: bool) -> None:
    q, k, v = (drawn(2, 3, 11, 8, seed=seed) for seed in range(3))

    ours, weights = attend(q, k, v, causal=causal)

    theirs = nnf.scaled_dot_product_attention(q, k, v, is_causal=causal)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 11, dtype=torch.float64))


def test_queries_that_are_fewer_are_the_last_places() -> None:
    q, k, v = (drawn(1, 1, 9, 4, seed=seed) for seed in range(3))

    everything, _ = attend(q, k, v)
    last, weights = attend(q[:, :, 6:], k, v)

    torch.testing.assert_close(last, everything[:, :, 6:])
    assert weights[0, 0, 0, 7:].abs().max() == 0


def test_attention_without_the_root_is_found() -> None:
    q, k, v = (drawn(1, 1, 5, 16, seed=seed) for seed in range(3))
    unscaled, _ = attend(q * sqrt(16), k, v)

    theirs = nnf.scaled_dot_product_attention(q, k, v, is_causal=True)

    assert (unscaled - theirs).abs().max() > 0.01


def test_the_gradient_of_attention_is_that_of_finite_differences() -> None:
    parts = [drawn(1, 2, 4, 3, seed=seed).requires_grad_() for seed in range(3)]

    assert torch.autograd.gradcheck(lambda q, k, v: attend(q, k, v)[0], parts)


# RoPE


@given(st.integers(0, 200), st.integers(0, 30), st.integers(0, 9))
@settings(max_examples=30)
def test_rotated_products_depend_on_the_distance_alone(place: int, apart: int, seed: int) -> None:
    q, k = drawn(1, 8, seed=seed), drawn(1, 8, seed=seed + 100)

    here = (rotate(q, place + apart) * rotate(k, place)).sum()
    there = (rotate(q, apart) * rotate(k, 0)).sum()

    assert abs(here - there) < 1e-9


def test_rotation_equals_complex_multiplication() -> None:
    x = drawn(2, 5, 6)

    pairs = torch.complex(x[..., :3], x[..., 3:])
    angles = torch.arange(7, 12)[:, None] * 10_000.0 ** (-torch.arange(3, dtype=x.dtype) / 3)
    turned = pairs * torch.polar(torch.ones_like(angles), angles)

    torch.testing.assert_close(rotate(x, 7), torch.cat((turned.real, turned.imag), -1))


# The whole model


def as_torch(ours: Decoder) -> tuple[nn.TransformerEncoder, Tensor]:
    """torch's own pre-norm encoder with our weights, and its causal mask."""
    config = ours.config
    layer = nn.TransformerEncoderLayer(
        config.width,
        config.heads,
        config.expand * config.width,
        0.0,
        "gelu",
        batch_first=True,
        norm_first=True,
    )
    stack = nn.TransformerEncoder(
        layer, config.layers, nn.LayerNorm(config.width), enable_nested_tensor=False
    )
    names = {
        "norm": "norm1",
        "attention.inward": "self_attn.in_proj",
        "attention.outward": "self_attn.out_proj",
        "network.0": "norm2",
        "network.1": "linear1",
        "network.3": "linear2",
    }
    weights = dict(ours.named_parameters())
    state = {f"norm.{part}": weights[f"norm.{part}"] for part in ("weight", "bias")}
    for number in range(config.layers):
        for mine, theirs in names.items():
            joint = "_" if theirs.endswith("in_proj") else "."
            for part in ("weight", "bias"):
                name = f"layers.{number}.{theirs}{joint}{part}"
                state[name] = weights[f"blocks.{number}.{mine}.{part}"]
    stack.load_state_dict(state)
    return stack, nn.Transformer.generate_square_subsequent_mask(config.context)


@torch.no_grad()
def test_logits_and_loss_equal_torchs_own_modules() -> None:
    ours = model(positions="learned")
    for parameter in ours.parameters():  # biases and scales that differ from 0 and 1
        parameter.add_(0.1 * drawn(*parameter.shape, seed=9).float())
    ids = tokens(3, 24)
    stack, mask = as_torch(ours)

    assert ours.places is not None
    hidden = stack(ours.tokens(ids) + ours.places, mask=mask, is_causal=True)
    theirs = hidden @ ours.tokens.weight.T

    torch.testing.assert_close(ours(ids), theirs, rtol=1e-4, atol=1e-4)
    expected = -theirs[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).mean()
    torch.testing.assert_close(next_token_loss(ours(ids), ids), expected)


@pytest.mark.parametrize("positions", ["rope", "learned", "none"])
@pytest.mark.parametrize("parts", [[24], [1] * 24, [5, 12, 7]])
@torch.no_grad()
def test_the_cache_changes_nothing(positions: str, parts: list[int]) -> None:
    ours, ids, cache = model(positions=positions), tokens(2, 24), Cache()

    pieces = torch.cat([ours(piece, cache) for piece in ids.split(parts, dim=1)], dim=1)

    torch.testing.assert_close(pieces, ours(ids), rtol=0, atol=1e-5)
    assert cache.length == 24
    assert cache.numbers == 2 * 2 * 32 * 24 * 2  # K and V · layers · width · tokens · batch


@given(st.integers(1, 22), st.integers(0, 99))
@settings(max_examples=15)
@torch.no_grad()
def test_later_tokens_change_nothing_before_them(cut: int, seed: int) -> None:
    ours, ids = model(), tokens(1, 24)
    other = torch.cat((ids[:, :cut], tokens(1, 24 - cut, seed=seed + 1)), dim=1)

    before, after = ours(ids), ours(other)

    assert torch.equal(before[:, :cut], after[:, :cut])


@torch.no_grad()
def test_without_the_mask_they_do() -> None:
    ours, ids = model(causal=False), tokens(1, 24)
    other = torch.cat((ids[:, :12], tokens(1, 12, seed=5)), dim=1)

    assert (ours(ids)[:, :12] - ours(other)[:, :12]).abs().max() > 1e-3


@torch.no_grad()
def test_without_positions_the_past_is_a_bag_in_one_layer() -> None:
    ids = tokens(1, 10)
    swapped = ids[:, [3, 1, 2, 0, 4, 5, 6, 7, 8, 9]]
    bag, ordered = model(positions="none", layers=1), model(positions="rope", layers=1)

    torch.testing.assert_close(bag(ids)[:, -1], bag(swapped)[:, -1])
    assert (ordered(ids)[:, -1] - ordered(swapped)[:, -1]).abs().max() > 1e-3


@torch.no_grad()
def test_maps_are_distributions_over_the_past() -> None:
    maps: list[Tensor] = []
    model()(tokens(2, 9), maps=maps)

    assert [tuple(each.shape) for each in maps] == [(2, 4, 9, 9)] * 2
    for each in maps:
        torch.testing.assert_close(each.sum(-1), torch.ones(2, 4, 9))
        assert each.triu(1).abs().max() == 0


@torch.no_grad()
def test_a_head_that_is_off_is_one_whose_output_columns_are_zero() -> None:
    ours, ids = model(), tokens(2, 9)

    silent = ours(ids, off={(1, 2)})
    ours.blocks[1].attention.outward.weight[:, 16:24] = 0

    torch.testing.assert_close(silent, ours(ids))


def test_the_first_loss_is_ln_v() -> None:
    ours, ids = Decoder(DecoderConfig(512), seed=0), tokens(16, 64, 512)

    assert next_token_loss(ours(ids), ids).item() == pytest.approx(log(512), rel=0.01)


def test_tied_weights_are_one_tensor_and_are_counted_once() -> None:
    tied, untied = model(), model(tied=False)

    assert tied.output.weight is tied.tokens.weight
    assert untied.size() - tied.size() == 50 * 32
    assert tied.size(embeddings=False) == untied.size(embeddings=False)


def test_parameters_are_twelve_widths_squared_a_layer() -> None:
    ours = model(layers=3)
    matrices = sum(p.numel() for p in ours.blocks.parameters() if p.ndim > 1)

    assert matrices == 3 * 12 * 32**2


def test_same_seed_same_weights() -> None:
    first, again = model(), model()
    for mine, theirs in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_no_position_beyond_the_learned_ones() -> None:
    with pytest.raises(ValueError, match="only 24 learned"):
        model(positions="learned")(tokens(1, 25))


@pytest.mark.parametrize(
    "changes", [{"width": 30}, {"width": 36, "heads": 12, "positions": "rope"}]
)
def test_a_width_that_heads_cannot_share_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not divisible"):
        model(**changes)
