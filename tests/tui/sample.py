"""Made-up cards, overviews and demos for the screens."""

from __future__ import annotations

from datetime import date

from studytool.deck.cloze import face, sibling_ids
from studytool.deck.model import (
    Card,
    CardId,
    DemoId,
    KeyPoint,
    Kind,
    Level,
    Option,
    Result,
    Wrong,
)
from studytool.deck.story import Step
from studytool.grading import score
from studytool.grading.model import Graded, PointVerdict, Verdict
from studytool.schedule.model import CardState, Phase, Rating
from studytool.services.story import Link, Page, Told
from studytool.services.types import ChapterRow, Choice, Counts, Overview, Question

TODAY = date(2026, 11, 23)

OVERVIEW = Overview(
    counts=Counts(new=8, learning=2, review=24),
    chapters=(
        ChapterRow("lexical", "Counting words", 12, 12, 1, 0, 0.92),
        ChapterRow("static", "Word vectors", 14, 11, 6, 2, 0.81),
        ChapterRow("contextual", "BERT and kin", 11, 8, 5, 3, 0.64),
        ChapterRow("multimodal", "CLIP and multimodal integration", 13, 9, 12, 3, 0.55),
        ChapterRow("foundation", "BERT to GPT-4", 10, 10, 0, 0, 0.88),
    ),
    streak=12,
    week=(4, 14, 9, 21, 7, 25, 16),
    minutes=18,
    next_due=TODAY,
    total_cards=60,
)

CLIP = Card(
    id=CardId("clip-temperature"),
    question="Why does CLIP learn its temperature instead of fixing it?",
    chapter="multimodal",
    area="H",
    topic="CLIP",
    level=Level.MEDIUM,
    kind=Kind.EXPLAIN,
    answer=(
        "Because the right sharpness depends on the batch size and on how far training has come, "
        "and **nobody knows it in advance**. The logits are cosine similarities, so they lie in "
        "[-1, 1]; without a scale the softmax over a large batch stays almost flat.\n\n"
        "- The scale is learned in log space, `exp(t)`, initialised at 1/0.07 [^clip].\n"
        "- It is clipped at 100, so that training stays stable [^clip].\n\n"
        "Measured here: {claim:clip/tau-one}."
    ),
    demo=DemoId("clip"),
    params={"steps": 200},
    needs=(CardId("clip-objective"),),
    tags=("temperature",),
    sources={"clip": "arXiv:2103.00020 §2.5"},
    checked=date(2026, 11, 23),
    key_points=(
        KeyPoint(
            2,
            "Learned in log space, initialised at 0.07 [^clip]",
            also=("it is a trained parameter",),
            probe="What would happen without the clip at 100?",
            wrong=(Wrong("The temperature is a fixed constant of 0.07.", "the scale is trained"),),
        ),
        KeyPoint(1, "Clipped so that logits are never scaled by more than 100 [^clip]"),
        KeyPoint(1, "Cosine similarities alone are too flat a range for a softmax"),
    ),
    misconceptions=(
        Wrong("A higher temperature sharpens the distribution.", "logits are divided by it"),
    ),
    deeper="The gradient of the loss to the scale is the difference of two mean similarities.",
    follow_ups=(CardId("clip-batch-size"),),
    see_it="What happens at τ = 1? Predict the retrieval, then run it.",
)

BATCH = Card(
    id=CardId("clip-batch-size"),
    question="Does CLIP need a large batch?",
    chapter="multimodal",
    area="H",
    topic="CLIP",
    level=Level.HARD,
    kind=Kind.EXPLAIN,
    answer="More negatives a step; at equal compute the gain is smaller than taught.",
    no_demo="covered by clip-temperature's demo",
    key_points=(KeyPoint(1, "Negatives come from the batch"),),
)

CHOICE = Card(
    id=CardId("clip-zero-shot"),
    question="How does CLIP classify without training on the classes?",
    chapter="multimodal",
    area="H",
    topic="CLIP",
    level=Level.EASY,
    kind=Kind.CHOICE,
    answer="Class names become sentences; the nearest text embedding wins.",
    no_demo="a definition",
    options=(
        Option("It compares the picture with a sentence for each class", True),
        Option("It trains a linear probe on the labels", False, "that is linear probing"),
        Option(
            "It captions the picture and looks for the class name", False, "CLIP has no decoder"
        ),
    ),
)

