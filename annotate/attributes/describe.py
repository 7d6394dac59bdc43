"""The description of a face, as the browser sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from icf.annotate.tasks.base import RefusedAnswer
from icf.catalogue.labels.attributes import Description
from icf.codes import Code, Gender, Occlusion

C = TypeVar("C", bound=Code)


def read_description(value: Mapping[str, Any]) -> Description:
    """Read an answer object.

    Either ``cannot_tell`` is true, and nothing else counts; or there are the three
    angles, the occlusion, and the gender, which may be null.

    >>> read_description({"cannot_tell": True}).cannot_tell
    True

    Raises:
        RefusedAnswer: it is none; the message says what is wrong with it.
    """
    cannot_tell = value.get("cannot_tell", False)
    if not isinstance(cannot_tell, bool):
        raise RefusedAnswer("cannot_tell must be true or false")
    if cannot_tell:
        return Description()
    occlusion = _code(value, "occlusion", Occlusion)
    if occlusion is None:
        raise RefusedAnswer(f"occlusion must be one of {_names(Occlusion)}")
    return Description(
        _code(value, "gender", Gender),
        _angle(value, "yaw", 180),
        _angle(value, "pitch", 90),
        _angle(value, "roll", 180),
        occlusion,
    )


def _angle(value: Mapping[str, Any], name: str, most: float) -> float:
    found: Any = value.get(name)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    # NaN is not smaller than anything.
    if is_number and abs(found) <= most:
        return float(found)
    raise RefusedAnswer(
        f"{name} must be a number of degrees from {-most:g} to {most:g}"
    )


def _code(value: Mapping[str, Any], name: str, codes: type[C]) -> C | None:
    found = value.get(name)
    if found is None:
        return None
    for each in codes:
        if each.value == found:
            return each
    raise RefusedAnswer(f"{name} must be one of {_names(codes)}")


def _names(codes: type[Code]) -> str:
    return ", ".join(each.value for each in codes)
