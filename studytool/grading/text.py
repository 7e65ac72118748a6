"""Words of a text: tokens with their places, stems, and Markdown taken off."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

from studytool.grading.words import FUNCTION

_TOKEN = re.compile(
    r"(?P<number>(?<![^\W_])\.?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![^\W_])"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
    r"|(?P<word>(?:(?![\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])[^\W_])+"
    r"(?:['’][^\W\d_]+)?)"
    r"|(?P<sign>[√∞∝±≈≤≥≠])"
)
_MARKUP = re.compile(
    r"\[\^[^\]\s]+\]|\{claim:[^}\n]*\}|\{\{c\d+::|::[^}:]*\}\}|\}\}|\]\([^)\s]*\)|[`*$#>|\[\]]"
)
#: What a reader of a terminal has no use for: footnotes and references to claims.
_REFERENCE = re.compile(r"\s*(?:\[\^[^\]\s]+\]|\{claim:[^}\n]*\})")
_SIGNS = {
    "√": "sqrt", "∞": "infinity", "∝": "proportional", "±": "about", "≈": "about",
    "≤": "most", "≥": "least", "≠": "different", "τ": "tau", "σ": "sigma", "α": "alpha",
    "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "φ": "phi", "ω": "omega",
}  # fmt: skip
_SUFFIXES = (
    "isations", "izations", "isation", "ization", "ational", "fulness", "ousness", "iveness",
    "ations", "ation", "ically", "ingly", "ments", "ising", "izing", "ition", "ement", "ness",
    "ment", "ised", "ized", "ises", "izes", "able", "ible", "ally", "edly",
    "ions", "ings", "ance", "ence", "ise", "ize", "ion", "ity", "ies", "ied", "ing", "ive", "ful",
    "ely", "ed", "es", "ly", "al", "s", "e", "y",
)  # fmt: skip


class Token(msgspec.Struct, frozen=True, gc=False):
    """A word and its place in the text; `stem` is what is compared."""

    start: int
    end: int
    word: str
    stem: str
    function: bool = False
    number: bool = False


def plain(text: str) -> str:
    """`text` without Markdown marks, footnotes and claim references."""
    return " ".join(_MARKUP.sub(" ", text).split())


def shown(text: str) -> str:
    """`text` as it is shown beside a verdict: without footnotes and claim references."""
    return " ".join(_REFERENCE.sub("", text).split())


def tokens(text: str) -> tuple[Token, ...]:
    """The words, numbers and single CJK characters of a text, in order."""
    found = []
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if match.lastgroup == "number":
            value = _number(match[0])
            found.append(Token(start, end, value, value, number=True))
            continue
        word, key = _word(match[0])
        found.append(Token(start, end, word, key, function=word in FUNCTION))
    return tuple(found)


@lru_cache(maxsize=16_384)
def _word(raw: str) -> tuple[str, str]:
    """A word as compared (case, width and apostrophes levelled), and its stem."""
    word = unicodedata.normalize("NFKC", raw).casefold().replace("’", "'")
    word = _SIGNS.get(word, word)
    return word, stem(word)


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """`word` without its common English endings; words of other scripts stay as they are."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word.removesuffix("'s")
    for ending in _SUFFIXES:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            if ending == "s" and word.endswith(("ss", "us", "is")):
                break
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
        word = word[:-1]
    return word.rstrip("ei") if len(word) > 4 else word


def _number(text: str) -> str:
    """A number in one form: "32,768" and "32768.0" are the same."""
    value = float(text.replace(",", ""))
    return f"{value:.10g}"
