"""What the categories of a general detection data set say about faces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from icf.errors import BadInput
from icf.models.data.base import Kind

_DRAWN = frozenset(
    {"cartoon", "anime", "manga", "comic", "drawn", "drawing", "illustration", "toon"}
)
_PHOTOGRAPHED = frozenset({"human", "photo", "photograph", "real"})
_KINDS = _DRAWN | _PHOTOGRAPHED
_FACE = "face"
_FACES = frozenset({_FACE, "faces"})
#: Before "face": what is called by what it is not, as "no face" and "non-cartoon face".
_NOT = frozenset({"no", "non", "not", "without"})
_BETWEEN = _KINDS | {"a", "an", "any"}

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
    said = _words(name)
    words = set(said)
    is_face = bool(words & _FACES)
    rest = words - _FACES
    if not is_face and not (rest and rest <= _KINDS):
        return None
    if is_face and _is_negated(said):
        return None
    if rest & _PHOTOGRAPHED:
        return "human"
    return "cartoon" if rest & _DRAWN else domain


def is_all_faces(name: str) -> bool:
    """Whether a category is called a face and no more than its kind.

    Example:
        >>> [is_all_faces(name) for name in ("Face", "anime-face", "Two-Face", "Luna")]
        [True, True, False, False]
    """
    words = set(_words(name))
    return bool(words & _FACES) and words - _FACES <= _KINDS


def _words(name: str) -> list[str]:
    """The words of a name, in order; one such as "animeface" is two."""
    words: list[str] = []
    for word in re.findall("[a-z]+", name.lower()):
        kind = re.sub("faces?$", "", word)
        words += (kind, _FACE) if kind != word and kind in _KINDS else (word,)
    return words


def _is_negated(words: Sequence[str]) -> bool:
    at = next(place for place, word in enumerate(words) if word in _FACES)
    before = [word for word in words[:at] if word not in _BETWEEN]
    return bool(before) and before[-1] in _NOT


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
