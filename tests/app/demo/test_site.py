from __future__ import annotations

import hashlib
import io
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from icf.app.demo.site import Noise, Truth, load_truth
from icf.app.demo.site.archive import SiteArchive, shipped_tar, write
from icf.errors import BadInput

NO_BYTES = (Noise.DEAD, Noise.MISSING)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return load_truth()


def test_the_site_is_large_enough_and_ships_in_twelve_megabytes(truth: Truth) -> None:
    assert len(truth.albums) >= 4
    assert len(truth.characters) >= 40
    assert len(truth.files) >= 600
    assert shipped_tar().stat().st_size <= 12_000_000


def test_every_kind_of_noise_is_there_and_makes_a_quarter(truth: Truth) -> None:
    counts = Counter(file.noise for file in truth.files)
    assert set(counts) == set(Noise)
    assert 0.2 < 1 - counts[Noise.CLEAN] / len(truth.files) < 0.3


def test_the_truth_and_the_tar_name_the_same_bytes(truth: Truth) -> None:
    site = SiteArchive(shipped_tar())
    paths = {file.name: file.path for file in site.wiki.files}
    served = {paths[f.name]: f.sha256 for f in truth.files if f.sha256 is not None}
    found = {
        name: hashlib.sha256(site.read(name)).hexdigest() for name in site.names[1:]
    }
    site.close()
    assert found == served
    lacking = {file.noise for file in truth.files if file.sha256 is None}
    assert lacking == set(NO_BYTES)


def test_every_good_picture_decodes_and_its_faces_lie_inside(truth: Truth) -> None:
    site = SiteArchive(shipped_tar())
    for file in truth.files:
        row = site.wiki.file.get(file.name)
        if file.sha256 is None or row is None or file.noise is Noise.BROKEN:
            continue
        with Image.open(io.BytesIO(site.read(row.path))) as picture:
            picture.load()
            assert picture.size == (row.width, row.height)
        for x1, y1, x2, y2 in (face.box for face in file.faces):
            assert 0 <= x1 < x2 <= row.width
            assert 0 <= y1 < y2 <= row.height
    site.close()


def test_a_clean_picture_shows_exactly_the_characters_it_is_filed_under(
    truth: Truth,
) -> None:
    for file in truth.files:
        shown = {face.character for face in file.faces}
        if file.noise is Noise.CLEAN:
            assert shown == set(file.filed_under)
            assert min(min(b[2] - b[0], b[3] - b[1]) for b in boxes(file)) >= 100
        if file.noise is Noise.WRONG_CHARACTER:
            assert not shown & set(file.filed_under)


def boxes(file: Any) -> list[tuple[int, int, int, int]]:
    return [face.box for face in file.faces]


def test_copies_name_what_they_are_copies_of(truth: Truth) -> None:
    for file in truth.files:
        if file.noise is Noise.EXACT_DUPLICATE:
            assert file.of is not None
            assert truth.by_name[file.of].sha256 == file.sha256
            assert truth.by_name[file.of].faces == file.faces
        if file.noise in (Noise.NEAR_DUPLICATE, Noise.CROP):
            assert file.of is not None
            assert truth.by_name[file.of].sha256 != file.sha256


def test_every_character_is_led_by_a_clear_picture_of_itself_alone(
    truth: Truth,
) -> None:
    for one in truth.characters:
        lead = truth.by_name[one.reference]
        assert lead.noise is Noise.CLEAN
        assert [face.character for face in lead.faces] == [one.name]


def test_the_truth_knows_whose_face_a_box_is(truth: Truth) -> None:
    group = next(f for f in truth.files if len(f.faces) > 1 and not f.of)
    assert group.sha256 is not None
    for face in group.faces:
        x1, y1, x2, y2 = face.box
        assert truth.who(group.sha256, (x1 + 5, y1 - 5, x2, y2)) == face.character
    assert truth.who(group.sha256, (0, 0, 4, 4)) is None
    assert truth.who("0" * 64, group.faces[0].box) is None


def test_the_truth_of_another_format_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "truth.json"
    old.write_text('{"format": 0}')
    with pytest.raises(BadInput, match="format 1"):
        load_truth(old)


def test_writing_the_same_site_again_gives_the_same_tar(tmp_path: Path) -> None:
    site = SiteArchive(shipped_tar())
    wanted = [(name, site.read(name)) for name in site.names[1:]]
    again = tmp_path / "again.tar"
    write(again, site.wiki, reversed(wanted))
    site.close()
    assert again.read_bytes() == shipped_tar().read_bytes()


def test_the_tar_says_nothing_of_who_made_it_or_when() -> None:
    with tarfile.open(shipped_tar()) as tar:
        found = {(m.uid, m.gid, m.uname, m.gname, m.mtime, m.mode) for m in tar}
    assert found == {(0, 0, "", "", 1_704_067_200, 0o644)}


def test_a_file_that_is_no_site_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "site.tar"
    other.write_bytes(b"not a tar")
    with pytest.raises(BadInput, match="Reinstall"):
        SiteArchive(other)
