"""Faces whose identity is known, in a workspace: what calibration does to all of them.

Each album has a cast with orthogonal references. The cosines of a face to them are
normal and independent, with the same variance for its own character and for others. So
the log odds of its own character are linear in the cosine, exactly, with the slope
`World.slope`, and `icf.filter.identify.posterior` is right but for its prior weights.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from click.testing import CliRunner
from numpy.typing import NDArray

from icf import workspace
from icf.annotate.answers import Vote
from icf.annotate.ask import ask
from icf.annotate.choosing.shares import Shares
from icf.annotate.exchange.earlier import Source
from icf.annotate.record import Recorder
from icf.annotate.votes import VotesRule
from icf.catalogue.schema import (
    album,
    candidate,
    character,
    face,
    image,
    question,
)
from icf.codes import Choice, Verdict
from icf.command import Invocation
from icf.engine.local import LocalEngine
from icf.engine.runner import Runner
from icf.filter.chain import filter_chain
from icf.filter.cli.main import cli
from icf.filter.resources import embedder
from icf.filter.step_range import Chosen
from icf.models.cards import load_card
from icf.models.registry.register import register
from icf.reliability import BINS
from icf.workspace import Workspace
from tests.models.onnx_files import colour_embedder

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: No question about references comes first.
UNCONFIRMED = Shares(confirmed=False)

#: What the card of the worlds' embedder says: no world has just this curve.
CARD = {"slope": 13.9, "intercept": -7.15}

#: The worlds' embedder, which embeds nothing: vectors are drawn.
SIMULATED = "simulated"
SETTING = ("--set", f"filter.embedder={SIMULATED}")

#: Of a face that shows nobody of the cast.
STRANGER = -1


@dataclass(frozen=True)
class World:
    """What the faces are like.

    Attributes:
        albums, cast, each: albums, characters of each, and faces filed under each.
        slope: log odds of being the same for a unit of cosine.
        same, other: mean cosine to the own character's reference, and to another's.
        right: share of the faces that show the character they are filed under.
        cast_share: of the others, the share that shows another of the cast.
        whole_cast: whether all faces are filed under the whole cast of their album.
        looks: of a character; its reference shows the first. Faces of the others have
            a mean cosine of `another_look` to it.
        wrong_references: share of the references that show a stranger.
    """

    albums: int = 40
    cast: int = 6
    each: int = 20
    slope: float = 18.0
    same: float = 0.72
    other: float = 0.36
    right: float = 0.7
    cast_share: float = 0.5
    whole_cast: bool = False
    looks: int = 1
    another_look: float = 0.5
    wrong_references: float = 0.0


@dataclass(frozen=True)
class Simulation:
    """A workspace with a world in it, and who each face is.

    Attributes:
        workspace: where it is.
        who: the character that each face shows, by face id; or `STRANGER` and less.
        error: how often a simulated annotator is wrong.
        draw: of the annotator's mistakes.
    """

    workspace: Workspace
    who: dict[int, int]
    error: float = 0.03
    draw: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def identify(self) -> None:
        """Judge the faces that wait; suspicions are not looked for."""
        made = self.workspace
        chain = filter_chain(made)
        [step] = Chosen(("identity",)).of(chain.steps)
        run_id = made.begin_run("test")
        runner = Runner(made.catalogue, made.vectors, LocalEngine(1), run_id, chain)
        runner.run(step)

    def ask(self, limit: int, shares: Shares = UNCONFIRMED) -> list[int]:
        """Ask a batch; return its questions."""
        run_id = self.workspace.begin_run("test")
        with self.workspace.catalogue.write() as connection:
            made = ask(
                connection, run_id, "csv", f"b{time.monotonic_ns()}", limit, shares
            )
            if made is None:
                return []
            asked = sa.select(question.c.id).where(question.c.batch_id == made.id)
            return list(connection.execute(asked.order_by(question.c.id)).scalars())

    def answer(self, questions: list[int], annotator: str = "ann") -> None:
        """Compare each face with the reference that is shown; sometimes wrongly."""
        query = sa.select(
            question.c.id, question.c.face_id, question.c.reference_face_id
        )
        with self.workspace.catalogue.read() as connection:
            rows = {row.id: row for row in connection.execute(query)}
        votes = []
        for line, key in enumerate(questions):
            row = rows[key]
            same = self.who[row.face_id] == self.who[row.reference_face_id]
            if self.draw.random() < self.error:
                same = not same
            choice = Choice.TRUE if same else Choice.FALSE
            votes.append(Vote(line + 2, key, annotator, choice))
        run_id = self.workspace.begin_run("test")
        source = Source("answers.csv", str(run_id))
        Recorder(self.workspace.catalogue, run_id, source, VotesRule(1)).record(votes)

    def judged(self) -> Judged:
        """What identity made of all faces but the references."""
        references = sa.select(character.c.reference_face_id)
        asked = sa.exists().where(question.c.face_id == face.c.id).label("asked")
        query = (
            sa.select(
                face.c.id,
                face.c.character_id,
                face.c.filed_under_id,
                face.c.probability,
                face.c.verdict,
                asked,
            )
            .where(face.c.id.not_in(references))
            .order_by(face.c.id)
        )
        under = sa.select(candidate.c.image_id, candidate.c.character_id)
        with self.workspace.catalogue.read() as connection:
            rows = connection.execute(query).all()
            filed = connection.execute(
                under.join(image, image.c.id == candidate.c.image_id)
            ).all()
            images = {
                row.image_id: row.id
                for row in connection.execute(sa.select(face.c.id, face.c.image_id))
            }
        candidates = {(images[row.image_id], row.character_id) for row in filed}
        who = [self.who[row.id] for row in rows]
        return Judged(
            probability=np.array([row.probability for row in rows], np.float64),
            right=np.array(
                [row.character_id == each for row, each in zip(rows, who, strict=True)]
            ),
            findable=np.array(
                [
                    (row.id, each) in candidates
                    for row, each in zip(rows, who, strict=True)
                ]
            ),
            kept=np.array([row.verdict == Verdict.KEPT.value for row in rows]),
            asked=np.array([bool(row.asked) for row in rows]),
        )


@dataclass(frozen=True)
class Judged:
    """What identity made of n faces.

    Attributes:
        probability: shape (n,), of the character it chose.
        right: shape (n,), whether the face shows that character.
        findable: shape (n,), whether it shows one of its candidates.
        kept: shape (n,).
        asked: shape (n,), whether anybody was asked about it.
    """

    probability: FloatArray
    right: Mask
    findable: Mask
    kept: Mask
    asked: Mask

    def error(self, which: Mask) -> float:
        """The real calibration error of some faces."""
        probability, right = self.probability[which], self.right[which]
        place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
        off = np.bincount(place, probability - right, minlength=BINS)
        return float(np.abs(off).sum() / len(right))

    @property
    def unasked_error(self) -> float:
        """The real calibration error of the kept faces that nobody was asked about."""
        return self.error(self.kept & ~self.asked)

    @property
    def false_kept(self) -> float:
        """The share of the kept faces that nobody was asked about that is wrong."""
        return float(1 - self.right[self.kept & ~self.asked].mean())

    @property
    def false_stated(self) -> float:
        """The same, as the probabilities say."""
        return float(1 - self.probability[self.kept & ~self.asked].mean())

    @property
    def true_lost(self) -> float:
        """The share of true faces that are not kept, or as another character."""
        return float(1 - (self.kept & self.right)[self.findable].mean())

    @property
    def dropped_true(self) -> float:
        """The share of dropped faces that show the character they were dropped for."""
        return float(self.right[~self.kept].mean()) if (~self.kept).any() else 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a world: asked, answered, calibrated, and identified again.

    Attributes:
        before, after: the faces; asked are those that were asked in between.
        said: the result of `icf-filter calibrate`.
    """

    before: Judged
    after: Judged
    said: dict[str, Any]


