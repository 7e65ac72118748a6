"""The features a verdict rests on, for each key point of an answer.

Similarities are taken between units of the answer and the card's texts: the wordings of a key
point, and the mistakes written beside it. With vectors, cosines also have the question's
direction taken out: for unit vectors, cos(s − (s·q)q, t − (t·q)q) = (s·t − (s·q)(t·q)) /
√((1 − (s·q)²)(1 − (t·q)²)), so that talk about the topic as such earns nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from studytool.grading.lexical import Lexicon, Statement, clash, number_clash, statement
from studytool.grading.text import plain
from studytool.grading.words import ABSOLUTES, VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.rubric import Rubric
    from studytool.grading.units import Unit
    from studytool.grading.vectors import CardVectors

#: What a unit that denies what a statement asserts loses of its cosine.
DENIAL_COST = 0.05
#: These are also given as means over all points: somebody who has one thing the wrong way round
#: often has the others so too.
POOLED = (
    "recall", "agreement", "clash", "number_clash", "projected", "telling", "wrong_tfidf",
    "wrong_agreement", "wrong_projected", "contrast_tfidf", "contrast", "margin",
)  # fmt: skip
#: The share of the card's mean point that is taken off a centred cosine.
CENTRE = 0.8


class Evidence(msgspec.Struct, frozen=True):
    """The features of one point, and where they were found.

    `near` is the unit nearest to the point, `wrong_at` the one nearest to a mistake, `wrong`
    which mistake; -1 where there is none.
    """

    values: dict[str, float]
    near: int
    wrong_at: int = -1
    wrong: int = -1


class Subject:
    """A rubric ready for comparison: its statements and the weights of its words."""

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self.lexicon = Lexicon(rubric)
        self.points = [[statement(text) for text in point.wordings] for point in rubric.points]
        self.wrongs = [
            [statement(plain(one.text)) for one in point.wrong] for point in rubric.points
        ]
        self.misconceptions = [statement(plain(one.text)) for one in rubric.misconceptions]
        #: Everything that the card says is so, and everything that it says is not.
        self.truths = [one for group in self.points for one in group]
        self.truths += map(statement, (*rubric.reasons, *rubric.context))
        self.falsehoods = [one for group in self.wrongs for one in group] + self.misconceptions


class Table:
    """Cosines of units with texts, as far as there are vectors; else what words alone say."""

    def __init__(
        self,
        subject: Subject,
        units: Sequence[Unit],
        card: CardVectors | None,
        cosines: Sequence[Sequence[float]] | None,
        tones: Sequence[float] = (),
    ) -> None:
        """`card` and `cosines` go together; `tones` has one value a unit, or none at all."""
        self.subject, self.units, self.tones = subject, units, tones
        every = range(len(units))
        #: The units that the writer stands for; all of them if none is.
        self.owned = [at for at in every if not units[at].disowned] or list(every)
        #: Those that are sentences; all of them if none is.
        self.sentences = [at for at in self.owned if units[at].kind == "sentence"] or self.owned
        self._card, self._cosines = card, cosines or []
        self._q = card.index[subject.rubric.question] if card is not None else -1
        self._agreed: dict[tuple[int, str], float] = {}
        self.truth = [self._truth(unit) for unit in range(len(units))] if subject.falsehoods else []

    @property
    def neural(self) -> bool:
        return self._card is not None

    def agreement(self, unit: int, said: Statement) -> float:
        key = (unit, said.text)
        if key not in self._agreed:
            self._agreed[key] = self.subject.lexicon.agreement(self.units[unit], said)
        return self._agreed[key]

    def cosine(self, unit: int, said: Statement) -> float:
        """Cosine, less DENIAL_COST when one denies what the other asserts."""
        raw = self._cosines[unit][self._at(said)]
        return raw - DENIAL_COST * (self.agreement(unit, said) < 0)

    def projected(self, unit: int, said: Statement) -> float:
        """The cosine with the question's direction taken out of both, less DENIAL_COST as above."""
        at = self._at(said)
        line = self._cosines[unit]
        left, right = line[self._q], self._among(at, self._q)
        scale = math.sqrt(max(1e-4, 1 - left * left) * max(1e-4, 1 - right * right))
        return (line[at] - left * right) / scale - DENIAL_COST * (self.agreement(unit, said) < 0)

    def echo(self, unit: int) -> float:
        """Cosine of a unit with the question."""
        return self._cosines[unit][self._q]

    def voices(self, said: Statement, a: float, m: float) -> int | None:
        """The unit that states a mistake of no single point: near enough, nearer than any key
        point by m, and not denied; None when there is none."""
        place = max(self.owned, key=lambda unit: self.nearness(unit, said))
        rival = max((self.nearness(place, point[0]) for point in self.subject.points), default=0.0)
        near = self.nearness(place, said)
        told = self.agreement(place, said) > 0
        return place if told and near >= a and near - rival >= m else None

    def nearness(self, unit: int, said: Statement) -> float:
        """How near a unit is to a statement: the projected cosine, or TF-IDF without vectors."""
        if self.neural:
            return self.projected(unit, said)
        return self.subject.lexicon.cosine(self.units[unit].stems, said.stems)

    def _truth(self, unit: int) -> float:
        """How much nearer a unit is to something that the card says is so than to a mistake."""
        right = max((self.nearness(unit, one) for one in self.subject.truths), default=0.0)
        return right - max(self.nearness(unit, one) for one in self.subject.falsehoods)

    def margin(self, unit: int, wrong: Statement, right: Statement) -> float:
        """How far a unit lies towards `wrong` on the line from `right`: u·(a−k)/|a−k|."""
        a, k = self._at(wrong), self._at(right)
        apart = math.sqrt(max(1e-4, 2 - 2 * self._among(a, k)))
        return (self._cosines[unit][a] - self._cosines[unit][k]) / apart

    def _at(self, said: Statement) -> int:
        """The place of a statement among the card's vectors."""
        assert self._card is not None
        return self._card.index[said.text]

    def _among(self, left: int, right: int) -> float:
        """The cosine of two texts of the card."""
        assert self._card is not None
        return self._card.among[left][right]


