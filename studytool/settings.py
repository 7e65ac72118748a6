"""settings.toml and the typed settings it stands for.

Reading collects every fault at once, each with its line and what to do. A file with a fault is
kept aside as `settings.toml.bad-<date>` and the defaults hold, so a typing slip never keeps
anybody from studying. Writing changes only what was set and keeps comments and order.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from studytool import settings_lines as lines
from studytool.errors import SettingsError

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from studytool.schedule.model import Policy

Meta = msgspec.Meta
Steps = Annotated[tuple[Annotated[int, Meta(ge=1, le=30 * 86_400)], ...], Meta(max_length=10)]
Section = Literal["answer", "points", "misconceptions", "sources", "deeper", "follow_ups", "see_it"]
_STEP_FIELDS = ("learning_steps", "relearning_steps")


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """What decides when cards come; steps are in seconds here and read "1m", "10m" in the file."""

    desired_retention: Annotated[float, Meta(ge=0.7, le=0.99)] = 0.9
    new_per_day: Annotated[int, Meta(ge=0, le=9_999)] = 20
    reviews_per_day: Annotated[int, Meta(ge=0, le=9_999)] = 200
    rollover_hour: Annotated[int, Meta(ge=0, le=23)] = 4
    learning_steps: Steps = (60, 600)
    relearning_steps: Steps = (600,)
    maximum_interval: Annotated[int, Meta(ge=1, le=36_500)] = 36_500
    fuzz: bool = True
    leech_lapses: Annotated[int, Meta(ge=0, le=99)] = 8
    bury_siblings: bool = True


class Ui(msgspec.Struct, frozen=True, kw_only=True):
    """How it looks: a theme by name (empty: the app's own), and what a reveal opens at once."""

    theme: Annotated[str, Meta(max_length=64)] = ""
    reveal: tuple[Section, ...] = ("answer", "points", "misconceptions", "sources", "see_it")


class DemoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What demos may use of the machine."""

    threads: Annotated[int, Meta(ge=1, le=64)] = 1


class GradingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How typed answers are graded. `encoder`: a folder with model.onnx and tokenizer.json of another
    sentence encoder (empty: the built-in one)."""

    encoder: Annotated[str, Meta(max_length=500)] = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. `editor` is a command line (empty: $VISUAL, $EDITOR); `keys` remaps actions."""

    editor: Annotated[str, Meta(max_length=300)] = ""
    study: Study = Study()
    ui: Ui = Ui()
    demo: DemoSettings = DemoSettings()
    grading: GradingSettings = GradingSettings()
    keys: dict[str, Annotated[str, Meta(min_length=1, max_length=40)]] = {}


class SettingsFault(msgspec.Struct, frozen=True):
    """One fault of the file: its line (from 1), what is wrong and what to write instead."""

    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"line {self.line}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class Loaded(msgspec.Struct, frozen=True):
    """The settings to use, and what to tell the user about the file."""

    settings: Settings
    warnings: tuple[str, ...] = ()


def policy(settings: Settings) -> Policy:
    """The scheduling policy that the study section asks for, its weights written out."""
    from studytool.schedule.fsrs import DEFAULT_WEIGHTS
    from studytool.schedule.model import Policy

    study = settings.study
    return Policy(
        weights=DEFAULT_WEIGHTS,
        desired_retention=study.desired_retention,
        learning_steps=study.learning_steps,
        relearning_steps=study.relearning_steps,
        maximum_interval=study.maximum_interval,
        fuzz=study.fuzz,
        leech_lapses=study.leech_lapses,
    )


def parse(text: str) -> tuple[Settings, tuple[SettingsFault, ...]]:
    """The settings that a file's text gives, and all its faults; with a fault, the defaults."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = lines.of_syntax_error(str(error), text)
        hint = 'a line reads `name = value`; text stands in "quotes"'
        return Settings(), (SettingsFault(line, str(error), hint),)
    where = lines.index(text)
    faults: list[SettingsFault] = []
    values = _section(Settings, table, (), where, faults)
    if faults:
        return Settings(), tuple(sorted(faults, key=lambda fault: fault.line))
    return Settings(**values), ()


def load(path: Path, today: date) -> Loaded:
    """Read the file at `path`; a missing one gives the defaults, a bad one is kept aside."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Loaded(Settings())
    except UnicodeDecodeError as error:
        faults: tuple[SettingsFault, ...] = (
            SettingsFault(1, f"not UTF-8 text: byte {error.start} can't be read"),
        )
        settings = Settings()
    except OSError as error:
        return Loaded(
            Settings(), (f"{path} can't be read: {error.strerror}; the defaults are used",)
        )
    else:
        settings, faults = parse(text)
    if not faults:
        return Loaded(settings)
    warnings = tuple(f"{path.name} {fault}" for fault in faults)
    return Loaded(Settings(), (*warnings, _keep_aside(path, today)))


def save(path: Path, settings: Settings) -> None:
    """Write `settings` to `path` at once or not at all; comments and unchanged values stay.

    A value that equals its default is written only where the file already has that key. Raises
    SettingsError when a value is out of its range, the present file has a fault, or the folder
    can't be written.
    """
    import tomlkit

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = "# studytool's settings; `studytool` explains them on its settings screen (key ,)\n"
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    _, faults = parse(text)
    if faults:
        raise SettingsError(
            f"{path} has a fault, so it is left as it is: {faults[0]}",
            hint="put the line right, or move the file away",
        )
    document = tomlkit.parse(text)
    _update(document, settings, Settings())
    _, faults = parse(document.as_string())
    if faults:
        raise SettingsError(faults[0].message, hint=faults[0].hint)
    _write(path, document.as_string())


def _section(
    kind: type[msgspec.Struct],
    table: dict[str, Any],
    prefix: tuple[str, ...],
    where: dict[tuple[str, ...], int],
    faults: list[SettingsFault],
) -> dict[str, Any]:
    """The values of one table as the fields of `kind`; what can't be taken goes into `faults`."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    usual = kind()
    values: dict[str, Any] = {}
    for name, raw in table.items():
        key = (*prefix, name)
        line = lines.find(where, key)
        field, default = fields.get(name), getattr(usual, name, None)
        if field is None:
            near = difflib.get_close_matches(name, fields, n=1)
            known = ", ".join(fields)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {known}"
            faults.append(SettingsFault(line, f"`{'.'.join(key)}` is not a setting", hint))
        elif not isinstance(raw, dict) and isinstance(default, msgspec.Struct | dict):
            faults.append(
                SettingsFault(line, f"`{name}` is a section", f"write [{name}] on a line")
            )
        elif isinstance(default, msgspec.Struct):
            values[name] = type(default)(**_section(type(default), raw, key, where, faults))
        elif isinstance(default, dict):
            values[name] = _keys(raw, field.type, where, faults)
        else:
            try:
                values[name] = _value(name, raw, field.type)
            except (msgspec.ValidationError, ValueError) as error:
                message = f"`{'.'.join(key)} = {lines.shown(raw)}`: {_said(error)}"
                hint = f"default: {lines.shown(_as_written(name, default))}"
                faults.append(SettingsFault(line, message, hint))
    return values


def _value(name: str, raw: object, kind: Any) -> Any:
    if name in _STEP_FIELDS:
        raw = lines.seconds(raw)
    return msgspec.convert(raw, kind)


def _keys(
    raw: dict[str, Any], kind: Any, where: dict[tuple[str, ...], int], faults: list[SettingsFault]
) -> dict[str, str]:
    """The remapped keys; two actions on one key are a fault."""
    taken: dict[str, str] = {}
    for action, key in raw.items():
        line = lines.find(where, ("keys", action))
        try:
            msgspec.convert({action: key}, kind)
        except msgspec.ValidationError as error:
            message = f"`keys.{action} = {lines.shown(key)}`: {_said(error)}"
            faults.append(SettingsFault(line, message, 'a key reads "d", "f5" or "ctrl+t"'))
            continue
        if key in taken:
            message = f"`keys.{action}` and `keys.{taken[key]}` are both {key!r}"
            faults.append(SettingsFault(line, message, "give each action a key of its own"))
        taken[key] = action
    return {str(action): str(key) for action, key in raw.items()}


def _said(error: Exception) -> str:
    """A message of msgspec without its path, with plain words for its types."""
    text = str(error).split(" - at ")[0].replace("`", "")
    return text[:1].lower() + text[1:]


def _as_written(name: str, value: object) -> object:
    """A value as the file has it: steps as "10m", tuples as lists."""
    if name in _STEP_FIELDS and isinstance(value, tuple):
        return [lines.step_text(step) for step in value]
    return list(value) if isinstance(value, tuple) else value


def _update(table: Any, new: msgspec.Struct, usual: msgspec.Struct) -> None:
    """Bring a tomlkit table to the values of `new`."""
    import tomlkit

    present = table.unwrap()
    for field in msgspec.structs.fields(new):
        name, value, default = field.name, getattr(new, field.name), getattr(usual, field.name)
        if name not in present and value == default:
            continue
        if isinstance(value, msgspec.Struct):
            if name not in present:
                table[name] = tomlkit.table()
            _update(table[name], value, default)
        elif isinstance(value, dict):
            if name not in present:
                table[name] = tomlkit.table()
            _update_keys(table[name], value)
        elif name not in present or _value(name, present[name], field.type) != value:
            table[name] = _as_written(name, value)


def _update_keys(table: Any, keys: dict[str, str]) -> None:
    for action in [action for action in table if action not in keys]:
        del table[action]
    for action, key in keys.items():
        if table.get(action) != key:
            table[action] = key


def _keep_aside(path: Path, today: date) -> str:
    """Move the bad file away without overwriting an earlier one; say where it is."""
    aside = path.with_name(f"{path.name}.bad-{today.isoformat()}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.bad-{today.isoformat()}-{number}")
    try:
        path.rename(aside)
    except OSError as error:
        return f"the defaults are used; {path} stays where it is ({error.strerror})"
    return f"the defaults are used; the file is kept as {aside}"


def _write(path: Path, text: str) -> None:
    """Replace the file at once, on disk before its name changes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SettingsError(
            f"{path} can't be written: {error.strerror}",
            hint="the settings hold for this run only; check the folder's permissions and space",
        ) from error
