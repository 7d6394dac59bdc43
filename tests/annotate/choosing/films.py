"""Faces of videos: tracks through a shot, and frames with two faces."""

from __future__ import annotations

import itertools

import sqlalchemy as sa

from icf.annotate.answers import Vote
from icf.annotate.exchange.earlier import Source
from icf.annotate.record import Recorder
from icf.annotate.votes import VotesRule
from icf.catalogue.schema import face_link, question
from icf.codes import Choice
from tests.annotate.place import Place


def link(place: Place, *faces: int, same: bool = True) -> None:
    """Link every two of some faces."""
    rows = [
        {"face_id": one, "other_id": other, "same": same}
        for one, other in itertools.combinations(sorted(faces), 2)
    ]
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(face_link), rows)


def track(place: Place, character_id: int, size: int, probability: float) -> list[int]:
    """A track of faces of one character."""
    faces = [place.add_face(character_id, probability) for _ in range(size)]
    link(place, *faces)
    return faces


def say(
    place: Place, choice: Choice, *faces: int, by: str = "ann", at: float | None = None
) -> None:
    """Answer the questions about some faces."""
    query = sa.select(question.c.id).where(question.c.face_id.in_(faces))
    with place.workspace.catalogue.read() as connection:
        ids = list(connection.execute(query.order_by(question.c.id)).scalars())
    run_id = place.workspace.begin_run("test")
    source = Source(f"{run_id}.csv", f"{run_id}")
    recorder = Recorder(place.workspace.catalogue, run_id, source, VotesRule(1))
    recorder.record([Vote(2 + n, key, by, choice, at) for n, key in enumerate(ids)])
