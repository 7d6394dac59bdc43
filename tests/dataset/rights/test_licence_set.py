from __future__ import annotations

from collections.abc import Sequence

import pytest
from license_expression import get_spdx_licensing

from icf.dataset.licences import Source
from icf.dataset.rights.licence_set import licence_set


def found(*licences: str) -> Sequence[Source]:
    return [Source("http://a.test/1", "", each, "", "list", "") for each in licences]


def test_pictures_are_counted_under_each_licence_that_is_stated() -> None:
    made = licence_set(
        [found("CC0"), found("CC0", "cc-zero"), found("CC0", "CC BY 4.0"), found("?")]
    )
    assert made.pictures == 4
    assert made.by_licence == {"CC0-1.0": 3, "CC-BY-4.0": 1, "NOASSERTION": 1}
    assert made.several == 1
    assert made.expression == "CC-BY-4.0 AND CC0-1.0"
    assert get_spdx_licensing().validate(made.expression).errors == []


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("unknown", "nobody states a licence"),
        ("Fair use", "not free"),
        ("All rights reserved", "not free"),
        ("Artists' licence", "not on the SPDX list"),
        ("CC BY-NC 4.0", "not for commercial use"),
        ("CC BY-ND 4.0", "not as crops"),
        ("CC BY-SA 3.0", "under the same licence"),
        ("GFDL 1.2", "under the same licence"),
    ],
)
def test_what_binds_is_said_with_the_number_of_pictures(
    licence: str, said: str
) -> None:
    [warning] = licence_set([found("CC0"), found(licence), found(licence)]).warnings
    assert warning.startswith("2 pictures: ")
    assert said in warning


@pytest.mark.parametrize("licence", ["CC0", "CC BY 4.0", "public domain", "CC BY"])
def test_free_licences_without_conditions_on_derived_works_warn_of_nothing(
    licence: str,
) -> None:
    assert licence_set([found(licence)]).warnings == ()


def test_two_licences_that_each_want_the_derived_work_are_named() -> None:
    versions = licence_set([found("CC BY-SA 3.0"), found("CC BY-SA 4.0")]).warnings
    assert not any("would have to be under each" in each for each in versions)
    both = licence_set([found("CC BY-SA 4.0"), found("GFDL 1.2")]).warnings
    assert any("CC-BY-SA-4.0, GFDL-1.2-only" in each for each in both)


def test_marks_against_training_are_said() -> None:
    made = licence_set([found("CC0")], no_training=1)
    assert made.summary()["no_training"] == 1
    assert "1 pictures: their metadata forbids training" in made.warnings[0]


def test_sources_that_disagree_are_counted() -> None:
    warnings = licence_set([found("CC BY 4.0", "Fair use")]).warnings
    assert "1 pictures: their sources state different licences" in warnings
