"""Our GloVe against Stanford's C program on the same table in the same run: speed at equal cost.

Bar: at least twice its cells per CPU second. The program is looked for as `glove` in the folder
GLOVE_HOME, in its `build`, and on PATH; where it isn't, only our own figures are printed.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array

from demos.kit.compiled import load
from demos.kit.corpus import wikipedia
from demos.kit.similarity import Space, wordsim
from demos.static.glove_math import adagrad, cells_of, count_table, new_model
from studytool.demo.spec import Lab
from tests.demos.static_kit import cache_folder, result

ROUNDS, PASSES, DIM = 3, 5, 100
WINDOW, X_MAX, ALPHA, ETA = 10, 10.0, 0.75, 0.05


class Measured(NamedTuple):
    """CPU seconds of training, the mean loss of the last pass, and the WordSim score of W + C."""

    seconds: float
    cost: float
    rho: float


def program() -> str | None:
    """Stanford's `glove`, where there is one."""
    home = os.environ.get("GLOVE_HOME")
    folders = [home, f"{home}/build"] if home else []
    return shutil.which("glove", path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(cache=cache_folder(tmp_path_factory.getbasetemp()))


def ours(lab: Lab, words: list[str], table: csr_array) -> Measured:
    kernel, rng = load("glove_loop", lab), lab.rng(0)
    kernel.warm_up()
    found = cells_of(table, X_MAX, ALPHA)
    model = new_model(len(words), DIM, rng)
    begun = time.process_time()
    costs = list(adagrad(kernel, found, model, ETA, rng, PASSES))
    seconds = time.process_time() - begun
    return Measured(seconds, costs[-1], Space(words, model.vectors()).score(wordsim()).rho)


def theirs(
    glove: str, folder: Path, words: list[str], counts: np.ndarray, table: csr_array
) -> Measured:
    """Training alone, on a table in its own format and already shuffled; reading it is included."""
    cells = table.tocoo()
    order = np.random.default_rng(0).permutation(cells.nnz)
    record = np.dtype([("row", "<i4"), ("column", "<i4"), ("value", "<f8")])
    rows = np.empty(cells.nnz, record)
    rows["row"], rows["column"] = cells.row[order] + 1, cells.col[order] + 1
    rows["value"] = cells.data[order]
    rows.tofile(folder / "cells.bin")
    lines = (f"{word} {count}" for word, count in zip(words, counts, strict=True))
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", "utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    options = {
        "input-file": "cells.bin", "vocab-file": "vocab.txt", "save-file": "vectors", "iter": PASSES,
        "vector-size": DIM, "threads": 1, "x-max": X_MAX, "alpha": ALPHA, "eta": ETA, "binary": 0,
        "model": 2, "verbose": 2,
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in (f"-{name}", str(value))]
    run = subprocess.run([glove, *flags], cwd=folder, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    costs = re.findall(r"cost: ([0-9.]+)", run.stderr + run.stdout)
    vectors = np.loadtxt(
        folder / "vectors.txt",
        np.float32,
        usecols=range(1, DIM + 1),
        max_rows=len(words),
        comments=None,
    )
    return Measured(seconds, float(costs[-1]), Space(words, vectors).score(wordsim()).rho)


@pytest.mark.bench
def test_cells_per_cpu_second(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = result(wikipedia(lab))
    size = corpus.vocabulary(5)
    words, (table, _), glove = corpus.words[:size], count_table(corpus, size, WINDOW), program()
    pairs = []
    for _ in range(ROUNDS):
        peer = theirs(glove, tmp_path, words, corpus.counts[:size], table) if glove else None
        pairs.append((ours(lab, words, table), peer))
    with capsys.disabled():
        mine = min(pair[0].seconds for pair in pairs)
        print(
            f"\nGloVe, {table.nnz:,} cells, d = {DIM}, {PASSES} passes, 1 thread: ours {mine:.2f} CPU s"
        )
        print(f"({table.nnz * PASSES / mine:,.0f} cells/s), cost {pairs[0][0].cost:.4f}, ", end="")
        print(f"WordSim {pairs[0][0].rho:.3f}")
        peers = [(our.seconds, peer) for our, peer in pairs if peer]
        if not peers:
            print("Stanford's glove is neither on PATH nor in GLOVE_HOME: the ratio is unmeasured")
            return
        ratios = [peer.seconds / seconds for seconds, peer in peers]
        print(f"Stanford's C: {min(p.seconds for _, p in peers):.2f} CPU s, cost ", end="")
        print(f"{peers[0][1].cost:.4f}, WordSim {peers[0][1].rho:.3f}; ratios ", end="")
        print(", ".join(f"{ratio:.2f}" for ratio in ratios), end="; ")
        print(f"median {statistics.median(ratios):.2f} (bar 2)")
