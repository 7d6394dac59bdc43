"""The workspace's own labels: what people answered about its pictures.

Which faces are confirmed, and as whom, is the rule that releases have
(`icf.catalogue.labels.confirmed`). A picture is yielded if a face in it was confirmed,
or refused. Left out is everything that was set aside to compare models on: the faces of
audit characters, each picture with such a face, the audit pictures, the test pictures
of an imported data set, and all that is in one group of near-duplicates with any of
them.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa

from icf.catalogue.face_character import current_character
from icf.catalogue.labels.confirmed import (
    faces_of_pictures,
    is_there,
    read_confirmed,
    read_refused,
    unmerged,
)
from icf.catalogue.labels.fingerprint import label_fingerprint
from icf.catalogue.labels.given_boxes import NAMES, given_whole, is_settled
from icf.catalogue.labels.groups import picture_groups
from icf.catalogue.labels.licences import licences, under_licence
from icf.catalogue.labels.verified_boxes import (
    VerifiedBox,
    read_verified,
)
from icf.catalogue.merges import survivor
from icf.catalogue.rounds.audit_set import set_aside
from icf.catalogue.rows import CHUNK, by_ids
from icf.catalogue.schema import album, character, face, image, image_source
from icf.catalogue.tombstones import full_name
from icf.codes import FaceReason, ImageReason
from icf.errors import BadInput
from icf.icartoonface.parts import HELD_OUT, HELD_OUT_ENDING
from icf.models.data.base import LabelledFace, LabelledPicture, Reader, Skipped
from icf.settings import Settings
from icf.stores.blobs import BlobStore, MissingBlob
from icf.workspace import Workspace, find


@dataclass(frozen=True)
class WorkspaceReader(Reader):
    """Reads the labels of a workspace.

    An identity is called ALBUM/CHARACTER, a picture by its SHA-256. Pictures come in
    the order of these, so the same pictures and answers are the same data, in whatever
    order a harvest brought them.

    A picture is complete if people confirmed each drawn face that the detector found in
    it, and checked if they were asked about every face that is yielded. Nobody looked
    for faces that the detector missed. Pictures whose boxes people verified are both,
    and have these boxes. Those that came with a published set are checked; whether its
    pictures are complete, the set says.

    Attributes:
        path: the folder of the workspace.
    """

    kind: ClassVar[str] = "workspace"

    @property
    def name(self) -> str:
        """As given by the user."""
        return self.kind

    @property
    def licence(self) -> str:
        """The licences that its pictures were found under."""
        with _opened(self.path) as (_, connection):
            return ", ".join(licences(connection))

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the labelled pictures, then say what was left out, with counts.

        Raises:
            WrongUse: there is no workspace.
        """
        with _opened(self.path) as (workspace, connection):
            yield from _Stream(connection, workspace.settings).pictures()

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture from the blob store.

        Raises:
            BadInput: they are missing or damaged.
        """
        try:
            return _blobs(self.path).get(key)
        except MissingBlob as error:
            raise BadInput(str(error)) from error

    def sha256(self, key: str) -> str:
        """Return the key, which it is."""
        return key

    def fingerprint(self) -> str:
        """Return a text that changes when labels, merges or the audit set change."""
        with _opened(self.path) as (workspace, connection):
            used = _rules(workspace.settings)
            text = repr((label_fingerprint(connection), used))
        return hashlib.sha256(text.encode()).hexdigest()

    def pictures_fingerprint(self) -> str:
        """Return a constant: a key is the hash of the bytes."""
        return "sha256"


def _rules(settings: Settings) -> tuple[bool, tuple[str, ...]]:
    """The settings that say which labels count."""
    only_licence = tuple(settings.harvest.only_licence)
    return settings.dataset.unasked_references, only_licence


@contextmanager
def _opened(root: Path) -> Iterator[tuple[Workspace, sa.Connection]]:
    workspace = find(root)
    try:
        with workspace.catalogue.read() as connection:
            yield workspace, connection
    finally:
        workspace.catalogue.close()


@functools.lru_cache(maxsize=4)
def _blobs(root: Path) -> BlobStore:
    return find(root).blobs


@dataclass(frozen=True)
class _Cast:
    """The characters.

    Attributes:
        names: of those that are not merged, as identities have them.
        aside: those that are kept for comparing models, merged ones among them.
        unmerged: pairs that people found to be one, and that are not merged.
    """

    names: Mapping[int, str]
    aside: frozenset[int]
    unmerged: Sequence[tuple[int, int]]

    @classmethod
    def read(cls, connection: sa.Connection) -> _Cast:
        query = sa.select(
            character.c.id, survivor(), character.c.name, album.c.name
        ).join(album, album.c.id == character.c.album_id)
        stays: dict[int, int] = {}
        names: dict[int, str] = {}
        for key, survives, own, of_album in connection.execute(query):
            stays[key] = survives
            if key == survives:
                names[key] = full_name(of_album, own)
        kept = connection.execute(set_aside("character")).scalars()
        audited = {stays[key] for key in kept}
        aside = frozenset(key for key, one in stays.items() if one in audited)
        return cls(_told_apart(names), aside, unmerged(connection))

    @property
    def torn(self) -> frozenset[int]:
        """Characters that may be another one."""
        return frozenset(key for pair in self.unmerged for key in pair)


def _told_apart(names: Mapping[int, str]) -> dict[int, str]:
    """Add the number where a slash within names makes two of them equal."""
    count = Counter(names.values())
    return {
        key: name if count[name] == 1 else f"{name} (character:{key})"
        for key, name in names.items()
    }


class _Stream:
    """One pass over the labelled pictures."""

    def __init__(self, connection: sa.Connection, settings: Settings) -> None:
        unasked, self._only_licence = _rules(settings)
        self._connection = connection
        self._cast = _Cast.read(connection)
        found = read_confirmed(connection)
        self._confirmed = found if unasked else found.asked()
        self._refused: dict[int, set[int]] = defaultdict(set)
        for face_id, character_id in read_refused(connection):
            self._refused[face_id].add(character_id)
        self._boxes = read_verified(connection)
        self._groups = picture_groups(connection)
        self._first: dict[int, str] = {}
        self._left_out = Counter({_AMBIGUOUS: len(found.ambiguous)})

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Yield what is labelled, then what is left out."""
        images = self._usable(self._labelled())
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            ids = [row.id for row in part]
            faces = faces_of_pictures(self._connection, ids)
            for row in part:
                if row.id in self._boxes:
                    yield self._verified(row, faces[row.id], self._boxes[row.id])
                else:
                    yield self._picture(row, faces[row.id])
        yield from self._skipped()

    def _labelled(self) -> list[int]:
        """Pictures with a labelled face, those given whole, and verified ones.

        Those that are set aside, or of a published test, are not among them.
        """
        known = sorted({*self._confirmed.owners, *self._refused})
        query = sa.select(face.c.id, face.c.image_id).where(is_there())
        place = {
            row.id: row.image_id
            for row in by_ids(self._connection, query, face.c.id, known)
        }
        given = self._connection.execute(given_whole()).scalars()
        images = {*place.values(), *given, *self._boxes}
        for why, groups in (
            (_OF_A_TEST, self._of_a_test()),
            (_ASIDE, self._aside(place)),
        ):
            gone = {each for each in images if self._group(each) in groups}
            self._left_out[why] += len(gone)
            images -= gone
        return sorted(images)

    def _of_a_test(self) -> set[int]:
        """The groups of all pictures that a published set tests on."""
        query = sa.select(image_source.c.image_id).where(
            sa.or_(
                image_source.c.source.in_(HELD_OUT),
                image_source.c.source.endswith(HELD_OUT_ENDING, autoescape=True),
            )
        )
        return {self._group(each) for each in self._connection.execute(query).scalars()}

    def _aside(self, place: Mapping[int, int]) -> set[int]:
        """The groups of all pictures that are set aside.

        Args:
            place: the picture of each labelled face.
        """
        cast = self._cast.aside
        images = set(self._connection.execute(set_aside("image")).scalars())
        images.update(
            image_id
            for face_id, image_id in place.items()
            if self._confirmed.owners.get(face_id) in cast
        )
        # Faces that nobody was asked about may show an audit character as well.
        query = sa.select(
            face.c.id, face.c.image_id, current_character().label("shown")
        ).where(is_there())
        unchosen = query.where(face.c.character_id.is_(None))
        ids = sorted(cast)
        for row in (
            *by_ids(self._connection, query, face.c.character_id, ids),
            *by_ids(self._connection, unchosen, face.c.filed_under_id, ids),
        ):
            owner = self._confirmed.owners.get(row.id)
            if owner is None and row.shown not in self._refused.get(row.id, ()):
                images.add(row.image_id)
        return {self._group(each) for each in images}

    def _usable(self, ids: Sequence[int]) -> list[sa.Row[Any]]:
        """The id and SHA-256 of the pictures that can be used, by SHA-256."""
        allowed = under_licence(self._connection, ids, self._only_licence)
        self._left_out[_OTHER_LICENCE] += len(ids) - len(allowed)
        query = sa.select(image.c.id, image.c.sha256, image.c.reason)
        rows = []
        for row in by_ids(self._connection, query, image.c.id, sorted(allowed)):
            if row.reason in _UNUSABLE:
                self._left_out[_UNUSABLE[row.reason]] += 1
            else:
                rows.append(row)
        return sorted(rows, key=lambda row: str(row.sha256))

    def _picture(
        self, row: sa.Row[Any], faces: Sequence[sa.Row[Any]]
    ) -> LabelledPicture:
        owners, unasked = self._confirmed.owners, self._confirmed.unasked
        yielded = tuple(self._face(each) for each in faces)
        asked = (
            (each.id in owners and each.id not in unasked)
            or each.id in self._refused
            or each.id in self._confirmed.ambiguous
            or each.detector in NAMES
            for each, made in zip(faces, yielded, strict=True)
            if not made.ignored
        )
        return LabelledPicture(
            key=row.sha256,
            faces=yielded,
            complete=all(
                is_settled(each.detector, confirmed=each.id in owners)
                for each in faces
                if each.is_drawn
            ),
            checked=all(asked),
            group=self._group_name(row),
        )

    def _verified(
        self,
        row: sa.Row[Any],
        faces: Sequence[sa.Row[Any]],
        boxes: Sequence[VerifiedBox],
    ) -> LabelledPicture:
        """A picture with people's boxes of drawn faces; what they drew none of is none.

        Photographed faces are the detector's, because nobody is asked about them.
        """
        known = {each.id: each for each in faces if each.reason not in _IGNORED}
        drawn = (
            replace(self._face(known[each.face_id]), box=each.corners, kind="cartoon")
            if each.face_id in known
            else LabelledFace(each.corners)
            for each in boxes
        )
        linked = {each.face_id for each in boxes}
        human = (
            self._face(each)
            for each in faces
            if each.kind == "human" and each.id not in linked
        )
        return LabelledPicture(
            key=row.sha256,
            faces=(*drawn, *human),
            complete=True,
            group=self._group_name(row),
        )

    def _group_name(self, row: sa.Row[Any]) -> str:
        # Named by its first picture here: ids depend on the order of the harvest.
        return self._first.setdefault(self._group(row.id), row.sha256)

    def _face(self, row: sa.Row[Any]) -> LabelledFace:
        names, aside = self._cast.names, self._cast.aside
        owner = self._confirmed.owners.get(row.id)
        if owner in self._cast.torn:
            self._left_out[_TORN] += 1
            owner = None
        ignored = row.reason in _IGNORED
        refused = self._refused.get(row.id, set()) - aside - {owner}
        return LabelledFace(
            box=(row.x1, row.y1, row.x2, row.y2),
            kind="human" if row.kind == "human" else "cartoon",
            identity=None if ignored or owner is None else names[owner],
            not_identities=tuple(sorted(names[each] for each in refused)),
            ignored=ignored,
        )

    def _group(self, image_id: int) -> int:
        return self._groups.get(image_id, image_id)

    def _skipped(self) -> Iterator[Skipped]:
        for reason, count in sorted(self._left_out.items()):
            if count:
                yield Skipped("", reason, count)
        for one, other in self._cast.unmerged:
            names = self._cast.names
            yield Skipped(
                f"{names[one]} and {names[other]}",
                "people found that they are one character, and they are not merged: "
                "run `icf-filter review --apply`",
            )


_ASIDE = "pictures are set aside for comparing models"
_OF_A_TEST = "pictures are of a published test, or like one of its pictures"
_OTHER_LICENCE = "pictures are under a licence that harvest.only_licence does not allow"
_AMBIGUOUS = "faces were confirmed for two characters, and have no identity"
_TORN = "faces have no identity, as their characters wait to be merged"
#: Why a picture cannot be used, by its reason in the catalogue.
_UNUSABLE = {
    ImageReason.TAKEN_DOWN.value: "pictures were withdrawn",
    ImageReason.MISSING_BLOB.value: "pictures are missing from the blob store",
}
#: Neither a face nor background: the detector was not sure, or its use was withdrawn.
_IGNORED = (FaceReason.LOW_SCORE.value, FaceReason.TAKEN_DOWN.value)
