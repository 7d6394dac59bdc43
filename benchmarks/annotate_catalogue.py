"""A catalogue of kept faces, as many as one likes, without a picture of any.

78 faces a character and four characters an album, as in the paper. Of each 200 faces
ten are frames of one track through a shot, and two are in one frame. Probabilities are
drawn as a calibrated embedder has them where 80% of the faces show their character.
References are confirmed by hand. The database draws the rows itself, in SQL.
"""

from pathlib import Path

import sqlalchemy as sa

from icf.catalogue import calibrations
from icf.catalogue.calibrations import Curve
from icf.workspace import Workspace, init

EMBEDDER = "e" * 64
FACES_PER_CHARACTER, CHARACTERS_PER_ALBUM = 78, 4

#: A number from 0 to 1 that looks random, for each id.
_RANDOM = "((n.id * 2654435761 % 1000003) / 1000003.0)"
_SECOND = "((n.id * 40503 % 999983) / 999983.0)"
_NUMBERS = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT {})"
_OWNER = f"(1 + (n.id - 1) / {FACES_PER_CHARACTER})"

_FACES = f"""
INSERT INTO face (id, image_id, x1, y1, x2, y2, kind, score, detector, sharpness,
    pixel_hash, phash, dhash, embedder, filed_under_id, character_id, similarity,
    probability, verdict, reason, found_at)
{_NUMBERS} SELECT id, id, 20, 20, 120, 121, 'cartoon', 0.9, 'd', 500,
    printf('%064x', id), printf('%016x', id), printf('%016x', id), '{EMBEDDER}',
    {_OWNER}, {_OWNER}, 0.8,
    CASE WHEN {_SECOND} < 0.8
    THEN 1 - 0.5 * {_RANDOM} * {_RANDOM} * {_RANDOM} * {_RANDOM}
    ELSE 0.8 * {_RANDOM} * {_RANDOM} END,
    'kept', 'ok', 0 FROM n"""
_IMAGES = f"""
INSERT INTO image (id, sha256, bytes, format, width, height, verdict, reason, stored_at)
{_NUMBERS} SELECT id, printf('%064x', id), 6000, 'jpeg', 128, 128, 'kept', 'ok', 0
FROM n"""
_SOURCES = f"""
INSERT INTO image_source (image_id, url, source, licence, licence_from, fetched_at)
{_NUMBERS} SELECT id, 'http://host.example/' || id, 'mine', 'CC-BY-4.0', 'list', 0
FROM n"""
_CANDIDATES = f"""
INSERT INTO candidate (image_id, character_id, is_lead)
{_NUMBERS} SELECT id, {_OWNER}, 0 FROM n"""
_ALBUMS = f"""
INSERT INTO album (id, name, source, found_at)
{_NUMBERS} SELECT id, 'Album ' || id, 'mine', 0 FROM n"""
_CHARACTERS = f"""
INSERT INTO character (id, album_id, name, source, found_at, reference_face_id,
    reference_by)
{_NUMBERS} SELECT id, 1 + (id - 1) / {CHARACTERS_PER_ALBUM}, 'Character ' || id,
    'mine', 0, 1 + (id - 1) * {FACES_PER_CHARACTER}, 'hand' FROM n"""
_TRACKS = """
INSERT INTO face_link (face_id, other_id, same)
SELECT one.id, other.id, 1 FROM face one JOIN face other
ON other.id > one.id AND other.id < one.id + 10 - one.id % 200
WHERE one.id % 200 < 10 AND one.character_id = other.character_id"""
_FRAMES = """
INSERT INTO face_link (face_id, other_id, same)
SELECT id, id + 1, 0 FROM face WHERE id % 200 = 100 AND EXISTS
(SELECT 1 FROM face other WHERE other.id = face.id + 1)"""
_QUESTIONS = """
INSERT INTO question (id, face_id, character_id, reference_face_id, batch_id, label,
    asked_at, chosen, inclusion, probability)
SELECT face.id, face.id, character_id, reference_face_id,
    'b' || (1 + face.id / 1000), CASE WHEN face.id % 10 = 0 THEN 'open'
    WHEN (face.id * 40503 % 999983) / 999983.0 < 0.8 THEN 'same' ELSE 'different' END,
    0, 'uncertain', 1, probability
FROM face JOIN character ON character.id = face.character_id
WHERE face.id <= {} AND face.id != reference_face_id"""
_BATCHES = """
INSERT INTO batch (id, format, path, questions, created_at)
SELECT batch_id, 'csv', 'batches/' || batch_id, count(*), 0 FROM question
GROUP BY batch_id"""
_ANSWERS = """
INSERT INTO answer (question_id, annotator, choice, imported_at, file, line, seconds)
SELECT id, 'person ' || (id % 10), CASE label WHEN 'same' THEN 'true' ELSE 'false' END,
    0, 'first.csv', id, 0.6 + (id * 48271 % 1000) / 800.0
FROM question WHERE label != 'open'"""
_ASKED = """
INSERT INTO decision (subject, subject_id, step, verdict, reason, value, model, run_id,
    decided_at)
SELECT 'question', id, 'ask', 'open', 'open', probability, '{}', {}, 0 FROM question"""


def make(root: Path, faces: int, asked: int = 0) -> Workspace:
    """Make a workspace.

    Args:
        root: its folder.
        faces: how many are kept, each on a picture of its own.
        asked: people were asked about the first so many; nine of ten are answered.
    """
    workspace = init(root)
    run_id = workspace.begin_run("made")
    characters = 1 + (faces - 1) // FACES_PER_CHARACTER
    albums = 1 + (characters - 1) // CHARACTERS_PER_ALBUM
    statements = [
        _ALBUMS.format(albums),
        _IMAGES.format(faces),
        _SOURCES.format(faces),
        _CHARACTERS.format(characters),
        _FACES.format(faces),
        _CANDIDATES.format(faces),
        _TRACKS,
        _FRAMES,
    ]
    with workspace.catalogue.write() as connection:
        connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            connection.execute(sa.text(statement))
        calibrations.add(
            connection,
            run_id,
            EMBEDDER,
            Curve(9, -4),
            answered=500,
            error=0,
            figures={},
        )
        if asked:
            connection.execute(sa.text(_QUESTIONS.format(asked)))
            connection.execute(sa.text(_BATCHES))
            connection.execute(sa.text(_ANSWERS))
            connection.execute(sa.text(_ASKED.format(EMBEDDER, run_id)))
    return workspace
