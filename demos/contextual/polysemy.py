"""One word in two senses: what a real BERT-architecture encoder makes of it, layer by layer.

"Bank" has one row in a table of word vectors, so beside "loan" and beside "river" it is the same
vector; by that vector nobody can tell the senses apart. A contextual encoder computes a vector
for each occurrence. Here MiniLM (6 layers, real weights from a package, the forward pass written
out in demos/kit/minilm.py) reads 128 sentences, 8 words in 2 senses each, and every use is asked:
is the nearest other use of your word one of your sense?

The answer needs controls, and they are the lesson. The same network with random weights tells
what the architecture knows by itself: nothing. A bag of the words around, without any network,
tells how much of the sense is simply the company kept: most of it. The same sentences with their
words shuffled tell how much is order: little. What is left is what the network adds.

    python -m demos.contextual.polysemy --word crane --layer 6
    python -m demos.contextual.polysemy --sentences mine.txt --explore   then: The bat flew home.

Devlin et al. 2019, arXiv:1810.04805; Ethayarajh 2019, arXiv:1909.00512.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from demos.contextual.polysemy_explore import SenseFinder
from demos.contextual.polysemy_static import input_space, shown_senses
from demos.contextual.specs import POLYSEMY, PolysemyParams
from demos.contextual.uses import OWN_USES, Use, read_uses, shuffled, words_of_uses
from demos.contextual.uses_space import (
    Labels,
    bags,
    hits,
    one_threshold,
    separation,
    static_vectors,
    table_of_cosines,
    use_vectors,
)
from demos.kit.data import DataFault
from demos.kit.minilm import MiniLM
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Line,
    Matrix,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

REAL, SHUFFLED, UNTRAINED = "MiniLM", "MiniLM, words shuffled", "same network, random weights"
STATIC, BAG, BAG_IDF = (
    "static vector of the word",
    "bag of the other words",
    "bag, rare words first",
)
LAYERS = ("the input side, layers 0 to 2", "the middle, 3 and 4", "late, 5", "the last, 6")
ORDER = ("it falls to near chance", "it loses something", "it hardly changes (under 2 points)")
TREATMENTS = ("raw", "centred", "standardised")

# %% [markdown]
# ## 1. The question, and what can't answer it
# `hits` in uses_space.py asks each use for its nearest other use of the same word. A static
# vector has the same cosine, 1, with all of them: every question is a tie, and a tie counts one
# half. So a static vector scores exactly one half however good it is.
#
# ## 2. Cosines need care
# The coordinates of contextual vectors are uneven: a few of them are large in every vector, so
# that all cosines are near 0.9. `Lens` in uses_space.py subtracts means, or also divides by the
# spread; no sense is looked at for that.


@dataclass
class Bench:
    """What the parts of a run share: the uses, and the vectors (layers, uses, width) by method."""

    params: PolysemyParams
    lab: Lab
    uses: list[Use]
    labels: Labels
    model: MiniLM
    vectors: dict[str, F64] = field(default_factory=dict)
    flat: dict[str, F64] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return [use.word for use in self.uses]

    @property
    def plain(self) -> bool:
        """Whether the claims are meant for these settings."""
        free = {name: getattr(self.params, name) for name in ("seed", "word", "layer")}
        return self.params == msgspec.structs.replace(PolysemyParams(), **free)

    def cosines(self, vectors: F64, kind: str = "") -> F64:
        return table_of_cosines(kind or self.params.cosine, vectors, self.words)

    def share(self, vectors: F64, kind: str = "") -> float:
        """The share of uses whose nearest use has their sense."""
        return float(hits(self.cosines(vectors, kind), self.labels).mean())

    def curve(self, method: str) -> list[float]:
        """That share after each layer."""
        return [self.share(layer) for layer in self.vectors[method]]

    @property
    def best(self) -> int:
        """The layer of the real network that tells the senses best, the lowest of equals."""
        return int(np.argmax(self.curve(REAL)))


# %% [markdown]
# ## 3. The run


def run(params: PolysemyParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers typed sentences."""
    torch.set_num_threads(lab.threads)
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: PolysemyParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("load", "sentences, and the encoder's weights, checked by their sha256")
    uses = read_uses(Path(params.sentences) if params.sentences else OWN_USES)
    if params.word.lower() not in words_of_uses(uses):
        raise DataFault(
            f"the sentences have no uses of {params.word!r}",
            f"Choose --word from: {', '.join(words_of_uses(uses))}.",
        )
    bench = Bench(params, lab, uses, Labels(uses), MiniLM())
    yield Note(
        f"{len(uses)} sentences with {len(words_of_uses(uses))} words; by noise alone the nearest "
        f"use has the same sense in {bench.labels.chance:.1%} of cases"
    )
    yield from _questions()
    yield from _without_a_network(bench)
    yield from _layers(bench)
    yield from _look(bench)
    yield from _neighbours(bench)
    yield from _verdict(bench)
    return SenseFinder(
        bench.model, uses, bench.vectors[REAL], bench.best, params.vector, params.cosine
    )


