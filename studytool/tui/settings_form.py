"""Settings as the fields of a form, and back: texts as people write them, faults in plain words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from studytool import settings_lines
from studytool.settings import Settings, Study, Ui
from studytool.tui.theme import THEMES
from studytool.tui.widgets.form import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

YES, NO = "yes", "no"


def _number(low: float, high: float, whole: bool, text: str) -> float:
    word = text.strip().replace(",", ".")
    try:
        value: float = int(word) if whole else float(word)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{text!r} is not allowed; it takes {kind} from {low:g} to {high:g}")
    return value


def _steps(text: str) -> tuple[int, ...]:
    steps = settings_lines.seconds(text.replace(",", " ").split())
    values = tuple(int(step) for step in steps) if isinstance(steps, list) else ()
    if len(values) > 10 or any(not 1 <= value <= 30 * 86_400 for value in values):
        raise ValueError("at most ten steps, each from 1s to 30d")
    return values


def _choice(choices: tuple[str, ...], text: str) -> str:
    word = text.strip()
    if word not in choices:
        raise ValueError(f"{word!r} is not one of {', '.join(choices)}")
    return word


def _yes(text: str) -> bool:
    return _choice((YES, NO), text) == YES


def _words(steps: tuple[int, ...]) -> str:
    return " ".join(settings_lines.step_text(step) for step in steps)


def fields(settings: Settings) -> list[Field]:
    """The form of the settings that are changed often."""
    study = settings.study
    whole: Callable[[int, int], Callable[[str], object]] = lambda low, high: partial(  # noqa: E731
        _number, low, high, True
    )
    themes = tuple(THEMES)
    return [
        Field("desired_retention", "Retention", f"{study.desired_retention:g}",
              partial(_number, 0.7, 0.99, False),
              "share of cards you want to know when they come; higher is more work"),
        Field("new_per_day", "New cards a day", str(study.new_per_day), whole(0, 9_999)),
        Field("reviews_per_day", "Reviews a day", str(study.reviews_per_day), whole(0, 9_999)),
        Field("rollover_hour", "New day begins at", str(study.rollover_hour), whole(0, 23),
              "hour of the night; takes effect at the next start"),
        Field("learning_steps", "Learning steps", _words(study.learning_steps), _steps,
              "such as 1m 10m"),
        Field("relearning_steps", "Relearning steps", _words(study.relearning_steps), _steps),
        Field("maximum_interval", "Longest interval", str(study.maximum_interval),
              whole(1, 36_500), "days"),
        Field("leech_lapses", "Leech after", str(study.leech_lapses), whole(0, 99),
              "lapses; 0 never suspends"),
        Field("fuzz", "Spread due days", YES if study.fuzz else NO, _yes,
              "so that cards learned together part ways", (YES, NO)),
        Field("bury_siblings", "Siblings apart", YES if study.bury_siblings else NO, _yes,
              "one blank of a cloze card a day", (YES, NO)),
        Field("theme", "Theme", settings.ui.theme or themes[0], partial(_choice, themes), "",
              themes),
        Field("editor", "Editor", settings.editor, _text, "empty: $VISUAL, $EDITOR"),
        Field("threads", "Demo threads", str(settings.demo.threads), whole(1, 64)),
    ]  # fmt: skip


def _text(text: str) -> str:
    if len(text) > 300:
        raise ValueError("at most 300 signs")
    return text.strip()


def apply(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with the form's values."""
    study = {name: values[name] for name in Study.__struct_fields__ if name in values}
    ui: Ui = msgspec.structs.replace(settings.ui, theme=values["theme"])
    return msgspec.structs.replace(
        settings,
        study=msgspec.structs.replace(settings.study, **study),
        ui=ui,
        demo=msgspec.structs.replace(settings.demo, threads=values["threads"]),
        editor=values["editor"],
    )
