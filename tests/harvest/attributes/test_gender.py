import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.codes import Gender
from icf.harvest.attributes.gender import gender_of_categories, read_gender


@pytest.mark.parametrize(
    ("text", "gender"),
    [
        ("Female", Gender.FEMALE),
        ("female (originally)", Gender.FEMALE),
        ("女性", Gender.FEMALE),
        ("Male<br>", Gender.MALE),
        ("♂", Gender.MALE),
        ("M", Gender.MALE),
        ("Male / Female", Gender.OTHER),
        ("non-binary", Gender.OTHER),
        ("None", Gender.OTHER),
        ("", None),
        ("Unknown", None),
        ("Malevolent", None),
    ],
)
def test_a_word_is_a_gender(text: str, gender: Gender | None) -> None:
    assert read_gender(text) is gender


@pytest.mark.parametrize(
    ("names", "gender"),
    [
        (["Female characters", "Rabbits"], Gender.FEMALE),
        (["Fictional male rabbits"], Gender.MALE),
        (["Males"], Gender.MALE),
        (["Characters created by women"], None),
        (["Female characters", "Male characters"], None),
        (["M", "F-grade heroes"], None),
        ([], None),
    ],
)
def test_categories_that_agree_tell_the_gender(
    names: list[str], gender: Gender | None
) -> None:
    assert gender_of_categories(names) is gender


@given(st.text(), st.lists(st.text()))
def test_any_text_can_be_read(text: str, names: list[str]) -> None:
    assert read_gender(text) in {*Gender, None}
    assert gender_of_categories(names) in {*Gender, None}
