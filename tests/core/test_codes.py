from pathlib import Path

import pytest

from icf.codes import ALL, Code

PAGE = Path(__file__).parent.parent.parent / "docs" / "codes.md"


@pytest.mark.parametrize("codes", ALL)
def test_every_code_is_documented_with_its_meaning(codes: type[Code]) -> None:
    page = PAGE.read_text()
    members: list[Code] = list(codes)
    for member in members:
        assert f"| `{member.value}` | {member.meaning} |" in page


def test_a_code_is_the_plain_string() -> None:
    for codes in ALL:
        members: list[Code] = list(codes)
        for member in members:
            assert member == member.value
            assert str(member) == f"{member}" == member.value
            assert {each.value: each for each in codes}[member] is member
