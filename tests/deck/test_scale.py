"""Ten thousand cards: what parsing and synchronising cost, in process CPU time.

The bars are 5 s for the first synchronisation and 0.3 s for one that finds nothing changed. The
figures are printed; only the order of magnitude is asserted, as the machine may be busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.deck.lint import lint
from studytool.deck.load import load_folder
from studytool.paths import Paths
from studytool.services import decks
from studytool.services.context import open_app
from tests.deck.strategies import file_of

CARD = """## Why does method {n} normalise its vectors, and what would happen without it? {{#card-{n}}}
```toml
level = "medium"
kind = "explain"
no_demo = "a generated card has none"
needs = []
tags = ["generated", "number-{n}"]
sources = {{ paper = "a paper that does not exist, section {n}", code = "loss.py" }}
checked = 2026-11-23
```
### Answer
Because the length of a vector grows with the frequency of its word, a dot product of raw vectors
mostly says how frequent both words are. Dividing by the length leaves the angle, and the angle is
what carries the meaning: the vectors of synonyms point the same way, whatever their frequency.

Without it the {n} nearest neighbours [^paper] of every word would be the same frequent words, the
retrieval would be dominated by hubs, and the temperature of a contrastive loss would have to
undo differences of length that say nothing about the pair at hand [^code].
### Key points
- [2] The dot product of raw vectors mixes frequency with meaning
  - also: the norm grows with the count of the word
  - probe: What does the norm encode?
  - wrong: Normalising makes training faster and has no other effect. (why: it changes the ranking)
- [2] The cosine leaves only the angle
  - also: unit vectors compare by direction
  - wrong: The cosine is always between zero and one. (why: opposite vectors give minus one)
- [1] Without it a few hubs are everybody's neighbour
  - probe: How would you see a hub?
  - wrong: Hubs come from a bad optimiser. (why: they come with high dimension and with raw norms)
### Misconceptions
- A longer vector is a better vector. (why: its length follows the count of the word)
- Normalising loses nothing. (why: the norm can carry how sure or how specific a word is)
### Deeper
For unit vectors the squared distance is a linear function of the cosine, so both rank alike:

```python
# ## not a heading
distance = 2 - 2 * (u @ v)
```
### Follow-ups
- card-0
### See it
Leave the normalisation out and predict which words become everybody's neighbour."""


def build(folder: Path, cards: int, per_file: int) -> None:
    folder.mkdir()
    for start in range(0, cards, per_file):
        bodies = [CARD.format(n=n) for n in range(start, min(cards, start + per_file))]
        (folder / f"f{start:05}.md").write_text(file_of(*bodies), encoding="utf-8")


def cpu_seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def test_two_hundred_cards_parse_lint_and_sync_without_a_fault(
    tmp_path: Path, paths: Paths, clock: FixedClock
) -> None:
    build(tmp_path / "deck", 200, 20)
    deck = load_folder(tmp_path / "deck")

    assert (len(deck.cards), deck.faults) == (200, ())
    assert [fault.rule for fault in lint(deck, {})] == ["unknown-card"]  # card-0 follows itself
    with open_app(tmp_path / "deck", clock, paths) as app:
        assert decks.sync(app).added == 200


@pytest.mark.bench
@pytest.mark.parametrize("per_file", [20, 10_000])
def test_ten_thousand_cards(per_file: int, tmp_path: Path, paths: Paths, clock: FixedClock) -> None:
    count = 10_000
    build(tmp_path / "deck", count, per_file)
    parsing = cpu_seconds(lambda: load_folder(tmp_path / "deck"))
    linting = cpu_seconds(lambda: lint(load_folder(tmp_path / "deck"), {})) - parsing
    with open_app(tmp_path / "deck", clock, paths) as app:
        app.store.known_files(app.deck_name)
        first = cpu_seconds(lambda: decks.sync(app))
        again = cpu_seconds(lambda: decks.sync(app))
        assert app.store.known_files(app.deck_name)
    lines = CARD.count("\n") + 1
    print(
        f"\n{count} cards of {lines} lines, {per_file} a file: parse {parsing:.2f} s, lint {linting:.2f} s, "
        f"first sync {first:.2f} s, nothing changed {again:.3f} s (CPU)"
    )
    assert first < 50
    assert again < 3
