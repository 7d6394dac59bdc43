"""The columns of the two sets, for Parquet and for Hugging Face's ``datasets``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from icf.dataset.formats.base import Corners, Task
from icf.dataset.formats.records import FACE, Record


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: of the column.
        type: as Arrow stores it.
        feature: as ``datasets`` describes it (``Features.to_dict``).
        value: what a picture has in it.
    """

    name: str
    type: pa.DataType
    feature: dict[str, Any]
    value: Callable[[Record], Any]


IMAGE = "image"
_IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_BOX = pa.list_(pa.int32(), 4)


def columns_of(task: Task, labels: Sequence[str]) -> list[Column]:
    """Return the columns behind the picture.

    Args:
        task: whose.
        labels: the name of each identity's number.
    """
    own = _recognition(labels) if task == "recognition" else _detection()
    return [
        *own,
        _integer("width", lambda each: each.size[0]),
        _integer("height", lambda each: each.size[1]),
        Column(
            "licences",
            pa.list_(pa.string()),
            _list(_value("string")),
            lambda each: each.licences,
        ),
        _text("url", lambda each: each.sources[0].url if each.sources else ""),
        _text("author", lambda each: each.sources[0].author if each.sources else ""),
        _text("sha256", lambda each: each.sha256),
    ]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of a file, with what ``datasets`` reads of it."""
    about = json.dumps({"info": {"features": features_of(columns)}})
    return pa.schema(
        [(IMAGE, _IMAGE_TYPE), *((each.name, each.type) for each in columns)],
        metadata={"huggingface": about},
    )


def features_of(columns: Sequence[Column]) -> dict[str, Any]:
    """Return what ``datasets`` reads of each column, the picture's too."""
    return {IMAGE: {"_type": "Image"}, **{each.name: each.feature for each in columns}}


def width_height(box: Corners) -> list[int]:
    """Return a box as the Hub has them: x, y, width, height.

    >>> width_height((10, 20, 40, 60))
    [10, 20, 30, 40]
    """
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def objects(record: Record) -> dict[str, Any]:
    """Return the faces of a picture as the Hub has objects."""
    boxes = [width_height(box) for box in record.boxes]
    return {"bbox": boxes, "category": [0] * len(boxes)}


def _recognition(labels: Sequence[str]) -> list[Column]:
    return [
        # -1, a distractor, is what `datasets` has for a label that is not known.
        Column("label", pa.int64(), _classes(labels), lambda each: _who(each).label),
        _text("role", lambda each: _who(each).role),
        _text("album", lambda each: _who(each).album),
        _text("character", lambda each: _who(each).character),
        Column(
            "bbox",
            _BOX,
            _list(_value("int32"), 4),
            lambda each: width_height(each.boxes[0]),
        ),
    ]


def _who(record: Record) -> Any:
    return record.who


def _detection() -> list[Column]:
    return [
        Column(
            "objects",
            pa.struct([("bbox", pa.list_(_BOX)), ("category", pa.list_(pa.int64()))]),
            {
                "bbox": _list(_list(_value("int32"), 4)),
                "category": _list(_classes([FACE])),
            },
            objects,
        )
    ]


def _text(name: str, value: Callable[[Record], str]) -> Column:
    return Column(name, pa.string(), _value("string"), value)


def _integer(name: str, value: Callable[[Record], int]) -> Column:
    return Column(name, pa.int32(), _value("int32"), value)


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _classes(names: Sequence[str]) -> dict[str, Any]:
    return {"names": list(names), "_type": "ClassLabel"}


def _list(feature: dict[str, Any], length: int = -1) -> dict[str, Any]:
    # Versions of `datasets` before 4 know it by this name only; later ones by both.
    return {"feature": feature, "length": length, "_type": "Sequence"}
