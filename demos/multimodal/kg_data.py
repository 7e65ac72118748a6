"""A knowledge graph of the world that anyone can judge: who borders whom, what is spoken, paid in.

Facts come from two installed packages and are read anew on each run; nothing is stored here.
Babel ships Unicode's CLDR: languages with their share of speakers, currencies with the dates when
they were legal tender, and the script a language is usually written in. countryinfo (MIT; its
read-me names Wikipedia as the main source) ships borders, regions, time zones and capitals.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from babel import Locale
from babel.core import get_global
from numpy.typing import NDArray

I64 = NDArray[np.int64]
Triple = tuple[str, str, str]

BORDERS: Final = "borders"
#: How a relation is asked for: "currency of Austria".
RELATIONS: Final[tuple[str, ...]] = (
    BORDERS,
    "official language",
    "also speaks",
    "written in",
    "currency",
    "in subregion",
    "time zone",
)
SPOKEN = 10.0  # percent of the people who speak a language, for "also speaks"
KEPT = 2  # facts that each entity of a held-out fact keeps in training


@dataclass(frozen=True)
class Graph:
    """Entities and relations by number, and all facts as rows of (head, relation, tail)."""

    entities: tuple[str, ...]
    relations: tuple[str, ...]
    facts: I64

    def number(self, entity: str) -> int:
        """An entity's number; raises ValueError for one that isn't there."""
        return self.entities.index(entity)

    def say(self, triple: I64) -> str:
        """A fact in words."""
        head, relation, tail = (int(part) for part in triple)
        return f"{self.entities[head]} · {self.relations[relation]} · {self.entities[tail]}"


@dataclass(frozen=True)
class Split:
    """Which facts are learnt and which are asked: rows of (head, relation, tail)."""

    train: I64
    test: I64

    @property
    def facts(self) -> I64:
        """All facts that are known to be true."""
        return np.concatenate([self.train, self.test])


# %% Reading the facts


def countries() -> dict[str, dict[str, Any]]:
    """countryinfo's records by their two-letter code, without importing the package."""
    spec = importlib.util.find_spec("countryinfo")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'countryinfo'", name="countryinfo")
    files = sorted((Path(spec.origin).parent / "data").glob("*.json"))
    records = [json.loads(file.read_text("utf-8")) for file in files]
    found = {record.get("ISO", {}).get("alpha2", ""): record for record in records}
    return {code: record for code, record in sorted(found.items()) if code}


def world() -> Graph:
    """The graph of the world: countries, languages, scripts, currencies, regions, time zones."""
    records, english = countries(), Locale("en")
    triples = sorted(set(_places(records, english)) | set(_speech(records, english)))
    return number_facts(triples)


def number_facts(triples: list[Triple]) -> Graph:
    """Names replaced by numbers, in the order of the alphabet."""
    entities = sorted({name for head, _, tail in triples for name in (head, tail)})
    present = {relation for _, relation, _ in triples}
    relations = [name for name in RELATIONS if name in present]
    relations += sorted(present - set(relations))
    by_entity = {name: n for n, name in enumerate(entities)}
    by_relation = {name: n for n, name in enumerate(relations)}
    facts = [(by_entity[h], by_relation[r], by_entity[t]) for h, r, t in triples]
    return Graph(tuple(entities), tuple(relations), np.array(facts, np.int64))


def _places(records: Mapping[str, Mapping[str, Any]], english: Locale) -> Iterator[Triple]:
    """Borders in both directions, regions and time zones."""
    name = _country_names(records, english)
    code = {record["ISO"].get("alpha3", ""): two for two, record in records.items()}
    for two, record in records.items():
        for other in record.get("borders") or []:
            if other in code:
                yield name[two], BORDERS, name[code[other]]
                yield name[code[other]], BORDERS, name[two]
        if record.get("subregion"):
            yield name[two], "in subregion", record["subregion"]
        for zone in record.get("timezones") or []:
            yield name[two], "time zone", zone


def _speech(records: Mapping[str, Mapping[str, Any]], english: Locale) -> Iterator[Triple]:
    """Languages of the countries, currencies in use, and each language's script."""
    name = _country_names(records, english)
    spoken: set[str] = set()
    for two in records:
        for tag, row in get_global("territory_languages").get(two, {}).items():
            official = row["official_status"] in ("official", "de_facto_official")
            language = tag.split("_")[0]
            if language in english.languages and (official or row["population_percent"] >= SPOKEN):
                relation = "official language" if official else "also speaks"
                yield name[two], relation, f"{english.languages[language]} (language)"
                spoken.add(language)
        for money, _, until, tender in get_global("territory_currencies").get(two, []):
            if until is None and tender and money in english.currencies:
                yield name[two], "currency", english.currencies[money]
    for language in sorted(spoken):
        script = str(get_global("likely_subtags").get(language, "")).split("_")[1:2]
        if script and script[0] in english.scripts:
            label = f"{english.scripts[script[0]]} (script)"
            yield f"{english.languages[language]} (language)", "written in", label


def _country_names(records: Mapping[str, Mapping[str, Any]], english: Locale) -> dict[str, str]:
    return {two: english.territories.get(two, record["name"]) for two, record in records.items()}


# %% An honest split


def split(graph: Graph, rng: np.random.Generator, share: float = 0.2) -> Split:
    """Hold out a `share` of the facts.

    Both directions of a border go to one side, else the other direction is the answer. A fact is
    held out only while both its entities keep KEPT facts to learn from.
    """
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    symmetric = graph.relations.index(BORDERS) if BORDERS in graph.relations else -1
    for row, (head, relation, tail) in enumerate(graph.facts.tolist()):
        ends = sorted((head, tail)) if relation == symmetric else (head, tail)
        groups[ends[0], relation, ends[1]].append(row)
    left = Counter(graph.facts[:, [0, 2]].ravel().tolist())
    order = list(groups)
    held: list[int] = []
    for place in rng.permutation(len(order)):
        head, _, tail = order[place]
        rows = groups[order[place]]
        if len(held) + len(rows) > share * len(graph.facts):
            continue
        if min(left[head], left[tail]) - len(rows) >= KEPT:
            held += rows
            left[head] -= len(rows)
            left[tail] -= len(rows)
    chosen = np.zeros(len(graph.facts), bool)
    chosen[held] = True
    return Split(graph.facts[~chosen], graph.facts[chosen])
