"""References that an earlier version chose without evidence are taken back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import character, face, image
from icf.filter.rethreshold.run import rethreshold
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image, face_row
from tests.filter.workspaces import no_bar

MODEL = "e" * 64


def kept_face(made: Workspace, *characters: int) -> int:
    """A kept face of the first character, on a picture that is filed under all."""
    image_id = add_image(made.catalogue, *characters, awaits=None)
    columns = {"awaits": None, "verdict": "kept", "embedder": MODEL}
    face_id = add_face(made.catalogue, image_id, characters[0], **columns)
    vector = np.random.default_rng(face_id).normal(size=(1, 8)).astype(np.float32)
    made.vectors.append(MODEL, np.array([face_id]), vector / np.linalg.norm(vector))
    return face_id


def refer(made: Workspace, character_id: int, face_id: int, by: str) -> None:
    with made.catalogue.write() as connection:
        chosen = sa.update(character).where(character.c.id == character_id)
        values = {"reference_face_id": face_id, "reference_by": by}
        connection.execute(chosen.values(**values))


def reference(made: Workspace, character_id: int) -> int | None:
    with made.catalogue.read() as connection:
        query = sa.select(character.c.reference_face_id)
        found: int | None = connection.execute(
            query.where(character.c.id == character_id)
        ).scalar_one()
    return found


def test_a_typical_face_of_the_cast_is_a_reference_no_more(tmp_path: Path) -> None:
    made = workspace.init(tmp_path / "w")
    luna, mia, tom, eva = add_album(made.catalogue, "Luna", "Mia", "Tom", "Eva")
    of_cast = [kept_face(made, luna, mia) for _ in range(4)]
    of_tom, of_eva = kept_face(made, tom), kept_face(made, eva, mia)
    with made.catalogue.write() as connection:
        connection.execute(sa.update(image).values(verdict="kept"))
    refer(made, luna, of_cast[1], "medoid")
    refer(made, tom, of_tom, "medoid")
    refer(made, eva, of_eva, "hand")
    rethreshold(made, no_bar)
    assert reference(made, luna) is None
    assert (reference(made, tom), reference(made, eva)) == (of_tom, of_eva)
    with made.catalogue.read() as connection:
        query = sa.select(face.c.reason).where(face.c.id.in_(of_cast))
        assert set(connection.execute(query).scalars()) <= {
            "no_reference",
            "not_this_character",
        }
    assert face_row(made.catalogue, of_tom)["verdict"] == "kept"
    made.catalogue.close()