def run_through(simulation: Simulation, batches: Sequence[int]) -> Outcome:
    """Ask batches, let them be answered, calibrate, and judge all faces again."""
    simulation.identify()
    before = simulation.judged()
    for limit in batches:
        simulation.answer(simulation.ask(limit))
    words = ["calibrate", "--judge-again", "--json", "-q"]
    done = CliRunner().invoke(
        cli,
        [*words, *SETTING, "-C", str(simulation.workspace.root)],
        obj=Invocation(),
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    simulation.identify()
    after = simulation.judged()
    return Outcome(replace(before, asked=after.asked), after, json.loads(done.stdout))


#: The worlds that are simulated.
WORLDS = {
    "base": World(),
    "unfamiliar style": World(same=0.94, other=0.85, right=0.45, slope=60.0),
    "whole cast, 80% strangers": World(whole_cast=True, right=0.2, cast_share=0.0),
    "three looks": World(looks=3),
    "8% wrong references": World(wrong_references=0.08),
}


def make(root: Path, world: World, seed: int) -> Simulation:
    """Fill a new workspace with a world; the faces wait for identity."""
    draw = np.random.default_rng(seed)
    workspace.init(root)
    path = colour_embedder(root / "models" / f"{SIMULATED}.onnx", **CARD)
    made = workspace.find(root, SETTING[1:])
    register(made.catalogue, [load_card(path.with_suffix(".json"))])
    model = embedder(model=path)
    with made.catalogue.write() as connection:
        ids = _insert_cast(connection, world)
        faces, who, vectors = [], [], []
        for at in range(world.albums):
            shown, under, points = _album(world, draw)
            people = np.append(ids[at], STRANGER)
            who += np.where(shown >= 0, people[shown], shown).tolist()
            faces += [
                ids[at].tolist() if world.whole_cast else [int(ids[at][each])]
                for each in under
            ]
            vectors.append(points)
        face_ids = _insert_faces(connection, draw, faces, model.model_hash)
        references = _references(face_ids, world)
        for character_id, face_id in zip(ids.ravel(), references, strict=True):
            connection.execute(
                sa.update(character)
                .where(character.c.id == int(character_id))
                .values(reference_face_id=face_id, reference_by="lead")
            )
    made.vectors.append(
        model.model_hash, np.array(face_ids, np.int64), np.concatenate(vectors)
    )
    return Simulation(
        made, dict(zip(face_ids, who, strict=True)), draw=np.random.default_rng(seed)
    )


def _references(face_ids: list[int], world: World) -> list[int]:
    """The first faces of each album are the references of its cast."""
    size = world.cast * (1 + world.each)
    return [
        face_ids[at * size + person]
        for at in range(world.albums)
        for person in range(world.cast)
    ]


def _album(
    world: World, draw: np.random.Generator
) -> tuple[IntArray, IntArray, NDArray[np.float32]]:
    """The faces of an album, its references first.

    Returns:
        Whom each shows (the place in the cast, or below 0), the place in the cast that
        it is filed under, and the unit vectors.
    """
    count = world.cast * world.each
    under = np.repeat(np.arange(world.cast), world.each)
    other = (under + draw.integers(1, world.cast, count)) % world.cast
    false = np.where(draw.random(count) < world.cast_share, other, STRANGER)
    shown = np.where(draw.random(count) < world.right, under, false)
    wrong = draw.random(world.cast) < world.wrong_references
    first = np.where(wrong, -2 - np.arange(world.cast), np.arange(world.cast))
    points = np.concatenate(
        [_references_of(world), _points(world, draw, shown, wrong)]
    ).astype(np.float32)
    return (
        np.concatenate([first, shown]),
        np.concatenate([np.arange(world.cast), under]),
        points,
    )


#: Dimensions that tell nothing.
_REST = 24


def _references_of(world: World) -> FloatArray:
    rest = np.zeros((world.cast, _REST))
    # What all faces have in common makes up the cosine to another character.
    common = np.full((world.cast, 1), np.sqrt(world.other))
    return np.hstack([common, np.sqrt(1 - world.other) * np.eye(world.cast), rest])


def _points(
    world: World, draw: np.random.Generator, shown: IntArray, wrong: Mask
) -> FloatArray:
    count, scale = len(shown), 1 - world.other
    deviation = np.sqrt((world.same - world.other) / world.slope)
    cosines = draw.normal(world.other, deviation, (count, world.cast))
    look = draw.integers(world.looks, size=count)
    mean = np.where(look == 0, world.same, world.another_look)
    own = np.flatnonzero(shown >= 0)
    own = own[~wrong[shown[own]]]
    cosines[own, shown[own]] += mean[own] - world.other
    cosines = (cosines - world.other) / scale
    square = (cosines**2).sum(axis=1, keepdims=True)
    cosines *= np.sqrt(np.minimum(1, 0.98 / square))
    rest = draw.normal(size=(count, _REST))
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    rest *= np.sqrt(1 - (cosines**2).sum(axis=1, keepdims=True))
    common = np.full((count, 1), np.sqrt(world.other))
    return np.hstack([common, np.sqrt(scale) * np.hstack([cosines, rest])])


def _insert_cast(connection: sa.Connection, world: World) -> IntArray:
    ids = []
    for at in range(world.albums):
        album_id = connection.execute(
            sa.insert(album)
            .values(name=f"album {at}", source="test", found_at=0.0)
            .returning(album.c.id)
        ).scalar_one()
        rows = [
            {
                "album_id": album_id,
                "name": f"character {person}",
                "source": "test",
                "found_at": 0.0,
            }
            for person in range(world.cast)
        ]
        connection.execute(sa.insert(character), rows)
        found = sa.select(character.c.id).where(character.c.album_id == album_id)
        ids.append(list(connection.execute(found.order_by(character.c.id)).scalars()))
    return np.array(ids, np.int64)


def _insert_faces(
    connection: sa.Connection,
    draw: np.random.Generator,
    under: list[list[int]],
    model: str,
) -> list[int]:
    ids = range(1, len(under) + 1)
    images = [
        {
            "id": each,
            "sha256": f"{each:064x}",
            "bytes": 1,
            "awaits": None,
            "verdict": "kept",
            "reason": "ok",
            "stored_at": 0.0,
        }
        for each in ids
    ]
    connection.execute(sa.insert(image), images)
    hashes = draw.integers(0, 2**63, (len(under), 2)).tolist()
    faces = [
        {
            "id": each,
            "image_id": each,
            "x1": 0.0,
            "y1": 0.0,
            "x2": 120.0,
            "y2": 120.0,
            "kind": "cartoon",
            "score": 0.9,
            "detector": "d" * 64,
            "sharpness": 500.0,
            "pixel_hash": f"{each:064x}",
            "phash": phash,
            "dhash": dhash,
            "embedder": model,
            "filed_under_id": candidates[0],
            "awaits": "identity",
            "verdict": "pending",
            "reason": "ok",
            "found_at": 0.0,
        }
        for each, candidates, (phash, dhash) in zip(ids, under, hashes, strict=True)
    ]
    connection.execute(sa.insert(face), faces)
    filed = [
        {"image_id": each, "character_id": character_id, "is_lead": False}
        for each, candidates in zip(ids, under, strict=True)
        for character_id in candidates
    ]
    connection.execute(sa.insert(candidate), filed)
    return list(ids)
