from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate.gold.certain import Certain
from icf.annotate.gold.lookalikes import EACH, plantable
from icf.catalogue.schema import character, review
from tests.annotate.place import EMBEDDER, Place

#: Numbers of a vector.
WIDTH = 96


def likest(
    one: Certain,
    same: Sequence[Certain],
    albums: dict[int, int],
    but: Collection[tuple[int, int]],
    vectors: dict[int, np.ndarray],
) -> list[int]:
    """Faces of others, found by sorting all of them."""
    key = one.character_id
    others = [each for each in same if each.character_id != key]
    near = [each for each in others if albums[each.character_id] == albums[key]]
    left = [e for e in near or others if (key, e.character_id) not in but]
    to = vectors.get(one.reference_face_id)

    def likeness(each: Certain) -> float:
        own = vectors.get(each.face_id)
        return 0.0 if to is None or own is None else float(to @ own)

    ranked = sorted(left, key=likeness, reverse=True)
    return [each.face_id for each in ranked[:EACH]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_likest_are_those_of_all_sorted(plain: Place, seed: int) -> None:
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    cast = [plain.add_character(f"C{n}", f"Album {n}") for n in range(9)]
    # Two albums of four, and one of a character alone.
    albums = {key: cast[4 * (n // 4)] for n, key in enumerate(cast)}
    with plain.workspace.catalogue.write() as connection:
        query = sa.select(character.c.id, character.c.album_id)
        own = {row.id: row.album_id for row in connection.execute(query)}
        for key in cast:
            update = sa.update(character).where(character.c.id == key)
            connection.execute(update.values(album_id=own[albums[key]]))
        pair = cast[0], cast[2]
        values = {
            **{"kind": "twin", "character_id": pair[0], "other_character_id": pair[1]},
            **{"face_id": plain.reference(pair[0]), "score": 0.9, "status": "open"},
            **{"found_at": 0.0, "changed_at": 0.0},
        }
        connection.execute(sa.insert(review).values(values))
    same, ours = [], {plain.reference(key) for key in cast}
    for key in cast:
        known = plain.add_faces(key, 0.9, 24)
        ours.update(known)
        known += plain.add_faces(key, 0.9, 4, embedder="f" * 64)
        same += [Certain(each, key, plain.reference(key), True) for each in known]
    draw.shuffle(same)
    # Many have the vector of another one; a reference and some faces have none.
    few = numbers.normal(size=(20, WIDTH)).astype(np.float32)
    ids = [each.face_id for each in same if draw.random() < 0.9]
    ids += [plain.reference(key) for key in cast[1:]]
    drawn = np.array([few[draw.randrange(len(few))] for _ in ids], np.float32)
    plain.workspace.vectors.append(EMBEDDER, np.array(ids, np.int64), drawn)
    stored = plain.workspace.vectors.get(EMBEDDER, np.array(ids, np.int64))
    vectors = {key: row for key, row in zip(ids, stored, strict=True) if key in ours}
    with plain.workspace.catalogue.read() as connection:
        found = list(plantable(connection, plain.workspace.vectors, same))
    assert [one.character_id for one, _ in found] == cast
    for one, faces in found:
        but = {pair, pair[::-1]}
        assert faces == likest(one, same, albums, but, vectors)
