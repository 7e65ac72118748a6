"""What the process of the interface loads before its first frame, and what it never loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CODE = """\
import json, sys
from pathlib import Path
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk

HEAVY = ("torch", "transformers", "gensim", "sklearn", "open_clip", "numba", "matplotlib", "demos")
LATER = ("sqlalchemy", "alembic", "markdown_it", "plotext", "textual_plotext", "PIL", "msgspec",
         "textual_image", "click")
told = {}

def loaded(names):
    return sorted({name.partition(".")[0] for name in sys.modules} & set(names))

class Probe(StudyApp):
    CSS_PATH = str(Path(sys.modules["studytool.tui.app"].__file__).with_name("studytool.tcss"))
    def on_ready(self):
        strips = self.screen._compositor.render_strips()
        told["frame"] = [strip.text.rstrip() for strip in strips]
        told["before"] = loaded(HEAVY + LATER)
        super().on_ready()
        self.set_interval(0.02, self.look)

    def look(self):
        if self.warm.is_set() or self.fault:
            told["after"] = loaded(HEAVY + ("sqlalchemy",))
            told["fault"] = str(self.fault or "")
            self.exit()

Probe(StoreDesk(deck_dir=Path(sys.argv[1]))).run(headless=True, size=(80, 24))
print(json.dumps(told))
"""


def test_the_first_frame_needs_neither_the_store_nor_anything_heavy(
    deck: Path, tmp_path: Path
) -> None:
    script = tmp_path / "probe.py"
    script.write_text(CODE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(deck)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["before"] == []
    assert any(line.strip().startswith("studytool") for line in told["frame"])
    assert any("Study" in line and "counting…" in line for line in told["frame"])
    assert told["fault"] == ""
    # The catalogue imports the specs of demos, never their run modules and what those need.
    assert told["after"] in (["demos", "sqlalchemy"], ["sqlalchemy"])
