"""A claim on a card shows the user's own last run, and until there is one the recorded value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.deck import refs
from studytool.deck.load import load_folder
from studytool.paths import Paths, builtin_content
from studytool.services import measured
from studytool.services.context import open_app
from studytool.services.demo_history import claim_texts
from studytool.store.records import ClaimRecord, DemoRunRecord


@pytest.fixture(autouse=True)
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A recorded file of the test's own."""
    values = {
        "skipgram": {
            "wordsim": {"value": 0.5, "unit": ""},
            "start-loss": {"value": 4.2, "unit": "nats"},
        }
    }
    (tmp_path / measured.FILE).write_text(json.dumps(values), encoding="utf-8")
    monkeypatch.setattr(measured, "builtin_content", lambda: tmp_path)
    measured.recorded.cache_clear()
    yield tmp_path
    measured.recorded.cache_clear()


def test_the_recorded_value_stands_until_the_user_has_run_the_demo(
    paths: Paths, clock: FixedClock
) -> None:
    with open_app(paths=paths, clock=clock) as app:
        assert claim_texts(app, "skipgram")["skipgram/start-loss"] == "4.2 nats"

        claim = ClaimRecord(id="wordsim", text="", value=0.61, op=">=", bound=0.45, holds=True)
        app.store.save_run(
            DemoRunRecord(
                demo="skipgram",
                params={},
                started_ms=1,
                seconds=1.0,
                status="done",
                claims=(claim,),
            )
        )

        shown = claim_texts(app, "skipgram")
        assert shown["skipgram/wordsim"] == "0.61"
        assert shown["skipgram/start-loss"] == "4.2 nats"


def test_a_demo_that_nobody_measured_shows_nothing(paths: Paths, clock: FixedClock) -> None:
    with open_app(paths=paths, clock=clock) as app:
        assert claim_texts(app, "elsewhere") == {}


def test_every_claim_on_a_built_in_card_is_recorded() -> None:
    known = json.loads((builtin_content() / measured.FILE).read_text(encoding="utf-8"))
    cards = [located.card for located in load_folder(builtin_content()).cards]
    texts = [(card.id, text) for card in cards for _, text in refs.prose(card)]

    missing = [
        f"{card_id}: {claim.demo}/{claim.claim}"
        for card_id, text in texts
        for claim in refs.claims(text)
        if claim.claim not in known.get(claim.demo, {})
    ]

    assert not missing
