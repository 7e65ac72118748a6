"""settings.toml: every fault at once with its line, comments kept, nothing half written."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path

import hypothesis
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool import settings as module
from studytool.errors import SettingsError
from studytool.paths import Paths
from studytool.schedule.fsrs import DEFAULT_WEIGHTS
from studytool.settings import Settings, Study, Ui, load, parse, policy, save

TODAY = date(2026, 11, 23)

GOOD = """\
# my settings
editor = "nano"

[study]
desired_retention = 0.85   # less work
learning_steps = ["30s", "15m", "1d"]
relearning_steps = [300]
new_per_day = 5

[ui]
theme = "nord"
reveal = [
    "answer",
    "deeper",
]

[demo]
threads = 2

[keys]
undo = "ctrl+z"
"""


def test_a_good_file() -> None:
    settings, faults = parse(GOOD)

    assert faults == ()
    assert settings.editor == "nano"
    assert settings.study.desired_retention == 0.85
    assert settings.study.learning_steps == (30, 900, 86_400)
    assert settings.study.relearning_steps == (300,)
    assert settings.study.reviews_per_day == 200
    assert settings.ui.reveal == ("answer", "deeper")
    assert settings.demo.threads == 2
    assert settings.keys == {"undo": "ctrl+z"}


def test_all_faults_at_once_with_lines() -> None:
    text = """\
edtor = "vim"
[study]
desired_retention = 1.5
new_per_day = "many"
note = '''
fuzz = 3
'''
fuzz = 3
learning_steps = ["10m", "1m"]
relearning_steps = ["soon"]
rollover_hour = 24
[ui]
reveal = ["answr"]
[keys]
undo = "u"
flag = "u"
help = 7
[demo]
threads = 0
"""

    settings, faults = parse(text)

    assert settings == Settings()
    assert [fault.line for fault in faults] == [1, 3, 4, 5, 8, 9, 10, 11, 13, 16, 17, 19]
    said = [str(fault) for fault in faults]
    assert said[0] == "line 1: `edtor` is not a setting (did you mean `editor`?)"
    assert "desired_retention = 1.5" in said[1]
    assert "<= 0.99" in said[1]
    assert "default: 0.9" in said[1]
    assert "as long as the one before" in said[5]
    assert '"30s", "10m"' in said[6]
    assert "`keys.flag` and `keys.undo` are both 'u'" in said[9]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = = 2\n", 2), ('[study]\nnew_per_day = "5\n', 2), ("x = [1,\n\n", 2)],
)
def test_a_syntax_error_has_its_line(text: str, line: int) -> None:
    _, (fault,) = parse(text)

    assert fault.line == line
    assert fault.hint


def test_a_section_where_a_value_is_expected_and_the_other_way_round() -> None:
    _, faults = parse("study = 3\nkeys = []\n[editor]\nname = 'vim'\n")

    assert [fault.line for fault in faults] == [1, 2, 3]


def test_dotted_keys_are_found() -> None:
    _, (fault,) = parse("# top\nstudy.new_per_day = -1\n")

    assert fault.line == 2


def test_a_missing_file_means_the_defaults(paths: Paths) -> None:
    assert load(paths.settings, TODAY) == module.Loaded(Settings())


def test_a_bad_file_is_kept_aside(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    for _ in range(2):
        paths.settings.write_text("[study]\nnew_per_day = -1\n")
        loaded = load(paths.settings, TODAY)

    assert loaded.settings == Settings()
    assert "line 2" in loaded.warnings[0]
    assert "settings.toml.bad-2026-11-23-2" in loaded.warnings[-1]
    assert sorted(path.name for path in paths.config.iterdir()) == [
        "settings.toml.bad-2026-11-23",
        "settings.toml.bad-2026-11-23-2",
    ]


def test_bytes_that_are_no_text_are_a_fault(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_bytes(b"editor = '\xff'\n")

    loaded = load(paths.settings, TODAY)

    assert "UTF-8" in loaded.warnings[0]
    assert not paths.settings.exists()


def test_saving_keeps_comments_and_order(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(GOOD)
    settings, _ = parse(GOOD)
    changed = msgspec.structs.replace(
        settings,
        study=msgspec.structs.replace(settings.study, new_per_day=7, fuzz=False),
        keys={"help": "f1"},
    )

    save(paths.settings, changed)

    text = paths.settings.read_text()
    assert parse(text) == (changed, ())
    kept = GOOD.replace("new_per_day = 5", "new_per_day = 7").replace(
        'undo = "ctrl+z"', 'help = "f1"'
    )
    assert set(kept.splitlines()) < set(text.splitlines())
    assert "fuzz = false" in text
    assert "leech_lapses" not in text
    assert [path.name for path in paths.config.iterdir()] == ["settings.toml"]


def test_saving_leaves_a_faulty_file_alone(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("[study]\nnew = 1\n")

    with pytest.raises(SettingsError, match="line 2"):
        save(paths.settings, Settings())
    assert paths.settings.read_text() == "[study]\nnew = 1\n"


def test_values_out_of_range_are_not_saved(paths: Paths) -> None:
    with pytest.raises(SettingsError, match="new_per_day = -1"):
        save(paths.settings, Settings(study=Study(new_per_day=-1)))
    assert not paths.settings.exists()


def test_a_failed_write_leaves_the_old_file(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(GOOD)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        save(paths.settings, Settings())
    assert paths.settings.read_text() == GOOD
    assert [path.name for path in paths.config.iterdir()] == ["settings.toml"]


studies = st.builds(
    Study,
    desired_retention=st.floats(0.7, 0.99),
    new_per_day=st.integers(0, 9_999),
    rollover_hour=st.integers(0, 23),
    learning_steps=st.lists(st.integers(1, 30 * 86_400), max_size=4).map(
        lambda x: tuple(sorted(x))
    ),
    maximum_interval=st.integers(1, 36_500),
    fuzz=st.booleans(),
)
all_settings = st.builds(
    Settings,
    editor=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    study=studies,
    ui=st.builds(
        Ui, theme=st.sampled_from(["", "nord"]), reveal=st.sampled_from([(), ("answer",)])
    ),
    keys=st.sampled_from([{}, {"undo": "z"}, {"undo": "z", "help": "f1"}]),
)


@hypothesis.settings(max_examples=40, deadline=None)
@given(settings=all_settings, other=all_settings)
def test_what_is_saved_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, other: Settings
) -> None:
    path = tmp_path_factory.mktemp("settings") / "config" / "settings.toml"

    for value in (settings, other, Settings()):
        save(path, value)
        assert load(path, TODAY) == module.Loaded(value)
        tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_policy_writes_the_weights_out() -> None:
    made = policy(Settings(study=Study(desired_retention=0.8, leech_lapses=0)))

    assert made.weights == DEFAULT_WEIGHTS
    assert made.desired_retention == 0.8
    assert made.leech_lapses == 0


def test_an_unreadable_file_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()

    loaded = load(tmp_path / "settings.toml", TODAY)

    assert loaded.settings == Settings()
    assert "can't be read" in loaded.warnings[0]
