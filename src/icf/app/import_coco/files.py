"""Where the annotation files of a data set are, and the pictures that they name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from icf.errors import BadInput
from icf.models.data.picture_files import KnownFiles, picture_files
from icf.names import normal_name
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
    A name may be composed in the file, and decomposed on the disk; and written with
    the separators of Windows, or the percent signs of an address.

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
        #: All pictures by their last names, and by those in their normal form.
        self._named: dict[str, list[Path]] | None = None
        self._alike: dict[str, list[Path]] = {}

    def find(self, name: str) -> Path | None:
        """Return the picture of a name; None: there is none, or there are several.

        A name never leads out of the folders.
        """
        for spelled in _spellings(name):
            if (found := self._called(spelled)) is not None:
                return found
        return None

    def _called(self, name: str) -> Path | None:
        if name.startswith("/") or ".." in name.replace("\\", "/").split("/"):
            return None
        for folder, known in zip(self._folders, self._known, strict=True):
            if name in known:
                return folder / name
        for folder, known in zip(self._folders, self._known, strict=True):
            if (called := known.find(name)) is not None:
                return folder / called
        return self._anywhere(name)

    def _anywhere(self, name: str) -> Path | None:
        if self._named is None:
            self._named = {}
            for each in picture_files(self._root):
                if isinstance(each, str):
                    path = self._root / each
                    self._named.setdefault(path.name, []).append(path)
                    self._alike.setdefault(normal_name(path.name), []).append(path)
        wanted = PurePosixPath(name)
        found = self._named.get(wanted.name) or self._alike.get(
            normal_name(wanted.name), []
        )
        if len(found) != 1:
            return None
        # Of `a/1.jpg` and `b/1.jpg`, one must not stand for the other.
        last = found[0].parts[-len(wanted.parts) :]
        is_it = [*map(normal_name, last)] == [*map(normal_name, wanted.parts)]
        return found[0] if is_it else None


def _spellings(name: str) -> Iterable[str]:
    """Return a name as it is, and what it may mean: most have one spelling."""
    decoded = unquote(name)
    others = (each.replace("\\", "/") for each in (name, decoded))
    return dict.fromkeys((name, decoded, *others))
