"""What the few-shot demo asks: pairs that one word answers, sentences with labels, and formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demos.kit.data import DataFault

Pair = tuple[str, str]

_ANTONYMS = (
    "hot cold, big small, fast slow, happy sad, up down, early late, rich poor, hard soft, "
    "old young, light dark, high low, open closed, full empty, strong weak, good bad, near far, "
    "left right, black white, day night, love hate, win lose, buy sell, push pull, clean dirty, "
    "wet dry, long short, loud quiet, true false, first last, inside outside, north south, "
    "east west"
)
_PAST = (
    "go went, see saw, take took, eat ate, run ran, write wrote, give gave, come came, know knew, "
    "think thought, buy bought, bring brought, teach taught, catch caught, find found, hold held, "
    "keep kept, leave left, lose lost, make made, meet met, say said, sell sold, send sent, "
    "sit sat, speak spoke, stand stood, swim swam, tell told, win won, drive drove, fly flew, "
    "break broke, choose chose, draw drew, drink drank, fall fell, forget forgot, sing sang, "
    "throw threw"
)
_CAPITALS = (
    "France Paris, Japan Tokyo, Italy Rome, Spain Madrid, Germany Berlin, Egypt Cairo, "
    "Greece Athens, Russia Moscow, China Beijing, Peru Lima, Cuba Havana, Canada Ottawa, "
    "Austria Vienna, Portugal Lisbon, Norway Oslo, Sweden Stockholm, Finland Helsinki, "
    "Denmark Copenhagen, Ireland Dublin, Poland Warsaw, Hungary Budapest, Turkey Ankara, "
    "Iran Tehran, Iraq Baghdad, Kenya Nairobi, Belgium Brussels, Ukraine Kyiv, Chile Santiago, "
    "Thailand Bangkok, Syria Damascus, Lebanon Beirut, Libya Tripoli"
)


@dataclass(frozen=True)
class Task:
    """Pairs of a question and its one-word answer; `sentence` says in words what is asked."""

    name: str
    sentence: str
    pairs: tuple[Pair, ...]


def parse_pairs(text: str) -> tuple[Pair, ...]:
    """`go went, see saw`. Raises DataFault for a pair that is not two words."""
    pairs = []
    for piece in text.split(","):
        words = piece.split()
        if len(words) != 2:
            raise DataFault(
                f"--pairs has “{piece.strip()}” where a question and its answer should be",
                "Two words each, separated by commas: --pairs 'cat cats, dog dogs, bus buses'",
            )
        pairs.append((words[0], words[1]))
    return tuple(pairs)


TASKS = {
    "past": Task("past", "The past tense of {q} is", parse_pairs(_PAST)),
    "antonym": Task("antonym", "The opposite of {q} is", parse_pairs(_ANTONYMS)),
    "capital": Task("capital", "The capital of {q} is", parse_pairs(_CAPITALS)),
}


def own_task(text: str, needed: int) -> Task:
    """The user's own pairs. Raises DataFault for fewer than `needed` of them."""
    pairs = parse_pairs(text)
    if len(pairs) < needed:
        raise DataFault(
            f"--pairs has {len(pairs)} pairs, but {needed} are needed",
            "As many as --shots, and one more to ask for: give more pairs, or fewer shots.",
        )
    return Task("own", "{q} becomes", pairs)


@dataclass(frozen=True)
class Format:
    """How one example is written: the question, and the answer that should follow it."""

    name: str
    question: str
    answer: str = " {a}\n"

    def ask(self, question: str) -> str:
        return self.question.format(q=question)

    def show(self, pair: Pair) -> str:
        """A whole example."""
        return self.ask(pair[0]) + self.answer.format(a=pair[1])

    def prefix(self, shots: Sequence[Pair]) -> str:
        """All examples, one after the other."""
        return "".join(self.show(pair) for pair in shots)


def formats(task: Task) -> dict[str, Format]:
    """Four ways to write the same example; only the last says what is asked."""
    return {
        "arrow": Format("arrow", "{q} ->"),
        "colon": Format("colon", "{q}:"),
        "qa": Format("qa", "Q: {q}\nA:"),
        "sentence": Format("sentence", task.sentence, " {a}.\n"),
    }


#: Opinions with their label, half of each kind.
REVIEWS = tuple(
    (text, good)
    for good, texts in (
        (
            True,
            (
                "I loved every minute of it", "a wonderful and moving story",
                "the best film of the year", "brilliant acting and a clever plot",
                "we laughed from start to finish", "a joy to watch", "simply beautiful",
                "I would gladly see it again", "a warm and funny film", "an excellent cast",
                "it was a great evening", "charming and full of life",
            ),
        ),
        (
            False,
            (
                "I hated every minute of it", "a dull and empty story",
                "the worst film of the year", "terrible acting and a stupid plot",
                "we were bored from start to finish", "a pain to watch", "simply awful",
                "I want my money back", "a cold and boring film", "a dreadful cast",
                "it was a wasted evening", "ugly and without any life",
            ),
        ),
    )
    for text in texts
)  # fmt: skip

#: Words for (negative, positive): what they mean, words that mean nothing, and the wrong way round.
LABELS = {
    "natural": ("negative", "positive"),
    "arbitrary": ("foo", "bar"),
    "flipped": ("positive", "negative"),
}

#: Countries for the question about capitals, raw and in the chat template.
ASKED = tuple(pair for pair in TASKS["capital"].pairs if pair[0] in (
    "France", "Japan", "Italy", "Spain", "Germany", "Egypt",
))  # fmt: skip

#: Ways to put one question to the same weights, from the base model's to the chat model's.
PUTS = {
    "bare question": "What is the capital of {q}?",
    "base: text to continue": "The capital of {q} is",
    "instruct: question and answer": "Question: What is the capital of {q}?\nAnswer:",
}
