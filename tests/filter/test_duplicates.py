from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from icf.catalogue.catalogue import Catalogue
from icf.filter.duplicates import Duplicates, HashedFace
from tests.filter.rows import add_album, add_face, add_image

STEP = Duplicates(10, 10)


def hashed(
    face_id: int,
    bits: int = 0,
    *,
    dhash: int | None = None,
    group: int = 1,
    fresh: bool = True,
    area: float = 100.0,
    sharpness: float = 100.0,
    pixels: str | None = None,
) -> HashedFace:
    return HashedFace(
        face_id,
        face_id,
        0.0,
        0.0,
        area,
        sharpness,
        pixels or f"pixels {face_id}",
        bits,
        bits if dhash is None else dhash,
        group=group,
        fresh=fresh,
    )


def verdicts(*items: HashedFace, step: Duplicates = STEP) -> dict[int, tuple[str, int]]:
    """The reason and the keeper (0 for none) of each face."""
    return {
        o.id: (o.reason, int(str(o.columns.get("keeper_id", 0))))
        for o in step.judge(items)
    }


def test_equal_pixels_are_an_exact_duplicate_of_the_larger_face() -> None:
    small = hashed(1, pixels="same")
    large = hashed(2, bits=-1, area=200.0, pixels="same")
    assert verdicts(small, large) == {2: ("ok", 0), 1: ("exact_duplicate", 2)}


def test_of_equal_sizes_the_sharper_is_kept() -> None:
    assert verdicts(hashed(1), hashed(2, sharpness=200.0)) == {
        2: ("ok", 0),
        1: ("near_duplicate", 2),
    }


def test_both_hashes_must_be_within_reach() -> None:
    first = hashed(1, 0)
    ten, eleven = (1 << 10) - 1, (1 << 11) - 1
    assert verdicts(first, hashed(2, ten))[2] == ("near_duplicate", 1)
    assert verdicts(first, hashed(2, ten, dhash=eleven))[2] == ("ok", 0)
    assert verdicts(first, hashed(2, eleven, dhash=ten))[2] == ("ok", 0)


def test_the_sign_bit_counts_like_every_other() -> None:
    step = Duplicates(1, 1)
    assert verdicts(hashed(1, 0), hashed(2, -(2**63)), step=step)[2][1] == 1


def test_groups_are_drawn_around_a_keeper_and_not_along_chains() -> None:
    eight, sixteen = (1 << 8) - 1, (1 << 16) - 1
    chain = [
        hashed(1, 0, area=300.0),
        hashed(2, eight, area=200.0),
        hashed(3, sixteen, area=100.0),
    ]
    assert verdicts(*chain) == {
        1: ("ok", 0),
        2: ("near_duplicate", 1),
        3: ("ok", 0),
    }


def test_a_face_that_was_kept_earlier_stays_keeper_even_of_a_larger_one() -> None:
    old = hashed(1, fresh=False, area=50.0)
    assert verdicts(old, hashed(2, area=500.0)) == {2: ("near_duplicate", 1)}


def test_two_faces_that_were_kept_earlier_get_no_outcome() -> None:
    assert verdicts(hashed(1, fresh=False), hashed(2, fresh=False)) == {}


def test_twins_under_two_characters_both_stay() -> None:
    twins = hashed(1, group=1, pixels="same"), hashed(2, group=2, pixels="same")
    assert verdicts(*twins) == {1: ("ok", 0), 2: ("ok", 0)}


@given(st.lists(st.integers(0, 2**12), min_size=1, max_size=40), st.randoms())
def test_every_dropped_face_is_near_a_keeper_and_no_two_keepers_are_near(
    codes: list[int], shuffle: random.Random
) -> None:
    step = Duplicates(3, 3)
    items = [hashed(i, code, area=float(code % 7)) for i, code in enumerate(codes, 1)]
    reached = verdicts(*items, step=step)
    code_of = {item.id: item.phash for item in items}
    keepers = [i for i, (reason, _) in reached.items() if reason == "ok"]
    for face_id, (reason, keeper) in reached.items():
        if reason != "ok":
            assert keeper in keepers
            assert (code_of[face_id] ^ code_of[keeper]).bit_count() <= 3
    for one in keepers:
        for other in keepers:
            near = (code_of[one] ^ code_of[other]).bit_count() <= 3
            assert one == other or not near
    shuffle.shuffle(items)
    assert verdicts(*items, step=step) == reached


def test_a_character_of_twenty_thousand_faces_is_judged_whole() -> None:
    draw = np.random.default_rng(7)
    drawings = draw.integers(-(2**63), 2**63, 400)
    flipped = 1 << draw.integers(0, 62, 20_000)
    items = [
        hashed(i + 1, int(drawings[i % 400] ^ flipped[i]), area=20_000.0 - i)
        for i in range(20_000)
    ]
    reached = verdicts(*items)
    assert len(reached) == 20_000
    kept = [face_id for face_id, (reason, _) in reached.items() if reason == "ok"]
    assert sorted(kept) == list(range(1, 401))
    assert all(reached[face_id][1] in (0, 1 + (face_id - 1) % 400) for face_id in kept)


def test_what_it_reads_tells_fresh_faces_from_earlier_ones(
    sqlite_catalogue: Catalogue,
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    image_id = add_image(sqlite_catalogue, tom)
    fresh = add_face(sqlite_catalogue, image_id, tom, awaits="duplicates", phash=-5)
    kept = add_face(sqlite_catalogue, image_id, tom, awaits=None, verdict="kept")
    with sqlite_catalogue.read() as connection:
        items = {i.id: i for i in STEP.select(connection, [fresh, kept])}
    assert (items[fresh].fresh, items[kept].fresh) == (True, False)
    assert items[fresh].group == tom
    assert (items[fresh].area, items[fresh].phash) == (14400.0, -5)


def test_more_ids_than_a_query_takes_are_read_in_parts(
    sqlite_catalogue: Catalogue,
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    face_id = add_face(sqlite_catalogue, add_image(sqlite_catalogue, tom), tom)
    with sqlite_catalogue.read() as connection:
        items = STEP.select(connection, [*range(1_000_000, 1_040_000), face_id])
    assert [item.id for item in items] == [face_id]
