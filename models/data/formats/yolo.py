"""YOLO as Ultralytics lays it out: ``images/``, ``labels/`` and ``data.yaml``.

::

    data.yaml                 path: .   train: images/train   names: {0: face}
    images/train/a.jpg
    labels/train/a.txt        CLASS CX CY WIDTH HEIGHT, as shares of the picture

``train`` may name a text file that lists the pictures, too. A picture without a file of
labels has no face; that none has one is a mistake. A row with more numbers is a
polygon, and its bounds are the box; where ``kpt_shape`` says that boxes have key points
behind them, these are passed over, and so are the five of a face, which YOLO5Face and
its followers write without saying it. Only the training pictures are read.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import yaml  # type: ignore[import-untyped,unused-ignore]

from icf.errors import BadInput
from icf.icartoonface.lines import plain_numbers
from icf.images import Undecodable
from icf.images.header import upright_size
from icf.models.data.base import (
    Box,
    Kind,
    LabelledFace,
    LabelledPicture,
    Reader,
    Skipped,
)
from icf.models.data.boxes import wrong_with
from icf.models.data.formats.categories import kinds_of_categories
from icf.models.data.picture_files import picture_files, read_file, state_of
from icf.own_files import walk

CONFIG = "data.yaml"

#: As Ultralytics allows it: labels are rounded.
_BEYOND = 1.01
_ROUNDED = 0.01

#: Numbers of a box and five points, and of each of these: x, y, and whether it is seen.
_LANDMARKS = {14: 2, 19: 3}
#: Boxes that are looked at for key points that nobody announced.
_LOOKED_AT = 200
#: How far from a face's middle its eyes, nose and mouth may be, in sides of its box.
_AROUND = 0.75


@dataclass(frozen=True)
class YoloReader(Reader):
    """Reads a folder with ``data.yaml``.

    Attributes:
        domain: whether faces of a class called just ``face`` are drawn.
    """

    kind: ClassVar[str] = "yolo"

    domain: Kind = "cartoon"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        """Stream the training pictures, by folder and name.

        Raises:
            BadInput: there is no ``data.yaml``, or it does not say where pictures are,
                or none of its classes is a face, or no picture has a file of labels.
        """
        config = self._config()
        names = _names(config.get("names"))
        kinds = kinds_of_categories(names, self.domain, f"{self.name}: {CONFIG}")
        places = self._places(config)
        self._check_labels(places)
        points = _numbers_of_points(config.get("kpt_shape")) or self._points(places)
        rows = _Rows(names, kinds, points)
        for key in self._keys(places):
            if isinstance(key, Skipped):
                yield key
            else:
                yield from self._picture(key, rows)

    def read(self, key: str) -> bytes:
        """Return the bytes of a picture."""
        return read_file(self.path / key)

    def fingerprint(self) -> str:
        """Return a digest of names, sizes and times of labels and pictures."""
        places = self._places(self._config())
        files = [self.path / CONFIG]
        for place in places:
            if place.is_file():
                files.append(place)
                for key in self._listed(place):
                    if isinstance(key, str):
                        files += [self.path / key, self._labels(key)]
                continue
            labels = self.path / _labels_of(f"{os.path.relpath(place, self.path)}/")
            files += [*walk(place), *(walk(labels) if labels != place else ())]
        return state_of(self.path, files)

    def _keys(self, places: Sequence[Path]) -> Iterator[str | Skipped]:
        """Yield the pictures of places, from the folder of ``data.yaml``."""
        for place in places:
            if place.is_file():
                yield from self._listed(place)
                continue
            above = os.path.relpath(place, self.path)
            for name in picture_files(place):
                if isinstance(name, Skipped):
                    yield name
                else:
                    yield os.path.normpath(f"{above}/{name}")

    def _listed(self, file: Path) -> Iterator[str | Skipped]:
        """Yield the pictures that a text file names, each once.

        A name begins at the file's folder or at that of ``data.yaml``; one of another
        disk (``/content/images/train/a.jpg``) is looked for by its end.
        """
        seen: set[str] = set()
        lines = read_file(file).decode("utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            name = line.strip().replace("\\", "/")
            if not name:
                continue
            where = f"{os.path.relpath(file, self.path)}, line {number}"
            found = self._found(file.parent, name)
            if found is None:
                yield Skipped(where, "no such picture")
            elif found in seen:
                yield Skipped(where, "the same picture again")
            else:
                seen.add(found)
                yield found

    def _found(self, folder: Path, name: str) -> str | None:
        parts = PurePosixPath(name).parts
        ends = ("/".join(parts[at:]) for at in range(1, len(parts)))
        for top in (folder, self.path):
            if (top / name).is_file():
                return os.path.relpath(top / name, self.path)
        return next((end for end in ends if (self.path / end).is_file()), None)

    def _check_labels(self, places: Sequence[Path]) -> None:
        """Refuse pictures of which none has labels: they lie in another place."""
        first = None
        for key in self._keys(places):
            if isinstance(key, Skipped):
                continue
            labels = self._labels(key)
            if labels.exists():
                return
            first = first or labels
        if first is not None:
            raise BadInput(
                f"{self.name}: none of its training pictures has a file of labels, not "
                f"even an empty one; the first would be {first}"
            )

    def _points(self, places: Sequence[Path]) -> int:
        """Numbers of the key points behind the first boxes; 0: there are none."""
        lengths: list[int] = []
        around = 0
        for key in self._keys(places):
            if isinstance(key, Skipped) or not (labels := self._labels(key)).exists():
                continue
            for line in _lines(labels):
                try:
                    _, *numbers = plain_numbers(line.split())
                except ValueError:
                    continue
                lengths.append(len(numbers))
                if len(numbers) not in _LANDMARKS or len(numbers) != lengths[0]:
                    return 0
                around += _has_landmarks(numbers)
            if len(lengths) >= _LOOKED_AT:
                break
        return lengths[0] - 4 if lengths and around > 0.9 * len(lengths) else 0

    def _labels(self, key: str) -> Path:
        return (self.path / _labels_of(key)).with_suffix(".txt")

    def _picture(self, key: str, rows: _Rows) -> Iterator[LabelledPicture | Skipped]:
        labels = self._labels(key)
        if not labels.exists():
            yield LabelledPicture(key, (), complete=True)
            return
        try:
            size = upright_size(self.read(key))
        except Undecodable as error:
            yield Skipped(key, f"it cannot be decoded: {error.reason.value}")
            return
        faces: list[LabelledFace] = []
        complete = True
        for number, line in enumerate(_lines(labels), 1):
            if not line.strip():
                continue
            where = f"{os.path.relpath(labels, self.path)}, line {number}"
            face = rows.face(line, size)
            if isinstance(face, str):
                complete = complete and face == _NO_FACE
                yield Skipped(where, face)
            elif face in faces:
                yield Skipped(where, "the same box again")
            else:
                faces.append(face)
        yield LabelledPicture(key, tuple(faces), complete)

    def _config(self) -> dict[str, Any]:
        path = self.path / CONFIG
        try:
            config = yaml.safe_load(path.read_text("utf-8"))
        except OSError as error:
            raise BadInput(
                f"{self.name}: {path} cannot be read: {error.strerror}; it says where "
                "pictures are and what the classes are called"
            ) from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise BadInput(f"{path}: no YAML: {error}") from error
        if not isinstance(config, dict):
            raise BadInput(f"{path}: expected keys such as train and names")
        return config

    def _places(self, config: Mapping[str, Any]) -> list[Path]:
        """Return the folders of the training pictures, and the files that list some.

        Raises:
            BadInput: they are not named, or not there.
        """
        stated = config.get("train")
        wanted = stated if isinstance(stated, list) else [stated]
        places = [each for each in wanted if isinstance(each, str)]
        if not places or len(places) < len(wanted):
            raise BadInput(
                f"{self.path / CONFIG}: expected train: FOLDER or a list of folders, "
                f"found {stated!r}"
            )
        return [self._place(str(config.get("path") or "."), each) for each in places]

    def _place(self, path: str, place: str) -> Path:
        """Return a folder or file; exported files name places of another disk."""
        inside = place.removeprefix("../")
        for folder in (self.path / path / place, self.path / place, self.path / inside):
            if folder.is_dir() or (folder.suffix == ".txt" and folder.is_file()):
                return folder
        raise BadInput(
            f"{self.path / CONFIG}: there is no folder {self.path / place}; train must "
            "name a folder of pictures, or a .txt file that lists some, from the "
            "folder of data.yaml"
        )


_NO_FACE = "a class that is no face"


@dataclass(frozen=True)
class _Rows:
    """How rows of labels are read.

    Attributes:
        names: of the classes.
        kinds: the classes that are faces.
        points: numbers of key points behind a box.
    """

    names: Mapping[int, str]
    kinds: Mapping[int, Kind]
    points: int

    def face(self, line: str, size: tuple[int, int]) -> LabelledFace | str:
        """Return the face of a row, or why it is left out."""
        try:
            label, *numbers = plain_numbers(line.split())
        except ValueError:
            return "a row that cannot be read"
        if not label.is_integer() or label not in self.names:
            return f"a class that {CONFIG} does not name"
        if self.points and len(numbers) == 4 + self.points:
            numbers = numbers[:4]
        box = _box(numbers, size)
        if isinstance(box, str):
            return box
        kind = self.kinds.get(int(label))
        return LabelledFace(box, kind) if kind is not None else _NO_FACE


def _lines(labels: Path) -> list[str]:
    return read_file(labels).decode("utf-8-sig", errors="replace").splitlines()


def _has_landmarks(numbers: Sequence[float]) -> bool:
    """Whether numbers are a box and five points on it, some of which may be unknown.

    Of a polygon, the second point is no size of a box that has all the others.

    >>> _has_landmarks([0.5, 0.5, 0.2, 0.2, *[0.45, 0.45] * 3, *[-1.0] * 4])
    True
    """
    x, y, width, height = numbers[:4]
    each = _LANDMARKS[len(numbers)]
    points = zip(numbers[4::each], numbers[5::each], strict=True)
    known = [(px, py) for px, py in points if px >= 0 and py >= 0]
    is_inside = width <= 2 * min(x, 1 - x) + _ROUNDED
    is_inside &= height <= 2 * min(y, 1 - y) + _ROUNDED
    return is_inside and all(
        abs(px - x) <= width * _AROUND and abs(py - y) <= height * _AROUND
        for px, py in known
    )


def _numbers_of_points(shape: object) -> int:
    """Numbers of the key points of a box; 0 where there are none.

    >>> _numbers_of_points([5, 3]), _numbers_of_points(None)
    (15, 0)
    """
    if isinstance(shape, list) and all(type(each) is int for each in shape):
        return math.prod(shape) if len(shape) == 2 else 0
    return 0


def _box(numbers: list[float], size: tuple[int, int]) -> Box | str:
    """Return a box in pixels, or what is wrong with it."""
    width, height = size
    if not all(math.isfinite(n) and 0 <= n <= _BEYOND for n in numbers):
        return "numbers that are no shares of the picture"
    if len(numbers) == 4:
        x, y, w, h = numbers
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    elif len(numbers) >= 6 and len(numbers) % 2 == 0:
        xs, ys = numbers[0::2], numbers[1::2]
        x1, y1, x2, y2 = min(xs), min(ys), max(xs), max(ys)
    else:
        return "a row that cannot be read"
    box = (x1 * width, y1 * height, x2 * width, y2 * height)
    return wrong_with(box, size) or box


def _names(names: object) -> dict[int, str]:
    """Return the names of classes by number, from a list or a mapping."""
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    if isinstance(names, dict):
        # Some programs write numbers in quotes.
        numbered = ((str(key), str(name)) for key, name in names.items())
        return {int(key): name for key, name in numbered if key.isdecimal()}
    return {}


def _labels_of(key: str) -> str:
    """Return where the labels of a picture are: the last ``images`` is ``labels``.

    >>> _labels_of("images/train/a.jpg"), _labels_of("train/images/a.jpg")
    ('labels/train/a.jpg', 'train/labels/a.jpg')
    """
    before, found, after = f"/{key}".rpartition("/images/")
    return f"{before}/labels/{after}"[1:] if found else key
