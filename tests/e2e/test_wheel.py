"""What is built holds everything (cards, demos, migrations) and works where nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network by the backend that the dev extra installs."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return next(out.glob("*.whl"))


def test_the_wheel_holds_cards_demos_styles_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    cards = {str(path.relative_to(ROOT)) for path in (ROOT / "content").rglob("*.md")}

    assert cards
    assert cards <= set(names)
    assert {"content/RETIRED", "demos/static/skipgram.py", "studytool/py.typed"} <= set(names)
    assert any(name.startswith("studytool/store/migrations/versions/") for name in names)
    assert any(name.endswith(".tcss") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_the_wheel_names_the_built_in_demos_as_plugins(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))

    text = archive.read(entry).decode()

    assert "[studytool.demos]" in text
    assert "skipgram = demos.static.specs:SKIPGRAM" in text


@pytest.mark.wheel
def test_the_wheel_works_in_a_clean_environment_without_the_demos_extra(
    wheel: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "env"
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", str(wheel)],
        check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip

    def studytool(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(folder / "bin" / "studytool"), *argv],
            input=stdin, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False,
        )  # fmt: skip

    check = json.loads(studytool("deck", "check", "--json").stdout)
    assert check["errors"] == []
    assert check["cards"] >= 60

    first = studytool("review", "--plain", "--limit", "1", stdin="\n3\n")
    assert first.returncode == 0, first.stderr
    assert "saved " in first.stdout
    assert json.loads(studytool("stats", "--json").stdout)["reviews"] == 1

    listed = {row["id"]: row for row in json.loads(studytool("demo", "list", "--json").stdout)}
    assert listed["clip"]["installed"] is False
    missing = studytool("demo", "run", "clip")
    assert missing.returncode == 4
    assert "pip install 'studytool[demos]'" in missing.stderr