CLOZE = Card(
    id=CardId("clip-loss"),
    question="The loss of CLIP",
    chapter="multimodal",
    area="H",
    topic="CLIP",
    level=Level.MEDIUM,
    kind=Kind.CLOZE,
    prompt="CLIP's loss is a {{c1::symmetric}} cross entropy over {{c2::cosine similarities}}.",
    answer="Rows and columns of the similarity matrix are each a classification.",
    no_demo="a definition",
)

COMPUTE = Card(
    id=CardId("chance-loss"),
    question="What is the contrastive loss at chance with a batch of 256?",
    chapter="multimodal",
    area="H",
    topic="CLIP",
    level=Level.EASY,
    kind=Kind.COMPUTE,
    answer="ln 256, because every pair is equally likely.",
    no_demo="arithmetic",
    result=Result(5.545, 0.05, "nats"),
)

HOSTILE = Card(
    id=CardId("hostile"),
    question="[red]markup[/red] \x1b[31mescape\x1b[0m \u202etfel-ot-thgir",
    chapter="multimodal",
    area="H",
    topic="[b]x[/b]",
    level=Level.EASY,
    kind=Kind.EXPLAIN,
    answer="See [link=https://example.org]here[/link] \x1b]0;title\x07 and [@click=app.quit]click[/].",
    no_demo="a test",
    key_points=(KeyPoint(1, "[bold]not bold[/bold] \x9b31m"),),
)

CARDS = (CLIP, BATCH, CHOICE, CLOZE, COMPUTE)


def graded(card: Card, *found: tuple[Verdict, str], grader: str = "lexical") -> Graded:
    """A verdict on each key point, in order, with its evidence; those not named are missed."""
    points = []
    for at, point in enumerate(card.key_points):
        verdict, evidence = found[at] if at < len(found) else (Verdict.MISSED, "")
        wrong, why = "", ""
        if verdict is Verdict.CONTRADICTED and point.wrong:
            wrong, why = point.wrong[0].text, point.wrong[0].why
        points.append(
            PointVerdict(text=point.text, weight=point.weight, verdict=verdict, probability=0.9,
                         evidence=evidence, wrong=wrong, why=why)
        )  # fmt: skip
    value = score.score(points, [0.0] * len(points), None)
    rating = score.rating(points, value, None, voiced=False)
    return Graded(score=value, rating=rating, points=tuple(points), grader=grader)


def choices() -> tuple[Choice, ...]:
    """The four buttons as a card in review would have them."""
    return tuple(
        Choice(rating, text, TODAY, CardState())
        for rating, text in zip(Rating, ("<10m", "2d", "6d", "14d"), strict=True)
    )


def question(card: Card, *, state: CardState | None = None, change: str = "") -> Question:
    """A question as the study service would serve it."""
    card_id = sibling_ids(card)[0]
    prompt, answer = face(card, card_id)
    return Question(
        card_id=card_id,
        card=card,
        prompt=prompt,
        answer=answer,
        state=state or CardState(phase=Phase.REVIEW, stability=6.0, difficulty=5.0),
        choices=choices(),
        path="clip.md",
        line=11,
        change=change,
        chapter_title="CLIP and multimodal integration",
    )


STORY = Told(
    title="From counting to CLIP",
    lesson="Each fix moved what the model learns from.",
    words=61,
    asked=("clip-temperature",),
    pages=(
        Page(
            Step(
                name="Counting",
                year=1972,
                broke="In a bag of words every word counts alike.",
                fixed="Weigh a word by how few documents have it.",
                trained="Nothing is trained: documents are counted.",
                sources=("Spärck Jones 1972",),
            ),
            (),
        ),
        Page(
            Step(
                name="CLIP",
                year=2021,
                broke="Pictures came with labels of a fixed list, and words had never seen a picture.",
                fixed="Two towers put a picture and its caption in one place.",
                trained="Tell the right caption from all others of the batch.",
                sources=("arXiv:2103.00020 §2.3",),
            ),
            (
                Link("card", "clip-temperature", CLIP.question),
                Link("card", "clip-batch-size", "More negatives a step: is [bold]more[/] better?"),
                Link("demo", "clip", "CLIP from scratch on emoji"),
            ),
        ),
    ),
)
