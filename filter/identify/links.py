"""Link faces of videos: the same identity in a track, different ones in a frame.

Both kinds of link are rows of ``face_link``. Neither needs an answer from people.
"""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from icf.catalogue import looked_at
from icf.catalogue.bulk_insert import insert_into
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.looked_at import Look, checksum
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, face_link, url
from icf.models.overlap import matched

Pair = tuple[int, int]
Box = tuple[float, float, float, float]

#: Minimum IoU of a detected face and the box of its track.
SAME_BOX = 0.5
#: Frames per page.
_PAGE = 1000
#: The name of the search in the table of what was looked at.
_SEARCH = "links"
_NO_ALBUM = 0


@dataclass(frozen=True)
class _Frame:
    id: int
    shot: str
    image_id: int
    tracks: tuple[tuple[str, Box], ...]


def link_faces(catalogue: Catalogue) -> int:
    """Write the links between faces of videos; return the number of new rows.

    It can be repeated at any time: only albums with other frames, faces or tracks than
    the last time are looked at. A track that contradicts the known links is left out
    completely.
    """
    with catalogue.read() as connection:
        seen = looked_at.read(connection, _SEARCH)
        albums = _fingerprints(connection)
    return sum(
        _link_album(catalogue, album_id, look)
        for album_id, look in albums.items()
        if seen.get(album_id) != look
    )


def _fingerprints(connection: sa.Connection) -> dict[int, Look]:
    """What is known of the frames of each album; 0 stands for those of none."""
    album_id = sa.func.coalesce(url.c.album_id, _NO_ALBUM)
    # Tracks change when a changed video is listed and fetched again.
    tracks = sa.func.sum(sa.func.length(url.c.tracks)), sa.func.max(url.c.finished_at)
    query = (
        sa.select(album_id, *checksum(url.c.id, face.c.id), *tracks)
        .join(face, face.c.image_id == url.c.image_id)
        .where(url.c.seconds.is_not(None))
        .group_by(album_id)
    )
    return {
        key: Look(" ".join(map(str, values)))
        for key, *values in connection.execute(query)
    }


def _link_album(catalogue: Catalogue, album_id: int, look: Look) -> int:
    new = 0
    for shots in _pages(catalogue, album_id):
        with catalogue.read() as connection:
            differ, tracks = _facts(connection, shots)
            known = _known(connection, differ, tracks)
        same = {pair for group in tracks for pair in _pairs(group)}
        if differ - known.keys() or same - known.keys():
            with catalogue.write() as connection:
                new += _write(connection, differ, tracks)
    with catalogue.write() as connection:
        looked_at.write(connection, _SEARCH, {album_id: look})
    return new


def _pages(catalogue: Catalogue, album_id: int) -> Iterator[list[_Frame]]:
    """Yield the frames of an album that have pictures, in complete shots.

    The frames of a shot are listed together, so their ids are consecutive.
    """
    waiting: list[_Frame] = []
    last = 0
    while True:
        page = _page(catalogue, album_id, last)
        if not page:
            break
        last = page[-1].id
        *whole, unfinished = _by_shot([*waiting, *page])
        if whole:
            yield list(itertools.chain.from_iterable(whole))
        waiting = unfinished
    if waiting:
        yield waiting


def _by_shot(frames: Iterable[_Frame]) -> list[list[_Frame]]:
    return [list(group) for _, group in itertools.groupby(frames, lambda f: f.shot)]


def _page(catalogue: Catalogue, album_id: int, last: int) -> list[_Frame]:
    own: sa.ColumnElement[bool] = url.c.album_id == album_id
    if album_id == _NO_ALBUM:
        own = url.c.album_id.is_(None)
    query = (
        sa.select(url.c.id, url.c.url, url.c.shot, url.c.image_id, url.c.tracks)
        .where(
            own,
            url.c.seconds.is_not(None),
            url.c.image_id.is_not(None),
            url.c.id > last,
        )
        .order_by(url.c.id)
        .limit(_PAGE)
    )
    with catalogue.read() as connection:
        return [
            _Frame(
                row.id,
                f"{row.shot} {row.url.rpartition('#')[0]}",
                row.image_id,
                tuple((name, tuple(box)) for name, *box in json.loads(row.tracks))
                if row.tracks
                else (),
            )
            for row in connection.execute(query)
        ]


