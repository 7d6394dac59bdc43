"""Pictures in folders as a source: ALBUM/CHARACTER/PICTURE, or with metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from icf.app.import_folder.metadata import NAMES, Said, Wanted, read_metadata
from icf.app.importing.given import (
    Fault,
    GivenFace,
    GivenPicture,
    Owner,
    SourceFile,
    Stated,
)
from icf.app.importing.held_out import HeldOut, is_split, part_of
from icf.errors import BadInput
from icf.models.data.boxes import wrong_with
from icf.models.data.picture_files import KnownFiles, picture_files
from icf.names import normal_name
from icf.own_files import walk

#: Where a picture's face is: all of it, or where the detector finds it.
Faces = Literal["whole", "detect"]
IDENTITY_FIELDS = ("character", "identity")
ALBUM_FIELDS = ("album",)


@dataclass(frozen=True)
class Reading:
    """How folders are read.

    Attributes:
        name: of the data set; also the album of characters without one.
        faces: where the face of a picture is that comes without a box.
        identity: the fields of metadata that may name a character.
        album: those that may name its album.
        held_out: on which of it nothing may ever be trained.
    """

    name: str
    faces: Faces = "whole"
    identity: tuple[str, ...] = IDENTITY_FIELDS
    album: tuple[str, ...] = ALBUM_FIELDS
    held_out: HeldOut = "test"


@dataclass(frozen=True)
class _Metadata:
    """A metadata file, and what it says of each picture below the root.

    A row that cannot be read stands for its picture as what is wrong with it.
    """

    source: SourceFile
    rows: dict[str, Said | Fault]


class FolderSource:
    """The pictures below a folder.

    Args:
        root: the folder.
        reading: how it is read.

    Attributes:
        left_out: what was passed over so far, by reason, and is no fault.
    """

    def __init__(self, root: Path, reading: Reading) -> None:
        self.left_out: Counter[str] = Counter()
        self._root, self._reading = root, reading
        self._metadata: dict[PurePosixPath, _Metadata] = {}
        #: The folder itself: what stands for a list where there is none.
        self._itself = SourceFile(root, "")

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures by folder and name, then what metadata has beyond them.

        Raises:
            BadInput: there is no picture.
        """
        yield from self._read_metadata()
        tops = set[str]()
        count = 0
        for key in self._keys():
            count += 1
            tops.add(key.partition("/")[0] if "/" in key else "")
        if not count:
            raise BadInput(f"{self._root}: no picture is in it or below")
        # A folder called "test" beside one called "Luna" is a character.
        by_split = all(is_split(each) for each in tops - {""})
        for number, key in enumerate(self._keys(self.left_out), 1):
            yield self._picture(PurePosixPath(key), number, by_split=by_split)
        for each in self._metadata.values():
            for name, said in each.rows.items():
                if isinstance(said, Fault):
                    yield said
                    continue
                where = f"{each.source.path}, line {said.line}"
                why = f"there is no picture {self._root / name}"
                yield Fault(where, why, is_picture=True)

    def _keys(self, left_out: Counter[str] | None = None) -> Iterator[str]:
        hidden = Counter[str]()
        for each in picture_files(self._root, hidden):
            if isinstance(each, str):
                yield each
            elif left_out is not None and Path(each.where).name not in NAMES:
                left_out[each.reason] += 1
        if left_out is not None and hidden:
            left_out["hidden, or made by a machine"] += hidden.total()

    def _read_metadata(self) -> Iterator[Fault]:
        wanted = Wanted(self._reading.identity, self._reading.album)
        known = KnownFiles(self._root)
        found = (each for each in walk(self._root) if each.name in NAMES)
        for path in sorted(found, key=lambda each: (NAMES.index(each.name), each)):
            folder = PurePosixPath(path.parent.relative_to(self._root).as_posix())
            if folder in self._metadata or not path.is_file():
                continue
            rows: dict[str, Said | Fault] = {}
            for each in read_metadata(path, wanted):
                if isinstance(each, Fault):
                    yield each
                else:
                    rows[(folder / each[0]).as_posix()] = each[1]
            # What is composed in the list may be decomposed on the disk.
            for name in [each for each in rows if each not in known]:
                called = known.find(name)
                if called is not None and called not in rows:
                    rows[called] = rows.pop(name)
            self._metadata[folder] = _Metadata(SourceFile.of(path), rows)

    def _picture(
        self, key: PurePosixPath, number: int, *, by_split: bool
    ) -> GivenPicture | Fault:
        folders = key.parts[:-1]
        found = next(
            (self._metadata[each] for each in key.parents if each in self._metadata),
            None,
        )
        said = found.rows.pop(key.as_posix(), None) if found else None
        if isinstance(said, Fault):
            return said
        if found and said is None:
            why = f"{found.source.path} says nothing of it"
            return Fault(str(self._root / key), why, is_picture=True)
        split = next((each for each in folders if is_split(each)), "")
        if not by_split and said is None:
            split = ""
        named = folders[1:] if by_split and said is None else folders
        owner = _owner_said(said, self._reading.name)
        if owner is None and (said is None or said.boxes is None):
            owner = _owner_of(named, self._reading.name)
        if owner is None and (said is None or said.boxes is None):
            why = "it is in no folder of a character, and no metadata names one"
            return Fault(str(self._root / key), why, is_picture=True)
        line = said.line if said else number
        faces = self._faces(owner, said, line)
        is_whole = said is not None and said.all_faces
        if said is not None and len(faces) < len(said.boxes or ()):
            is_whole = False
        itself = str(key).replace("{", "{{").replace("}", "}}")
        return GivenPicture(
            part_of(self._reading.name, split, self._reading.held_out),
            f"folder://{self._reading.name}/{key}",
            self._root / key,
            found.source if found else self._itself,
            faces,
            all_faces=is_whole,
            line=line,
            filed=owner if owner and not faces else None,
            places=(said.place,) if said and said.place else (),
            licence=(said.licence or None) if said else None,
            author=said.author if said else "",
            stated=Stated(said.size) if said else Stated(),
            place="line {}" if said else itself,
            face_place="line {}" if said else itself,
        )

    def _faces(
        self, owner: Owner | None, said: Said | None, line: int
    ) -> tuple[GivenFace, ...]:
        """The faces of a picture; none: the detector is to find them."""
        if said is None or said.boxes is None:
            if said is not None and said.unread:
                self.left_out[f"a box as {said.unread} (bbox or corners are read)"] += 1
            if self._reading.faces == "detect":
                return ()
            return (GivenFace(None, line, owner),)
        faces: list[GivenFace] = []
        for box, name in said.boxes:
            if wrong := wrong_with(box):
                self.left_out[wrong] += 1
                continue
            album = said.album or self._reading.name
            face = GivenFace(box, line, Owner(album, name) if name else None)
            if face in faces:
                self.left_out["the same box again"] += 1
            else:
                faces.append(face)
        return tuple(faces)


def _owner_said(said: Said | None, name: str) -> Owner | None:
    if said is None or not said.character:
        return None
    return Owner(said.album or name, said.character)


def _owner_of(folders: tuple[str, ...], name: str) -> Owner | None:
    """The last folder is the character, those above it are its album.

    A folder of blanks has no name.
    """
    *above, character = map(normal_name, folders or ("",))
    if not character:
        return None
    return Owner("/".join(filter(None, above)) or name, character)
