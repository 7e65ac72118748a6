"""The grader: a card and an answer in, verdicts with their evidence out. Never an exception.

    answer -> units -> features of each key point -> probabilities -> verdicts -> score, rating

With an encoder units are compared by meaning as well; without one, by words alone.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from studytool.grading import exact, gates, numeric, score
from studytool.grading.calibration import Calibration
from studytool.grading.choose import choose
from studytool.grading.decide import CLASSES, weights
from studytool.grading.features import Evidence, Subject, Table, features
from studytool.grading.model import Graded, Number, PointVerdict, Verdict, Voiced
from studytool.grading.rubric import rubric
from studytool.grading.text import shown
from studytool.grading.units import Reading, Unit
from studytool.grading.vectors import VectorCache, cosines, tones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studytool.deck.model import Card
    from studytool.grading.decide import Weights
    from studytool.grading.encoder import Encoder
    from studytool.grading.rubric import Point, Rubric
    from studytool.grading.vectors import CardVectors

LEXICAL = "lexical"
#: What is read of an answer; an hour of talk has about this many characters.
LONGEST_ANSWER = 60_000
#: Rubrics that are kept ready.
_KEPT = 256
_VERDICTS = {name: Verdict(name) for name in CLASSES}


class Grader:
    """Grades answers. Keeps the cards it has seen ready; use it from one thread at a time."""

    def __init__(
        self,
        encoder: Encoder | None = None,
        calibration: Calibration | None = None,
        *,
        cache: VectorCache | None = None,
        model: Weights | None = None,
    ) -> None:
        """`cache` keeps vectors of cards on disk; `model` replaces the weights of the package."""
        self.encoder = encoder
        self.calibration = calibration or Calibration()
        self._cache = cache or VectorCache(None)
        self._weights = model or weights()
        self._ready: OrderedDict[bytes, tuple[Subject, CardVectors | None]] = OrderedDict()

    @property
    def name(self) -> str:
        """Who judges: "lexical" or the encoder's name."""
        return LEXICAL if self.encoder is None else self.encoder.name

    def warm(self, cards: Iterable[Card]) -> None:
        """Make the vectors of cards ready before their answers come."""
        for card in cards:
            self._prepared(rubric(card))

    def grade(self, card: Card, answer: str, *, card_id: str = "") -> Graded:
        """The verdict on `answer`; `card_id` may name one sibling of a cloze card (`id/c1`)."""
        wanted = rubric(card, card_id)
        noted = ["too-long"] if len(answer) > LONGEST_ANSWER else []
        answer = answer[:LONGEST_ANSWER]
        number = numeric.check(answer, card.result) if card.result is not None else None
        reading = Reading(answer)
        if not reading.tokens:
            return self._missed(wanted, number, [*noted, "empty"])
        chosen = exact.letters(card, answer)
        if chosen is not None:
            return exact.choice(card, wanted, answer, chosen, self.name)
        subject, vectors = self._prepared(wanted)
        units, found = self.units(reading, subject)
        noted += found
        if not units:
            return self._missed(wanted, number, noted)
        table = self._compared(subject, vectors, units)
        return self._judge(table, wanted, reading, number, noted)

    def _compared(
        self, subject: Subject, vectors: CardVectors | None, units: Sequence[Unit]
    ) -> Table:
        if vectors is None or self.encoder is None:
            return Table(subject, units, None, None)
        rows = self.encoder.encode([unit.text for unit in units])
        heard = tones(rows, self._weights.tone, self.encoder)
        return Table(subject, units, vectors, cosines(rows, vectors), heard)

    def _judge(
        self,
        table: Table,
        wanted: Rubric,
        reading: Reading,
        number: Number | None,
        noted: list[str],
    ) -> Graded:
        points: list[PointVerdict] = []
        covered: list[float] = []
        for point, evidence in zip(wanted.points, features(table), strict=True):
            if point.verbatim:
                verdict, chance = exact.verbatim(point, reading)
            else:
                verdict, chance = self._point(point, evidence, table)
            points.append(verdict)
            covered.append(chance)
        capped = gates.one_unit([p.evidence for p in points if p.verdict is Verdict.COVERED])
        if capped:
            noted.append("one-unit")
        if not noted and all(p.verdict is Verdict.MISSED for p in points):
            noted.append("off-topic")
        voiced = self._voiced(table, wanted)
        value = score.score(points, covered, number, capped=capped)
        return Graded(
            score=round(value, 4),
            rating=score.rating(points, value, number, voiced=bool(voiced)),
            points=tuple(points),
            voiced=voiced,
            grader=self.name,
            gates=tuple(dict.fromkeys(noted)),
            number=number,
        )

    def _point(self, point: Point, evidence: Evidence, table: Table) -> tuple[PointVerdict, float]:
        """The verdict on one point, and the probability that it is covered."""
        model = self._weights.model(neural=table.neural, wrongs=bool(point.wrong))
        chances = self.calibration.apply(model.probabilities(evidence.values))
        top = max(range(len(CLASSES)), key=chances.__getitem__)
        name = CLASSES[top]
        sure = chances[top] >= self.calibration.sure
        verdict = _VERDICTS[name] if sure else Verdict.UNSURE
        place, wrong, why = evidence.near, "", ""
        if name == "contradicted" and evidence.wrong >= 0:
            place = evidence.wrong_at
            if verdict is Verdict.CONTRADICTED:
                mistake = point.wrong[evidence.wrong]
                wrong, why = mistake.text, shown(mistake.why)
        clause = "" if verdict is Verdict.MISSED else table.units[place].text
        judged = PointVerdict(
            text=point.text,
            weight=point.weight,
            verdict=verdict,
            probability=round(chances[top], 4),
            evidence=clause,
            wrong=wrong,
            why=why,
        )
        return judged, chances[CLASSES.index("covered")]

    def _voiced(self, table: Table, wanted: Rubric) -> tuple[Voiced, ...]:
        """The card's own misconceptions that a unit states, by the hand rule."""
        rule = self._weights.model(neural=table.neural, wrongs=True).hand
        return tuple(
            Voiced(mistake.text, shown(mistake.why), table.units[place].text)
            for mistake, said in zip(
                wanted.misconceptions, table.subject.misconceptions, strict=True
            )
            if (place := table.voices(said, rule.a, rule.m)) is not None
        )

    def units(self, reading: Reading, subject: Subject) -> tuple[list[Unit], list[str]]:
        """The units to judge, without echoes and keyword lists; and the gates that they met."""
        noted: list[str] = []
        if gates.is_code(reading.text):
            noted.append("code-only")
        if gates.is_foreign(reading.text):
            noted.append("foreign")
        everything = reading.units()
        lists = gates.stuffed(reading)
        if lists:
            noted.append("stuffed")
        real = [
            u
            for u in everything
            if not any(u.start < end and u.end > start for start, end in lists)
        ]
        fresh = [unit for unit in real if not gates.echoes(unit, subject.lexicon)]
        if real and not fresh:
            noted.append("echo")
        return choose(fresh, [*subject.points, *subject.wrongs], subject.lexicon), noted

    def _prepared(self, wanted: Rubric) -> tuple[Subject, CardVectors | None]:
        """The rubric ready for comparison, with its vectors when there is an encoder."""
        key = msgspec.json.encode([self.name, wanted])
        if key in self._ready:
            self._ready.move_to_end(key)
            return self._ready[key]
        vectors = None
        if self.encoder is not None:
            vectors = self._cache.vectors(self.encoder, wanted.texts)
        self._ready[key] = Subject(wanted), vectors
        if len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        return self._ready[key]

    def _missed(self, wanted: Rubric, number: Number | None, noted: Sequence[str]) -> Graded:
        """Every point missed."""
        points = tuple(
            PointVerdict(
                text=point.text, weight=point.weight, verdict=Verdict.MISSED, probability=1.0
            )
            for point in wanted.points
        )
        value = score.score(points, [0.0] * len(points), number)
        suggested = score.rating(points, value, number, voiced=False)
        return Graded(
            score=value,
            rating=suggested,
            points=points,
            grader=self.name,
            gates=tuple(noted),
            number=number,
        )
