import unicodedata

import pytest

from icf.names import normal_name


@pytest.mark.parametrize(
    "written",
    [
        unicodedata.normalize("NFD", "Café Étoile"),
        "Café Étoile",  # a non-breaking space, as pages have it
        " Café\u200b Étoile\ufeff\n",
        "Café\u3000Étoile",
        "\u202aCafé Étoile\u202c",
        "Ca\u00adfé  Étoile",
        "Ca\x00fé\x7f\r\nÉto\x1bile\x07",
    ],
)
def test_what_looks_alike_is_one_name(written: str) -> None:
    assert normal_name(written) == "Café Étoile"


def test_what_looks_different_stays_so() -> None:
    kept = ["Alien²", "ﬁn", "Ⅷ", "می‌خواهم", "👩‍🚀", "月野うさぎ", "Moon_Rabbit", "LUNA"]
    assert [normal_name(one) for one in kept] == kept


def test_a_name_commands_no_terminal() -> None:
    assert normal_name("Luna\x1b]0;owned\x07\x1b[2J") == "Luna]0;owned[2J"


def test_a_name_of_nothing_is_empty() -> None:
    assert normal_name("\u200b \u00a0") == ""
