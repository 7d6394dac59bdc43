from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from icf.annotate.people.tokens import KEY_FILE, SecretKey, new_token, read_key
from icf.errors import BrokenMachine


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    made = read_key(tmp_path)
    assert read_key(tmp_path) == made
    assert len(made.key) == 32
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


def test_of_programs_that_start_at_once_all_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: read_key(tmp_path), range(32)))
    assert len({each.key for each in keys}) == 1
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_key_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(data)
    with pytest.raises(BrokenMachine, match="remove it, and invite everybody again"):
        read_key(tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BrokenMachine, match="cannot read or write"):
        read_key(tmp_path / "missing")


def test_a_token_is_none_of_its_hashes_and_no_two_are_alike() -> None:
    key, token = SecretKey(b"k" * 32), new_token()
    made = {token, key.hash_of(token), key.csrf_token(token)}
    made |= {SecretKey(b"o" * 32).hash_of(token), new_token()}
    assert len(made) == 5
    assert len(token) >= 43
