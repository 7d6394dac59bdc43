from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from icf.tools.training_art import sources

pytestmark = pytest.mark.slow

_METADATA = "Metadata-Version: 2.1\nName: toons\nVersion: 1\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path, *, whole: bool) -> None:
    """Write a package with two pictures, the second of which may be damaged."""
    path = folder / "toons-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toons/first.png", b"first")
        archive.writestr("toons/second.png", b"second")
        archive.writestr("toons-1.dist-info/METADATA", _METADATA)
        archive.writestr("toons-1.dist-info/WHEEL", _WHEEL)
        archive.writestr("toons-1.dist-info/RECORD", "")
    if not whole:
        path.write_bytes(path.read_bytes().replace(b"second", b"secoNd"))


def test_what_was_unpacked_in_part_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICF_ART_CACHE", str(tmp_path / "art"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    write_wheel(tmp_path, whole=False)
    with pytest.raises(zipfile.BadZipFile):
        sources.fetch_package("pypi", "toons==1")
    write_wheel(tmp_path, whole=True)
    sources.fetch_package("pypi", "toons==1")
    folder = sources.pypi_root() / "toons"
    assert (folder / "toons/second.png").read_bytes() == b"second"
    assert [each.name for each in folder.parent.iterdir()] == ["toons"]
