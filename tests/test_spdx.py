from __future__ import annotations

import re

import pytest
from license_expression import get_spdx_licensing

from icf.spdx import NOASSERTION, spdx_id, spdx_url

#: The identifiers of the list, as another program knows them.
LISTED = get_spdx_licensing()


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("CC0", None, "CC0-1.0"),
        ("CC BY-SA 4.0", None, "CC-BY-SA-4.0"),
        ("cc-by-nd-nc 1.0", None, "CC-BY-NC-ND-1.0"),
        ("x", "https://creativecommons.org/licenses/by-nc/2.5/", "CC-BY-NC-2.5"),
        ("CC SA 1.0", None, "CC-SA-1.0"),
        ("GFDL 1.2", None, "GFDL-1.2-only"),
        ("GFDL 1.3+", None, "GFDL-1.3-or-later"),
        ("GPL v2.0 or later", None, "GPL-2.0-or-later"),
        ("CC-PD-Mark", None, "CC-PDM-1.0"),
        ("x", "https://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"),
    ],
)
def test_known_licences_have_the_identifier_of_the_list(
    name: str, url: str | None, expected: str
) -> None:
    assert spdx_id(name, url) == expected
    assert LISTED.validate(expected).errors == []
    assert spdx_url(expected) == f"https://spdx.org/licenses/{expected}.html"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CC BY-SA", "LicenseRef-CC-BY-SA"),
        ("CC BY 7.0", "LicenseRef-CC-BY-7.0"),
        ("GFDL", "LicenseRef-GFDL"),
        ("Public domain", "LicenseRef-public-domain"),
        ("Fair use", "LicenseRef-non-free"),
        ("All rights reserved", "LicenseRef-all-rights-reserved"),
        ("Free Art License (1.3)", "LicenseRef-Free-Art-License-1.3"),
    ],
)
def test_other_licences_have_an_identifier_of_our_own(name: str, expected: str) -> None:
    assert spdx_id(name) == expected
    assert spdx_url(expected) is None


@pytest.mark.parametrize("name", ["自由", "Libre \N{COPYRIGHT SIGN}", "x" * 300, "/?/"])
def test_any_text_gives_an_identifier_of_its_own(name: str) -> None:
    made = spdx_id(name)
    assert re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]{1,69}", made)
    assert made != spdx_id(name + "ä")


@pytest.mark.parametrize("name", [None, "", "unknown", "?"])
def test_no_licence_is_asserted_where_nobody_states_one(name: str | None) -> None:
    assert spdx_id(name) == NOASSERTION
