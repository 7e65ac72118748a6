"""`due`, `doctor`, `backup` and `restore` as a script meets them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from studytool.cli.main import run
from studytool.clock import FixedClock, SystemClock
from studytool.schedule.model import Policy, Rating, Review
from studytool.services import decks
from studytool.services.context import App, open_app
from studytool.services.study import Session
from studytool.store import open_store
from tests.unit.study_deck import card, cloze, study, write

if TYPE_CHECKING:
    from pathlib import Path

    from studytool.paths import Paths


def call(*argv: object) -> int:
    """The exit code of one command in this process."""
    with pytest.raises(SystemExit) as ended:
        run([str(word) for word in argv])
    return int(ended.value.code or 0)


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    """25 cards in two chapters: more than the new cards of one day."""
    cards = [card(f"card-{n}", "lexical" if n % 2 else "static") for n in range(25)]
    return write(tmp_path / "deck", *cards)


def here() -> FixedClock:
    """The clock of the command, standing still."""
    return FixedClock(SystemClock().now(), SystemClock().zone())


def due(deck: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    assert call("due", "--deck", deck, "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert isinstance(counts, dict)
    return counts


def served(app: App) -> int:
    """How many different cards a review would put on the table now."""
    return Session(app).position[1]


def test_due_before_anything_was_studied(
    deck: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert due(deck, capsys) == {"new": 20, "learning": 0, "review": 0, "total": 20}
    assert not paths.database.exists()
    assert call("due", "--deck", deck) == 0
    assert capsys.readouterr().out == "20 due: 20 new, 0 learning, 0 review\n"


def test_due_is_what_a_review_serves(
    deck: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    with study(deck, here(), paths) as app:
        assert served(app) == due(deck, capsys)["total"] == 20
        session = Session(app)
        for rating in (Rating.EASY, Rating.AGAIN, Rating.GOOD):
            session.current()
            session.rate(rating, duration_ms=1000)
        expected = {"new": 17, "learning": 2, "review": 0, "total": 19}
        assert due(deck, capsys) == expected  # while the other one has it open, too
        assert served(app) == 19
        session.undo()
        assert due(deck, capsys) == {"new": 18, "learning": 1, "review": 0, "total": 19}


def test_due_sees_edited_files(
    deck: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    with study(deck, here(), paths):
        pass
    write(deck, card("card-1"), card("card-2"))
    assert due(deck, capsys)["new"] == 2
    with open_app(deck) as app:
        assert [one.card.id for one in app.store.cards(app.deck_name)] == ["card-1", "card-2"]


def test_due_with_edited_files_while_another_has_it_open(
    deck: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    with study(deck, here(), paths):
        write(deck, card("card-1"))
        assert due(deck, capsys)["new"] == 20


def test_due_counts_the_siblings_of_a_cloze_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "deck", cloze("gap", 3), card("plain"))
    before = due(folder, capsys)
    with open_app(folder) as app:
        decks.sync(app)
    assert due(folder, capsys) == before


def test_due_loads_neither_textual_nor_sqlalchemy(deck: Path, paths: Paths) -> None:
    with study(deck, here(), paths):
        pass
    code = (
        "import sys\n"
        "from studytool.cli.main import run\n"
        "try:\n    run(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'sqlalchemy', 'alembic', 'textual', 'torch', 'demos'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "due", "--deck", str(deck), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    counts, modules = done.stdout.splitlines()
    assert json.loads(counts)["total"] == 20
    assert modules == "[]"


def test_due_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert call("due", "--deck", tmp_path / "nowhere") == 2


def answered(paths: Paths) -> None:
    with open_store(paths, SystemClock()) as store:
        policy = store.ensure_policy(Policy())
        store.record(Review(card="alpha", rating=Rating.GOOD, duration_ms=1, policy=policy))


def test_doctor(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("doctor") == 0
    assert "no database" in capsys.readouterr().out.replace("There is no", "no")
    assert call("doctor", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sound"] is True

    answered(paths)
    assert call("doctor") == 0
    assert "Sound" in capsys.readouterr().out

    with closing(sqlite3.connect(paths.database)) as connection:
        connection.execute("UPDATE card_state SET reps = 9")
        connection.commit()
    assert call("doctor", "--json") == 3
    report = json.loads(capsys.readouterr().out)
    assert report["sound"] is False
    assert report["differences"] == [
        {"where": "card alpha", "field": "reps", "stored": "9", "expected": "1"}
    ]
    assert call("doctor", "--quick") == 3
    told = capsys.readouterr()
    assert "card alpha: reps is 9, should be 1" in told.out
    assert "--rebuild" in told.err

    assert call("doctor", "--rebuild") == 0
    assert "computed again" in capsys.readouterr().out
    assert call("doctor") == 0


def test_doctor_on_a_corrupt_file(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.data.mkdir(parents=True)
    paths.database.write_bytes(b"not a database" * 500)
    assert call("doctor") == 3
    assert "damaged" in capsys.readouterr().err
    assert call("due") == 3


def test_backup_and_restore(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("backup") == 2
    assert call("backup", "--list") == 0
    capsys.readouterr()
    answered(paths)
    assert call("backup", "--json") == 0
    saved = json.loads(capsys.readouterr().out)["saved"]
    assert call("backup", "--to", tmp_path / "copy.db") == 0
    assert "copy.db" in capsys.readouterr().out
    assert call("backup", "--list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert saved.endswith(row["name"])
    assert row["reason"] == "manual"
    assert row["size"] > 0
    assert call("backup", "--list") == 0
    assert row["name"] in capsys.readouterr().out

    answered(paths)
    assert call("restore", "latest", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert done["restored"] == saved
    assert "aside" in done["aside"]
    assert call("restore", tmp_path / "copy.db") == 0
    assert "kept as" in capsys.readouterr().out
    assert call("restore", tmp_path / "nothing.db") == 2
    with open_store(paths, SystemClock()) as store:
        assert store.state("alpha").reps == 1
        assert call("restore", "latest") == 3  # it is open
        assert call("backup") == 0  # a copy can be made all the same
