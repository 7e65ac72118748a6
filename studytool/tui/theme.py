"""The two themes: one calm ground, one accent for each state.

State colours (`due`, `new`, `learning`, `right`, `wrong`) always stand beside a word or a sign,
so nothing is lost without colour. Contrast of every text colour on its ground is at least 4.5:1.
"""

from __future__ import annotations

from textual.theme import Theme


def _bars(track: str, hover: str, active: str, ground: str) -> dict[str, str]:
    """Scroll bars: a quiet bar on the ground itself."""
    return {
        "scrollbar": track,
        "scrollbar-hover": hover,
        "scrollbar-active": active,
        "scrollbar-background": ground,
        "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground,
        "scrollbar-corner-color": ground,
    }


def _cursor(ground: str, text: str) -> dict[str, str]:
    """The line under the cursor of a list."""
    return {
        "block-cursor-background": ground,
        "block-cursor-foreground": text,
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": ground,
        "block-cursor-blurred-foreground": text,
    }


DARK = Theme(
    name="dark",
    primary="#7aa2f7",
    secondary="#9aa5ce",
    accent="#7aa2f7",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5d9e4",
    background="#15171c",
    surface="#15171c",
    panel="#22252d",
    dark=True,
    variables={
        "muted": "#8d95a8",
        "due": "#e0af68",
        "new": "#7dcfff",
        "learning": "#bb9af7",
        "right": "#9ece6a",
        "wrong": "#f7768e",
        "text-code": "#b4c5f0",
        "track": "#3a3f4b",
        "cursor-ground": "#262b36",
        "input-selection-background": "#34446b",
        **_bars("#3a3f4b", "#8d95a8", "#7aa2f7", "#15171c"),
        **_cursor("#262b36", "#d5d9e4"),
    },
)

LIGHT = Theme(
    name="light",
    primary="#2f5fb3",
    secondary="#4c566a",
    accent="#2f5fb3",
    warning="#8a5a00",
    error="#b3261e",
    success="#2f6f2f",
    foreground="#24292f",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#ecece6",
    dark=False,
    variables={
        "muted": "#5c6370",
        "due": "#8a5a00",
        "new": "#0b6a8f",
        "learning": "#6f42c1",
        "right": "#2f6f2f",
        "wrong": "#b3261e",
        "text-code": "#22458f",
        "track": "#cfd2d6",
        "cursor-ground": "#e6ebf5",
        "input-selection-background": "#c5d4ef",
        **_bars("#cfd2d6", "#5c6370", "#2f5fb3", "#fbfbf9"),
        **_cursor("#e6ebf5", "#24292f"),
    },
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}
