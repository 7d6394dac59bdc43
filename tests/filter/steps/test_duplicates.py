from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from icf.app.demo.site.truth import Noise, TrueCharacter, load_truth
from icf.catalogue import ledger
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.references import choose_face
from icf.engine.step import judge_each
from icf.filter.steps.detect import HASHED_RATE
from icf.filter.steps.duplicates import Duplicates, HashedFace
from icf.images import decode, measures
from icf.images.cut import cut
from icf.models.embedding import Embedder, crop_face
from icf.stores.vectors import MissingVector, VectorStore
from tests.filter.rows import add_album, add_face, add_image
from tests.filter.workspaces import read_file

MODEL, OTHER_MODEL = "a" * 64, "b" * 64

#: Hashes of a face that is not flat; tests flip bits of it.
BASE = 0x0F0F_3333_5555_00FF


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of 25,000 faces that are all the same: hashes alone decide."""
    folder = tmp_path_factory.mktemp("alike")
    ids = np.arange(1, 25_001)
    same = np.ones((len(ids), 2), np.float32)
    VectorStore(folder).append(MODEL, ids, same)
    return folder


def with_vectors(folder: Path, *vectors: tuple[float, float]) -> Duplicates:
    """The step, where faces 1, 2, ... have these vectors."""
    ids = np.arange(1, len(vectors) + 1)
    VectorStore(folder).append(MODEL, ids, np.array(vectors, np.float32))
    return Duplicates(folder, 10, 10, 0.9)


def hashed(
    face_id: int,
    bits: int = 0,
    *,
    dhash: int | None = None,
    group: int = 1,
    fresh: bool = True,
    area: float = 100.0,
    sharpness: float = 100.0,
    contrast: float | None = 50.0,
    pixels: str | None = None,
    model: str | None = MODEL,
    by_hand: bool = False,
) -> HashedFace:
    """A face whose hashes differ from `BASE` in these bits."""
    return HashedFace(
        face_id,
        face_id,
        0.0,
        0.0,
        area,
        sharpness,
        contrast,
        pixels or f"pixels {face_id}",
        BASE ^ bits,
        BASE ^ (bits if dhash is None else dhash),
        model,
        by_hand,
        group=group,
        fresh=fresh,
    )


def verdicts(step: Duplicates, *items: HashedFace) -> dict[int, tuple[str, int]]:
    """The reason and the keeper (0 for none) of each face."""
    return {
        o.id: (o.reason, int(str(o.columns.get("keeper_id", 0))))
        for o in step.judge(items)
    }


@pytest.fixture
def step(alike: Path) -> Duplicates:
    return Duplicates(alike, 10, 10, 0.9)


def test_equal_pixels_are_an_exact_duplicate_of_the_larger_face(
    step: Duplicates,
) -> None:
    small = hashed(1, pixels="same")
    large = hashed(2, bits=-1, area=200.0, pixels="same")
    assert verdicts(step, small, large) == {2: ("ok", 0), 1: ("exact_duplicate", 2)}


def test_of_equal_sizes_the_sharper_is_kept(step: Duplicates) -> None:
    assert verdicts(step, hashed(1), hashed(2, sharpness=200.0)) == {
        2: ("ok", 0),
        1: ("near_duplicate", 2),
    }


def test_both_hashes_must_be_within_reach(step: Duplicates) -> None:
    first = hashed(1, 0)
    ten, eleven = (1 << 10) - 1, (1 << 11) - 1
    assert verdicts(step, first, hashed(2, ten))[2] == ("near_duplicate", 1)
    assert verdicts(step, first, hashed(2, ten, dhash=eleven))[2] == ("ok", 0)
    assert verdicts(step, first, hashed(2, eleven, dhash=ten))[2] == ("ok", 0)


def test_the_sign_bit_counts_like_every_other(alike: Path) -> None:
    step = Duplicates(alike, 1, 1, 0.9)
    assert verdicts(step, hashed(1, 0), hashed(2, -(2**63)))[2][1] == 1


def test_what_hashes_find_is_out_only_if_the_embeddings_agree(tmp_path: Path) -> None:
    step = with_vectors(tmp_path, (1, 0), (0.95, 0.3), (0.5, 0.9))
    found = {
        o.id: o for o in step.judge([hashed(1, area=900.0), hashed(2, 3), hashed(3, 4)])
    }
    copy, drawing = found[2], found[3]
    assert (copy.reason, copy.columns) == ("near_duplicate", {"keeper_id": 1})
    assert copy.message == "pHash differs in 2 bits, dHash in 2"
    assert drawing.passed
    # The measure that decided, for those that stay as well.
    for outcome, cosine in ((copy, 0.9536), (drawing, 0.4856)):
        assert outcome.value == pytest.approx(cosine, abs=1e-3)
        assert (outcome.threshold, outcome.model) == (0.9, MODEL)
    assert (found[1].passed, found[1].value, found[1].threshold) == (True, None, None)


@pytest.mark.parametrize("model", [None, OTHER_MODEL])
def test_without_comparable_vectors_only_equal_pixels_put_a_face_out(
    step: Duplicates, model: str | None
) -> None:
    old = hashed(1, fresh=False, model=model, pixels="old")
    assert verdicts(step, old, hashed(2)) == {2: ("ok", 0)}
    assert verdicts(step, old, hashed(2, pixels="old"))[2] == ("exact_duplicate", 1)


def test_a_vector_that_is_lost_ends_the_run_and_changes_no_verdict(
    step: Duplicates,
) -> None:
    with pytest.raises(MissingVector, match="30000; `icf doctor --repair`"):
        judge_each(step, [hashed(1), hashed(2), hashed(30_000)])
    without = hashed(30_000, model=None)
    assert verdicts(step, hashed(1), hashed(2), without)[30_000] == ("ok", 0)


@pytest.mark.parametrize(
    "flat", [{"contrast": 0.4}, {"dhash": BASE}, {"bits": BASE ^ -(2**63)}]
)
def test_flat_faces_are_no_near_duplicates_of_each_other(
    step: Duplicates, flat: dict[str, int]
) -> None:
    both = hashed(1, **flat), hashed(2, **flat)  # type: ignore[arg-type]
    assert verdicts(step, *both) == {1: ("ok", 0), 2: ("ok", 0)}
    same = [
        hashed(3, pixels="same", **flat),  # type: ignore[arg-type]
        hashed(4, pixels="same", **flat),  # type: ignore[arg-type]
    ]
    assert verdicts(step, *same)[4] == ("exact_duplicate", 3)


def test_groups_are_drawn_around_a_keeper_and_not_along_chains(
    step: Duplicates,
) -> None:
    eight, sixteen = (1 << 8) - 1, (1 << 16) - 1
    chain = [
        hashed(1, 0, area=300.0),
        hashed(2, eight, area=200.0),
        hashed(3, sixteen, area=100.0),
    ]
    assert verdicts(step, *chain) == {
        1: ("ok", 0),
        2: ("near_duplicate", 1),
        3: ("ok", 0),
    }


def test_an_exact_copy_of_a_near_duplicate_points_at_the_keeper(
    step: Duplicates,
) -> None:
    items = [
        hashed(1, area=300.0),
        hashed(2, 1, area=200.0, pixels="same"),
        hashed(3, 1 << 40, area=200.0, sharpness=50.0, pixels="same"),
    ]
    assert verdicts(step, *items) == {
        1: ("ok", 0),
        2: ("near_duplicate", 1),
        3: ("exact_duplicate", 1),
    }


def test_a_face_that_was_kept_earlier_stays_keeper_even_of_a_larger_one(
    step: Duplicates,
) -> None:
    old = hashed(1, fresh=False, area=50.0)
    assert verdicts(step, old, hashed(2, area=500.0)) == {2: ("near_duplicate", 1)}


def test_two_faces_that_were_kept_earlier_get_no_outcome(step: Duplicates) -> None:
    assert verdicts(step, hashed(1, fresh=False), hashed(2, fresh=False)) == {}


def test_the_face_that_a_person_chose_is_kept_whatever_it_copies(
    step: Duplicates,
) -> None:
    old = hashed(1, fresh=False, area=500.0, pixels="same")
    chosen = hashed(2, by_hand=True, pixels="same")
    assert verdicts(step, old, chosen, hashed(3, area=900.0)) == {
        2: ("ok", 0),
        3: ("near_duplicate", 2),
    }


def test_twins_under_two_characters_both_stay(step: Duplicates) -> None:
    twins = hashed(1, group=1, pixels="same"), hashed(2, group=2, pixels="same")
    assert verdicts(step, *twins) == {1: ("ok", 0), 2: ("ok", 0)}


@given(
    codes=st.lists(st.integers(0, 2**12), min_size=1, max_size=40), shuffle=st.randoms()
)
def test_every_dropped_face_is_near_a_keeper_and_no_two_keepers_are_near(
    alike: Path, codes: list[int], shuffle: random.Random
) -> None:
    step = Duplicates(alike, 3, 3, 0.9)
    items = [hashed(i, code, area=float(code % 7)) for i, code in enumerate(codes, 1)]
    reached = verdicts(step, *items)
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
    assert verdicts(step, *items) == reached


def test_a_character_of_twenty_thousand_faces_is_judged_whole(
    step: Duplicates,
) -> None:
    draw = np.random.default_rng(7)
    drawings = draw.integers(-(2**63), 2**63, 400)
    flipped = 1 << draw.integers(0, 62, 20_000)
    items = [
        hashed(i + 1, int(drawings[i % 400] ^ flipped[i]), area=20_000.0 - i)
        for i in range(20_000)
    ]
    reached = verdicts(step, *items)
    assert len(reached) == 20_000
    kept = [face_id for face_id, (reason, _) in reached.items() if reason == "ok"]
    assert sorted(kept) == list(range(1, 401))
    assert all(
        keeper in (0, 1 + (face_id - 1) % 400)
        for face_id, (_, keeper) in reached.items()
    )


@pytest.mark.slow
def test_copies_are_near_duplicates_and_other_expressions_are_not(
    tmp_path: Path,
) -> None:
    """With the boxes of the truth, so that it does not depend on the detector."""
    files = {
        number: file
        for number, file in enumerate(load_truth().files, 1)
        if file.noise in (Noise.CLEAN, Noise.NEAR_DUPLICATE)
        and len(file.faces) == 1
        and min(np.subtract(file.faces[0].box[2:], file.faces[0].box[:2])) >= 100
    }
    crops: dict[int, NDArray[np.uint8]] = {}
    items = []
    embedder = Embedder.bundled()
    for number, file in files.items():
        pixels = decode(read_file(file)).pixels
        around = cut(pixels, file.faces[0].box, HASHED_RATE)
        group = load_truth().characters.index(of_name(file.filed_under[0]))
        item = hashed(number, group=group, model=embedder.model_hash)
        phash, dhash = measures.phash(around), measures.dhash(around)
        items.append(replace(item, phash=phash, dhash=dhash))
        crops[number] = crop_face(pixels, file.faces[0].box, embedder.crop_rate)
    VectorStore(tmp_path).append(
        embedder.model_hash, np.array(list(crops)), embedder.embed(list(crops.values()))
    )
    outcomes = {o.id: o for o in Duplicates(tmp_path, 10, 10, 0.92).judge(items)}
    drawing = {n: file.of or file.name for n, file in files.items()}
    known = {file.name for file in files.values()}
    copies = [n for n, file in files.items() if file.of in known]
    originals = {file.name: n for n, file in files.items()}
    together = [
        n
        for n in copies
        if not (outcomes[n].passed and outcomes[originals[drawing[n]]].passed)
    ]
    confused = [
        n
        for n, o in outcomes.items()
        if not o.passed and drawing[n] != drawing[int(str(o.columns["keeper_id"]))]
    ]
    assert len(copies) >= 15
    assert len(together) >= 0.9 * len(copies)
    assert not confused


def of_name(name: str) -> TrueCharacter:
    return next(each for each in load_truth().characters if each.name == name)


def test_what_it_reads_tells_fresh_faces_from_earlier_ones(
    catalogue: Catalogue, step: Duplicates
) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom)
    fresh = add_face(catalogue, image_id, tom, awaits="duplicates", phash=-5)
    kept = add_face(catalogue, image_id, tom, awaits=None, verdict="kept")
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        choose_face(connection, run_id, tom, kept)
    with catalogue.read() as connection:
        items = {i.id: i for i in step.select(connection, [fresh, kept])}
    assert (items[fresh].fresh, items[kept].fresh) == (True, False)
    assert (items[fresh].by_hand, items[kept].by_hand) == (False, True)
    assert items[fresh].group == tom
    assert (items[fresh].area, items[fresh].phash) == (14400.0, -5)


def test_more_ids_than_a_query_takes_are_read_in_parts(
    sqlite_catalogue: Catalogue, step: Duplicates
) -> None:
    [tom] = add_album(sqlite_catalogue, "Tom")
    face_id = add_face(sqlite_catalogue, add_image(sqlite_catalogue, tom), tom)
    with sqlite_catalogue.read() as connection:
        items = step.select(connection, [*range(1_000_000, 1_040_000), face_id])
    assert [item.id for item in items] == [face_id]
