from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from icf.dataset.formats.webdataset.tar import TarWriter, header

FILES = {"a.jpg": b"", "b/c.json": b"{}", "n" * 100: bytes(512), "d": bytes(1300)}


def archive() -> bytes:
    out = io.BytesIO()
    with TarWriter(out) as tar:
        places = {name: tar.add(name, content) for name, content in FILES.items()}
    data = out.getvalue()
    for name, place in places.items():
        assert data[place : place + len(FILES[name])] == FILES[name]
    return data


def test_headers_are_those_of_the_tarfile_of_python() -> None:
    for name, content in FILES.items():
        info = tarfile.TarInfo(name)
        info.size = len(content)
        expected = info.tobuf(tarfile.USTAR_FORMAT)
        assert header(name, len(content)) == expected


def test_an_archive_is_read_by_python_and_by_tar(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(archive())
    assert path.stat().st_size % 10240 == 0
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            file = tar.extractfile(member)
            assert file is not None
            assert file.read() == FILES[member.name]
            assert (member.mtime, member.uid, member.gname) == (0, 0, "")
        assert tar.getnames() == list(FILES)
    listed = subprocess.run(["tar", "tf", path], check=True, capture_output=True)
    assert listed.stdout.decode().split() == list(FILES)
    assert listed.stderr == b""


def test_what_fails_half_way_has_no_end() -> None:
    out = io.BytesIO()

    def fill() -> None:
        with TarWriter(out) as tar:
            tar.add("a", b"b")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fill()
    assert len(out.getvalue()) == 1024


@pytest.mark.parametrize(("name", "size"), [("", 1), ("n" * 101, 1), ("a", 8**11)])
def test_what_no_header_can_say_is_an_error(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="member of a tar archive"):
        header(name, size)
