"""What a release says of its test's pictures: albums, roles, and people's words.

``identities.csv`` has the role and album of each label, ``attributes.csv`` the region,
style, gender, pose and occlusion of the faces for which they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from icf.dataset.scores.recognition.groups import Grouping, by_view, grouping
from icf.errors import BadInput
from icf.icartoonface.recognition import DISTRACTOR, RecognitionTest
from icf.names import normal_name
from icf.spreadsheet import BadRow, TableRow, meant_by, number_of, read_table
from icf.text_file import open_text

#: Roles of identities in a test, as ``identities.csv`` has them.
SEEN, UNSEEN = "seen", "unseen"

_LABELLED = ("label", "role", "album")
_DESCRIBED = ("part", "name", "region", "gender", "yaw", "occlusion")
#: The parts of ``attributes.csv`` that are in the test.
_IN_TEST = ("probe", "distractor")


def identity_groups(path: Path, test: RecognitionTest) -> dict[str, Grouping]:
    """Group pictures by their identity's role and album, as ``identities.csv`` says.

    Returns:
        ``role`` and ``album``; distractors are in no group.

    Raises:
        BadInput: The file is missing, has no such columns, or says two things of one
            identity.
    """
    role: dict[str, str] = {}
    album: dict[str, str] = {}
    for row in _rows(path, _LABELLED):
        label = row.cells["label"]
        if label != str(DISTRACTOR):
            said = row.cells["role"], meant_by(row.cells["album"])
            before = role.get(label, said[0]), album.get(label, said[1])
            if said != before:
                raise BadInput(
                    f"{path}, line {row.line}: expected one role and one album for "
                    f"the label {label}, found {said} after {before}"
                )
            role[label], album[label] = said
    labels = [str(label) for label in test.labels.tolist()]
    roles = [role.get(each) for each in labels]
    shown = [each if each in (SEEN, UNSEEN) else None for each in roles]
    return {
        "role": grouping(shown, (SEEN, UNSEEN)),
        "album": grouping([album.get(each) for each in labels]),
    }


def attribute_groups(path: Path, test: RecognitionTest) -> dict[str, Grouping]:
    """Group pictures by what ``attributes.csv`` says of them.

    Returns:
        ``region``, ``style``, ``gender``, ``pose`` and ``occlusion``; those that it
        says of no picture are left out.

    Raises:
        BadInput: The file cannot be read, has no such columns, or a yaw is no number.
    """
    said: dict[str, Mapping[str, str]] = {}
    for row in _rows(path, _DESCRIBED):
        if row.cells["part"] in _IN_TEST:
            said[normal_name(meant_by(row.cells["name"]))] = row.cells
            _yaw(path, row)
    cells = [said.get(normal_name(name), {}) for name in test.files]
    found = {
        name: grouping([each.get(name) for each in cells])
        for name in ("region", "style", "gender", "occlusion")
    }
    yaws = [each.get("yaw") for each in cells]
    found["pose"] = by_view([float(yaw) if yaw else None for yaw in yaws])
    return {name: each for name, each in found.items() if (each.codes >= 0).any()}


def _yaw(path: Path, row: TableRow) -> None:
    text = row.cells["yaw"]
    try:
        fits = not text or abs(number_of(text)) <= 180
    except ValueError:
        fits = False
    if not fits:
        raise BadInput(
            f"{path}, line {row.line}: expected degrees from -180 to 180 as yaw, "
            f"found {text!r}"
        )


def _rows(path: Path, columns: Sequence[str]) -> Iterator[TableRow]:
    """Yield the rows of a table that has some columns."""
    try:
        table = read_table(open_text(path))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    header = table.header if table is not None else ()
    missing = [name for name in columns if header.count(name) != 1]
    if table is None or missing:
        raise BadInput(
            f"{path}: expected one column each of {', '.join(columns)}, found "
            f"{', '.join(header) or 'nothing'}"
        )
    for row in table.rows():
        if isinstance(row, BadRow):
            raise BadInput(f"{path}, {row}")
        yield row
