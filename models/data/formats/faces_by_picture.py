"""Put the rows of a list of boxes together by picture, and judge each row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from icf.models.data.base import LabelledFace, LabelledPicture, Skipped
from icf.models.data.boxes import wrong_with
from icf.models.data.picture_files import KnownFiles


class FacesByPicture:
    """The faces of pictures that a list names, in the order of their first rows.

    Args:
        root: the folder that the list's names are below.
    """

    def __init__(self, root: Path) -> None:
        self._known = KnownFiles(root)
        self._faces: dict[str, list[LabelledFace]] = {}
        self._sizes: dict[str, tuple[int, int]] = {}
        self._with_bad_rows: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether a row has named the picture."""
        return name in self._faces

    def add_picture(
        self, where: str, name: str, size: tuple[int, int] | None = None
    ) -> Skipped | None:
        """Take a picture that may have no face; return why it is left out.

        Args:
            where: the file and the line.
            name: the picture.
            size: its width and height, where the list has them.
        """
        if name in self._faces:
            return Skipped(where, "the same picture again")
        self._faces[name] = []
        if size is not None:
            self._sizes[name] = size
        return None if name in self._known else Skipped(where, "no such picture")

    def add(
        self,
        where: str,
        name: str,
        face: LabelledFace,
        size: tuple[int, int] | None = None,
    ) -> Skipped | None:
        """Take a row; return why it is left out.

        Args:
            where: the file and the line.
            name: the picture.
            face: what the row says.
            size: width and height of the picture, where the list has them.
        """
        faces = self._faces.setdefault(name, [])
        if name not in self._known:
            return Skipped(where, "no such picture")
        if face.box is not None and (wrong := wrong_with(face.box, size)):
            self.damage(name)
            return Skipped(where, wrong)
        if face in faces:
            return Skipped(where, "the same box again")
        faces.append(face)
        return None

    def damage(self, name: str) -> None:
        """Note that a face of the picture is somewhere, but not where."""
        self._with_bad_rows.add(name)

    def pictures(
        self, prefix: str, *, complete: bool, without_faces: bool = False
    ) -> Iterator[LabelledPicture]:
        """Yield the pictures that are there.

        Args:
            prefix: put before names to make keys of them.
            complete: the list has every face, so that a picture all of whose rows are
                good is background elsewhere.
            without_faces: yield pictures that have no face, too.
        """
        for name, faces in self._faces.items():
            is_damaged = name in self._with_bad_rows
            if faces or (without_faces and not is_damaged and name in self._known):
                is_complete = complete and not is_damaged
                size = self._sizes.get(name)
                yield LabelledPicture(
                    prefix + name, tuple(faces), is_complete, size=size
                )