def _questions() -> Iterator[Event]:
    yield Prediction(
        "bag",
        "Take the other words of the sentence, add up their static vectors, rare words counting "
        "more. No network, no order. For what share of uses does that find a use of one's sense?",
        unit="%",
    )
    yield Prediction("layer", "After which of MiniLM's layers is the sense told best?", LAYERS)
    yield Prediction(
        "order",
        "The words of each sentence are shuffled and MiniLM reads that. What becomes of the share "
        "of its best layer?",
        ORDER,
    )


def _without_a_network(bench: Bench) -> Iterator[Event]:
    yield Stage("baselines", "one static vector for each word, and bags of the other words")
    bench.flat = {
        STATIC: static_vectors(bench.model, bench.uses),
        BAG: bags(bench.model, bench.uses, idf=False),
        BAG_IDF: bags(bench.model, bench.uses, idf=True),
    }
    share = bench.share(bench.flat[STATIC], "raw")
    text = "by the static vector every comparison is a tie: share right, ties counting one half"
    yield claim("static-half", text, share, "==", 0.5)
    found = bench.share(bench.flat[BAG_IDF])
    said = f"{found:.1%}, where a static vector of the word has 50 %"
    yield Outcome("bag", round(100 * found, 1), said)


def _layers(bench: Bench) -> Iterator[Event]:
    """Three readings of the sentences, each drawn as a curve over the layers when it is done."""
    mixed = [shuffled(use, bench.lab.rng(1)) for use in bench.uses]
    fresh = torch.Generator().manual_seed(bench.lab.seed)
    readings = (
        (REAL, bench.model, bench.uses),
        (UNTRAINED, bench.model.untrained(fresh), bench.uses),
        (SHUFFLED, bench.model, mixed),
    )
    for name, model, uses in readings:
        yield Stage("read", f"{name}: {len(uses)} sentences")
        yield from _read(bench, name, model, uses)
        yield _plot(bench)
    yield _layer_table(bench)


def _read(bench: Bench, name: str, model: MiniLM, uses: Sequence[Use]) -> Iterator[Event]:
    found = []
    for number, use in enumerate(uses, start=1):
        found.append(use_vectors(model, use.word, use.sentence, bench.params.vector))
        if number % 16 == 0 or number == len(uses):
            yield Progress(number, len(uses), "sentence", use.sentence[:50])
    bench.vectors[name] = np.stack(found, axis=1)


def _plot(bench: Bench) -> Series:
    layers = list(range(len(bench.vectors[REAL])))
    lines = [Line(name, layers, bench.curve(name)) for name in bench.vectors]
    levels = {
        BAG_IDF: bench.share(bench.flat[BAG_IDF]),
        "static vector": 0.5,
        "noise": bench.labels.chance,
    }
    title = "Is the nearest other use of the word one of the same sense?"
    return Series("layers", title, lines, "layer", "share", levels)


