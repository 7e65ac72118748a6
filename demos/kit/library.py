"""Python's standard library as text: what each function says it does, and its code as words.

Every Python ships it, so the data is the same for all who run the same version. Read with the
parser, never imported; kept in the cache once read.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import sysconfig
from collections.abc import Generator, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from demos.kit.data import DataFault, fresh_folder, packaged
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

#: Raised whenever the reading changes, so that an older cache is left aside.
VERSION = 1
#: Folders that some installations lack, or that hold tests and generated text.
_SKIPPED = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "ensurepip", "pydoc_data"}
_SKIPPED |= {"site-packages", "dist-packages", "idle_test", "__phello__", "__pycache__"}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORD = re.compile(r"[a-z0-9]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n\s*\n")
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
_SHORTEST = 3  # words of a docstring's first sentence


class Item(NamedTuple):
    """Something to find: where it stands, its name, what describes it, and its own words.

    `says` is the query that should find it; `name` and `body` are words in lower case.
    """

    place: str
    title: str
    says: str
    name: list[str]
    body: list[str]


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return _WORD.findall(text.lower())


def parts_of(identifier: str) -> list[str]:
    """`getFileSize` and `get_file_size` as get, file, size."""
    return [part.lower() for part in _PART.findall(identifier)]


def functions(lab: Lab) -> Generator[Event, None, list[Item]]:
    """Yields progress; returns each documented function of the standard library, by module.

    Raises DataFault when the library's source is not installed.
    """
    folder = lab.shared("library") / f"{sys.version_info[0]}.{sys.version_info[1]}-v{VERSION}"
    file = folder / "functions.json"
    if not file.is_file():
        yield Stage("library", "reading the standard library; the result is kept for later runs")
        with fresh_folder(folder) as part:
            items = yield from _read_all({"": Path(sysconfig.get_paths()["stdlib"])})
            (part / file.name).write_text(json.dumps(items), "utf-8")
    return [Item(*row) for row in json.loads(file.read_text("utf-8"))]


def package_functions(lab: Lab, packages: tuple[str, ...]) -> Generator[Event, None, list[Item]]:
    """The same for installed packages: what they hold depends on their versions.

    Raises DataFault when none of them is installed as source.
    """
    names = "-".join(f"{name}{version(_DISTRIBUTIONS.get(name, name))}" for name in packages)
    file = lab.shared("library") / f"{names}-v{VERSION}" / "functions.json"
    if not file.is_file():
        yield Stage("library", f"reading the source of {', '.join(packages)}; kept for later runs")
        with fresh_folder(file.parent) as part:
            roots = {f"{name}.": packaged(name, "__init__.py").parent for name in packages}
            items = yield from _read_all(roots)
            (part / file.name).write_text(json.dumps(items), "utf-8")
    return [Item(*row) for row in json.loads(file.read_text("utf-8"))]


def _read_all(roots: Mapping[str, Path]) -> Generator[Event, None, list[Item]]:
    """All functions under the folders; a module's name begins with its folder's prefix."""
    files = [
        (prefix, root, path)
        for prefix, root in roots.items()
        for path in sorted(root.rglob("*.py"))
        if not _SKIPPED & set(path.relative_to(root).parts)
    ]
    found: dict[tuple[str, str], Item] = {}
    for number, (prefix, root, path) in enumerate(files, start=1):
        module = prefix + ".".join(path.relative_to(root).with_suffix("").parts)
        for item in read_module(module, path.read_text("utf-8", errors="replace")):
            found.setdefault((item.title.rpartition(".")[2], item.says), item)
        if number % 10 == 0 or number == len(files):
            yield Progress(number, len(files), "file")
    if not found:
        raise DataFault(
            f"there is no Python source in {', '.join(map(str, roots.values()))}",
            "Use a Python whose libraries are installed as source.",
        )
    return list(found.values())


def read_module(module: str, source: str) -> Iterator[Item]:
    """The documented functions of one module; dunder methods and code that won't parse are not."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        says = " ".join(_SENTENCE_END.split(ast.get_docstring(node) or "", maxsplit=1)[0].split())
        name = parts_of(node.name)
        if node.name.startswith("__") or not name or len(words_of(says)) < _SHORTEST:
            continue
        yield Item(module, f"{module}.{node.name}", says, name, _identifiers(node))


def _identifiers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The parts of all names in a function: its own, its arguments', and those its code uses."""
    found = parts_of(function.name)
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found += parts_of(name)
    return found
