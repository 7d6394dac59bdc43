"""What the published lists say: pictures, their boxes, and whom they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from icf.app.importing.given import (
    Fault,
    GivenFace,
    GivenPicture,
    Owner,
    Publisher,
    SourceFile,
)
from icf.errors import BadInput
from icf.icartoonface import parts
from icf.icartoonface.detection import dettest_rows, dettrain_rows
from icf.icartoonface.lines import Row
from icf.icartoonface.recognition import DISTRACTOR, rectest_rows, rectrain_rows
from icf.icartoonface.release_files import (
    DETTEST_BOXES,
    DETTEST_FOLDER,
    DETTRAIN_BOXES,
    DETTRAIN_BOXES_BEFORE,
    DETTRAIN_FOLDER,
    RECTEST_FOLDER,
    RECTEST_INFO,
    RECTRAIN_FOLDER,
    RECTRAIN_LIST,
)
from icf.models.data.base import Box
from icf.models.data.boxes import wrong_with
from icf.models.data.formats.places import DEPTH, places_of
from icf.models.data.picture_files import KnownFiles, picture_files
from icf.names import normal_name

#: The published set has no names of albums.
ALBUM = "iCartoonFace"
PUBLISHER = Publisher(
    ALBUM, "import icartoonface", "icartoonface", f"{ALBUM} detection"
)
#: What the numbers of the test are: identities of their own, or training folders.
TestLabels = Literal["own", "training"]

_FOLDER_OF_IDENTITY = "personai_icartoonface_rectrain"


@dataclass(frozen=True)
class _Set:
    """A list with the folder of its pictures."""

    boxes: Path
    folder: Path


@dataclass
class Lists:
    """The published lists below a folder.

    Attributes:
        root: the folder.
        test_labels: what the numbers of the test are.
        left_out: what was passed over so far, by reason, and is no fault.

    Raises:
        BadInput: nothing is there, or a list without its pictures or the other way
            round.
    """

    root: Path
    test_labels: TestLabels = "own"
    left_out: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Look for the published names."""
        names = {each.name for some in _SETS.values() for each in some}
        places = places_of(self.root, names, ALBUM)
        self._sets: dict[str, _Set] = {}
        for name, (folder_name, *list_names) in _SETS.items():
            folder = places.get(folder_name.name)
            found = (places.get(each.name) for each in list_names)
            boxes = next((each for each in found if each), None)
            if bool(folder) is not bool(boxes):
                missing = list_names[0] if folder else folder_name
                raise BadInput(
                    f"there is {folder or boxes}, but {missing.name} is nowhere below "
                    f"{self.root}; bring it too, or move the other away"
                )
            if folder and boxes:
                self._sets[name] = _Set(boxes, folder)
        if not self._sets:
            raise BadInput(
                f"none of {', '.join(each.name for each in (RECTRAIN_LIST, *_LISTS))} "
                f"is in {self.root} or {DEPTH} folders below; the archives must be "
                "unpacked"
            )

    def pictures(self) -> Iterator[GivenPicture | Fault]:
        """Yield the pictures of every list, in its order."""
        for name, each in self._sets.items():
            yield from self._of_set(name, each)

    def _of_set(self, name: str, of: _Set) -> Iterator[GivenPicture | Fault]:
        source = SourceFile.of(of.boxes)
        known = KnownFiles(of.folder)
        rows: dict[tuple[str, str, str | None], list[GivenFace]] = {}
        with_bad_boxes = set()
        #: How the listed pictures are called on the disk.
        there: dict[str, str] = {}
        for row in self._rows(name, of.boxes):
            if isinstance(row, Fault):
                yield row
                continue
            where = f"{row.row.path}, line {row.row.number}"
            called = there.get(row.picture) or known.find(row.picture)
            if called is None:
                why = f"there is no picture {of.folder / row.picture}"
                yield Fault(where, why, is_picture=True)
                continue
            there[row.picture] = called
            boxes = rows.setdefault((row.picture, row.part, row.character), [])
            if wrong := wrong_with(row.box):
                self.left_out[wrong] += 1
                with_bad_boxes.add(row.picture)
            elif row.box in (each.box for each in boxes):
                self.left_out["the same box again"] += 1
            else:
                owner = Owner(ALBUM, row.character) if row.character else None
                boxes.append(GivenFace(row.box, row.row.number, owner))
        for (picture, part, _), boxes in rows.items():
            if boxes:
                yield GivenPicture(
                    part,
                    f"icartoonface://{of.folder.name}/{picture}",
                    of.folder / there[picture],
                    source,
                    tuple(boxes),
                    # A face whose box is none is somewhere in it.
                    name in _DETECTION and picture not in with_bad_boxes,
                    boxes[0].line,
                )
            else:
                self.left_out["a picture without a box"] += 1
        listed = set(there.values())
        for each in picture_files(of.folder):
            if isinstance(each, str) and each not in listed:
                self.left_out["a picture that is in no list"] += 1

    def _rows(self, name: str, path: Path) -> Iterator[_ListRow | Fault]:
        if name == RECTRAIN_FOLDER.name:
            for train in rectrain_rows(path):
                if isinstance(train, BadInput):
                    yield _fault(train)
                else:
                    row, picture, box = train
                    shown = normal_name(picture.rpartition("/")[0]) or None
                    yield _ListRow(row, picture, _box(box), parts.TRAIN, shown)
        elif name == RECTEST_FOLDER.name:
            for test in rectest_rows(path):
                if isinstance(test, BadInput):
                    yield _fault(test)
                else:
                    row, picture, box, label = test
                    distracts = label == DISTRACTOR
                    part = parts.DISTRACTORS if distracts else parts.TEST
                    shown = self._of_label(picture, label)
                    yield _ListRow(row, picture, _box(box), part, shown)
        else:
            in_train = name == DETTRAIN_FOLDER.name
            part = parts.DETECTION_TRAIN if in_train else parts.DETECTION_TEST
            for found in dettrain_rows(path) if in_train else dettest_rows(path):
                if isinstance(found, BadInput):
                    yield _fault(found)
                else:
                    yield _ListRow(found[0], found[1], _box(found[2]), part, None)

    def _of_label(self, picture: str, label: int) -> str:
        """Whom a picture of the test shows; each distractor is somebody else."""
        if label == DISTRACTOR:
            return f"distractor {Path(picture).stem}"
        if self.test_labels == "training":
            return f"{_FOLDER_OF_IDENTITY}_{label:05d}"
        return f"test identity {label:05d}"


@dataclass(frozen=True)
class _ListRow:
    """A row of a list that can be read."""

    row: Row
    picture: str
    box: Box
    part: str
    character: str | None


#: Each set, by its folder: the folder, and the list, or the one that it replaced.
_SETS = {
    RECTRAIN_FOLDER.name: (RECTRAIN_FOLDER, RECTRAIN_LIST),
    RECTEST_FOLDER.name: (RECTEST_FOLDER, RECTEST_INFO),
    DETTRAIN_FOLDER.name: (DETTRAIN_FOLDER, DETTRAIN_BOXES, DETTRAIN_BOXES_BEFORE),
    DETTEST_FOLDER.name: (DETTEST_FOLDER, DETTEST_BOXES),
}
_LISTS = (RECTEST_INFO, DETTRAIN_BOXES, DETTEST_BOXES)
_DETECTION = {DETTRAIN_FOLDER.name, DETTEST_FOLDER.name}


def _box(numbers: list[float]) -> Box:
    x1, y1, x2, y2 = numbers
    return x1, y1, x2, y2


def _fault(error: BadInput) -> Fault:
    """What a reader of lines says: ``FILE, line N: what is wrong``."""
    where, _, why = str(error).partition(": ")
    return Fault(where, why)
