"""The store of embeddings."""

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput
from icf.stores import vectors
from icf.stores.vectors import MissingVector, VectorStore
from tests.app.doctor.damages import cut


def test_the_last_row_of_an_id_wins_even_after_it_was_read(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    ids = np.array([7], np.int64)
    store.append("m", ids, np.array([[1, 0]], np.float32))
    assert store.get("m", ids).tolist() == [[1, 0]]
    VectorStore(tmp_path).append("m", ids, np.array([[0, 1]], np.float32))
    assert store.get("m", ids).tolist() == [[0, 1]]


def test_a_store_that_was_made_anew_in_its_place_gives_what_it_has(
    tmp_path: Path,
) -> None:
    """As where a notebook removes a workspace and makes it again."""
    store, ids = VectorStore(tmp_path / "vectors"), np.array([7], np.int64)
    store.append("m", ids, np.array([[1, 0]], np.float32))
    assert store.get("m", ids).tolist() == [[1, 0]]
    shutil.rmtree(tmp_path / "vectors")
    again = VectorStore(tmp_path / "vectors")
    again.append("m", ids, np.array([[0, 1]], np.float32))
    again.append("m", ids + 1, np.array([[1, 0]], np.float32))
    assert store.get("m", ids).tolist() == [[0, 1]]
    assert store.ids("m").tolist() == [7, 8]


def test_a_tail_cut_by_a_crash_is_ignored_then_trimmed(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append("m", np.array([1, 2], np.int64), np.eye(2, dtype=np.float32))
    (shard,) = (tmp_path / "m").glob("*.checked")
    shard.write_bytes(shard.read_bytes()[:-3])
    again = VectorStore(tmp_path)
    assert again.ids("m").tolist() == [1]
    again.append("m", np.array([3], np.int64), np.array([[0, 1]], np.float32))
    found = VectorStore(tmp_path).get("m", np.array([3, 1], np.int64))
    assert found.tolist() == [[0, 1], [1, 0]]


def flip_a_bit(shard: Path, place: int) -> None:
    data = bytearray(shard.read_bytes())
    data[place] ^= 4
    shard.write_bytes(data)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        cut,
        lambda shard: shard.write_bytes(b""),
        lambda shard: shard.write_bytes(bytes(shard.stat().st_size)),
        *(
            lambda shard, place=place: flip_a_bit(shard, place)
            for place in (0, 7, 8, 20, 23, 27)
        ),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_damaged_rows_are_missing_and_appending_them_again_mends_it(
    tmp_path: Path, damage: Callable[[Path], object], number: int
) -> None:
    store = VectorStore(tmp_path, shard_bytes=100)
    ids = np.arange(1, 13, dtype=np.int64)
    matrix = np.random.default_rng(0).normal(size=(12, 8)).astype(np.float32)
    for start in range(0, 12, 4):
        store.append("m", ids[start : start + 4], matrix[start : start + 4])
    before = store.get("m", ids)
    shards = sorted((tmp_path / "m").glob("*.checked"))
    assert len(shards) == 3
    damage(shards[number])
    damaged = VectorStore(tmp_path, shard_bytes=100)
    # One that was open before does not read beyond the end of a file.
    assert store.has("m", ids).sum() >= 8
    has = damaged.has("m", ids)
    assert not has.all()
    assert has.sum() >= 8
    with pytest.raises(MissingVector, match="`icf doctor --repair` makes them again"):
        damaged.get("m", ids)
    assert np.array_equal(damaged.get("m", ids[has]), before[has])
    damaged.append("m", ids[~has], matrix[~has])
    for mended in (damaged, VectorStore(tmp_path)):
        assert np.array_equal(mended.get("m", ids), before)


@pytest.mark.parametrize("number", [b"\x00\x7c", b"\x01\x7c", b"\xff\x7b", bytes(2)])
def test_cosines_with_all_are_those_of_the_vectors_whatever_is_damaged(
    tmp_path: Path, number: bytes
) -> None:
    store = VectorStore(tmp_path)
    ids = np.array([5, 2, 9, 1], np.int64)
    matrix = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    store.append("m", ids[:3], matrix[:3])
    store.append("m", ids[2:], matrix[2:])
    (shard,) = (tmp_path / "m").glob("*.checked")
    data = bytearray(shard.read_bytes())
    data[8 : 8 + 16] = number * 8  # of face 5: infinite, none, the largest, zeros
    shard.write_bytes(data)
    (own,) = store.get("m", np.array([2]))
    found, cosines = store.cosines_with_all("m", own)
    assert found.tolist() == [1, 2, 5, 9]
    assert np.isfinite(cosines).all()
    whole = store.has("m", found)
    assert whole.tolist() == [True, True, False, True]
    wanted = store.get("m", found[whole]) @ own
    np.testing.assert_allclose(cosines[whole], wanted, atol=1e-6)
    found, cosines = store.cosines_with_all("another", own)
    assert (found.tolist(), cosines.tolist()) == ([], [])


def test_files_of_earlier_versions_are_read_and_added_to(tmp_path: Path) -> None:
    kind = np.dtype([("id", "<i8"), ("vector", "<f2", (2,))])
    rows = np.array([(1, (1, 0)), (2, (0, 0)), (3, (np.nan, 0)), (4, (1, 0))], kind)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "000000-2.rows").write_bytes(rows.tobytes()[:-3])
    store = VectorStore(tmp_path)
    assert store.ids("m").tolist() == [1]
    store.append("m", np.array([2]), np.array([[0, 1]], np.float32))
    assert store.get("m", np.array([2, 1])).tolist() == [[0, 1], [1, 0]]
    assert store.erase(np.array([1])) == 1
    assert VectorStore(tmp_path).ids("m").tolist() == [2]


def test_another_dimension_and_a_missing_id_are_refused(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append("m", np.array([1], np.int64), np.ones((1, 2), np.float32))
    with pytest.raises(BadInput, match="do not match"):
        store.append("m", np.array([2], np.int64), np.ones((1, 3), np.float32))
    with pytest.raises(MissingVector, match="9"):
        store.get("m", np.array([1, 9], np.int64))


@given(rows=st.integers(1, 12), lost=st.integers(0, 200))
def test_a_file_cut_anywhere_is_good_up_to_its_last_whole_row(
    rows: int, lost: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ids = np.arange(rows, dtype=np.int64)
        matrix = np.stack([np.cos(ids), np.sin(ids)], 1).astype(np.float32)
        VectorStore(folder).append("m", ids, matrix)
        (shard,) = Path(folder, "m").glob("*.checked")
        data = shard.read_bytes()
        whole = max(0, len(data) - lost) * rows // len(data)
        shard.write_bytes(data[: max(0, len(data) - lost)])
        cut = VectorStore(folder)
        assert cut.ids("m").tolist() == list(range(whole))
        if whole:
            assert np.allclose(cut.get("m", ids[:whole]), matrix[:whole], atol=1e-3)
        cut.append("m", ids, matrix)
        again = VectorStore(folder).get("m", ids[::-1])
        assert np.allclose(again, matrix[::-1], atol=1e-3)


def test_a_full_shard_is_followed_by_another(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, shard_bytes=30)
    for each in range(7):
        one = np.array([[1, each]], np.float32)
        store.append("m", np.array([each], np.int64), one)
    assert len(list((tmp_path / "m").glob("*.checked"))) > 2
    found = store.get("m", np.array([6, 0, 3], np.int64))
    assert np.allclose(found[:, 1] / found[:, 0], [6, 0, 3], rtol=1e-2)
    assert store.ids("m").tolist() == list(range(7))


def test_who_reads_every_vector_does_not_hold_the_whole_file(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).permutation(40_000)
    matrix = np.ones((len(ids), 128), np.float32)
    VectorStore(tmp_path).append("m", ids, matrix)
    (shard,) = (tmp_path / "m").glob("*.checked")
    size = shard.stat().st_size
    before = mapped_bytes(shard)
    store = VectorStore(tmp_path)
    assert np.allclose(store.get("m", np.sort(ids)), matrix / np.sqrt(128))
    assert before == 0
    assert mapped_bytes(shard) < size // 10


def mapped_bytes(file: Path) -> int:
    """How much of a file this process holds."""
    maps = Path("/proc/self/smaps").read_text().splitlines()
    starts = [row for row, line in enumerate(maps) if line.endswith(str(file))]
    held = (
        next(each for each in maps[row:] if each.startswith("Rss:")) for row in starts
    )
    return sum(int(each.split()[1]) << 10 for each in held)


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(start: int) -> None:
        store = VectorStore(tmp_path)
        for each in range(start, start + 20):
            store.append("m", np.array([each], np.int64), np.ones((1, 4), np.float32))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, 80, 20)))
    assert VectorStore(tmp_path).ids("m").tolist() == list(range(80))


