"""Where the annotation files of a data set are, and the pictures that they name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from icf.errors import BadInput
from icf.models.data.picture_files import KnownFiles, picture_files
from icf.own_files import walk


def annotation_files(place: Path) -> list[Path]:
    """Return the file itself, or every ``.json`` below a folder, in a fixed order.

    Raises:
        BadInput: there is none.
    """
    if place.is_file():
        return [place]
    found = [each for each in walk(place) if each.suffix.lower() == ".json"]
    if not found:
        raise BadInput(
            f"{place}: no .json file is there; name the annotation file, or a folder "
            "that has it"
        )
    return found


class PictureFinder:
    """Finds pictures by the names that an annotation file gives them.

    They are below the folder of the file, below one that is called as the file's last
    word (``train2017`` of ``instances_train2017.json``) or ``images``, there or beside
    that folder; or, if only one picture of the whole data set is called so, anywhere.

    Args:
        file: the annotation file.
        root: the folder of the data set.
        folder: where the user says that pictures are; None: nowhere.
    """

    def __init__(self, file: Path, root: Path, folder: Path | None = None) -> None:
        parent, split = file.parent, file.stem.rpartition("_")[2]
        above = parent.resolve().parent
        folders = [parent / "images" / split, parent / split, parent / "images", parent]
        if root.resolve() in (above, *above.parents):
            folders += [
                above / "images" / split,
                above / split,
                above / "images",
                above,
            ]
        self._folders = [folder] if folder else folders
        self._known = [KnownFiles(each) for each in self._folders]
        self._root = folder or root
        self._by_name: dict[str, Path | None] | None = None

    def find(self, name: str) -> Path | None:
        """Return the picture of a name; None: there is none, or there are several.

        A name never leads out of the folders.
        """
        if name.startswith("/") or ".." in name.replace("\\", "/").split("/"):
            return None
        for folder, known in zip(self._folders, self._known, strict=True):
            if name in known:
                return folder / name
        return self._anywhere(name)

    def _anywhere(self, name: str) -> Path | None:
        if self._by_name is None:
            self._by_name = {}
            for each in picture_files(self._root):
                if isinstance(each, str):
                    last = PurePosixPath(each).name
                    is_new = last not in self._by_name
                    self._by_name[last] = self._root / each if is_new else None
        wanted = PurePosixPath(name)
        found = self._by_name.get(wanted.name)
        # Of `a/1.jpg` and `b/1.jpg`, one must not stand for the other.
        if found is None or found.parts[-len(wanted.parts) :] != wanted.parts:
            return None
        return found
