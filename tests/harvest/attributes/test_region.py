import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.codes import Region
from icf.harvest.attributes.region import read_region


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Japan", Region.JAPAN),
        ("japanese", Region.JAPAN),
        ("日本", Region.JAPAN),
        ("JP", Region.JAPAN),
        ("Mainland China", Region.CHINA),
        ("中国", Region.CHINA),
        ("Hong  Kong", Region.CHINA),
        ("Taiwanese", Region.CHINA),
        ("UK", Region.EUROPE),
        ("British", Region.EUROPE),
        ("Northern Ireland", Region.EUROPE),
        ("Austria", Region.EUROPE),
        ("USA", Region.AMERICA),
        ("the US", Region.AMERICA),
        ("U.S.", Region.AMERICA),
        ("American animated series", Region.AMERICA),
        ("México", Region.AMERICA),
        ("アメリカ合衆国", Region.AMERICA),
        ("South Korea", Region.OTHER),
        ("Australia", Region.OTHER),
        ("other", Region.OTHER),
    ],
)
def test_a_country_or_an_adjective_is_a_region(text: str, region: Region) -> None:
    assert read_region(text) is region


@pytest.mark.parametrize(
    "text", ["", "Music", "made by us", "Indiana Jones", "Romance", "The Man", "jp"]
)
def test_a_text_without_a_country_has_no_region(text: str) -> None:
    assert read_region(text) is None


def test_the_first_of_several_countries_counts() -> None:
    assert read_region("France, Japan, United States") is Region.EUROPE
    assert read_region("Japan-France co-production") is Region.JAPAN


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert read_region(text) in {*Region, None}


@given(st.sampled_from(list(Region)))
def test_the_programs_own_words_are_understood(region: Region) -> None:
    assert read_region(region.value.upper()) is region
