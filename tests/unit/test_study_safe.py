"""Text from outside can't do anything to a terminal."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.services.safe import clean, one_line

ESC = "\x1b"


@pytest.mark.parametrize(
    ("dirty", "harmless"),
    [
        (f"{ESC}[31mred{ESC}[0m", "red"),
        (f"a{ESC}[2J{ESC}[1;1Hb", "ab"),
        (f"{ESC}]52;c;cm0gLXJm\x07ok", "ok"),  # OSC 52 writes to the clipboard
        (f"{ESC}]0;title{ESC}\\ok", "ok"),
        (f"{ESC}]8;;http://a\x07link{ESC}]8;;\x07", "link"),
        (f"{ESC}Pq#0{ESC}\\ok", "ok"),  # DCS: sixel
        (f"{ESC}]52;c;never ended", "]52;c;never ended"),
        (f"{ESC}(0lqk", "lqk"),
        ("\x9b31mred\x9d52;c;x\x9cok", "redok"),  # the same in C1
        ("a\rb\r\nc", "ab\nc"),
        ("a\x00\x07\x08\x7fb", "ab"),
        ("user\u202egnp.exe\u202c", "usergnp.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("👩🏿‍✈️ naïve 中文 עברית", "👩🏿‍✈️ naïve 中文 עברית"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
    ],
)
def test_clean(dirty: str, harmless: str) -> None:
    assert clean(dirty) == harmless


def test_one_line() -> None:
    assert one_line(f"  a\n\n b\t{ESC}[1mc\u2028d ") == "a b c d"


@given(st.text(st.characters(), max_size=60))
def test_nothing_dangerous_is_left(text: str) -> None:
    safe = clean(text)

    assert clean(safe) == safe
    assert not any(ord(char) < 32 and char not in "\n\t" for char in safe)
    assert not any(0x7F <= ord(char) < 0xA0 for char in safe)
    safe.encode("utf-8")
    assert "\n" not in one_line(text)


@given(st.text(st.sampled_from(f"{ESC}[]]P0;m\x07\\\x9b\x9d\x9cab"), max_size=40))
def test_sequences_cannot_be_hidden_in_sequences(text: str) -> None:
    """What is left after removing one sequence never forms another that a terminal would obey."""
    assert ESC not in clean(text)
    assert "\x9b" not in clean(text)


@pytest.mark.parametrize("opener", [f"{ESC}]", "\x9d", f"{ESC}[", "\x9b0;"])
def test_many_unfinished_sequences_take_linear_time(opener: str) -> None:
    begin = time.process_time()
    clean(opener * 100_000)

    assert time.process_time() - begin < 2.0
