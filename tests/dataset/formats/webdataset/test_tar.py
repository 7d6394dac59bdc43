from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from icf.dataset.formats.webdataset.tar import TarWriter, header
from icf.stores.memory import Memory

SIZES = [1, 300_000, 65_536, 10, 700_001, 512]
FILES = {"a.jpg": b"", "b/c.json": b"{}", "n" * 100: bytes(512), "d": bytes(1300)}


class Pipe(io.BytesIO):
    """A file that takes less than it is given, as pipes and full disks do."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data)[:100_000])


def test_large_contents_are_written_whole_wherever_they_begin() -> None:
    contents = [bytes([number]) * size for number, size in enumerate(SIZES)]
    out = Pipe()
    with TarWriter(out, Memory(0)) as tar:
        for number, content in enumerate(contents):
            assert tar.add(str(number), content) % 512 == 0
    out.seek(0)
    with tarfile.open(fileobj=out) as read:
        found = [read.extractfile(each) for each in read.getmembers()]
        assert [file.read() for file in found if file] == contents


def archive() -> bytes:
    out = io.BytesIO()
    with TarWriter(out, Memory(100)) as tar:
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
        with TarWriter(out, Memory(100)) as tar:
            tar.add("a", b"b")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fill()
    assert out.getvalue() == b""


@pytest.mark.parametrize(("name", "size"), [("", 1), ("n" * 101, 1), ("a", 8**11)])
def test_what_no_header_can_say_is_an_error(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="member of a tar archive"):
        header(name, size)
