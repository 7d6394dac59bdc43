from collections.abc import Iterator
from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.files import replace_file


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise BadInput("halfway")

    with pytest.raises(BadInput, match="halfway"):
        replace_file(path, chunks())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
