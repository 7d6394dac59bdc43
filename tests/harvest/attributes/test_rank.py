import pytest

from icf.harvest.attributes.rank import read_rank


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("3", 3),
        ("#1,234", 1234),
        ("2.500", 2500),
        ("1\u202f234", 1234),
        ("12. Luna", 12),
        ("4.5", 4),
        ("1, 2", 1),
        ("1 2345", 1),
        ("2 101 Dalmatians", 2),
        ("3 700 votes", 3),
        ("#1 234.", 1234),
        ("4.125 points", 4),
        ("No. 7 of 1,000", 7),
        ("999999999", 999_999_999),
        ("12345678901", None),
        ("1" * 5000, None),
        ("first", None),
        ("", None),
    ],
)
def test_a_rank_is_the_first_whole_number(text: str, rank: int | None) -> None:
    assert read_rank(text) == rank
