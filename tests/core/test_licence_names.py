import ast
import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.licence_names import is_allowed, licence_family
from icf.settings import HarvestSettings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (
            "CC-BY-SA-4.0",
            [
                "CC BY-SA 4.0",
                "CC-BY-SA-4.0",
                "cc-by-sa-4.0",
                "Self/cc-by-sa-4.0",
                "Creative Commons Attribution-Share Alike 4.0",
                "Creative Commons Attribution-ShareAlike 4.0 International",
                "https://creativecommons.org/licenses/by-sa/4.0/deed.en",
            ],
        ),
        (
            "CC-BY-NC-ND-3.0",
            [
                "CC BY-NC-ND 3.0",
                "Creative Commons Attribution-NonCommercial-NoDerivs 3.0 Unported",
                "http://creativecommons.org/licenses/by-nc-nd/3.0/",
            ],
        ),
        ("CC-BY", ["CC-BY", "Creative Commons Attribution"]),
        (
            "CC-BY-NC",
            [
                "Licence Creative Commons Attribution - Pas d'Utilisation Commerciale",
                "CC Attribution \u2013 Pas d\u2019Utilisation Commerciale",
            ],
        ),
        (
            "CC-BY-NC-SA-4.0",
            [
                "Creative Commons Attribution - Pas d'Utilisation Commerciale"
                " - Partage dans les Mêmes Conditions 4.0 International",
            ],
        ),
        ("CC-BY-ND", ["Creative Commons Attribution - Pas de Modification"]),
        ("CC-BY-4.0", ["CC BY 4.0 except where otherwise noted"]),
        (
            "CC0-1.0",
            [
                "CC0",
                "CC0 1.0",
                "cc-zero",
                "https://creativecommons.org/publicdomain/zero/1.0/",
            ],
        ),
        (
            "public-domain",
            [
                "Public domain",
                "PD-old",
                "PD",
                "CC-PD-Mark",
                "https://creativecommons.org/publicdomain/mark/1.0/",
            ],
        ),
        ("GFDL", ["GFDL", "GNU Free Documentation License"]),
        ("GFDL-1.2", ["GFDL-1.2", "GFDL 1.2"]),
        ("GPL-2.0", ["GPL v2.0", "GPL-2.0"]),
        ("non-free", ["Fair use", "fairuse", "Non-free logo", "Nonfree"]),
        ("all-rights-reserved", ["All rights reserved", "Copyright 2020 Jane"]),
        ("unknown", ["unknown", "", "  ", None]),
        ("other", ["Free Art License", "ask me"]),
    ],
)
def test_every_spelling_of_a_licence_has_one_name(
    family: str, words: list[str | None]
) -> None:
    assert {licence_family(each) for each in words} == {family}


def test_the_address_tells_where_the_words_do_not() -> None:
    by = "https://creativecommons.org/licenses/by/2.0/"
    assert licence_family("see the page", by) == "CC-BY-2.0"
    assert licence_family(None, by) == "CC-BY-2.0"
    assert licence_family("Fair use", by) == "non-free"


@pytest.mark.parametrize(
    ("family", "words"),
    [
        (
            "CC-BY-NC-SA-4.0",
            [
                "CC BY\N{EN DASH}NC\N{EN DASH}SA 4.0",
                "CC BY\N{NON-BREAKING HYPHEN}NC\N{MINUS SIGN}SA 4.0",
                "CC BY\N{SOFT HYPHEN}/NC/SA 4.0",
                "CC BY+NC+SA 4.0",
                "CC BY & NC & SA 4.0",
                "\N{FULLWIDTH LATIN CAPITAL LETTER C}C BY-NC and SA 4.0",
                "Creative Commons Attribution \N{EM DASH} NonCommercial"
                " \N{EM DASH} ShareAlike 4.0",
            ],
        ),
        (
            "CC-BY-NC",
            ["CC BY, CC BY-NC", "CC BY-NC / CC BY", "CC0 AND CC BY-NC"],
        ),
        ("CC-BY-NC-4.0", ["CC-BY-4.0 AND CC-BY-NC-4.0", "CC BY 4.0; CC BY-NC 4.0"]),
        ("CC-BY-SA-3.0", ["CC BY-SA 3.0, GFDL", "CC BY 3.0, CC BY-SA 3.0, GFDL"]),
        ("GFDL", ["CC BY 3.0 and GFDL"]),
        ("CC-BY-4.0", ["CC-BY-NC-4.0 OR CC-BY-4.0", "proprietary OR CC-BY-4.0"]),
        ("CC-BY-4.0", ["\N{COPYRIGHT SIGN} 2020 Jane / CC BY 4.0"]),
        ("CC-BY-4.0", ["Copyrighted, CC BY 4.0", "CC BY 4.0, attribution required"]),
        ("CC0-1.0", ["CC0 (attribution not required)", "CC0; do not hotlink"]),
        (
            "public-domain",
            ["PD-US-not renewed", "PD-old-70-expired", "No known copyright"],
        ),
        (
            "all-rights-reserved",
            [
                "\N{COPYRIGHT SIGN} Studio. All rights reserved (CC BY 4.0 until 2019)",
                "Public domain in the US, copyrighted elsewhere",
                "CC0-1.0 AND LicenseRef-proprietary",
                "\N{COPYRIGHT SIGN} 2020 Jane",
            ],
        ),
        ("non-free", ["CC BY 4.0, fair use of a logo"]),
        (
            "other",
            [
                "Not in the public domain",
                "not CC0",
                "No longer CC BY-SA 3.0",
                "CC BY 4.0 until 2019",
                "CC BY 4.0 except the logo",
                "CC BY 4.0 (nicht kommerziell)",
                "CC BY 4.0, no comercial",
                "CC BY 4.0, Weitergabe unter gleichen Bedingungen",
                "CC BY 4.0, sin obra derivada",
                "This isn't CC BY",
                "CC BY 4.0 (non-commercial use only)",
                "GPL 3.0, for personal use only",
                "Public domain, no commercial use",
                "CC BY 4.0, no derivatives",
                "CC BY-ND 4.0, CC BY-NC 4.0",
                "CC-BY-4.0 AND LicenseRef-ours",
                "(CC0-1.0 OR CC-BY-4.0) AND CC-BY-NC-4.0 AND CC-BY-ND-4.0",
                "Copyrighted free use",
            ],
        ),
    ],
)
def test_a_text_never_allows_more_than_it_says(family: str, words: list[str]) -> None:
    assert {each: licence_family(each) for each in words} == dict.fromkeys(
        words, family
    )


