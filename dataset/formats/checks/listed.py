"""Compare what the files of a format say of each picture with ``contents.csv``.

Every format has one reader, which yields a `Listed` for each picture that its files
name, as they are now. `check_listed` holds them against the contents, in one pass and
without keeping them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from icf.dataset.formats.base import Corners, Task
from icf.dataset.formats.beside import TURNED
from icf.dataset.formats.checked import MISSING, UNEXPECTED, Fault
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.records import Split

Part = tuple[Task, Split]
#: In place of a label that a format does not have; a null in a file is None.
UNSAID = object()


@dataclass(frozen=True, slots=True)
class Listed:
    """What a file of a format says of one picture; None where it does not say it.

    Attributes:
        file: that says so, relative to the format's folder.
        task: of the set that the picture is listed in.
        split: the same.
        name: of the picture, the last part of its name in ``contents.csv``.
        place: in the file, such as ``line 7``.
        picture: the file with its bytes; empty: they are in `file`.
        member: its name in that file; empty: as `name`.
        sha256: of its bytes, where they are in `file`.
        turned: how EXIF turns these bytes, 1 to 8.
        size: width and height, upright.
        boxes: of the labelled face, or of all faces in the detection set.
        label: the number of its identity, whatever is in its place; or `UNSAID`.
        faces: of each of `boxes`, the number of its identity; -1: nobody is named.
        says: further columns, by the names of `Known.says`.
    """

    file: str
    task: Task
    split: Split
    name: str
    place: str = ""
    picture: str = ""
    member: str = ""
    sha256: str | None = None
    turned: int | None = None
    size: tuple[int, int] | None = None
    boxes: tuple[Corners, ...] | None = None
    label: object = UNSAID
    faces: tuple[int, ...] | None = None
    says: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not read to its end: nobody knows what else it has.

    Attributes:
        fault: what is wrong with it.
        part: of its pictures; which of them it lacks is not said.
        pictures: what the names of loose pictures begin with that only it lists;
            empty: there are none.
    """

    fault: Fault
    part: Part
    pictures: str = ""


@dataclass(frozen=True)
class Layout:
    """Where a format has what.

    Attributes:
        lists: the file, or a pattern of files, that names the pictures of each part.
        pictures: folders with nothing but pictures that are listed, each ending with
            a slash.
    """

    lists: Mapping[Part, str]
    pictures: tuple[str, ...] = ()


def check_listed(
    known: Known, layout: Layout, found: Iterable[Listed | Fault | Unread]
) -> Iterator[Fault]:
    """Yield what is swapped, edited, missing, there twice or not of the release.

    Args:
        known: what the files should say.
        layout: of the format.
        found: everything that its files name; faults are passed on.
    """
    is_good = True
    for fault in _differences(known, layout, found):
        is_good = False
        yield fault
    if is_good:
        yield from known.without_trail()


def _differences(
    known: Known, layout: Layout, found: Iterable[Listed | Fault | Unread]
) -> Iterator[Fault]:
    """Yield how the files differ from the contents, and note every picture of them."""
    yield from known.damage()
    seen = bytearray(len(known.files.contents))
    pictures: set[str] = set()
    unread: list[Unread] = []
    for each in found:
        if isinstance(each, Unread):
            unread.append(each)
            yield each.fault
        elif isinstance(each, Fault):
            yield each
        else:
            pictures.add(each.picture)
            yield from _check(each, known, seen)
    unknown = {each.part for each in unread}
    for part, file in layout.lists.items():
        if part in unknown:
            continue
        for name, row in known.names(*part).items():
            if not seen[row]:
                yield Fault(file, f"has nothing of {name}")
    passed = tuple(each.pictures for each in unread if each.pictures)
    for name in known.files.hashes:
        if name.startswith(passed):
            continue
        if name.startswith(layout.pictures or "/") and name not in pictures:
            yield Fault(name, "is in none of its lists")


def _check(each: Listed, known: Known, seen: bytearray) -> Iterator[Fault]:
    """Yield how a picture differs from its row of the contents, and mark the row."""
    row = known.row(each.task, each.split, each.name)
    if row is None or seen[row]:
        why = "which is not in this part" if row is None else "a second time"
        yield _fault(each, f"has {each.name}, {why}")
        return
    seen[row] = True
    try:
        if each.picture and each.picture not in known.files.hashes:
            yield Fault(each.picture, MISSING)
        else:
            member = "" if each.picture else each.member or each.name
            known.note(row, each.picture or each.file, member)
            yield from wrong_bytes(each, row, known)
        for what in _wrong(each, row, known):
            yield _fault(each, f"{each.name} {what}")
    except UNEXPECTED as error:
        yield _fault(each, f"{each.name} cannot be compared: {error!r}")


def _fault(each: Listed, what: str) -> Fault:
    return Fault(each.file, f"{each.place}: {what}" if each.place else what)


def wrong_bytes(each: Listed, row: int, known: Known) -> Iterator[Fault]:
    """Yield that the bytes of a picture, or of a crop, are not those of a row."""
    found = known.files.hashes[each.picture] if each.picture else each.sha256
    if found is None:
        return
    meant: str | None = known.sha256(row)
    if known.is_crop(each.task):
        key = each.member or each.picture or each.name
        crop = known.cropped(key)
        if crop is None and known.whole(row):
            yield known.lacking(key)
        meant = crop.sha256 if crop else None
        part = known.crop(row)
        if crop and part and crop.part != part:
            what = f"is cut out at {crop.part} in crops.csv, and not at {part}"
            yield _fault(each, f"{each.name} {what}")
    if meant and found != meant:
        what = f"is another picture: its SHA-256 is {found}"
        if each.picture:
            yield Fault(each.picture, what)
        else:
            yield _fault(each, f"{each.name} {what}")


def _wrong(each: Listed, row: int, known: Known) -> Iterator[str]:
    size = known.size(each.task, row)
    if each.size and size and each.size != size:
        yield f"has the size {each.size}, and not {size}"
    if each.turned is not None:
        lies = known.orientation(each.task, row)
        if each.turned != lies:
            yield f"is turned by EXIF as {each.turned}, and not {lies} as in {TURNED}"
    label = known.label(row)
    if each.label is not UNSAID and not _is(each.label, label):
        yield f"has the label {each.label!r}, and not {label}"
    boxes = known.boxes(each.task, row, each.size)
    if each.boxes is not None and boxes is not None and each.boxes != boxes:
        yield f"has {_shown(each.boxes)}, and not {_shown(boxes)}"
    elif each.faces is not None:
        faces = known.faces(row, each.split)
        if faces is not None and each.faces != faces:
            yield f"has faces of the labels {each.faces}, and not {faces}"
    if each.says:
        meant = known.says(each.task, row)
        for name, value in each.says.items():
            if name in meant and value != meant[name]:
                yield f"has the {name} {value}, and not {meant[name]}"


def _is(value: object, number: int) -> bool:
    """Whether it is this number; not so true, which equals 1, nor 1.0."""
    return type(value) is int and value == number


def _shown(boxes: tuple[Corners, ...]) -> str:
    if len(boxes) == 1:
        return f"the box {boxes[0]}"
    return f"the boxes {', '.join(map(str, boxes))}" if boxes else "no box"