def _layer_table(bench: Bench) -> Table:
    rows: list[list[Cell]] = []
    for layer, vectors in enumerate(bench.vectors[REAL]):
        raw = bench.cosines(vectors, "raw")
        same, different = (raw[mask].mean() for mask in (bench.labels.same, bench.labels.different))
        rows.append(
            [
                layer,
                *(round(float(x), 3) for x in (same, different)),
                round(separation(bench.cosines(vectors), bench.labels), 3),
                *(round(bench.share(vectors, kind), 3) for kind in TREATMENTS),
                *(round(bench.share(bench.vectors[name][layer]), 3)
                  for name in (SHUFFLED, UNTRAINED)),
            ]
        )  # fmt: skip
    for name, vectors in bench.flat.items():
        shares = [round(bench.share(vectors, kind), 3) for kind in TREATMENTS]
        if name == STATIC:
            shares = [0.5] * len(shares)
        rows.append([name, None, None, None, *shares, None, None])
    columns = ["layer", "cosine, one sense", "two senses", "pairs told apart",
               *TREATMENTS, "words shuffled", "random weights"]  # fmt: skip
    note = (
        "cosines are raw; the other columns are shares of uses whose nearest use has their sense, "
        f"the last two by {bench.params.cosine} cosines"
    )
    return Table("layer-table", "All layers and all controls", columns, rows, note)


def _look(bench: Bench) -> Iterator[Event]:
    """The heat map of one word, and single uses: found, and mistaken."""
    layer = bench.best if bench.params.layer < 0 else bench.params.layer
    cosines = bench.cosines(bench.vectors[REAL][layer])
    mine = [i for i, use in enumerate(bench.uses) if use.word == bench.params.word.lower()]
    rows = [f"{bench.uses[i].sense}: {bench.uses[i].around()}" for i in mine]
    senses = [bench.uses[i].sense for i in mine]
    columns = [f"{sense[:1]}{senses[: n + 1].count(sense)}" for n, sense in enumerate(senses)]
    title = f"{bench.params.word} after layer {layer}: every use with every other"
    note = f"{bench.params.cosine} cosines; two bright squares on the diagonal are two senses"
    values = cosines[np.ix_(mine, mine)].round(3).tolist()
    yield Matrix("heat", title, values, rows, columns, note)
    here = bench.cosines(bench.vectors[REAL][bench.best])
    yield _cases(bench, here)