def test_models_do_not_see_each_other(tmp_path: Path) -> None:
    store = VectorStore(tmp_path)
    store.append("m", np.array([1], np.int64), np.ones((1, 2), np.float32))
    store.append("n", np.array([1], np.int64), np.ones((1, 3), np.float32))
    assert store.get("m", np.array([1], np.int64)).shape == (1, 2)
    assert store.get("n", np.array([1], np.int64)).shape == (1, 3)
    assert store.ids("o").size == 0


def test_erased_rows_are_gone_from_the_disk_and_the_others_stay(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, shard_bytes=64)
    ids = np.arange(1, 21, dtype=np.int64)
    matrix = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    for start in range(0, 20, 5):
        store.append("m", ids[start : start + 5], matrix[start : start + 5])
    secret = matrix[6].astype("<f2").tobytes()
    shards = list((tmp_path / "m").glob("*.checked"))
    assert any(secret in shard.read_bytes() for shard in shards)
    before = store.get("m", ids)
    assert store.erase(np.array([7, 15, 99], np.int64)) == 2
    assert store.erase(np.array([7, 15, 99], np.int64)) == 0
    assert not any(secret in shard.read_bytes() for shard in shards)
    again = VectorStore(tmp_path, shard_bytes=64)
    rest = np.setdiff1d(ids, [7, 15])
    assert again.ids("m").tolist() == rest.tolist()
    assert np.array_equal(again.get("m", rest), before[rest - 1])
    with pytest.raises(MissingVector, match="7"):
        again.get("m", np.array([7], np.int64))
    with pytest.raises(MissingVector, match="7, 15"):
        store.get("m", ids)
    again.append("m", np.array([7], np.int64), matrix[:1])
    assert again.ids("m").tolist() == sorted([*rest.tolist(), 7])


@given(st.lists(st.lists(st.integers(1, 12), max_size=8), max_size=8), st.data())
def test_the_last_row_of_each_id_is_found_however_rows_came(
    batches: list[list[int]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "_RECENT", 5)
        patch.setattr(vectors, "_FEW", 3)
        patch.setattr(vectors, "_IDS", 4)
        store = VectorStore(folder, shard_bytes=40)
        newest: dict[int, int] = {}
        for number, batch in enumerate(batches, 1):
            rows = np.array([[1, number * 20 + at] for at in range(len(batch))])
            store.append(
                "m", np.array(batch, np.int64), rows.reshape(-1, 2).astype(np.float32)
            )
            newest |= {each: number * 20 + at for at, each in enumerate(batch)}
            if not data.draw(st.booleans()):
                continue
            ids = np.array(sorted(newest), np.int64)
            assert store.ids("m").tolist() == ids.tolist()
            asked = np.arange(0, 14)
            assert store.has("m", asked).tolist() == [x in newest for x in asked]
            if newest:
                found = store.get("m", ids)
                expected = [newest[each] for each in ids.tolist()]
                assert np.allclose(found[:, 1] / found[:, 0], expected, rtol=1e-2)