def features(table: Table) -> list[Evidence]:
    """The features of every point of the rubric. The answer has at least one unit."""
    shared = _of_answer(table)
    nearness = [
        [_best(table, unit, wordings) for unit in range(len(table.units))]
        for wordings in table.subject.points
    ]
    found = [_of_point(table, at, nearness, shared) for at in range(len(table.subject.points))]
    means = {
        f"mean_{name}": _mean([one.values[name] for one in found if name in one.values])
        for name in POOLED
        if any(name in one.values for one in found)
    }
    return [msgspec.structs.replace(one, values=one.values | means) for one in found]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _best(table: Table, unit: int, wordings: Sequence[Statement]) -> float:
    """How near a unit is to the nearest of some wordings, for finding the evidence."""
    lexicon = table.subject.lexicon
    stems = table.units[unit].stems
    words = max((lexicon.cosine(stems, one.stems) for one in wordings), default=0.0)
    if not table.neural:
        return words
    return max(table.projected(unit, one) for one in wordings) + 0.3 * words


def _of_answer(table: Table) -> dict[str, float]:
    """What holds for the whole answer: function words, commas, verbs. Never its length."""
    whole = [
        token
        for unit in table.units
        if unit.kind in ("sentence", "clause")
        for token in unit.tokens
    ]
    count = max(1, len(whole))
    function = sum(token.function for token in whole) / count
    verbs = sum(is_verb(token.word) for token in whole) / count
    commas = sum(unit.text.count(",") for unit in table.units) / max(
        1, sum(len(unit.tokens) for unit in table.units)
    )
    absolutes = sum(token.word in ABSOLUTES for token in whole) / count
    truth = [table.truth[at] for at in table.sentences] if table.truth else []
    of_truth = {"truth_mean": _mean(truth), "truth_least": min(truth)} if truth else {}
    return of_truth | {
        "function_share": function,
        "verb_share": verbs,
        "comma_rate": commas,
        "absolutes": absolutes,
    }


