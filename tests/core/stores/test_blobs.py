"""The content-addressed store."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import BadInput, BrokenMachine, WrongUse
from icf.stores.blobs import BlobStore, DamagedBlob, MissingBlob
from icf.stores.memory import Memory


def test_bytes_come_back_under_their_sha256_and_twice_is_as_once(
    tmp_path: Path,
) -> None:
    store = BlobStore(tmp_path)
    name = store.put(b"ink")
    assert name == store.put(b"ink") == hashlib.sha256(b"ink").hexdigest()
    assert store.get(name) == store.path(name).read_bytes() == b"ink"


def test_what_is_not_committed_leaves_no_file(tmp_path: Path) -> None:
    with BlobStore(tmp_path).writer() as writer:
        writer.write(b"half")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_unknown_hash_is_missing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    assert not store.has("0" * 64)
    with pytest.raises(MissingBlob, match="0000"):
        store.get("0" * 64)


@pytest.mark.parametrize("url", ["{}", "memory://icf-damage"])
@pytest.mark.parametrize("damage", [b"", b"in", b"inK", b"\0\0\0", b"inks"])
def test_changed_bytes_are_never_returned_and_storing_them_again_mends_it(
    tmp_path: Path, url: str, damage: bytes
) -> None:
    store = BlobStore(url.format(tmp_path))
    name = store.put(b"ink")
    if store.local:
        store.path(name).write_bytes(damage)
    else:
        store._files.pipe_file(store.place(name), damage)
    assert not store.is_whole(name)
    with pytest.raises(DamagedBlob, match=f"{name}.*`icf doctor --repair`"):
        store.get(name)
    with pytest.raises(DamagedBlob, match=f"{name}.*`icf doctor --repair`"):
        store.add_to(Memory(2), name)
    with pytest.raises(DamagedBlob):
        store.copy(name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    store.put(b"ink")
    assert store.is_whole(name)
    store.copy(name, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"ink"


def test_what_cannot_be_read_stops_the_run_and_blames_no_picture(
    tmp_path: Path,
) -> None:
    store = BlobStore(tmp_path)
    name = store.put(b"ink")
    store.path(name).unlink()
    store.path(name).mkdir()
    with pytest.raises(BrokenMachine, match="check the disk"):
        store.get(name)
    with pytest.raises(BrokenMachine, match="check the disk"):
        store.add_to(Memory(2), name)


@pytest.mark.parametrize("url", ["{}", "memory://icf-added"])
@given(pictures=st.lists(st.binary(max_size=40)))
def test_bytes_are_added_behind_those_that_memory_holds(
    tmp_path_factory: pytest.TempPathFactory, url: str, pictures: list[bytes]
) -> None:
    store = BlobStore(url.format(tmp_path_factory.getbasetemp() / "added"))
    memory = Memory(3)
    memory.add(b"before")
    for picture in pictures:
        added = store.add_to(memory, store.put(picture))
        assert added == picture
    assert memory.content() == b"before" + b"".join(pictures)


def test_the_memory_of_a_picture_that_is_missing_names_its_hash() -> None:
    with pytest.raises(MissingBlob, match="0000"):
        BlobStore("memory://icf-added").add_to(Memory(2), "0" * 64)


WRITE_AND_WAIT = """
import sys
from icf.stores.blobs import BlobStore
writer = BlobStore(sys.argv[1]).writer()
for _ in range(64):
    writer.write(bytes(100_000))
print("half", flush=True)
sys.stdin.read()
"""


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_killed_in_the_middle_it_leaves_nothing_under_a_final_name(
    tmp_path: Path,
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"half\n"
    child.kill()
    child.communicate()
    [left] = files_in(tmp_path)
    assert left.parent.name == "tmp"
    store = BlobStore(tmp_path)
    # It may belong to a program that is writing: only an old one is swept away.
    assert store.sweep() == 0
    os.utime(left, (0, 0))
    assert store.sweep() == 1
    assert store.get(store.put(b"ink")) == b"ink"
    assert [path.read_bytes() for path in files_in(tmp_path)] == [b"ink"]


WRITE_TOO_MUCH = """
import resource, signal, sys
from icf.stores.blobs import BlobStore
from icf.errors import BrokenMachine
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    BlobStore(sys.argv[1]).put(bytes(2_000_000))
except BrokenMachine as error:
    print(error)
"""


def test_a_full_disk_is_a_broken_machine_and_keeps_nothing(
    tmp_path: Path,
) -> None:
    words = [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path)]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    assert said.startswith("cannot write to the blob store")
    assert "stored pictures are not affected" in said
    assert files_in(tmp_path) == []


def test_threads_that_store_the_same_bytes_make_one_file(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(store.put, [b"ink"] * 64))
    assert names == {hashlib.sha256(b"ink").hexdigest()}
    assert len(files_in(tmp_path)) == 1


def test_an_object_store_is_used_in_the_same_way() -> None:
    store = BlobStore("memory://icf-test")
    name = store.put(b"ink")
    assert store.has(name)
    assert store.get(name) == b"ink"
    assert store.put(b"ink") == name
    with pytest.raises(MissingBlob):
        store.get("0" * 64)
    with pytest.raises(BadInput, match="not a folder"):
        store.path(name)
    assert store.sweep() == 0


class Away(MemoryFileSystem):  # type: ignore[misc]
    """An object store whose server has gone, as its client says it."""

    protocol = ("away",)

    def _refuse(self, *_: object, **__: object) -> object:
        raise RuntimeError("no connection to the endpoint")

    cat_file = put_file = info = find = rm_file = _refuse


def test_an_object_store_that_does_not_answer_stops_the_run_and_has_lost_nothing(
    tmp_path: Path,
) -> None:
    fsspec.register_implementation("away", Away, clobber=True)
    store = BlobStore("away://key:secret@toons/pictures")
    name = "0" * 64
    for call in (
        lambda: store.put(b"ink"),
        lambda: store.get(name),
        lambda: store.add_to(Memory(2), name),
        lambda: store.copy(name, tmp_path / "copy"),
        lambda: store.has(name),
        lambda: store.remove(name),
        lambda: store.is_whole(name),
        lambda: store.damaged({name: 3}, full=False),
        lambda: store.damaged({name: 3}, full=True),
    ):
        with pytest.raises(BrokenMachine, match=r"no connection.*blobs\.url") as raised:
            call()
        assert not isinstance(raised.value, MissingBlob)
        assert "away://key:***@toons/pictures" in str(raised.value)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("url", ["nosuch://toons/pictures", "s3n1://a", "reference://"])
def test_a_url_that_nothing_opens_is_wrong_use(url: str) -> None:
    with pytest.raises(WrongUse, match=f"{url} cannot be opened.*s3fs"):
        BlobStore(url)


@given(pieces=st.lists(st.binary(max_size=50)))
def test_bytes_in_pieces_have_the_hashes_of_the_whole(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    with BlobStore("memory://icf-test").writer(sha1=True) as writer:
        for piece in pieces:
            writer.write(piece)
        assert writer.size == len(whole)
        assert writer.sha1 == hashlib.sha1(whole).hexdigest()
        assert writer.commit() == hashlib.sha256(whole).hexdigest()


def test_removed_bytes_are_gone_and_can_be_put_again(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    sha256 = store.put(b"one")
    other = store.put(b"two")
    assert store.remove(sha256)
    assert not store.remove(sha256)
    assert not store.has(sha256)
    assert store.get(other) == b"two"
    assert store.put(b"one") == sha256
