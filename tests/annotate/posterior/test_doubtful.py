"""Faces that a training doubts: their questions are opened again, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import torch

from icf.annotate.posterior import suspects
from icf.catalogue import merges
from icf.catalogue.annotation.schema import box_task, verified_box
from icf.catalogue.labels.doubtful import DoubtfulFace, write_doubtful, written_box
from icf.catalogue.schema import calibration, decision, face, image, question
from icf.codes import BoxStatus, Choice, Chosen
from icf.models.data.index import UNKNOWN, Source, build_index
from icf.models.data.workspace import WorkspaceReader
from icf.models.training.embedder.doubtful import named
from icf.models.training.losses.subcenter_arcface import Doubtful
from tests.annotate.gold.test_make import confirm
from tests.annotate.place import Place
from tests.annotate.posterior.answers import calibrate, decide, say
from tests.annotate.test_cli import call, run

T, F = Choice.TRUE, Choice.FALSE


@pytest.fixture
def here(plain: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(plain.workspace.root)
    monkeypatch.setattr(suspects, "MOST", 1.0)
    calibrate(plain.workspace.catalogue, plain.workspace.begin_run("test"))
    return plain


def settled(place: Place, said: Mapping[int, Choice]) -> dict[int, int]:
    """Settle a question about each face; return the question of each."""
    of_face = confirm(place, {key: (choice,) * 3 for key, choice in said.items()})
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.update(question).values(chosen=Chosen.UNCERTAIN.value))
    return of_face


def line(place: Place, key: int, identity: str, degrees: float) -> DoubtfulFace:
    query = sa.select(image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2).join(
        image, image.c.id == face.c.image_id
    )
    with place.workspace.catalogue.read() as connection:
        sha256, *box = connection.execute(query.where(face.c.id == key)).one()
    return DoubtfulFace(identity, sha256, written_box(box), degrees)


def again(
    place: Place, lines: Sequence[DoubtfulFace], *words: str
) -> tuple[int, int, dict[str, int]]:
    """How many were opened, how many lines are of elsewhere, and what is left out."""
    path = place.workspace.root / "doubtful.csv"
    write_doubtful(path, lines)
    found, _ = run("labels", "--doubtful", str(path), *words)
    assert isinstance(found, dict)
    told: dict[str, Any] = found["doubtful"]
    return told["opened"], told["no_settled_question"], told["left_out"]


def add_verified(
    connection: sa.Connection, key: int, box: tuple[float, float, float, float]
) -> None:
    """Let people have drawn the box of a face, the only one of its picture."""
    query = sa.select(face.c.image_id).where(face.c.id == key)
    values = {
        "image_id": connection.execute(query).scalar_one(),
        "people": 2,
        "disagreement": 0.1,
    }
    task = {"hidden": False, "status": BoxStatus.VERIFIED.value}
    times = {"asked_at": 0.0, "changed_at": 0.0}
    connection.execute(sa.insert(box_task).values(**values, **task, **times))
    corners = dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    connection.execute(sa.insert(verified_box).values(**values, **corners, face_id=key))


def opened(place: Place) -> set[int]:
    return {key for key, label in place.labels().items() if label == "open"}


def test_a_confirmed_face_that_a_training_doubts_is_asked_about_again(
    here: Place,
) -> None:
    ann = here.add_character("Ann", "Tales")
    one, two, other = (here.add_face(ann, 0.9, x1=40.1 + n / 3) for n in range(3))
    of_face = settled(here, {one: T, two: T, other: F})
    lines = [
        line(here, one, "Tales/Ann", 90.5),
        line(here, two, "Tales/Bea", 89),  # of another character
        line(here, other, "Tales/Ann", 88),  # it is known to be somebody else
        DoubtfulFace("Tales/Ann", "0" * 64, (1.0, 2.0, 3.0, 4.0), 87),
        DoubtfulFace("Tales/Ann", line(here, two, "", 0).picture, (1.0,) * 4, 86),
        DoubtfulFace("Ann", "a/1.png", None, 85),  # of a folder
    ]
    before = here.labels()
    assert again(here, lines, "--dry-run") == (1, 5, {})
    assert here.labels() == before
    assert again(here, lines) == (1, 5, {})
    assert opened(here) == {of_face[one]}
    assert here.decisions("doubt") == [(of_face[one], "open", 90.5)]
    with here.workspace.catalogue.read() as connection:
        query = sa.select(decision.c.message).where(decision.c.step == "doubt")
        why = connection.execute(query).scalar_one()
    assert why == "a training found its face far from others: somebody else is asked"
    # The same once more changes nothing.
    assert again(here, lines) == (0, 5, {"asked_before": 1})
    assert opened(here) == {of_face[one]}
    # It is open until somebody else answers.
    people = [(f"person {n}", T) for n in range(3)]
    say(here, {of_face[two]: people, of_face[one]: [("bob", T)]})
    assert again(here, lines) == (0, 5, {"asked_before": 1})
    assert opened(here) == set()


def test_no_calibrated_model_is_needed(here: Place) -> None:
    ann = here.add_character("Ann", "Tales")
    one = here.add_face(ann, 0.9)
    of_face = settled(here, {one: T})
    with here.workspace.catalogue.write() as connection:
        connection.execute(sa.delete(calibration))
        connection.execute(sa.update(question).values(probability=None))
    assert again(here, [line(here, one, "Tales/Ann", 90)]) == (1, 0, {})
    assert opened(here) == {of_face[one]}


@pytest.mark.parametrize("rule", ["votes", "posterior"])
def test_what_measures_and_what_experts_decided_stays(here: Place, rule: str) -> None:
    ann = here.add_character("Ann", "Tales")
    free, drawn, expert, reference = (
        *(here.add_face(ann, 0.9) for _ in range(3)),
        here.reference(ann),
    )
    of_face = settled(here, dict.fromkeys((free, drawn, expert), T))
    with here.workspace.catalogue.write() as connection:
        update = sa.update(question).where(question.c.id == of_face[drawn])
        connection.execute(update.values(chosen=Chosen.RANDOM.value))
    decide(here, of_face[expert], "eve", T)
    lines = [
        line(here, each, "Tales/Ann", 99 - each)
        for each in (expert, drawn, free, reference)
    ]
    words = ("--set", f"annotate.decide={rule}")
    left_out = {"not_chosen_for_its_face": 1, "expert_decided": 1}
    assert again(here, lines, *words) == (1, 1, left_out)
    assert here.labels()[of_face[drawn]] == here.labels()[of_face[expert]] == "same"
    assert here.labels()[of_face[free]] == "open"
    assert again(here, lines, *words) == (0, 1, {**left_out, "asked_before": 1})


def test_the_farthest_come_first_and_only_a_small_share_ever(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects, "MOST", 0.2)
    ann = here.add_character("Ann", "Tales")
    faces = [here.add_face(ann, 0.9) for _ in range(10)]
    of_face = settled(here, dict.fromkeys(faces, T))
    lines = [line(here, key, "Tales/Ann", 80 + n) for n, key in enumerate(faces)]
    assert again(here, [*lines, *lines]) == (2, 0, {"over_the_limit": 8})
    assert opened(here) == {of_face[each] for each in faces[-2:]}
    left_out = {"asked_before": 2, "over_the_limit": 8}
    assert again(here, lines) == (0, 0, left_out)
    # Suspects have the same limit.
    assert run("labels", "--ask-again")[0]["suspects"] == 0


def test_merged_characters_and_corrected_boxes_are_known(here: Place) -> None:
    ann, anna = here.add_character("Ann", "Tales"), here.add_character("Anna", "Songs")
    one, two, three = (here.add_face(anna, 0.9) for _ in range(3))
    of_face = settled(here, dict.fromkeys((one, two, three), T))
    corrected = (10.0, 11.0, 90.5, 91.0)
    run_id = here.workspace.begin_run("test")
    with here.workspace.catalogue.write() as connection:
        merges.merge(connection, run_id, anna, ann)
        add_verified(connection, three, corrected)
    lines = [
        line(here, one, "Tales/Ann", 90),
        line(here, two, "Songs/Anna", 89),  # of a training before the merge
        DoubtfulFace("Tales/Ann", line(here, three, "", 0).picture, corrected, 88),
    ]
    assert again(here, lines) == (3, 0, {})
    assert opened(here) == {of_face[each] for each in (one, two, three)}


def test_what_a_training_on_the_workspace_lists_is_found_here(here: Place) -> None:
    ann = here.add_character("Ann", "Tales")
    faces = [here.add_face(ann, 0.9, x1=40.005 + n / 3) for n in range(20)]
    of_face = settled(here, dict.fromkeys(faces, T))
    index = build_index([Source(WorkspaceReader(here.workspace.root))])
    known = np.flatnonzero(index.identity != UNKNOWN)
    rows = torch.arange(len(known))
    found = Doubtful(rows, torch.linspace(100, 80, len(known)), rows, rows)
    lines = named(found, index, known)
    assert again(here, lines) == (20, len(lines) - 20, {})
    assert opened(here) == {of_face[each] for each in faces}


def test_a_wrong_file_is_named_with_its_line(here: Place, tmp_path: Path) -> None:
    path = tmp_path / "doubtful.csv"
    path.write_text("identity,picture,x1,y1,x2,y2,degrees\nA/B,c,1,2,3,4,far\n")
    _, said = call("labels", "--doubtful", str(path), code=1)
    assert f"{path}, line 2: 'far' is not a number" in said
    _, said = call("labels", "--doubtful", str(tmp_path / "no.csv"), code=2)
    assert "no.csv' does not exist" in said