def _of_point(
    table: Table, at: int, nearness: list[list[float]], shared: dict[str, float]
) -> Evidence:
    subject, lexicon = table.subject, table.subject.lexicon
    wordings, wrongs = subject.points[at], subject.wrongs[at]
    near = max(range(len(table.units)), key=lambda unit: nearness[at][unit])
    unit = table.units[near]
    everything = {stem for one in table.units for stem in one.stems}
    values = dict(shared)
    values["recall"] = max(
        lexicon.recall(one.stems, said.stems) for one in table.units for said in wordings
    )
    values["recall_all"] = max(lexicon.recall(everything, said.stems) for said in wordings)
    values["tfidf"] = max(
        lexicon.cosine(one.stems, said.stems) for one in table.units for said in wordings
    )
    values["bm25"] = max(
        lexicon.bm25([t.stem for t in one.tokens if not t.function], said.stems)
        for one in table.units
        for said in wordings
    )
    best = max(wordings, key=lambda said: lexicon.recall(unit.stems, said.stems))
    values["agreement"] = table.agreement(near, best)
    values["clash"] = float(min(2, max(clash(unit.stems, said.stems) for said in wordings[:1])))
    numbers = frozenset(token.stem for token in unit.tokens if token.number)
    values["number_clash"] = float(
        all(number_clash(numbers, said.numbers) for said in wordings[:1])
    )
    values["unit_function"] = sum(t.function for t in unit.tokens) / len(unit.tokens)
    values["denied"] = sum(unit.denied) / len(unit.denied)
    fresh = unit.stems - lexicon.question
    values["fresh"] = lexicon.total(fresh) / max(1e-6, lexicon.total(unit.stems))
    others = [row[near] for k, row in enumerate(nearness) if k != at]
    values["ahead"] = nearness[at][near] - max(others, default=0.0)
    if table.neural:
        values |= _neural(table, at, near)
    wrong_at, wrong = -1, -1
    if table.truth:
        values["truth_near"] = table.truth[near]
    if table.tones:
        values |= tone_features(table.tones, table.sentences, near)
    if wrongs:
        more, wrong_at, wrong = _of_wrongs(table, at, near)
        values |= more
    return Evidence(values, near, wrong_at, wrong)


def _neural(table: Table, at: int, near: int) -> dict[str, float]:
    wordings = table.subject.points[at]
    units = range(len(table.units))
    firsts = [point[0] for point in table.subject.points]
    centred = max(
        max(table.cosine(unit, said) for said in wordings)
        - CENTRE * sum(table.cosine(unit, one) for one in firsts) / len(firsts)
        for unit in units
    )
    return {
        "cosine": max(table.cosine(unit, said) for unit in units for said in wordings),
        "projected": max(table.projected(unit, said) for unit in units for said in wordings),
        "centred": centred,
        "echo": table.echo(near),
    }


def _of_wrongs(table: Table, at: int, near: int) -> tuple[dict[str, float], int, int]:
    """Features of the mistakes beside a point: nearest unit, margin, denial, telling words."""
    subject, lexicon = table.subject, table.subject.lexicon
    wordings, wrongs = subject.points[at], subject.wrongs[at]
    right_stems = {stem for said in wordings for stem in said.stems}

    def closeness(unit: int, said: Statement) -> float:
        words = lexicon.cosine(table.units[unit].stems, said.stems)
        return table.projected(unit, said) + 0.3 * words if table.neural else words

    unit, which = max(
        ((u, w) for u in table.owned for w in range(len(wrongs))),
        key=lambda pair: closeness(pair[0], wrongs[pair[1]]),
    )
    said = wrongs[which]
    stems = table.units[unit].stems
    telling = set(said.stems) - right_stems
    values = {
        "wrong_recall": lexicon.recall(stems, said.stems),
        "wrong_tfidf": lexicon.cosine(stems, said.stems),
        "wrong_agreement": table.agreement(unit, said),
        "telling": lexicon.recall(stems, telling) if telling else 0.0,
        "contrast_tfidf": lexicon.cosine(stems, said.stems)
        - max(lexicon.cosine(stems, one.stems) for one in wordings),
    }
    if table.neural:
        values["wrong_cosine"] = max(table.cosine(u, one) for u in table.owned for one in wrongs)
        values["wrong_projected"] = table.projected(unit, said)
        values["contrast"] = table.projected(unit, said) - max(
            table.projected(unit, one) for one in wordings
        )
        values["margin"] = max(
            table.margin(place, wrong, right)
            for place in {unit, near} & {unit, *table.owned}
            for wrong in wrongs
            for right in wordings[:1]
        )
    return values, unit, which


def tone_features(tones: Sequence[float], sentences: Sequence[int], near: int) -> dict[str, float]:
    """The features of how the answer sounds: at the point's unit, and over the sentences.

    `sentences` are those that the writer stands for: what is quoted to be refuted sounds wrong.
    """
    heard = [tones[at] for at in sentences]
    mean, most = _mean(heard), max(heard)
    return {"tone_near": min(tones[near], most), "tone_mean": mean, "tone_most": most}


def is_verb(word: str) -> bool:
    """Whether a word may be a verb: a common one, or a form in -ed or -ing."""
    return word in VERBS or (len(word) > 4 and word.endswith(("ed", "ing"))) or word.endswith("n't")
