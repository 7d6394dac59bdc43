from typing import Any

import pytest

from icf.harvest.attributes.licence import Licence, SiteRights, read_licence

EXT = {
    "LicenseShortName": {"value": "CC BY-SA 4.0", "source": "commons-desc-page"},
    "LicenseUrl": {"value": "https://creativecommons.org/licenses/by-sa/4.0/"},
    "Artist": {"value": '<a href="//x.org">Jane &amp; Doe</a>'},
}
COMMON = [
    {"name": "Artist", "value": "John"},
    {"name": "Copyright", "value": "(c) John"},
]
TEMPLATES = ["Template:Information", "Template:PD-old"]
NC = "https://creativecommons.org/licenses/by-nc/4.0/"
SITE = SiteRights("CC-BY-SA", "https://creativecommons.org/licenses/by-sa/3.0/")


@pytest.mark.parametrize(
    ("info", "templates", "site", "licence"),
    [
        (
            {"extmetadata": EXT, "commonmetadata": COMMON},
            TEMPLATES,
            SITE,
            Licence(
                "CC BY-SA 4.0",
                "https://creativecommons.org/licenses/by-sa/4.0/",
                "extmetadata",
                "Jane & Doe",
            ),
        ),
        (
            {"commonmetadata": COMMON},
            TEMPLATES,
            SITE,
            Licence("(c) John", None, "commonmetadata", "John"),
        ),
        ({}, TEMPLATES, SITE, Licence("PD-old", None, "template")),
        ({}, ["Template:Information"], SITE, Licence("CC-BY-SA", SITE.url, "site")),
        ({}, [], SiteRights(), Licence("unknown", None, "unknown")),
    ],
)
def test_the_most_trustworthy_word_on_the_licence_is_taken(
    info: dict[str, Any], templates: list[str], site: SiteRights, licence: Licence
) -> None:
    assert read_licence(info, templates, site) == licence


def test_what_the_wiki_copied_from_the_file_is_not_the_sites_word() -> None:
    copied = {"UsageTerms": {"value": "mine", "source": "file-metadata"}}
    found = read_licence({"extmetadata": copied}, [], SiteRights())
    assert found.read_from == "unknown"


@pytest.mark.parametrize(
    "name", ["CC-BY-3.0", "Fairuse", "Non-free logo", "PD", "Cc0", "Copyright by X"]
)
def test_licence_templates_are_known_by_their_names(name: str) -> None:
    found = read_licence({}, [f"Template:{name}"], SITE)
    assert (found.name, found.read_from) == (name, "template")


@pytest.mark.parametrize(
    ("templates", "name"),
    [
        (["CC-BY-SA-4.0", "Fair use in Luna", "Non-free logo"], "Fair use in Luna"),
        (["CC-BY-3.0", "Copyright by X"], "Copyright by X"),
        (["CC-Layout", "Cc-by-layout", "Cc-by-nc-3.0"], "Cc-by-nc-3.0"),
        (["Cc-by-3.0", "Cc-by-sa-3.0", "GFDL"], "Cc-by-3.0, Cc-by-sa-3.0, GFDL"),
        (["CC-BY-SA", "CC-BY-SA-4.0", "PermissionOTRS"], "CC-BY-SA-4.0"),
        (["PD-old", "PD-US"], "PD-old"),
        (["PermissionOTRS", "Attribution"], "PermissionOTRS"),
    ],
)
def test_of_several_templates_none_hides_a_stricter_one(
    templates: list[str], name: str
) -> None:
    found = read_licence({}, [f"Template:{each}" for each in templates], SITE)
    assert (found.name, found.read_from) == (name, "template")


@pytest.mark.parametrize(
    ("fields", "name", "url"),
    [
        ({"NonFree": "true"}, "Non-free", None),
        ({"NonFree": True, "LicenseShortName": "CC BY 4.0"}, "Non-free", None),
        ({"NonFree": "1", "LicenseShortName": "Fair use"}, "Fair use", None),
        ({"NonFree": "false", "License": "cc-by-nc-4.0"}, "cc-by-nc-4.0", None),
        ({"LicenseUrl": NC}, NC, NC),
    ],
)
def test_whatever_the_site_states_for_a_file_comes_before_the_rights_of_the_site(
    fields: dict[str, Any], name: str, url: str | None
) -> None:
    stated = {key: {"value": value} for key, value in fields.items()}
    found = read_licence({"extmetadata": stated}, [], SITE)
    assert found == Licence(name, url, "extmetadata")


@pytest.mark.parametrize(
    "info",
    [{"extmetadata": EXT}, {"commonmetadata": [{"name": "License", "value": "CC0"}]}],
)
def test_a_file_that_its_page_calls_non_free_is_not_free(info: dict[str, Any]) -> None:
    found = read_licence(info, ["Template:CC0", "Template:Non-free logo"], SITE)
    assert (found.name, found.url, found.read_from) == (
        "Non-free logo",
        None,
        "template",
    )


def test_the_author_is_what_a_reader_sees() -> None:
    shown = "<style>.a { color: red }</style><SCRIPT>x()</SCRIPT ><b>Jane</b>"
    found = read_licence({"extmetadata": {"Artist": {"value": shown}}}, [], SITE)
    assert found.author == "Jane"


@pytest.mark.parametrize("name", ["Character", "Update", "Spdy", "Accident"])
def test_other_templates_are_not_taken_for_licences(name: str) -> None:
    assert read_licence({}, [f"Template:{name}"], SiteRights()).read_from == "unknown"


@pytest.mark.parametrize(
    "info",
    [
        {"extmetadata": [], "commonmetadata": None},
        {"extmetadata": {"Artist": "x"}, "commonmetadata": ["x"]},
        {"extmetadata": {"Artist": {"value": {"en": "Jane", "_type": "lang"}}}},
    ],
)
def test_metadata_of_an_unforeseen_shape_breaks_nothing(info: dict[str, Any]) -> None:
    assert read_licence(info, [], SiteRights()).name == "unknown"
