"""CLIP from scratch on emoji: two towers that learn by telling pairs apart.

Nobody labels a picture "pilot". All CLIP is given is pairs of a picture and a text that were
found together. In a batch of N pairs it is asked 2N questions: which of these N texts belongs to
this picture, and which of these N pictures to this text? Everything it can later do, retrieval
and naming classes it was never told of, comes from answering these.

Here the pairs are 2,790 emoji and their names. Watch three things:

1. The loss begins at ln N: the towers guess. A loss that stays there has learnt nothing.
2. Retrieval of combinations never trained on: *woman*, *pilot* and *dark skin tone* were all
   seen, this picture was not. The line "copying" is what a lookup of the nearest caption does
   without any learning; good retrieval in a small pool is not yet understanding.
3. Retrieval of things never seen at all (*pizza*). From scratch it is poor, because the word
   itself is new. Borrow a text tower that has read the web (`text = minilm`) and it improves.

Radford et al. 2021, *Learning Transferable Visual Models From Natural Language Supervision*,
arXiv:2103.00020; the frozen tower after Zhai et al. 2022, *LiT*, arXiv:2111.07991.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator

import msgspec
import numpy as np
import torch
from torch import Tensor

from demos.kit.adamw import AdamW
from demos.kit.emoji import load_emoji, paired
from demos.kit.minilm import MiniLM, cached_sentences
from demos.kit.retrieval import recall_at
from demos.kit.towers import FrozenTower, ImageTower, TwoTowers, WordTower, ink
from demos.kit.words import Vocabulary, split_words
from demos.multimodal.clip_explore import ClipExplorer
from demos.multimodal.clip_panel import Panel, batch_matrix, failures, summary
from demos.multimodal.clip_study import Score, Step, Study, measure
from demos.multimodal.clip_verdict import (
    Result,
    claims,
    finding,
    outcomes,
    questions,
    with_steps,
)
from demos.multimodal.specs import CLIP, ClipParams
from studytool.demo.events import Event, Finding, Note, Progress, Stage, claim
from studytool.demo.spec import Lab, main

DIMENSIONS = 128  # of the space that both towers map to


# %% The loss
# A batch of N pairs gives an N x N table of cosines, each divided by the temperature τ. Every
# row is a question (which text?) and every column is one (which picture?); the right answers
# stand on the diagonal. Both are ordinary cross-entropies, and CLIP takes their mean.


def contrastive_loss(
    images: Tensor, texts: Tensor, scale: Tensor | float, direction: str = "both"
) -> Tensor:
    """The mean loss of a batch, in nats; `images` and `texts` are (N, d) unit vectors.

    Radford et al. 2021, figure 3: the symmetric mean of two InfoNCE losses (van den Oord et al.
    2018, arXiv:1807.03748, equation 4). `scale` is 1/τ. `direction` may ask one question only.
    """
    logits = scale * images @ texts.T
    right = logits.diagonal()
    which_text = (logits.logsumexp(dim=1) - right).mean()
    which_image = (logits.logsumexp(dim=0) - right).mean()
    if direction == "both":
        return (which_text + which_image) / 2
    return which_text if direction == "image_to_text" else which_image


def loss_from_definition(images: np.ndarray, texts: np.ndarray, scale: float) -> float:
    """The symmetric loss once more, pair by pair in float64 from -ln p(right), to check it."""
    cosines = images.astype(np.float64) @ texts.astype(np.float64).T
    total = 0.0
    for table in (cosines, cosines.T):
        for i, row in enumerate(table):
            weights = np.exp(scale * (row - row.max()))
            total -= math.log(weights[i] / weights.sum())
    return total / (2 * len(cosines))


def loss_floor(n: int, temperature: float) -> float:
    """The lowest loss that any N unit vectors on each side can have: ln(1 + (N-1) e^(-N/((N-1)τ))).

    A pair's loss is ln(1 + Σ_j e^((s_ij - s_ii)/τ)), convex in the differences, so by Jensen the
    mean loss is at least the one of their mean; and that mean is at least -N/(N-1), because
    N Σ u_i·v_i - Σ u_i · Σ v_j = N Σ (u_i - ū)·(v_i - v̄) <= N². At τ = 1 this is near ln N.
    """
    return math.log1p((n - 1) * math.exp(-n / ((n - 1) * temperature)))


# %% The data
# Captions become what the text tower reads: word numbers, or MiniLM's vectors, computed once.


def build(
    params: ClipParams, lab: Lab, study: Study
) -> Generator[Event, None, tuple[TwoTowers, Tensor]]:
    """The untrained towers, and all captions as the text tower takes them."""
    torch.manual_seed(lab.seed)
    names = study.emoji.names
    image = ImageTower(params.width, DIMENSIONS)
    text: WordTower | FrozenTower
    if params.text == "scratch":
        text = WordTower(Vocabulary(study.names(study.train)), DIMENSIONS)
        captions = text.prepare(names)
    else:
        reader = MiniLM()
        vectors = yield from cached_sentences(lab, names, reader)
        text = FrozenTower(reader, vectors[study.train], DIMENSIONS)
        captions = torch.from_numpy(vectors)
    learn = params.learn_temperature
    return TwoTowers(image, text, params.temperature, learn_temperature=learn), captions


# %% Training
# AdamW with decay on matrices only, a short warm-up and a cosine to zero (§2.5). Each picture is
# moved by a pixel or two and slightly recoloured, so that no batch is the same twice.


def train(
    model: TwoTowers, study: Study, captions: Tensor, params: ClipParams, rng: np.random.Generator
) -> Iterator[Step]:
    """Train in place, one step for each item taken."""
    optimiser = AdamW(model.parameters(), decay=0.05)
    batches = _batches(study.train, params.batch, rng)
    for number in range(1, params.steps + 1):
        chosen = next(batches)
        pictures = ink(shifted(study.emoji.pixels[chosen], params.shift, rng))
        pictures *= torch.from_numpy(rng.uniform(0.9, 1.1, (len(chosen), 3, 1, 1))).float()
        model.train()
        images, texts = model.images(pictures), model.texts(captions[chosen])
        loss = contrastive_loss(images, texts, model.scale, params.direction)
        temperature = model.temperature
        optimiser.clear()
        loss.backward()
        optimiser.step(_rate(number - 1, params))
        yield Step(number, loss.item(), temperature)


def shifted(pixels: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each picture (side, side, 3) moved by up to `most` pixels each way, on white paper."""
    if most == 0:
        return pixels
    count, side = pixels.shape[:2]
    wide = np.pad(pixels, ((0, 0), (most, most), (most, most), (0, 0)), constant_values=255)
    top, left = rng.integers(0, 2 * most + 1, (2, count, 1))
    along = np.arange(side)
    rows, columns = (top + along)[:, :, None], (left + along)[:, None, :]
    return wide[np.arange(count)[:, None, None], rows, columns]


