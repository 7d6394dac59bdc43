"""A release of an earlier version, which has no ``contents.csv``, as a source.

Its lists say what they can: boxes in whole pixels. Names come from ``identities.csv``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from icf.app.import_icartoonface.listed import Lists
from icf.app.import_icartoonface.release_tables import (
    folder_of,
    key_of,
    places_by_content,
    publisher_of,
    read_summary,
    rows_of,
)
from icf.app.importing.given import Fault, GivenFace, GivenPicture, Owner, Publisher
from icf.dataset import licences
from icf.errors import BadInput
from icf.icartoonface import parts
from icf.icartoonface.recognition import DISTRACTOR, rectest_rows
from icf.icartoonface.release_files import (
    ACCEPTED,
    FOLLOWERS,
    IDENTITIES,
    RECTEST_INFO,
    UNASKED,
)

_UNLABELLED = "a label that no person gave, which is asked about again"


class EarlierRelease:
    """The pictures of a release, a file each.

    Args:
        root: its folder.

    Attributes:
        summary: the content of ``release.json``.
        left_out: what was passed over so far, by reason, and is no fault.

    Raises:
        BadInput: it is no release, or was not written in iCartoonFace's format.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.summary = read_summary(root)
        self._above = root / folder_of(root, self.summary)
        self._lists = Lists(self._above, "training")
        self.left_out: Counter[str] = self._lists.left_out

    @property
    def publisher(self) -> Publisher:
        """Who its labels are by: the people who made that very release."""
        return publisher_of(self.summary)

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures of every list, in its order."""
        named, distractors = self._owners()
        key = key_of(self.summary)
        content = {
            row["file"]: row["sha256"]
            for row in rows_of(self.root / licences.FILE, "file", "sha256")
        }
        places = places_by_content(self.root / licences.FILE)
        by_machine = self._files(ACCEPTED) | self._files(FOLLOWERS)
        references = self._files(UNASKED)
        for each in self._lists.pictures():
            if isinstance(each, Fault):
                yield each
                continue
            path = each.file
            assert isinstance(path, Path)
            file = path.relative_to(self.root).as_posix()
            below = path.relative_to(self._above).as_posix()
            faces = tuple(
                replace(
                    face,
                    owner=_owner(face, path.name, named, distractors),
                    labelled=below not in by_machine | references,
                    is_reference=below in references,
                )
                for face in each.faces
            )
            self.left_out[_UNLABELLED] += below in by_machine
            sha256 = content.get(file)
            yield replace(
                each,
                part=_part(each.part),
                url=f"release://{key}/{file}",
                faces=faces,
                places=tuple(places.get(sha256 or "", ())),
                stated=replace(each.stated, sha256=sha256),
            )

    def _owners(self) -> tuple[dict[str, Owner], dict[str, Owner]]:
        """Whom each number shows, as `Lists` calls it, and each distractor's file."""
        named: dict[str, Owner] = {}
        others: list[Owner] = []
        for row in rows_of(self._above / IDENTITIES, "label", "album", "character"):
            owner = Owner(row["album"], row["character"])
            if row["label"].isdecimal():
                number = int(row["label"])
                named[f"personai_icartoonface_rectrain_{number:05d}"] = owner
            else:
                others.append(owner)
        files = [
            each[1]
            for each in rectest_rows(self._above / RECTEST_INFO)
            if not isinstance(each, BadInput) and each[3] == DISTRACTOR
        ]
        if len(files) != len(others):
            raise BadInput(
                f"{self._above / IDENTITIES}: it has {len(others)} distractors, and "
                f"{RECTEST_INFO} has {len(files)}"
            )
        return named, dict(zip(files, others, strict=True))

    def _files(self, name: Path) -> frozenset[str]:
        path = self._above / name
        if not path.exists():
            return frozenset()
        return frozenset(row["file"] for row in rows_of(path, "file"))


def _owner(
    face: GivenFace,
    file: str,
    named: dict[str, Owner],
    distractors: dict[str, Owner],
) -> Owner | None:
    if face.owner is None:
        return None
    return distractors.get(file) or named.get(face.owner.character, face.owner)


def _part(name: str) -> str:
    return parts.RELEASE_TEST if name in parts.HELD_OUT else parts.RELEASE_TRAIN
