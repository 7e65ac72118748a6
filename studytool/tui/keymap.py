"""The keys of all screens by the name of their action, for changing them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import Binding


@lru_cache(maxsize=1)
def actions() -> dict[str, Binding]:
    """Every binding that has a name, in the order of the screens; several keys are joined by commas."""
    from textual.binding import Binding

    from studytool.tui.app import StudyApp
    from studytool.tui.demo_keys import DemoKeys
    from studytool.tui.interview_keys import InterviewKeys
    from studytool.tui.review_keys import ReviewKeys
    from studytool.tui.screens.browse import BrowseScreen
    from studytool.tui.screens.home import HomeScreen
    from studytool.tui.screens.interview_setup import InterviewSetupScreen
    from studytool.tui.screens.list_screen import ListScreen
    from studytool.tui.screens.report import ReportScreen
    from studytool.tui.screens.story import StoryScreen
    from studytool.tui.screens.summary import SummaryScreen
    from studytool.tui.widgets.speech_box import SpeechBox
    from studytool.tui.widgets.story_step import StoryStep

    classes = (
        StudyApp, HomeScreen, ReviewKeys, DemoKeys, ListScreen, BrowseScreen, SummaryScreen,
        InterviewSetupScreen, SpeechBox, InterviewKeys, ReportScreen, StoryScreen, StoryStep,
    )  # fmt: skip
    found: dict[str, Binding] = {}
    for each in classes:
        for binding in each.__dict__["BINDINGS"]:
            if isinstance(binding, Binding) and binding.id:
                found[binding.id] = binding
    return found


def fault(action: str, key: str, keys: Mapping[str, str]) -> str:
    """Why `key` can't be the key of `action`, or an empty text.

    Two actions of one screen, or one of the app and any other, may not share a key.
    """
    room = action.partition(".")[0]
    for other, binding in actions().items():
        other_room = other.partition(".")[0]
        if other == action or not ({room, other_room} & {"app"} or room == other_room):
            continue
        taken = keys.get(other, binding.key).split(",")
        if key in taken and not _apart(action, other):
            return f"{key!r} is the key of {other} already"
    return ""


def _apart(one: str, other: str) -> bool:
    """Pairs that share a key on purpose, as they never work at the same time."""
    return {one, other} <= {"review.reveal", "review.accept"}
