"""Every demo that takes `--corpus` on a gigabyte of text: memory stays bounded.

Training streams the text, so its first steps need what all of them need; they are cut short.
Counting runs to its end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
MEGABYTES = 1000
#: A process with numpy, scipy, numba and gensim needs about 0.3 GB before it reads anything.
MOST_MEGABYTES = 1500
WORDS = 3_000_000
TRAINED = {"skipgram": "epochs=1", "cbow": "epochs=1", "fasttext": "epochs=1"}
COUNTED = {"glove": "iterations=1", "ppmi": "compare=False", "ngrams": "order=3", "tfidf": ""}
SETTINGS = {**TRAINED, **COUNTED, "evaluation": "effort=0.1, fasttext=True"}
CHILD = """
import resource, sys
from pathlib import Path
from studytool.demo import registry
from studytool.demo.events import Failed, Progress, Stage
from studytool.demo.spec import Lab
import importlib

name, cache, source, cut = sys.argv[1:]
spec = registry.load(name).spec
params = spec.params(corpus=source, {settings})
module = importlib.import_module(spec.info.module)
stage, steps = "", 0
for event in module.run(params, Lab(cache=Path(cache))):
    assert not isinstance(event, Failed), event
    if isinstance(event, Stage):
        stage, steps = event.name, 0
        print(stage, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000, file=sys.stderr)
    steps += isinstance(event, Progress) and stage == "train"
    if cut == "cut" and steps > 50:
        break
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000)
"""

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere"),
]


def write_text(path: Path, megabytes: int) -> Path:
    """Zipf's law over three million words, in sentences of twelve."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{n:x}" for n in range(WORDS)], dtype=object)
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < megabytes * 1_000_000:
            places = rng.zipf(1.2, 2_000_000)
            rows = words[places[places <= WORDS] - 1]
            rows[11::12] += ".\n"
            written += file.write(" ".join(rows))
    return path


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The file, and the cache of all demos: the first one reads the file for the others."""
    folder = tmp_path_factory.mktemp("large")
    return write_text(folder / "large.txt", MEGABYTES), folder / "cache"


@pytest.mark.parametrize("name", SETTINGS)
def test_memory_stays_bounded(text: tuple[Path, Path], name: str) -> None:
    source, cache = text
    folder = cache / name
    folder.mkdir(parents=True, exist_ok=True)
    cut = "cut" if name not in COUNTED else "whole"
    run = subprocess.run(
        [sys.executable, "-c", CHILD.replace("{settings}", SETTINGS[name]), name, str(folder),
         str(source), cut],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    print(run.stderr)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout.splitlines()[-1]) < MOST_MEGABYTES