def _facts(
    connection: sa.Connection, frames: Sequence[_Frame]
) -> tuple[set[Pair], list[set[int]]]:
    """Return the pairs of different identities, and the faces of each track."""
    boxes = _faces(connection, {frame.image_id for frame in frames})
    differ = {pair for found in boxes.values() for pair in _pairs(found)}
    tracks: dict[str, set[int]] = defaultdict(set)
    for frame in frames:
        found = boxes.get(frame.image_id, {})
        ids = list(found)
        followed = np.array([box for _, box in frame.tracks], np.float32)
        seen = np.array([found[each] for each in ids], np.float32)
        for track, number in matched(
            followed.reshape(-1, 4), seen.reshape(-1, 4), SAME_BOX
        ):
            tracks[frame.tracks[track][0]].add(ids[number])
    return differ, [group for group in tracks.values() if len(group) > 1]


def _faces(
    connection: sa.Connection, image_ids: Iterable[int]
) -> dict[int, dict[int, Box]]:
    """Return the faces of images, each with its box."""
    query = sa.select(face).order_by(face.c.id)
    found: dict[int, dict[int, Box]] = defaultdict(dict)
    for row in by_ids(connection, query, face.c.image_id, sorted(set(image_ids))):
        found[row.image_id][row.id] = (row.x1, row.y1, row.x2, row.y2)
    return found


def _write(
    connection: sa.Connection, differ: set[Pair], tracks: Sequence[set[int]]
) -> int:
    """Write both kinds of link, but no track that contradicts the known links."""
    new = _insert(connection, differ, same=False)
    for group in tracks:
        whole = _identity(connection, group)
        known = read_links(connection, whole)
        contradicted = any(
            not same and whole.issuperset(pair) for pair, same in known.items()
        )
        if not contradicted:
            new += _insert(connection, _pairs(group), same=True)
    return new


def _identity(connection: sa.Connection, group: set[int]) -> set[int]:
    """Return all faces of the same identity as a group."""
    whole: set[int] = set()
    more = set(group)
    while more:
        whole |= more
        links = read_links(connection, more)
        more = {one for pair, same in links.items() if same for one in pair} - whole
    return whole


def read_links(connection: sa.Connection, ids: Iterable[int]) -> dict[Pair, bool]:
    """Return the known links of some faces; True for the same identity."""
    wanted = sorted(set(ids))
    found: dict[Pair, bool] = {}
    for column in (face_link.c.face_id, face_link.c.other_id):
        for row in by_ids(connection, sa.select(face_link), column, wanted):
            found[row.face_id, row.other_id] = row.same
    return found


def _known(
    connection: sa.Connection, differ: Iterable[Pair], tracks: Iterable[set[int]]
) -> dict[Pair, bool]:
    return read_links(
        connection, {one for group in (*differ, *tracks) for one in group}
    )


def _pairs(ids: Iterable[int]) -> set[Pair]:
    return set(itertools.combinations(sorted(ids), 2))


def _insert(connection: sa.Connection, pairs: Iterable[Pair], *, same: bool) -> int:
    known = read_links(connection, {one for pair in pairs for one in pair})
    rows = [
        {"face_id": one, "other_id": other, "same": same}
        for one, other in sorted(set(pairs) - known.keys())
    ]
    if not rows:
        return 0
    connection.execute(
        insert_into(connection, face_link).on_conflict_do_nothing(
            index_elements=["face_id", "other_id"]
        ),
        rows,
    )
    return len(rows)
