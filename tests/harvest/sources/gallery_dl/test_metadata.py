"""What the fields of a site say of a file."""

import pytest

from icf.harvest.sources.gallery_dl.metadata import read_metadata
from icf.licence_names import licence_family

DEED = "https://creativecommons.org/licenses"


def licence(**fields: object) -> tuple[str | None, str | None]:
    found = read_metadata(fields, "http://a.org/")
    return found["licence"], found["licence_url"]


@pytest.mark.parametrize(
    ("number", "name", "family"),
    [
        ("0", "All Rights Reserved", "all-rights-reserved"),
        ("1", "Attribution-NonCommercial-ShareAlike License", "CC-BY-NC-SA-2.0"),
        ("2", "Attribution-NonCommercial License", "CC-BY-NC-2.0"),
        ("3", "Attribution-NonCommercial-NoDerivs License", "CC-BY-NC-ND-2.0"),
        ("4", "Attribution License", "CC-BY-2.0"),
        ("5", "Attribution-ShareAlike License", "CC-BY-SA-2.0"),
        ("6", "Attribution-NoDerivs License", "CC-BY-ND-2.0"),
        ("7", "No known copyright restrictions", "public-domain"),
        ("9", "Public Domain Dedication (CC0)", "CC0-1.0"),
        ("10", "Public Domain Mark", "public-domain"),
    ],
)
def test_flickrs_licences_have_their_usual_names(
    number: str, name: str, family: str
) -> None:
    named = licence(license=number, license_name=name)
    assert licence_family(*named) == family
    assert licence(license=number, license_name=None, category="flickr") == named
    assert licence(license=int(number), category="flickr") == named


def test_a_licence_of_flickr_has_its_address() -> None:
    named = licence(license="4", license_name="Attribution License")
    assert named == ("CC BY 2.0", f"{DEED}/by/2.0/")


@pytest.mark.parametrize("number", ["4", 4, "4.0", ["4"], {"id": 4}])
def test_a_number_of_another_site_is_no_licence(number: object) -> None:
    assert licence(license=number) == (None, None)
    assert licence(license=number, rights="© Jane") == ("© Jane", None)


def test_a_number_that_flickr_has_not_used_yet_is_no_licence() -> None:
    assert licence(license="99", license_name=None, category="flickr") == (None, None)


def test_a_name_counts_before_what_else_a_site_says() -> None:
    assert licence(license="cc", license_name="CC BY 4.0") == ("CC BY 4.0", None)


def test_all_licences_of_a_list_are_kept() -> None:
    both = ["CC BY", {"name": "CC BY-NC"}, "CC BY"]
    assert licence(license=both) == ("CC BY, CC BY-NC", None)
    assert licence_family(*licence(license=both)) == "CC-BY-NC"
