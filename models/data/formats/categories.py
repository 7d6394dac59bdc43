"""What the categories of a general detection data set say about faces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from icf.errors import BadInput
from icf.models.data.base import Kind

_DRAWN = frozenset(
    {"cartoon", "anime", "manga", "comic", "drawn", "drawing", "illustration", "toon"}
)
_PHOTOGRAPHED = frozenset({"human", "photo", "photograph", "real"})
_FACE = "face"

KeyT = TypeVar("KeyT", int, int | str)


def kind_of_category(name: str, domain: Kind) -> Kind | None:
    """Return the kind of face that a category means; None if it means no face.

    ``face`` alone is a face of the source's own domain. A category that is called only
    by a kind, such as ``cartoon``, means its faces too.

    Args:
        name: of the category.
        domain: what ``face`` means.

    Example:
        >>> [kind_of_category(n, "cartoon") for n in ("face", "Human-Face", "surface")]
        ['cartoon', 'human', None]
    """
    words = set(re.findall("[a-z]+", name.lower()))
    for kind in _DRAWN | _PHOTOGRAPHED:
        if words & {f"{kind}{_FACE}", f"{kind}{_FACE}s"}:  # as one word: animeface
            words |= {kind, _FACE}
    is_face = bool(words & {_FACE, "faces"})
    rest = words - {_FACE, "faces"}
    if not is_face and not (rest and rest <= _DRAWN | _PHOTOGRAPHED):
        return None
    if rest & _PHOTOGRAPHED:
        return "human"
    return "cartoon" if rest & _DRAWN else domain


def kinds_of_categories(
    names: Mapping[KeyT, str], domain: Kind, where: str
) -> dict[KeyT, Kind]:
    """Return the kind of face of each category that is one.

    Args:
        names: by number or id.
        domain: what ``face`` means.
        where: for the message.

    Raises:
        BadInput: none is a face.
    """
    kinds = {n: kind_of_category(name, domain) for n, name in names.items()}
    faces = {n: kind for n, kind in kinds.items() if kind is not None}
    if not faces:
        raise BadInput(
            f"{where}: none of its categories is a face: {_shown(names.values())}; "
            "call them face, cartoon or human"
        )
    return faces


def _shown(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(map(repr, every[:10]))
    return f"{shown}, ..." if len(every) > 10 else shown or "it has none"
