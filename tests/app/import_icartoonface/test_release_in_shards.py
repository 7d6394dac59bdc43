"""A release whose pictures are in shards, cut out, or in part of it only."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from icf.app.import_icartoonface.release import Release
from icf.app.importing.given import GivenPicture, bytes_at
from icf.app.init import make_workspace
from icf.dataset import contents
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import write_sums
from icf.dataset.release.write import write
from icf.errors import BadInput
from icf.images import decode
from icf.workspace import find
from tests.app.import_icartoonface.conftest import written
from tests.app.import_icartoonface.test_round_trip import OTHERS
from tests.app.program import call, said
from tests.dataset.drawn import digest


def given(folder: Path) -> dict[str, GivenPicture]:
    """Everything that a release gives, by the end of its address."""
    found = list(Release(folder).pictures())
    assert all(isinstance(each, GivenPicture) for each in found), found
    pictures = [each for each in found if isinstance(each, GivenPicture)]
    return {each.url.split("/", 3)[3]: each for each in pictures}


@pytest.fixture(scope="module")
def shards(made: Path) -> Path:
    return written(made, "shards", "webdataset")


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_whole_pictures_in_shards_are_given_with_all_that_is_known(
    kind: str, shards: Path, made: Path, release: Path
) -> None:
    folder = shards if kind == "webdataset" else written(made, "rows", kind)
    found, loose = given(folder), given(release)
    assert found.keys() == loose.keys()
    for sha256, picture in found.items():
        data = bytes_at(picture.file)
        assert hashlib.sha256(data).hexdigest() == sha256 == picture.stated.sha256
        other = loose[sha256]
        assert picture.verified == other.verified
        assert (picture.part, picture.places) == (other.part, other.places)
        # Without the lists nobody says what the detector found.
        known = [each for each in other.faces if each.found_by is None]
        owners = [(each.box, each.owner) for each in picture.faces]
        assert {each for each in owners if each[1]} == {
            (each.box, each.owner) for each in other.faces if each.owner
        }
        assert len(owners) >= len(known)


def test_the_same_release_is_built_again_from_its_shards(
    shards: Path, tmp_path: Path
) -> None:
    root = tmp_path / "space"
    make_workspace(root, (), "").catalogue.close()
    assert said("-C", root, "import", "icartoonface", shards)["faults"] == []
    assert call("-C", root, "filter", "run").exit_code == 0
    space = find(root)
    out = tmp_path / "again"
    prepared = prepare(space, 7, ("webdataset",), after=shards)
    assert write(space, prepared, out, 7)
    space.catalogue.close()
    one, other = digest(shards), digest(out)
    assert one.keys() == other.keys()
    changed = {name for name in one if one[name] != other[name]}
    assert changed <= {each.rpartition("/")[2] for each in OTHERS}
    assert [name for name in one if name.endswith(".tar")]


def test_faces_that_are_cut_out_are_given_with_their_box_in_the_crop(
    made: Path, release: Path
) -> None:
    folder = written(made, "crops", "hf", crops=0.5)
    found, loose = given(folder), given(release)
    crops = {key: each for key, each in found.items() if "/" in key}
    whole = {key: each for key, each in found.items() if "/" not in key}
    # The detection set has whole pictures: a face of one of these is in it.
    assert whole.keys() == {key for key, each in loose.items() if each.verified}
    table = contents.read_contents(folder / contents.FILE)
    rows = {
        f"{table.sha256[row].decode()}/{table.part[row]}/{table.name[row]}": row
        for row in table.rows(*contents.FACES).tolist()
    }
    assert crops
    assert crops.keys() == {key for key in rows if key.partition("/")[0] not in whole}
    for key, picture in crops.items():
        [face] = picture.faces
        assert face.box is not None
        assert face.owner is not None
        corners = table.corners[rows[key]].tolist()
        assert face.box[2] - face.box[0] == pytest.approx(corners[2] - corners[0])
        shown = decode(bytes_at(picture.file))
        assert 0 <= face.box[0] < face.box[2] <= shown.width + 0.5
        assert 0 <= face.box[1] < face.box[3] <= shown.height + 0.5
        assert face.owner.character == table.character[rows[key]]
        assert picture.places == loose[key.partition("/")[0]].places


def test_what_no_format_has_is_counted_and_no_fault(others: Path, made: Path) -> None:
    folder = written(made, "boxes", "coco")
    source = Release(folder)
    found = [each for each in source.pictures() if isinstance(each, GivenPicture)]
    table = contents.read_contents(folder / contents.FILE)
    parts = contents.DETECTION_TRAIN, contents.DETECTION_TEST
    boxed = {each.decode() for each in table.sha256[table.rows(*parts)]}
    every = {each.decode() for each in table.sha256}
    assert {each.stated.sha256 for each in found} == boxed
    count = source.left_out["a picture that no format of the release has"]
    assert count == len(every - boxed) > 0
    assert all(each.verified for each in found)


def test_crops_that_a_format_has_scaled_are_refused_by_name(
    made: Path, tmp_path: Path
) -> None:
    folder = written(made, "records", "insightface")
    with pytest.raises(BadInput, match="has crops of insightface alone"):
        Release(folder)


def test_crops_of_an_earlier_version_are_refused(made: Path) -> None:
    folder = written(made, "older", "hf", crops=0.25)
    path = folder / contents.FILE
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    keep = [at for at, name in enumerate(header) if name not in contents.LATER]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([row[at] for at in keep] for row in [header, *rows])
    write_sums(folder, {})
    with pytest.raises(BadInput, match="import one without --crops"):
        Release(folder)
