"""Writes content/measured.json: every claim of every built-in demo at its default setting.

python tests/demos/record.py            all demos (minutes)
python tests/demos/record.py skipgram   one demo; the others keep their values
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from studytool.demo import registry
from studytool.demo.events import Claim, Failed, decode
from studytool.demo.play import make_lab, play
from studytool.paths import builtin_content
from studytool.services.measured import FILE


def measure(demo_id: str, cache: Path) -> dict[str, dict[str, float | str]]:
    """The claims of one default run, by id."""
    spec = registry.load(demo_id).spec
    params = spec.params()
    lab = make_lab(spec, params, cache, 1, None)
    claims: dict[str, dict[str, float | str]] = {}
    for line in play(spec, params, lab, ""):
        event = decode(line)
        if isinstance(event, Failed):
            raise SystemExit(f"{demo_id}: {event.error}")
        if isinstance(event, Claim):
            claims[event.id] = {"value": float(f"{event.value:.6g}"), "unit": event.unit}
    return dict(sorted(claims.items()))


def main(names: list[str]) -> None:
    path = builtin_content() / FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    with tempfile.TemporaryDirectory() as cache:
        for name in names or list(registry.load_all().demos):
            known[name] = measure(name, Path(cache))
            print(name, len(known[name]), "claims")
    path.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
