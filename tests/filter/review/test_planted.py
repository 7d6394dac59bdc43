"""Wrong filings, planted among the demo's pictures: suspected, and never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.app.demo.site.truth import Noise, TrueFile, load_truth
from icf.catalogue.schema import character, decision, face, image, review
from icf.filter.review.suspicions import refresh
from icf.workspace import Workspace
from tests.filter.workspaces import make_workspace, rows, run_filter, site_files

pytestmark = pytest.mark.slow

CHARACTERS = 8


@dataclass(frozen=True)
class Filed:
    """A workspace whose kept faces are known to be filed rightly or wrongly."""

    made: Workspace
    right: frozenset[int]
    wrong: frozenset[int]


def plant(files: list[TrueFile]) -> Iterator[TrueFile]:
    """File every ninth picture under another character's name, here and there."""
    truth = load_truth()
    names = [each.name for each in truth.characters[:CHARACTERS]]
    leads = {each.reference for each in truth.characters}
    for number, file in enumerate(files):
        plain = file.noise is Noise.CLEAN and len(file.faces) == 1
        if number % 9 or not plain or file.name in leads:
            yield file
            continue
        place = (names.index(file.filed_under[0]) + 1 + number % 7) % len(names)
        yield replace(file, filed_under=(names[place],))


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    root = tmp_path_factory.mktemp("planted")
    make_workspace(root, list(plant(site_files(CHARACTERS))))
    # Identity drops nothing here, so that all of them are left for the review.
    made = workspace.find(root, ("filter.min_probability=0",))
    run_filter(made)
    truth = load_truth()
    right: set[int] = set()
    wrong: set[int] = set()
    query = (
        sa.select(
            face.c.id,
            character.c.name,
            image.c.sha256,
            face.c.x1,
            face.c.y1,
            face.c.x2,
            face.c.y2,
        )
        .join(character, character.c.id == face.c.character_id)
        .join(image, image.c.id == face.c.image_id)
        .where(face.c.verdict == "kept")
    )
    for key, name, sha256, *box in rows(made, query):
        is_it = truth.who(sha256, (box[0], box[1], box[2], box[3])) == name
        (right if is_it else wrong).add(key)
    return Filed(made, frozenset(right), frozenset(wrong))


def suspected(made: Workspace) -> set[int]:
    alone = review.c.kind.in_(("outlier", "split"))
    return {row[0] for row in rows(made, sa.select(review.c.face_id).where(alone))}


def test_wrongly_assigned_faces_are_suspected(filed: Filed) -> None:
    found = suspected(filed.made)
    assert len(filed.wrong) >= 5
    assert len(filed.right) > 50
    assert len(found & filed.wrong) >= 0.8 * len(filed.wrong)
    assert len(found & filed.wrong) >= 0.7 * len(found)


def test_suspicions_change_no_face(filed: Filed) -> None:
    made = filed.made
    everything = sa.select(face).order_by(face.c.id)
    decisions = sa.select(sa.func.count(decision.c.id))
    before = rows(made, everything), rows(made, decisions)
    refresh(made)
    assert (rows(made, everything), rows(made, decisions)) == before
    kept = sa.select(face.c.id).where(face.c.verdict == "kept")
    assert suspected(made) <= {row[0] for row in rows(made, kept)}
