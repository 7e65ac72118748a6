"""Text from decks, demos, logs and answers made safe for a terminal.

A deck may come from anybody. What it says must never move the cursor, write to the clipboard
(OSC 52), change the title, or reorder the characters of a line. Both functions are idempotent
and never raise.
"""

from __future__ import annotations

import re

_BODY = r"[^\x00-\x1f\x7f-\x9f]*"
#: Whole control sequences (ECMA-48 §5.4 and §5.6), so that no "[31m" is left to read.
_SEQUENCE = re.compile(
    rf"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    rf"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f]){_BODY}(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]"  # character sets and the like
)
_DROPPED = [
    *range(0x09),  # C0 without tab and newline
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),  # DEL and C1
    0x061C,  # Arabic letter mark
    0x200E,  # left-to-right and right-to-left marks
    0x200F,
    *range(0x202A, 0x202F),  # embeddings and overrides
    *range(0x2066, 0x206A),  # isolates
]
_TABLE: dict[int, str | None] = {
    **dict.fromkeys(_DROPPED),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # lone surrogates cannot be encoded
}


def clean(text: str) -> str:
    """`text` without terminal control and bidi control characters; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text or any("\x80" <= char <= "\x9f" for char in text):
        text = _SEQUENCE.sub("", text)
    return text.translate(_TABLE)


def one_line(text: str) -> str:
    """`text` cleaned and on one line: every run of white space becomes one space."""
    return " ".join(clean(text).split())
