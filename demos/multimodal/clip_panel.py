"""What the CLIP demo shows while it trains: curves, a table of retrieved names, a sheet of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from demos.kit.emoji import CREDIT
from demos.kit.images import BLUE, GREEN, GREY, contact_sheet, picture_event
from demos.kit.retrieval import chance_recall, ranks, recall_at
from demos.multimodal.clip_study import Score, Step, Study
from demos.multimodal.specs import ClipParams
from studytool.demo.events import Cell, Event, Line, Matrix, Metric, Series, Table

#: Shown live where the split holds them out; others of the same kind stand in for what it doesn't.
COMP_QUERIES = (
    "woman pilot dark skin tone",
    "man cook medium-dark skin tone",
    "woman astronaut medium skin tone",
    "man superhero dark skin tone",
)
UNSEEN_QUERIES = ("pizza", "yellow heart", "ambulance", "rabbit")
DEPTHS = (1, 5, 10)
_SHOWN = 5


class Panel:
    """Collects the steps and tells how the towers do, at each look."""

    def __init__(self, study: Study, params: ClipParams, levels: Mapping[str, float]) -> None:
        """`levels` are the lines to hold the loss against."""
        self.steps: list[Step] = []
        self._study = study
        self._params = params
        self._levels = levels
        self._looks: list[tuple[int, Score]] = []
        names = study.names(study.held_out)
        comps = range(study.comps)
        others = range(study.comps, len(names))
        self._queries = [
            *_choose(names, comps, COMP_QUERIES),
            *_choose(names, others, UNSEEN_QUERIES),
        ]

    def add(self, step: Step) -> None:
        """Remember one step of training."""
        self.steps.append(step)

    def look(self, number: int, score: Score) -> Iterator[Event]:
        """Curves and retrieval after `number` steps."""
        self._looks.append((number, score))
        if self.steps:
            yield self._loss()
            yield Metric("temperature", self.steps[-1].temperature, number)
        yield Metric("modality gap", score.gap, number)
        yield self._recall("comp", "Held-out combinations", len(score.comp))
        yield self._recall("unseen", "Things never seen", len(score.unseen))
        yield from self._retrieval(number, score)

    def _loss(self) -> Series:
        line = Line("loss", [s.number for s in self.steps], [s.loss for s in self.steps])
        return Series("loss", "Loss of the batch", [line], "step", "nats", self._levels)

    def _recall(self, part: str, title: str, pool: int) -> Series:
        steps = [number for number, _ in self._looks]
        lines = [
            Line(f"R@{k}", steps, [recall_at(getattr(score, part), k) for _, score in self._looks])
            for k in DEPTHS
        ]
        k = 1 if part == "comp" else 10
        start = recall_at(getattr(self._looks[0][1], part), k)
        levels = {
            f"chance R@{k}": chance_recall(k, pool),
            f"untrained R@{k}": start,
            f"copying R@{k}": recall_at(getattr(self._study.copied, part), k),
        }
        return Series(
            f"recall-{part}", f"{title}: recall among {pool}", lines, "step", "share", levels
        )

    def _retrieval(self, number: int, score: Score) -> Iterator[Event]:
        names = self._study.names(self._study.held_out)
        table = score.texts[self._queries] @ score.images.T
        best = np.argsort(-table, axis=1, kind="stable")[:, :_SHOWN]
        rows: list[list[Cell]] = []
        pictures, frames = [], []
        for query, found in zip(self._queries, best, strict=True):
            marked = [names[i] + (" ✓" if i == query else "") for i in found[:3]]
            rows.append([names[query], *marked])
            shown = [query, *found]
            pictures.append([self._study.emoji.pixels[self._study.held_out[i]] for i in shown])
            frames.append([BLUE, *(GREEN if i == query else GREY for i in found)])
        pool = len(names)
        title = f"Retrieval after {number} of {self._params.steps} steps, among {pool} held-out pictures"
        note = (
            "The first half are combinations never trained on, the second half things never seen."
        )
        yield Table("retrieval", title, ["query", "first", "second", "third"], rows, note)
        caption = (
            "Left, framed blue: what was asked for. Then the first five; the right one is green."
        )
        yield picture_event(
            "retrieval", title, contact_sheet(pictures, frames), caption=caption, credit=CREDIT
        )


def _choose(names: list[str], part: range, wanted: tuple[str, ...]) -> list[int]:
    """Positions of the wanted names in this part, filled up evenly from the rest of it."""
    found = [i for name in wanted for i in part if names[i] == name]
    spare = [i for i in part if names[i] not in wanted]
    missing = min(len(wanted) - len(found), len(spare))
    return found + [spare[j * len(spare) // missing] for j in range(missing)]


def batch_matrix(study: Study, score: Score, size: int = 12) -> Matrix:
    """The cosines of a small batch: rows are texts, columns pictures, the pairs on the diagonal."""
    size = min(size, study.comps)
    chosen = np.linspace(0, study.comps - 1, size).astype(int)
    values = score.texts[chosen] @ score.images[chosen].T
    names = [study.emoji.names[i] for i in study.held_out[chosen]]
    right, n = float(values.diagonal().mean()), len(values)
    wrong = float((values.sum() - values.trace()) / max(1, n * (n - 1)))
    note = f"Mean cosine of the pairs {right:.2f}, of all others {wrong:.2f}."
    title = f"Cosines of {n} held-out texts (rows) and pictures (columns)"
    rounded = [[round(float(v), 3) for v in row] for row in values]
    return Matrix("batch", title, rounded, names, names, note)


def failures(study: Study, score: Score, count: int = 6) -> Iterator[Event]:
    """The queries of each kind that went most wrong."""
    rows: list[list[Cell]] = []
    pictures, frames = [], []
    parts = ((0, score.comp), (study.comps, score.unseen))
    for start, places in parts:
        end = start + len(places)
        images = score.images[start:end]
        for query in np.argsort(-places, kind="stable")[:count]:
            cosines = images @ score.texts[start + query]
            first = int(cosines.argmax())
            asked, got = study.held_out[start + query], study.held_out[start + first]
            names = study.emoji.names
            gap = round(float(cosines[first] - cosines[query]), 3)
            rows.append([names[asked], names[got], int(places[query]) + 1, len(places), gap])
            pictures.append([study.emoji.pixels[asked], study.emoji.pixels[got]])
            frames.append([BLUE, GREY])
    columns = ["asked for", "first instead", "place", "of", "cosine short by"]
    yield Table("failures", "The worst failures", columns, rows)
    half = len(pictures) // 2
    sheet = [a + b for a, b in zip(pictures[:half], pictures[half:], strict=False)]
    edges = [a + b for a, b in zip(frames[:half], frames[half:], strict=False)]
    caption = (
        "Pairs of what was asked for (blue) and what came first: combinations, then unseen things."
    )
    yield picture_event(
        "failures",
        "The worst failures",
        contact_sheet(sheet, edges),
        caption=caption,
        credit=CREDIT,
    )


def summary(
    study: Study,
    before: Score,
    after: Score,
    among_all: np.ndarray,
    tower: str,
    *,
    id: str = "summary",
) -> Table:
    """Chance, untrained, copying and trained, side by side."""
    everything = len(study.emoji)
    comps, others = len(after.comp), len(after.unseen)
    rows: list[list[Cell]] = [
        [
            "chance",
            *(round(chance_recall(k, comps), 3) for k in DEPTHS),
            round(chance_recall(1, everything), 4),
            *(round(chance_recall(k, others), 3) for k in DEPTHS),
            (others + 1) / 2,
        ],
        [
            "untrained",
            *_recalls(before.comp),
            None,
            *_recalls(before.unseen),
            _median(before.unseen),
        ],
    ]
    copied = study.copied
    lookup = [*_recalls(copied.comp), _share(copied.comp_among_all), *_recalls(copied.unseen)]
    rows.append(["copying", *lookup, _median(copied.unseen)])
    own = [*_recalls(after.comp), _share(among_all), *_recalls(after.unseen), _median(after.unseen)]
    rows.append([f"trained, text {tower}", *own])
    columns = [
        "method",
        *(f"comp R@{k}" for k in DEPTHS),
        "comp R@1 of all",
        *(f"unseen R@{k}" for k in DEPTHS),
        "unseen median",
    ]
    note = (
        f"A text looks for its picture among {comps} combinations, among all {everything:,} "
        f"pictures, or among {others} unseen ones. Copying learns nothing: it takes the most similar "
        "training caption and orders the pool by the pixels of its picture."
    )
    reverse = ranks(after.images[:comps] @ after.texts[:comps].T)
    note += f" From picture to text, comp R@1 is {recall_at(reverse, 1):.3f}."
    return Table(id, f"What was reached, text tower {tower}", columns, rows, note)


def _recalls(places: np.ndarray) -> list[Cell]:
    return [round(recall_at(places, k), 3) for k in DEPTHS]


def _share(places: np.ndarray) -> float:
    return round(recall_at(places, 1), 3)


def _median(places: np.ndarray) -> float:
    return float(np.median(places)) + 1
