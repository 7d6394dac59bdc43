"""A format that is written again from a release's own files is the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from icf.dataset.contents import FILE, read_contents
from icf.dataset.formats.all_formats import write_licences
from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.formats.beside import write_beside
from icf.dataset.formats.icartoonface.writer import picture_files
from icf.dataset.formats.registry import make_writers
from icf.dataset.plan import Placed
from icf.dataset.stored.data import stored_data
from icf.dataset.stored.pictures import StoredPictures
from icf.stores.files import hash_file
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import FORMATS, Exported

AGAIN = [name for name in FORMATS if not name.startswith("icartoonface")]


def data_of(folder: Path) -> tuple[ReleaseData, StoredPictures]:
    contents = read_contents(folder / FILE)
    summary = json.loads((folder / "release.json").read_text())
    pictures = StoredPictures(folder, summary, contents)
    return stored_data(folder, summary, contents, pictures), pictures


@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_every_format_and_its_tables_are_written_as_before(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    data, pictures = data_of(exported.folder)
    written = []
    for each, file in picture_files(data.plan):
        sums = hash_file(exported.folder / "icartoonface" / file)
        crop = data.crop(each)
        place = f"icartoonface/{file.as_posix()}"
        written.append((place, WrittenPicture(file, each, crop=crop, sha256=sums)))
    for name in AGAIN:

        def kept(each: Placed, name: str = name) -> bytes | None:
            return pictures.crop(name, each.path.rpartition("/")[2])

        (tmp_path / name).mkdir()
        mine = replace(data, kept=kept)
        [writer] = make_writers([name]).values()
        for picture in writer.write(mine, tmp_path / name):
            written.append((f"{name}/{picture.file.as_posix()}", picture))
        data = mine.after(name, tmp_path / name)
        assert digest(tmp_path / name) == digest(exported.of(name)), name
    write_licences(data, written, tmp_path)
    write_beside(data, written, tmp_path)
    tables = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert {"licences.csv", "exif_turned.csv"} <= set(tables)
    for table in tables:
        one, other = (each / table for each in (tmp_path, exported.folder))
        assert one.read_text() == other.read_text(), table