_NC = "https://creativecommons.org/licenses/by-nc/4.0/"


def test_an_address_that_asks_for_more_than_the_words_is_the_licence() -> None:
    assert licence_family("CC BY", _NC) == "CC-BY-NC-4.0"
    assert licence_family("unknown", _NC) == "CC-BY-NC-4.0"
    assert licence_family("CC BY-SA", _NC) == "other"
    assert licence_family("CC BY-NC-SA 4.0", _NC) == "CC-BY-NC-SA-4.0"
    assert licence_family("CC BY until 2019", _NC) == "other"
    assert licence_family("for private use only", _NC.replace("-nc", "")) == "other"


@pytest.mark.parametrize("pattern", ["CC BY", "unknown", "cc0"])
def test_words_do_not_let_in_what_the_address_forbids(pattern: str) -> None:
    assert not is_allowed([pattern], pattern, _NC)
    assert is_allowed(["CC BY-NC"], pattern, _NC)


@pytest.mark.parametrize(
    "name",
    ["CC0 AND LicenseRef-proprietary", "CC0 until 2019", "CC0, personal use only"],
)
def test_a_pattern_is_not_compared_with_words_that_are_taken_back(name: str) -> None:
    assert not is_allowed(["CC0*"], name)
    assert is_allowed([licence_family(name)], name)


_PARTS = st.sampled_from(["by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd"])
_VERSIONS = st.sampled_from(["1.0", "2.0", "2.5", "3.0", "4.0"])


@given(_PARTS, _VERSIONS, st.sampled_from(["-", " ", "_"]), st.booleans())
def test_punctuation_and_case_do_not_matter(
    parts: str, version: str, between: str, small: bool
) -> None:
    name = between.join(["CC", *parts.upper().split("-"), version])
    expected = f"CC-{parts.upper()}-{version}"
    assert licence_family(name.lower() if small else name) == expected
    address = f"https://creativecommons.org/licenses/{parts}/{version}/"
    assert licence_family(address) == expected


@given(_PARTS, _VERSIONS)
def test_a_name_is_its_own_name(parts: str, version: str) -> None:
    name = f"CC-{parts.upper()}-{version}"
    assert licence_family(name) == name


@given(st.text())
def test_any_text_has_a_name_and_is_allowed_by_itself_and_by_everything(
    text: str,
) -> None:
    assert licence_family(text)
    assert is_allowed(["*"], text)
    assert is_allowed([], text)
    assert is_allowed([licence_family(text)], text)


@pytest.mark.parametrize(
    ("pattern", "let_in", "kept_out"),
    [
        ("CC0", ["CC0", "CC0-1.0", "cc zero"], ["CC BY 4.0", "unknown", None]),
        ("CC BY*", ["CC-BY-2.0", "cc by-sa 3.0"], ["CC0", "GFDL", "Public domain"]),
        ("CC-BY-4.0", ["CC BY 4.0"], ["CC BY 3.0", "CC BY-SA 4.0"]),
        ("CC BY", ["CC BY 4.0", "CC BY 3.0"], ["CC BY-SA 4.0"]),
        ("public domain", ["PD-old", "Public domain"], ["CC0"]),
        ("PD-*", ["PD-old"], ["Public domain"]),
        ("unknown", ["unknown", None, ""], ["ask me"]),
        ("Free Art*", ["Free Art License"], ["GFDL"]),
    ],
)
def test_a_pattern_is_compared_with_the_words_the_name_and_the_name_without_version(
    pattern: str, let_in: list[str | None], kept_out: list[str | None]
) -> None:
    assert [each for each in let_in if not is_allowed([pattern], each)] == []
    assert [each for each in kept_out if is_allowed([pattern], each)] == []


def test_one_pattern_of_several_is_enough() -> None:
    patterns = ["CC0", "public domain"]
    for order in itertools.permutations(patterns):
        assert is_allowed(order, "PD-old")
        assert not is_allowed(order, "GFDL")


def test_what_the_manual_and_the_help_give_as_free_lets_in_what_is_free_alone() -> None:
    (listed,) = re.findall(
        r"^only_licence = (\[.*\])$", (DOCS / "harvest/rights.md").read_text(), re.M
    )
    named = HarvestSettings.model_fields["only_licence"].description or ""
    named += "".join(
        re.findall(
            "^.*--only-licence PATTERN.*$", (DOCS / "commands.md").read_text(), re.M
        )
    )
    patterns = [*ast.literal_eval(listed), *re.findall(r"CC BY[-*A-Z]*", named)]
    assert len(patterns) > 5
    for each in ("CC BY 4.0", "CC BY-SA 3.0"):
        assert is_allowed(patterns, each)
    for each in ("CC BY-NC 4.0", "CC BY-ND 4.0", "CC BY-NC-SA 2.0", "GFDL"):
        assert not is_allowed(patterns, each), each
