from __future__ import annotations

from typing import Any

import pytest

from icf.annotate.attributes.describe import read_description
from icf.annotate.tasks.base import RefusedAnswer
from icf.catalogue.labels.attributes import Description
from icf.codes import Gender, Occlusion

GOOD = {
    "gender": "female",
    "yaw": -35.5,
    "pitch": 90,
    "roll": 180,
    "occlusion": "part",
    "cannot_tell": False,
}


def test_a_whole_description_is_read() -> None:
    expected = Description(Gender.FEMALE, -35.5, 90.0, 180.0, Occlusion.PART)
    assert read_description(GOOD) == expected


def test_the_gender_may_be_unknown() -> None:
    assert read_description({**GOOD, "gender": None}).gender is None


def test_who_cannot_tell_says_nothing_else() -> None:
    assert read_description({**GOOD, "cannot_tell": True}) == Description()
    assert not read_description(GOOD).cannot_tell


BAD: list[tuple[str, Any, str]] = [
    ("yaw", 180.5, "yaw must be a number of degrees from -180 to 180"),
    ("yaw", None, "yaw must be"),
    ("pitch", -90.5, "pitch must be a number of degrees from -90 to 90"),
    ("pitch", "10", "pitch must be"),
    ("roll", float("nan"), "roll must be"),
    ("roll", True, "roll must be"),
    ("roll", 10**400, "roll must be"),
    ("gender", "woman", "gender must be one of female, male, other"),
    ("gender", ["female"], "gender must be one of"),
    ("occlusion", None, "occlusion must be one of none, part, most"),
    ("occlusion", "all", "occlusion must be one of none, part, most"),
    ("cannot_tell", "yes", "cannot_tell must be true or false"),
    ("cannot_tell", None, "cannot_tell must be true or false"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD)
def test_what_is_out_of_range_is_refused_in_words(
    name: str, value: Any, message: str
) -> None:
    with pytest.raises(RefusedAnswer, match=message):
        read_description({**GOOD, name: value})


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll", "occlusion"])
def test_what_is_lacking_is_named(name: str) -> None:
    lacking = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(RefusedAnswer, match=f"{name} must be"):
        read_description(lacking)
