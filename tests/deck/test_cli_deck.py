"""`studytool deck …` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studytool.cli.main import run
from studytool.paths import Paths
from studytool.services import demos
from tests.deck.strategies import ANSWER, body_of, file_of

SOUND = file_of(
    body_of("one", sections=f"### Answer\n{ANSWER}\n### Key points\n- [1] x\n  - wrong: y (why: z)")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "deck"
    root.mkdir()
    (root / "a.md").write_text(SOUND, encoding="utf-8")
    return root


def studytool(*argv: object) -> int:
    with pytest.raises(SystemExit) as stop:
        run([str(word) for word in argv])
    code = stop.value.code
    assert isinstance(code, int)
    return code


def data(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_check_a_sound_deck(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert studytool("deck", "check", "--deck", folder, "--json") == 0
    assert data(capsys) == {
        "cards": 1,
        "errors": [],
        "warnings": [],
        "by_level": {"easy": 1},
        "by_kind": {"explain": 1},
        "by_chapter": {"multimodal": 1},
        "by_area": {"H": 1},
        "by_demo": {"": 1},
        "sources": 0,
        "coverage": {},
    }


def test_check_ends_with_one_on_errors_and_not_on_warnings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.md").write_text(file_of(body_of("two")), encoding="utf-8")
    assert studytool("deck", "check", "--deck", folder) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert all(": warning: " in line for line in out.splitlines())
    assert err == "2 cards, 0 errors, 2 warnings\n"

    (folder / "b.md").write_text(
        file_of(body_of("two", sections="### Anwser\nx")), encoding="utf-8"
    )
    assert studytool("deck", "check", folder / "b.md", "--deck", folder) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith(
        f"{folder / 'b.md'}:14:1: error: unknown section 'Anwser'; expected "
    )
    assert "did you mean 'Answer'?" in out
    assert err == "0 cards, 2 errors, 0 warnings\n"


def test_check_json_gives_each_fault_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.md").write_text(file_of(body_of("two", table='level = "eazy"')), encoding="utf-8")

    assert studytool("deck", "check", "--deck", folder, "--json") == 1
    first = data(capsys)["errors"][0]
    assert first == {
        "path": str(folder / "b.md"),
        "line": 9,
        "col": 1,
        "rule": "missing-key",
        "severity": "error",
        "what": "kind is missing",
        "expected": "kind = …, one of the keys level, kind",
        "nearest": "",
    }


def test_what_a_deck_says_never_reaches_the_terminal_raw(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = body_of("evil", sections="### Answer\nred \x1b[K \u202e\n### Deeper\n\x1b]0;title\x07")
    (folder / "a.md").write_text(
        file_of(evil.replace("Why evil?", "Why \x1b[2J?")), encoding="utf-8"
    )

    assert studytool("deck", "show", "evil", "--deck", folder) == 0
    assert studytool("deck", "list", "--deck", folder) == 0
    assert studytool("deck", "check", "--deck", folder) == 0
    out, err = capsys.readouterr()
    assert "red" in out
    assert not set("\x1b\x07\u202e") & set(out + err)


def test_list_and_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert studytool("deck", "list", "--deck", folder, "--json") == 0
    (entry,) = data(capsys)
    expected: dict[str, object] = {
        "id": "one",
        "question": "Why one?",
        "chapter": "multimodal",
        "area": "H",
        "topic": "CLIP",
        "level": "easy",
        "kind": "explain",
        "demo": None,
        "sources": {},
        "tags": [],
        "needs": [],
        "path": str(folder / "a.md"),
        "line": 8,
    }
    assert expected.items() <= entry.items()

    assert studytool("deck", "list", "--deck", folder) == 0
    assert capsys.readouterr().out.split() == ["one", "easy", "explain", "Why", "one?"]

    assert studytool("deck", "show", "one", "--deck", folder) == 0
    text = capsys.readouterr().out
    assert text.startswith("multimodal · CLIP · easy · explain · one\n\nWhy one?\n\nAnswer\n")
    assert "  weight 1: x\n    wrong: y — z\n" in text

    assert studytool("deck", "show", "one", "--deck", folder, "--json") == 0
    assert data(capsys)["card"]["key_points"] == [
        {"weight": 1, "text": "x", "also": [], "probe": None, "wrong": [{"text": "y", "why": "z"}]}
    ]


def test_show_names_the_nearest_id(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert studytool("deck", "show", "on", "--deck", folder) == 2
    assert "Did you mean 'one'?" in capsys.readouterr().err


def test_fmt_checks_then_writes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert studytool("deck", "fmt", "--check", folder) == 1
    assert capsys.readouterr().out == f"would change {folder / 'a.md'}\n"
    assert (folder / "a.md").read_text(encoding="utf-8") == SOUND

    assert studytool("deck", "fmt", "--deck", folder, "--json") == 0
    assert data(capsys) == {"changed": [str(folder / "a.md")], "unchanged": 0, "errors": []}
    assert studytool("deck", "fmt", "--check", folder / "a.md") == 0


def test_fmt_leaves_a_broken_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.md").write_text("words\n", encoding="utf-8")

    assert studytool("deck", "fmt", folder) == 1
    assert "no-head" in capsys.readouterr().err
    assert (folder / "a.md").read_text(encoding="utf-8") == "words\n"


@pytest.mark.parametrize(
    "kind", ["explain", "compare", "derive", "compute", "debug", "design", "choice", "cloze"]
)
def test_new_writes_a_card_that_has_no_error(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ("--chapter", "static", "--question", "What is a [vector]?", "--deck", folder)
    assert (
        studytool("deck", "new", "what-is-it", *argv, "--kind", kind, "--topic", "Word vectors")
        == 0
    )
    path, _, line = capsys.readouterr().out.strip().rpartition(":")

    assert Path(path) == folder / "static" / "word-vectors.md"
    rows = Path(path).read_text(encoding="utf-8").split("\n")
    assert rows[int(line) - 1] == "## What is a [vector]? {#what-is-it}"
    assert studytool("deck", "check", "--deck", folder, "--json") == 0
    assert data(capsys)["errors"] == []
    assert studytool("deck", "fmt", "--check", path) == 0


def test_new_with_a_demo_links_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--chapter", "multimodal", "--question", "Why?", "--demo", "clip", "--deck", folder)
    assert studytool("deck", "new", "why-clip", *argv) == 0
    assert capsys.readouterr().out == f"{folder / 'a.md'}:20\n"
    assert studytool("deck", "check", "--deck", folder, "--json") == 0
    assert data(capsys)["by_demo"] == {"": 1, "clip": 1}


def test_new_goes_to_the_users_own_deck(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        studytool("deck", "new", "my-own-card", "--chapter", "Static!", "--question", "Why?") == 0
    )
    assert capsys.readouterr().out == f"{paths.decks / 'mine' / 'static' / 'static.md'}:8\n"
    assert studytool("deck", "new", "my-own-card", "--chapter", "other", "--question", "Why?") == 2


@pytest.mark.parametrize(
    ("card_id", "question", "message"),
    [
        ("one", "Why?", "taken by"),
        ("old-one", "Why?", "retired"),
        ("Not_kebab", "Why?", "can't be an id"),
        ("two", "Why\nnot?", "one line"),
        ("two", " ", "one line"),
    ],
)
def test_new_refuses(
    card_id: str, question: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "RETIRED").write_text("old-one\n", encoding="utf-8")
    argv = ("--chapter", "multimodal", "--question", question, "--deck", folder)

    assert studytool("deck", "new", card_id, *argv) == 2
    assert message in capsys.readouterr().err
    assert (folder / "a.md").read_text(encoding="utf-8") == SOUND


def test_new_refuses_a_file_with_faults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = SOUND + "\n### Deeper\n~~~\nnever closed\n"
    (folder / "a.md").write_text(text, encoding="utf-8")
    argv = ("--chapter", "multimodal", "--question", "Why?", "--deck", folder)

    assert studytool("deck", "new", "two", *argv) == 2
    assert "a.md has faults, the first in line 21" in capsys.readouterr().err
    assert (folder / "a.md").read_text(encoding="utf-8") == text


def test_a_broken_plugin_is_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = demos.Catalogue({}, ("demo 'x' of y can't be loaded",))
    monkeypatch.setattr(demos, "catalogue", lambda: catalogue)

    assert studytool("deck", "check", "--deck", folder) == 0
    assert "demo 'x' of y" in capsys.readouterr().err


def test_a_missing_folder_is_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert studytool("deck", "check", "--deck", folder / "gone") == 2
    assert "There is no folder" in capsys.readouterr().err
    assert studytool("deck", "check", folder / "gone") == 2
    assert "there is no file or folder" in capsys.readouterr().err


def test_the_commands_load_neither_the_screen_nor_the_store() -> None:
    code = (
        "import sys; from studytool.cli.main import run\n"
        "try: run(['deck', 'list'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'textual', 'sqlalchemy', 'torch', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
