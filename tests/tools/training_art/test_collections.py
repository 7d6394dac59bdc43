from __future__ import annotations

from pathlib import Path

import pytest

from icf.tools.training_art import sources, styles
from icf.tools.training_art.collections import Collection, collections, templates

LAND = "deb/endless-sky-data/usr/share/games/endless-sky/images/land"
WALLS = "deb/lomiri-wallpapers-16.04/usr/share/backgrounds"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which some packages lie."""
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path))
    drawn = tmp_path / "drawn"
    for name in (
        f"sources/{LAND}/beach0.jpg",
        f"sources/{LAND}/beach1-harro.jpg",
        f"sources/{WALLS}/Wine_by_Jakkub_Mede.jpg",
        f"sources/{WALLS}/analogpattern_by_Peter_Nerlich.jpg",
        "dicebear/lorelei/lorelei-001/1.png",
        "dicebear/micah/micah-001/1.png",
        "renpy/eileen/eileen happy.png",
        "renpy/lucy/lucy mad.png",
        "backgrounds/bg-beach.png",
        "backgrounds/bg-cave.png",
        "real/kenney/1/0.png",
        "backgrounds/bg-club.png",
        "backgrounds/coffee.png",
    ):
        (drawn / name).parent.mkdir(parents=True, exist_ok=True)
        (drawn / name).touch()
    return drawn


def named(name: str) -> Collection:
    [found] = [each for each in collections() if each.name == name]
    return found


def test_only_landscapes_in_the_public_domain_are_trained_on(cache: Path) -> None:
    assert [path.name for path in named("landscapes").files] == ["beach0.jpg"]
    assert [p.name for p in named("more landscapes").files] == ["beach1-harro.jpg"]
    assert named("more landscapes").held_out
    assert not named("landscapes").held_out


def test_patterns_among_the_wallpapers_are_no_photographs(cache: Path) -> None:
    files = named("Lomiri wallpapers").files
    assert [path.name for path in files] == ["Wine_by_Jakkub_Mede.jpg"]


def test_what_other_models_hold_out_is_held_out_here(cache: Path) -> None:
    for each in collections():
        if each.name in styles.DICEBEAR:
            assert each.held_out == (each.name in styles.HELD_OUT)
    kept, other = named("Ren'Py"), named("Ren'Py, others")
    assert [path.name for path in kept.files] == ["eileen happy.png", "bg-beach.png"]
    assert [path.name for path in other.files] == ["lucy mad.png", "bg-club.png"]
    assert (kept.held_out, other.held_out) == (False, True)


def test_drawings_by_people_are_trained_on(cache: Path) -> None:
    found = named("Kenney's characters and enemies")
    assert [path.name for path in found.files] == ["0.png"]
    assert not found.held_out
    assert not found.photographs


def test_no_picture_is_both_trained_and_measured_on(cache: Path) -> None:
    found = collections()
    kept, held_out = (
        {path for each in found if each.held_out is wanted for path in each.files}
        for wanted in (False, True)
    )
    assert kept
    assert held_out
    assert not kept & held_out


def test_names_tell_collections_apart_and_photographs_are_in_both_parts() -> None:
    found = collections()
    assert len({each.name for each in found}) == len(found)
    parts = {(each.photographs, each.held_out) for each in found}
    assert parts == {(True, True), (True, False), (False, True), (False, False)}


def test_no_template_of_web_pages_is_both_trained_and_measured_on() -> None:
    kept, held_out = templates(held_out=False), templates(held_out=True)
    assert kept
    assert held_out
    assert not set(kept) & set(held_out)
    rows = sources.page_photographs()
    assert {row.package for row in rows} == {*kept, *held_out}
    assert len({row.path for row in rows}) == len(rows)
