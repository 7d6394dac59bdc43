"""A release that is imported into an empty workspace is built again from there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import schema
from icf.codes import ReviewStatus, Suspicion
from icf.dataset import contents, licences
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.verify.verify import verify
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOUND,
    DETTRAIN_BOXES,
    FEATURES,
    IDENTITIES,
    RECTEST_INFO,
    RECTRAIN_LIST,
)
from icf.workspace import Workspace
from tests.dataset.drawn import digest

#: What cannot be equal: ids of the catalogue, how many faces were not used, who
#: answered how often, where pictures were found by whom, and hashes of all that.
OTHERS = {
    *("release.json", "README.md", "datasheet.md", "croissant.json", "SHA256SUMS"),
    *("unused.csv", IDENTITIES.as_posix()),
}

LISTS = (
    *(RECTRAIN_LIST, RECTEST_INFO, FEATURES),
    *(DETTRAIN_BOXES, DETTEST_BOXES, DETTEST_FOUND),
)


@pytest.fixture
def again(space: Workspace, release: Path, tmp_path: Path) -> Path:
    out = tmp_path / "again"
    assert write(space, prepare(space, 7, after=release), out, 7)
    return out


def test_the_same_release_is_built_again(again: Path, release: Path) -> None:
    one, other = digest(release), digest(again)
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} <= OTHERS
    # What is meant by it, so that a name that changes is not passed over.
    assert {each.as_posix() for each in LISTS} <= one.keys() - OTHERS
    tables = {contents.FILE, licences.FILE, "attribution.csv", "attributes.csv"}
    assert tables | {"leaks.json"} <= one.keys()


def test_the_same_release_is_built_again_whatever_the_filter_suspects_here(
    space: Workspace, release: Path, tmp_path: Path
) -> None:
    first = prepare(space, 7, after=release)
    faces, splits = first.plan.selection.faces, first.plan.splits
    trained = set(faces.identity[splits.train].tolist())
    tested = set(faces.identity[splits.probes].tolist())
    held_out = faces.identity[splits.distractors].tolist()
    for held in (held_out[0], min(tested - trained, default=held_out[-1])):
        suspect(space, min(trained), held)
    out = tmp_path / "again"
    assert write(space, prepare(space, 7, after=release), out, 7)
    one, other = digest(release), digest(out)
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} <= OTHERS
    assert not verify(out).faults


def suspect(space: Workspace, *pair: int) -> None:
    """Let the filter suspect that two characters are one; nobody is asked."""
    one, other = sorted(pair)
    question = schema.question.c
    with space.catalogue.write() as connection:
        query = sa.select(question.character_id, sa.func.min(question.face_id))
        of = dict(connection.execute(query.group_by(question.character_id)).all())
        row = {"kind": Suspicion.MERGE.value, "status": ReviewStatus.OPEN.value}
        row |= {"character_id": one, "face_id": of[one], "score": 0.8}
        row |= {"other_character_id": other, "other_face_id": of[other]}
        made = sa.insert(schema.review).values(**row, found_at=1.0, changed_at=1.0)
        connection.execute(made)


def test_identities_have_the_same_numbers_and_names(again: Path, release: Path) -> None:
    tables = []
    for folder in (release, again):
        with (folder / IDENTITIES).open(encoding="utf-8", newline="") as file:
            # The last column is an id of the catalogue.
            tables.append([row[:-1] for row in csv.reader(file)])
    assert tables[0] == tables[1]
    assert len(tables[0]) > 5


def test_its_cards_do_not_say_that_anything_was_harvested(again: Path) -> None:
    for name in ("datasheet.md", "README.md", "croissant.json"):
        text = (again / name).read_text()
        assert "robots.txt" not in text
        assert "confirmed the identity" not in text
    text = (again / "datasheet.md").read_text()
    assert "pictures were imported" in text
    assert "have the identity that a published data set gives them" in text
