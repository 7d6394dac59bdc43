"""True faces are kept: identity on the demo's pictures, before and after answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from icf import workspace
from icf.app.demo.site.truth import load_truth
from icf.catalogue import calibrations
from icf.catalogue.schema import batch, candidate, character, face, image, question
from icf.codes import FaceReason, Label, Verdict
from icf.command import Invocation
from icf.filter.cli.main import cli
from icf.filter.identify import recalibrate
from icf.filter.resources import embedder
from icf.workspace import Workspace
from tests.filter.workspaces import make_workspace, run_filter, site_files

pytestmark = pytest.mark.slow

#: The cast of the demo's first album.
CAST = 8


@dataclass(frozen=True)
class Kept:
    """What identity made of the faces that came to it.

    Attributes:
        true: faces of a character that their picture was found under: whether kept.
        false: the others: whether kept.
    """

    true: Mapping[int, bool]
    false: Mapping[int, bool]


def kept(made: Workspace) -> Kept:
    truth = load_truth()
    query = (
        sa.select(face, image.c.sha256)
        .join(image, image.c.id == face.c.image_id)
        .where(
            face.c.awaits.is_(None),
            face.c.reason.in_(
                [FaceReason.OK.value, FaceReason.NOT_THIS_CHARACTER.value]
            ),
        )
    )
    with made.catalogue.read() as connection:
        people = sa.select(character.c.id, character.c.name)
        names = {row.id: row.name for row in connection.execute(people)}
        under: dict[int, set[str]] = {}
        for row in connection.execute(sa.select(candidate)):
            under.setdefault(row.image_id, set()).add(names[row.character_id])
        found = Kept({}, {})
        for row in connection.execute(query):
            who = truth.who(row.sha256, (row.x1, row.y1, row.x2, row.y2))
            true = who in under[row.image_id]
            of = found.true if true else found.false
            assert isinstance(of, dict)
            of[row.id] = row.verdict == Verdict.KEPT.value
    return found


def answer_truly(made: Workspace) -> None:
    """Let people have answered about every kept face but the references."""
    truth = load_truth()
    query = (
        sa.select(face, image.c.sha256, character.c.name, character.c.reference_face_id)
        .join(image, image.c.id == face.c.image_id)
        .join(character, character.c.id == face.c.character_id)
        .where(
            face.c.verdict == Verdict.KEPT.value,
            character.c.reference_face_id != face.c.id,
        )
    )
    with made.catalogue.write() as connection:
        connection.execute(
            sa.insert(batch).values(
                id="b1", format="page", path="b1", questions=1, created_at=0.0
            )
        )
        questions = []
        for row in connection.execute(query).all():
            box = (row.x1, row.y1, row.x2, row.y2)
            right = truth.who(row.sha256, box) == row.name
            questions.append(
                {
                    "face_id": row.id,
                    "character_id": row.character_id,
                    "reference_face_id": row.reference_face_id,
                    "batch_id": "b1",
                    "label": (Label.SAME if right else Label.DIFFERENT).value,
                    "asked_at": 0.0,
                }
            )
        connection.execute(sa.insert(question), questions)


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first album, filtered."""
    made = make_workspace(tmp_path_factory.mktemp("space"), site_files(CAST))
    run_filter(made)
    return made


@pytest.fixture
def made(filtered: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the filtered album."""
    root = tmp_path / "copy"
    shutil.copytree(filtered.root, root)
    return workspace.find(root)


def run(made: Workspace, *words: str) -> Result:
    done = CliRunner().invoke(
        cli, [*words, "-C", str(made.root)], obj=Invocation(), catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done


def test_every_true_face_is_kept_and_nearly_every_other_is_dropped(
    made: Workspace,
) -> None:
    found = kept(made)
    assert len(found.true) > 90
    assert all(found.true.values())
    assert len(found.false) > 0
    assert sum(found.false.values()) <= 3


def test_calibration_keeps_all_true_faces_and_drops_more_false_ones(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrate, "MIN_ANSWERS", 0)
    before = kept(made)
    answer_truly(made)
    result = json.loads(run(made, "calibrate", "--judge-again", "--json").stdout)
    assert result["adopted"] is True
    assert result["judged_again"] == len(before.true) + len(before.false)
    assert result["fitted"]["log_loss"] < result["card"]["log_loss"]
    assert run(made, "identity").exit_code == 0
    after = kept(made)
    assert after.true.keys() == before.true.keys()
    assert all(after.true.values())
    assert sum(after.false.values()) <= sum(before.false.values())


def test_a_dry_run_shows_both_curves_and_changes_nothing(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrate, "MIN_ANSWERS", 0)
    answer_truly(made)
    done = run(made, "calibrate", "--dry-run", "--judge-again")
    assert "calibration error" in done.stdout
    assert "it would be used" in done.stderr
    assert kept(made).true
    with made.catalogue.read() as connection:
        assert calibrations.newest(connection, [embedder().model_hash]) == {}


def test_consistency_lists_every_character_and_the_most_similar_pairs(
    made: Workspace,
) -> None:
    result = json.loads(run(made, "consistency", "--json").stdout)
    assert result["characters"] == CAST == len(result["least"])
    means = [each["mean"] for each in result["least"]]
    assert means == sorted(means)
    assert len(result["alike"]) == 20
    shown = run(made, "consistency", "--limit", "3").stdout
    assert f"least consistent of {CAST} characters" in shown
    for name in (result["least"][0]["name"], result["alike"][0]["other"]):
        assert name in shown
