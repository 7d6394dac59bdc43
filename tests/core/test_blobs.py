"""The content-addressed store."""

import hashlib
from pathlib import Path

import pytest

from icf.blobs import BlobStore, MissingBlob


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
