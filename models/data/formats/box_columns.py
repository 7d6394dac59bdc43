"""Which columns of a table, or fields of an object, have a box, however called.

What stands between words does not count, nor what says that a part is of a box:
``x_min``, ``xMin`` and ``bbox_xmin`` are one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

#: Columns of x1, y1, x2, y2.
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
    ("xtl", "ytl", "xbr", "ybr"),
    ("minx", "miny", "maxx", "maxy"),
)
#: Columns of x, y, width, height.
SIDES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("left", "top", "w", "h"),
)

#: A picture may have a width and a height, too.
_OF_BOXES = frozenset(
    {name for four in (*CORNERS, *SIDES) for name in four} - {"width", "height"}
)
#: What says that there are boxes, in a form that is not read.
_OTHER_FORMS = frozenset(
    {"box", "boxes", "bbox", "bboxes", "boundingbox", "boundingboxes", "polygon"}
    | {"rectangle", "rectangles", "polygons", "regionshapeattributes"}  # VIA
    | {f"{axis}{end}" for axis in "xy" for end in ("c", "center", "centre")}
    | {f"{end}{axis}" for axis in "xy" for end in ("c", "center", "centre")}
    | {f"{axis}{end}" for axis in "xy" for end in ("start", "end")}
    | {f"{axis}{end}" for axis in "xy" for end in ("topleft", "bottomright")}
    | {f"{end}{axis}" for axis in "xy" for end in ("topleft", "bottomright")}
)
_OF_WHAT = re.compile(r"(?:b?box|face|rect)(?=.)")


def box_columns(header: Iterable[str]) -> tuple[str, ...]:
    """Return the four columns of a box, in the order of `CORNERS` or `SIDES`.

    Args:
        header: names of columns.

    Returns:
        Empty: there is no whole box.

    >>> box_columns(["file", "X_Min", "Y_Min", "X_Max", "Y_Max"])
    ('X_Min', 'Y_Min', 'X_Max', 'Y_Max')
    """
    called: dict[str, str] = {}
    names = list(header)
    # A column that is called so itself comes first.
    for spelled in (_joined, _part):
        for name in names:
            called.setdefault(spelled(name), name)
    for four in (*CORNERS, *SIDES):
        if all(part in called for part in four):
            return tuple(called[part] for part in four)
    return ()


def are_sides(columns: Sequence[str]) -> bool:
    """Whether columns of a box have its width and height, and not a second corner.

    >>> are_sides(("x", "y", "w", "h")), are_sides(("x1", "y1", "x2", "y2"))
    (True, False)
    """
    return _part(columns[2]) in ("width", "w")


def parts_of_boxes(header: Iterable[str]) -> list[str]:
    """Return the columns that have boxes, or parts of some, sorted.

    >>> parts_of_boxes(["file", "width", "height", "x_center", "face_w", "bbox"])
    ['bbox', 'face_w', 'x_center']
    """
    return sorted(
        name
        for name in header
        if _part(name) in _OF_BOXES or {_joined(name), _part(name)} & _OTHER_FORMS
    )


def _joined(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name.casefold())


def _part(name: str) -> str:
    return _OF_WHAT.sub("", _joined(name), count=1)
