"""What the GPT demo shows: n-gram lines, attention maps, sampling tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demos.foundation.sampling import GREEDY, Sampling, Writer, softmax
from demos.kit.bpe import Bpe
from demos.kit.decoder import Decoder
from demos.kit.ngram_tables import Tables, View, count
from demos.lexical.ngram_models import KneserNey
from studytool.demo.events import Cell, Event, Matrix, Note, Table, Text

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]

#: The longest n-gram that is counted.
LONGEST = 5
_NAMES = ("", "unigram", "bigram", "trigram", "4-gram", "5-gram")
_LIKELY, _SHOWN_TOKENS, _CASES = 8, 24, 14
_EVEN = 1e-4


def name_of(n: int) -> str:
    """unigram, bigram, …"""
    return _NAMES[n]


class NgramLines:
    """Modified Kneser-Ney n-grams of the same tokens: what counting alone reaches."""

    def __init__(self, train: I64, size: int) -> None:
        self.size = size
        self.tables: Tables = count(np.append([size], train), size, LONGEST)

    def surprise(self, windows: I64) -> dict[int, F64]:
        """-ln p of tokens 1 … of each window, by n; nothing before a window is seen.

        A ten-thousandth is spread evenly, since a tiny text may leave nothing for unseen tokens.
        """
        opened = np.insert(windows, 0, self.size, axis=1)
        view, found = View(self.tables, opened.ravel()), {}
        for n in range(1, LONGEST + 1):
            p = KneserNey(self.tables, n).score(view).reshape(windows.shape)[:, 1:]
            found[n] = -np.log((1 - _EVEN) * p + _EVEN / self.size)
        return found


def token_table(bpe: Bpe, words: Sequence[str]) -> Table:
    """How some words are cut into tokens."""
    rows: list[list[Cell]] = []
    for word in words:
        ids = bpe.encode(word)
        rows.append([word.strip(), " ".join(bpe.show(i) for i in ids), len(ids)])
    note = "a blank is written ·; any byte is a token, so no text in any script is unknown"
    return Table("tokens", "Words as tokens", ["text", "tokens", "number"], rows, note)


def line_table(ngrams: dict[int, float], untrained: float, size: int, trained: float) -> Table:
    """Losses on the same held-out positions, the worst first."""
    rows = [("uniform: chance", float(np.log(size))), ("the decoder, untrained", untrained)]
    rows += [(f"{name_of(n)}, counted", loss) for n, loss in ngrams.items()]
    rows.append(("the decoder, trained", trained))
    rows.sort(key=lambda row: -row[1])
    cells: list[list[Cell]] = [[name, round(x, 3), round(float(np.exp(x)), 1)] for name, x in rows]
    columns = ["model", "nats per token", "perplexity"]
    return Table("lines", "Held-out loss on the same tokens", columns, cells)


def case_table(writer: Writer, window: I64, ours: F64, ngrams: dict[int, F64]) -> Table:
    """One held-out passage token by token: who saw it coming?"""
    rows: list[list[Cell]] = []
    for place in range(min(_CASES, len(ours))):
        at = place + len(ours) - _CASES if len(ours) > _CASES else place
        guess = int(writer.logits(window[: at + 1].tolist()).argmax())
        chances = [float(f"{np.exp(-x[at]):.2g}") for x in (ours, ngrams[2], ngrams[3])]
        shown = [writer.bpe.show(int(token)) for token in (window[at + 1], guess)]
        rows.append([*shown, *chances])
    columns = ["token", "decoder's best guess", "p: decoder", "p: bigram", "p: trigram"]
    return Table("cases", "A held-out passage, token by token", columns, rows)


def sampling_events(writer: Writer, prompt: str, how: Sampling, seed: int) -> Iterator[Event]:
    """The next token under each rule, and a text drawn by each."""
    logits = writer.logits(writer.read(prompt))
    rules = {
        "T = 1": Sampling(),
        f"T = {how.temperature:g}": Sampling(how.temperature),
        f"T = 1, top-k = {how.top_k}": Sampling(top_k=how.top_k),
        f"T = 1, top-p = {how.top_p:g}": Sampling(top_p=how.top_p),
        "greedy": GREEDY,
    }
    spreads = {name: rule.shape(logits) for name, rule in rules.items()}
    best = np.argsort(-logits, kind="stable")[:_LIKELY]
    rows: list[list[Cell]] = [
        [writer.bpe.show(int(i)), *(round(float(p[i]), 3) for p in spreads.values())] for i in best
    ]
    left: list[Cell] = [int((p > 0).sum()) for p in spreads.values()]
    rows.append(["tokens left", *left])
    title = f"What follows “{prompt}”, by rule"
    yield Table("next", title, ["token", *spreads], rows)
    drawn = {"greedy": GREEDY, "T = 1": Sampling(), "T = 1.5": Sampling(1.5), "all three": how}
    for number, (name, rule) in enumerate(drawn.items()):
        text = writer.tell(prompt, _SHOWN_TOKENS * 2, rule, [seed, 7])
        yield Text(f"drawn-{number}", f"Drawn: {name}", text)


def head_scores(maps: Sequence[Tensor]) -> dict[tuple[int, int], tuple[float, float, float, float]]:
    """For each (layer, head): mean weight on the previous token, on itself, on the first token of
    the window, and over how many tokens it spreads (exp of the entropy). Places 8 and later."""
    found = {}
    for layer, weights in enumerate(maps):
        late = weights[:, :, 8:]
        place = torch.arange(8, weights.shape[-1])
        rows = torch.arange(len(place))
        spread = (-(late * late.clamp_min(1e-12).log()).sum(-1)).exp()
        for head in range(weights.shape[1]):
            of = late[:, head]
            parts = (of[:, rows, place - 1], of[:, rows, place], of[:, :, 0], spread[:, head])
            found[layer, head] = (
                parts[0].mean().item(),
                parts[1].mean().item(),
                parts[2].mean().item(),
                parts[3].mean().item(),
            )
    return found


def attention_events(model: Decoder, bpe: Bpe, windows: I64) -> Iterator[Event]:
    """What each head looks at, and two heads on one passage."""
    maps: list[Tensor] = []
    with torch.no_grad():
        model(torch.from_numpy(windows), maps=maps)
    scores = head_scores(maps)
    rows: list[list[Cell]] = [
        [f"layer {layer}, head {head}", *(round(x, 3) for x in found)]
        for (layer, head), found in scores.items()
    ]
    columns = ["head", "previous token", "itself", "first token", "spread over (tokens)"]
    yield Table("heads", "What each head looks at: mean weight", columns, rows)
    near = max(scores, key=lambda head: scores[head][0])
    wide = max(scores, key=lambda head: scores[head][3])
    size = min(_SHOWN_TOKENS, windows.shape[1])
    names = [bpe.show(int(token)) for token in windows[0, :size]]
    for id, (layer, head), why in (
        ("attention-near", near, "most on the token before"),
        ("attention-wide", wide, "spread widest"),
    ):
        values = maps[layer][0, head, :size, :size].tolist()
        title = f"Attention of layer {layer}, head {head}: {why}"
        yield Matrix(id, title, values, names, names, "row: reads; column: is read")


class GptExplorer:
    """Continues what the user types, by greedy decoding and by sampling."""

    def __init__(self, writer: Writer, how: Sampling, seed: int) -> None:
        self.writer, self.how, self.seed = writer, how, seed

    def explore(self, request: str) -> Iterator[Event]:
        """`t=0.5 k=20 p=0.9 the city of`: settings first, then the beginning of a text."""
        how, prompt, wrong = parse_request(request, self.how)
        if wrong:
            yield Note(f"{wrong}: t from 0.05 to 5, k from 1, p above 0 and up to 1")
            return
        if not prompt:
            yield Note("type the beginning of a text, such as: t=0.5 p=0.9 the city of")
            return
        ids = self.writer.read(prompt)
        rows: list[list[Cell]] = []
        logits = self.writer.logits(ids)
        plain, shaped = softmax(logits), how.shape(logits)
        for token in np.argsort(-plain, kind="stable")[:_LIKELY]:
            chances = (round(float(p[token]), 4) for p in (plain, shaped))
            rows.append([self.writer.bpe.show(int(token)), *chances])
        tokens = " ".join(self.writer.bpe.show(i) for i in ids[-_SHOWN_TOKENS:])
        yield Note(f"{len(ids)} tokens: {tokens}")
        columns = ["next token", "p at T = 1", "p as sampled"]
        yield Table("explore-next", f"After “{prompt}”", columns, rows)
        for name, rule in (("greedy", GREEDY), ("sampled", how)):
            text = self.writer.tell(prompt, 2 * _SHOWN_TOKENS, rule, [self.seed, 11])
            yield Text(f"explore-{name}", name, text)


def parse_request(request: str, default: Sampling) -> tuple[Sampling, str, str]:
    """The sampling and the prompt of a typed line, and which setting is out of its range."""
    words = request.split()
    values = {"t": default.temperature, "k": float(default.top_k), "p": default.top_p}
    while words and words[0][:2] in ("t=", "k=", "p="):
        setting = words.pop(0)
        try:
            values[setting[0]] = float(setting[2:])
        except ValueError:
            return default, "", f"{setting} is no number"
    allowed = {"t": (0.05, 5.0), "k": (1.0, 1e6), "p": (1e-6, 1.0)}
    for name, (low, high) in allowed.items():
        if not low <= values[name] <= high:
            return default, "", f"{name}={values[name]:g} is out of range"
    return Sampling(values["t"], int(values["k"]), values["p"]), " ".join(words), ""