def _batches(train: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Batches without repetition inside, pass after pass over the data in new orders."""
    size = min(size, len(train))
    while True:
        order = rng.permutation(train)
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]


def _rate(step: int, params: ClipParams) -> float:
    """The learning rate of a step counted from 0: ten steps of warm-up, then a cosine to 0."""
    share = 0.5 * (1 + math.cos(math.pi * step / params.steps))
    return params.lr * min(1.0, (step + 1) / 10) * share


# %% The run


def run(params: ClipParams, lab: Lab) -> Generator[Event, None, ClipExplorer]:
    """Ask, draw the data, train before your eyes, then say what was found."""
    torch.set_num_threads(lab.threads)
    yield from questions(params)
    everything = yield from load_emoji(lab)
    emoji = everything.take([i for i, name in enumerate(everything.names) if paired(name)])
    copies = len(everything) - len(set(everything.twin.tolist()))
    yield Note(
        f"{copies} of {len(everything):,} pictures are pixel for pixel the same as another with a "
        "different name, such as flags of dependencies; of two such pictures neither counts as "
        "found first."
    )
    return (yield from lesson(params, lab, Study.of(emoji)))


def lesson(params: ClipParams, lab: Lab, study: Study) -> Generator[Event, None, ClipExplorer]:
    """The run on given emoji."""
    params = with_steps(params)
    yield Stage("preparing", f"{len(study.train):,} pairs to train on; text tower: {params.text}")
    model, captions = yield from build(params, lab, study)
    yield from unread(model, study)
    before = measure(model, study, captions)
    panel = Panel(study, params, _levels(params))
    yield from panel.look(0, before)
    yield Stage("training", f"{params.steps} steps of {params.batch} pairs on {lab.threads} thread")
    looks = _looks(params.steps)
    for step in train(model, study, captions, params, lab.rng()):
        panel.add(step)
        if step.number % 5 == 0 or step.number == params.steps:
            yield Progress(step.number, params.steps, note=f"loss {step.loss:.2f}")
        if step.number in looks:
            yield from panel.look(step.number, measure(model, study, captions))
    yield Stage("measuring", "all pictures, the failures, the claims")
    after = measure(model, study, captions)
    explorer = ClipExplorer(model, study.emoji, captions)
    above_floor = min(s.loss - loss_floor(params.batch, s.temperature) for s in panel.steps)
    result = Result(
        params,
        study,
        before,
        after,
        panel.steps,
        among_all=explorer.full_places(study.comp),
        loss_error=loss_error(after, model.scale.item()),
        above_floor=above_floor,
    )
    yield from show(result)
    if params.all:
        yield from compare(result, lab)
    return explorer


def unread(model: TwoTowers, study: Study) -> Iterator[Note]:
    """Says for how many unseen things the text tower has no words: they can't be found by name."""
    names = study.names(study.unseen)
    some = [name for name in names if model.text.unknown(name)]
    none = [name for name in some if len(model.text.unknown(name)) == len(split_words(name))]
    if some:
        yield Note(
            f"{len(some)} of {len(names)} names of unseen things have a word that no training "
            f"caption has; of {len(none)} this text tower can read nothing but their length."
        )


def _levels(params: ClipParams) -> dict[str, float]:
    """Lines to hold the loss against: guessing, and the floor where τ can't get away from it."""
    levels = {f"ln {params.batch}: guessing": math.log(params.batch)}
    if not params.learn_temperature:
        floor = loss_floor(params.batch, params.temperature)
        levels[f"floor at τ = {params.temperature:g}"] = floor
    return levels


def _looks(steps: int) -> set[int]:
    """Ten steps to measure at, closer together in the beginning, the last one included."""
    return {max(1, round(steps * (i / 10) ** 1.5)) for i in range(1, 11)}


def loss_error(score: Score, scale: float, pairs: int = 64) -> float:
    """How far the loss of some trained pairs is from its definition, both in float64."""
    images, texts = score.images[:pairs].astype(np.float64), score.texts[:pairs].astype(np.float64)
    ours = contrastive_loss(torch.from_numpy(images), torch.from_numpy(texts), scale).item()
    return abs(ours - loss_from_definition(images, texts, scale))


def show(result: Result) -> Iterator[Event]:
    """Tables, outcomes, claims, and the sentence to say."""
    study, after = result.study, result.after
    yield batch_matrix(study, after)
    yield from failures(study, after)
    yield summary(study, result.before, after, result.among_all, result.params.text)
    yield from outcomes(result)
    yield from claims(result)
    yield Finding(finding(result))


# %% Both text towers, and the reference loss (`--all`)


def compare(result: Result, lab: Lab) -> Iterator[Event]:
    """Check the loss against open_clip's, then train the other text tower on the same data."""
    yield Stage("reference", "importing open_clip takes a few seconds")
    from open_clip.loss import ClipLoss

    images = torch.from_numpy(result.after.images[:64])
    texts = torch.from_numpy(result.after.texts[:64])
    scale = torch.tensor(1 / result.temperature)
    theirs = ClipLoss()(images, texts, scale).item()
    difference = abs(contrastive_loss(images, texts, scale).item() - theirs)
    yield claim("open-clip-loss", "the loss equals open_clip's ClipLoss", difference, "<=", 1e-6)
    other = msgspec.structs.replace(
        result.params,
        text="minilm" if result.params.text == "scratch" else "scratch",
        steps=0 if result.is_recipe else result.params.steps,
    )
    other = with_steps(other)
    yield Stage("other text tower", f"the same training with text = {other.text}")
    study = result.study
    model, captions = yield from build(other, lab, study)
    before = measure(model, study, captions)
    for step in train(model, study, captions, other, lab.rng()):
        if step.number % 10 == 0 or step.number == other.steps:
            yield Progress(step.number, other.steps, note=f"loss {step.loss:.2f}")
    after = measure(model, study, captions)
    places = ClipExplorer(model, study.emoji, captions).full_places(study.comp)
    yield summary(study, before, after, places, other.text, id="summary-other")
    lit, own = (after, result.after) if other.text == "minilm" else (result.after, after)
    ahead = recall_at(lit.unseen, 10) - recall_at(own.unseen, 10)
    if result.is_recipe:
        text = "a borrowed text tower adds to R@10 of the unseen"
        yield claim("borrowed-text", text, ahead, ">=", 0.05)


if __name__ == "__main__":
    main(CLIP)
