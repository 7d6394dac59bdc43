"""Read the two lists of the format WIDER FACE."""

from __future__ import annotations

from collections.abc import Iterator

from icf.dataset.formats.base import Corners
from icf.dataset.formats.checked import MISSING, Fault, ReleaseFiles
from icf.dataset.formats.checks.known import Known
from icf.dataset.formats.checks.listed import Layout, Listed, Unread, check_listed
from icf.dataset.formats.layouts import CALLED
from icf.dataset.formats.records import SPLITS, Split
from icf.errors import BadInput
from icf.models.data.formats.widerface import Block, blocks


def check_widerface(files: ReleaseFiles) -> Iterator[Fault]:
    """Check every picture and box against the contents."""
    layout = Layout(
        {("detection", split): _list(split) for split in SPLITS},
        tuple(f"WIDER_{CALLED[split]}/images/" for split in SPLITS),
    )
    return check_listed(Known(files), layout, _all(files))


def _list(split: Split) -> str:
    return f"wider_face_split/wider_face_{CALLED[split]}_bbx_gt.txt"


def _all(files: ReleaseFiles) -> Iterator[Listed | Fault | Unread]:
    for split in SPLITS:
        file = _list(split)
        if file not in files.hashes:
            yield Fault(file, MISSING)
            continue
        try:
            for block in blocks(files.folder / file):
                yield from _picture(block, file, split)
        except BadInput as error:
            fault = Fault(file, f"cannot be read: {error}")
            pictures = f"WIDER_{CALLED[split]}/images/"
            yield Unread(fault, ("detection", split), pictures)


def _picture(block: Block, file: str, split: Split) -> Iterator[Listed | Fault]:
    path = block.path.text.strip()
    place = f"line {block.path.number}"
    boxes = _boxes([row.text for row in block.numbers])
    if boxes is None:
        yield Fault(
            file, f"{place}: {path} has a number of faces that is not its rows'"
        )
    if boxes and any(row.text.split()[4:] != ["0"] * 6 for row in block.numbers[1:]):
        yield Fault(file, f"{place}: {path} has a face with attributes other than 0")
    yield Listed(
        file,
        "detection",
        split,
        path.rpartition("/")[2],
        place=place,
        picture=f"WIDER_{CALLED[split]}/images/{path}",
        boxes=boxes,
    )


def _boxes(lines: list[str]) -> tuple[Corners, ...] | None:
    """Return the boxes behind a path; None where these are no such rows."""
    count, *rows = lines or [""]
    numbers = [list(map(int, row.split())) for row in rows]
    if count.strip() == "0" and len(numbers) == 1 and not any(numbers[0]):
        return ()
    if count.strip() != str(len(rows)) or any(len(row) != 10 for row in numbers):
        return None
    return tuple((x, y, x + w, y + h) for x, y, w, h, *_ in numbers)
