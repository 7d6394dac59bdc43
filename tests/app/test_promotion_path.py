"""From a trained model to a filter that uses it: compare, promote, run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import sqlalchemy as sa
from onnx import numpy_helper

from icf.catalogue.schema import audit_item, batch, character, face, question
from icf.codes import Label, Verdict
from icf.models.cards import bundled_path, load_card, save_card
from icf.models.registry.tasks import Task
from icf.stores.files import hash_file
from icf.workspace import Workspace, find
from tests.app.program import call, said
from tests.filter.workspaces import (
    add_files,
    make_workspace,
    rows,
    run_filter,
    site_files,
)

CAST = 2
#: Of so few characters and pictures: enough to see whether the commands fit together.
SMALL = """
[gate]
min_identities = 2
min_faces = 8
min_pictures = 8
min_group = 2
margin = 0.2
"""


def fine_tuned(task: Task, folder: Path) -> Path:
    """The bundled model with weights that differ a little, as after a few steps."""
    model = onnx.load(bundled_path(task))
    random = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:
            noise = random.normal(0, 1e-4, values.shape).astype(np.float32)
            changed = numpy_helper.from_array(values * (1 + noise), tensor.name)
            tensor.CopyFrom(changed)
    path = folder / f"my-{task}.onnx"
    path.write_bytes(model.SerializeToString())
    card = load_card(bundled_path(task).with_suffix(".json"))
    about = {
        "name": f"my {task}",
        "file": path.name,
        "sha256": hash_file(path),
        "bytes": path.stat().st_size,
        "parent": card.sha256,
        "recipe": f"icf-train {task} --data workspace --from bundled",
        "licence": "",
    }
    save_card(type(card)(**{**vars(card), **about}), path.with_suffix(".json"))
    return path


def confirm_and_set_aside(made: Workspace) -> None:
    """Confirm what identity assigned, and set the characters aside."""
    kept = sa.select(face.c.id, face.c.character_id).where(
        face.c.verdict == Verdict.KEPT.value, face.c.character_id.is_not(None)
    )
    with made.catalogue.write() as connection:
        about = {"format": "csv", "path": "b", "questions": 0, "created_at": 1.0}
        connection.execute(sa.insert(batch).values(id="b", **about))
        for face_id, character_id in connection.execute(kept).all():
            asked = {
                "face_id": face_id,
                "character_id": character_id,
                "reference_face_id": face_id,
                "batch_id": "b",
                "label": Label.SAME.value,
                "asked_at": 1.0,
            }
            connection.execute(sa.insert(question).values(asked))
        for each in connection.execute(sa.select(character.c.id)).scalars().all():
            row = {"kind": "character", "subject_id": each, "set_aside_at": 1.0}
            connection.execute(sa.insert(audit_item).values(row))


@pytest.mark.slow
def test_a_model_is_compared_promoted_used_and_taken_back(tmp_path: Path) -> None:
    root = tmp_path / "work"
    files = site_files(CAST)
    made = make_workspace(root, files[:-2])
    run_filter(made)
    confirm_and_set_aside(made)
    with (root / "icf.toml").open("a", encoding="utf-8") as config:
        config.write(SMALL)
    bundled: dict[Task, str] = {}
    own: dict[Task, str] = {}
    tasks: tuple[Task, Task] = ("detector", "embedder")
    for task in tasks:
        path = fine_tuned(task, tmp_path)
        bundled[task] = hash_file(bundled_path(task))
        own[task] = hash_file(path)
        report = said("-C", root, "model", "compare", "bundled", path)
        assert (report["champion"], report["challenger"]) == (bundled[task], own[task])
        assert abs(report["difference"]) < 0.05
        assert report["promoted"], report["reasons"]
        done = said("-C", root, "model", "promote", path)
        assert done["model"] == own[task]
    add_files(made, files[-2:])
    run_filter(find(root))
    embedders = sa.select(face.c.embedder).where(face.c.embedder.is_not(None))
    assert set(rows(made, embedders)) == {(own["embedder"],)}
    detectors = {each[0] for each in rows(made, sa.select(face.c.detector))}
    assert detectors == {bundled["detector"], own["detector"]}
    listed = said("-C", root, "model", "show", "champion", "--task", "embedder")
    assert listed["card"]["parent"] == bundled["embedder"]
    assert listed["gates"][0]["promoted"]
    call("-C", root, "model", "rollback", "embedder")
    run_filter(find(root))
    assert set(rows(made, embedders)) == {(bundled["embedder"],)}
