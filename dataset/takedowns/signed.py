"""A list of everything withdrawn from a workspace, as hashes, signed.

It says what to delete, and not what it was: no address, no name, no reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue import tombstones
from icf.catalogue.rows import by_ids
from icf.catalogue.schema import face, image
from icf.codes import FaceReason
from icf.dataset.release.keys import is_signed, public_half, signing_key
from icf.errors import BadInput
from icf.stores.files import is_sha256, replace_file
from icf.workspace import Workspace

_KINDS = ("sha256", "pixel_hash", "face_pixel_hash")


@dataclass(frozen=True)
class Withdrawn:
    """What was withdrawn.

    Attributes:
        sha256: of the bytes of pictures.
        pixel_hash: of the pixels of pictures: the same picture in another file.
        face_pixel_hash: of the pixels of faces, whose pictures may stay.
    """

    sha256: frozenset[str]
    pixel_hash: frozenset[str]
    face_pixel_hash: frozenset[str]

    @property
    def count(self) -> int:
        """The number of pictures."""
        return len(self.sha256)


def withdrawn_from(workspace: Workspace) -> Withdrawn:
    """Return everything that was ever withdrawn from a workspace."""
    with workspace.catalogue.read() as connection:
        hashes = tombstones.all_of_kind(connection, tombstones.SHA256)
        query = sa.select(image.c.pixel_hash)
        rows = by_ids(connection, query, image.c.sha256, sorted(hashes))
        pixels = {row.pixel_hash for row in rows if row.pixel_hash}
        gone = sa.select(face.c.pixel_hash).where(
            face.c.reason == FaceReason.TAKEN_DOWN.value
        )
        faces = {each for each in connection.execute(gone).scalars() if each}
    return Withdrawn(hashes, frozenset(pixels), frozenset(faces))


def write_list(workspace: Workspace, path: Path) -> tuple[Withdrawn, str]:
    """Write the list, and the public key beside it, into ``PATH.pub``.

    The same takedowns give the same bytes.

    Returns:
        What is in it, and the public key.
    """
    found = withdrawn_from(workspace)
    body = {name: sorted(getattr(found, name)) for name in _KINDS}
    key = signing_key(workspace.root)
    public = public_half(key)
    signature = key.sign(_message(body)).hex()
    value = {"withdrawn": body, "key": public, "signature": signature}
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, [f"{json.dumps(value, indent=1)}\n".encode()])
    replace_file(path.with_name(f"{path.name}.pub"), [f"{public}\n".encode()])
    return found, public


def read_list(path: Path, key: str) -> Withdrawn:
    """Read a list, and check who signed it.

    Args:
        path: the list.
        key: the public key, in hexadecimal, that is trusted.

    Raises:
        BadInput: it is no list, or nobody with that key signed this.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        body = {name: _hashes(value["withdrawn"][name]) for name in _KINDS}
        signature = str(value["signature"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why: object = error
        if isinstance(error, KeyError | TypeError):  # these speak of Python
            why = "it lacks `withdrawn`, with its hashes, or `signature`"
        raise BadInput(
            f"{path} is no list of takedowns ({why}); `icf release takedowns` writes "
            "one"
        ) from error
    if not is_signed(_message(value["withdrawn"]), signature, key):
        raise BadInput(
            f"{path} was not signed with the key {key[:16]}..., or was changed since; "
            "nothing was deleted. Get it again from the makers of the release, and "
            "their public key with --key"
        )
    return Withdrawn(**{name: frozenset(some) for name, some in body.items()})


def _hashes(values: Iterable[object]) -> list[str]:
    found = [str(each) for each in values]
    if not all(map(is_sha256, found)):
        raise ValueError("a hash does not have 64 hexadecimal digits")
    return found


def _message(body: object) -> bytes:
    """What is signed: without anything that a formatter may change."""
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return b"icf takedowns 1\n" + plain.encode()