def _cases(bench: Bench, cosines: F64) -> Table:
    """The mistaken uses of the best layer, and as many right ones, with their nearest use."""
    score = hits(cosines, bench.labels)
    asked = np.where(bench.labels.same | bench.labels.different, cosines, -np.inf)
    wrong = np.flatnonzero(score < 1)[:8].tolist()
    right = np.flatnonzero(score == 1)
    step = max(1, len(right) // 4)
    rows: list[list[Cell]] = []
    for i in [*wrong, *right[::step][:4].tolist()]:
        nearest = bench.uses[int(asked[i].argmax())]
        use = bench.uses[i]
        verdict = "right" if score[i] == 1 else "wrong"
        rows.append([verdict, use.sense, use.sentence, nearest.sense, nearest.sentence])
    title = f"Single uses after layer {bench.best}: {int((score < 1).sum())} of {len(score)} wrong"
    columns = ["", "sense", "use", "nearest's sense", "nearest use"]
    return Table("cases", title, columns, rows)


def _neighbours(bench: Bench) -> Iterator[Event]:
    """The same words in the input table: neighbours of one sense, the other far away."""
    found_space = input_space(bench.model)
    found = shown_senses(found_space, words_of_uses(bench.uses), bench.lab.rng(2))
    if not found:
        return
    yield Stage("static neighbours", f"{len(found_space.words):,} words of the input table")
    rows: list[list[Cell]] = [
        [row.word, row.neighbours, row.near, f"{row.probes} …", row.hidden, row.after, row.control]
        for row in found
    ]
    columns = ["word", "nearest words", "rank of nearer sense", "the other sense", "its rank",
               "without the neighbours' directions", "without others' directions"]  # fmt: skip
    note = "median ranks of five probe words for each sense, of all words in the table"
    yield Table("neighbours", "One static vector: one sense shows", columns, rows, note)
    if not bench.plain:
        return
    ratio = float(np.median([row.hidden / row.near for row in found]))
    text = "the rank of the other sense's words over that of the nearer sense's (median)"
    yield claim("neighbours-one-sense", text, ratio, ">=", 5, unit="times")
    text = (
        "taking the neighbours' directions off brings the other sense to light in these vectors "
        f"too, as in skip-gram's (words of {len(found)})"
    )
    surfaced = sum(row.surfaces for row in found)
    yield claim("removal-shows-other", text, surfaced, ">=", 5, expect="refuted")


def _verdict(bench: Bench) -> Iterator[Event]:
    curve, best = bench.curve(REAL), bench.best
    kind = 0 if best <= 2 else 1 if best <= 4 else 2 if best == 5 else 3
    said = f"Layer {best}: {curve[best]:.1%}; the last layer has {curve[-1]:.1%}."
    yield Outcome("layer", LAYERS[kind], said)
    mixed = bench.curve(SHUFFLED)
    lost = curve[best] - max(mixed)
    kind = 0 if max(mixed) < bench.labels.chance + 0.1 else 2 if lost < 0.02 else 1
    said = f"The best layer has {curve[best]:.1%} in order and {max(mixed):.1%} shuffled."
    yield Outcome("order", ORDER[kind], said)
    untrained = max(bench.curve(UNTRAINED))
    text = "with random weights, the best layer's share"
    if bench.plain:
        yield claim("untrained-chance", text, untrained, "<=", 0.6)
        yield from _claims(bench, curve, lost)
    else:
        yield Note(
            "the claims are for the default sentences and settings; these figures stand alone"
        )
    bag = bench.share(bench.flat[BAG_IDF])
    yield Finding(
        "A static vector can't tell senses apart: 50 % by construction. MiniLM's vector of the "
        f"word finds a use of the same sense in {curve[best]:.0%} of cases, after layer {best}. "
        f"But a bag of the words around has {bag:.0%} without any network, and with the words "
        f"shuffled MiniLM still has {max(mixed):.0%}: sense is mostly the company a word keeps. "
        f"The same network untrained has {untrained:.0%}."
    )


def _claims(bench: Bench, curve: list[float], lost: float) -> Iterator[Event]:
    best = bench.best
    yield Note(
        "layer and treatment were chosen on the very sentences that are judged, which flatters "
        "the best a little; the bag gets its best treatment too"
    )
    text = "the nearest use has the same sense, share in the best layer"
    yield claim("best-layer", text, curve[best], ">=", 0.93)
    bag = max(bench.share(bench.flat[name], kind) for name in (BAG, BAG_IDF) for kind in TREATMENTS)
    text = "the best layer's share minus that of the best bag of other words"
    yield claim("above-bag", text, curve[best] - bag, ">=", 0.05)
    text = "contextual vectors leave a bag of the words around far behind (same difference)"
    yield claim("contextual-crushes-bag", text, curve[best] - bag, ">=", 0.2, expect="refuted")
    text = "the last layer is the most contextual and so the best (its share minus the best other)"
    yield claim("last-layer-best", text, curve[-1] - max(curve[:-1]), ">=", 0, expect="refuted")
    text = "the order of the words carries the sense (share lost when they are shuffled)"
    yield claim("order-carries-sense", text, lost, ">=", 0.2, expect="refuted")
    cosines = bench.cosines(bench.vectors[REAL][best], "raw")
    text = (
        "one cosine threshold for all words tells same sense from other (balanced accuracy on a "
        "word that had no part in setting it)"
    )
    yield claim("one-threshold", text, one_threshold(cosines, bench.labels), ">=", 0.9,
                expect="refuted")  # fmt: skip


if __name__ == "__main__":
    main(POLYSEMY)
