"""What docs/filter/sharpness.md shows is what the program measures."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from icf.settings import FilterSettings

PAGE = Path(__file__).parents[3] / "docs" / "filter" / "sharpness.md"


def test_the_example_gives_what_it_says() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 12
    assert result.failed == 0


def test_the_table_names_each_setting_with_its_default() -> None:
    rows = re.findall(
        r"^\| .* \| `filter\.(\w+)` \| ([\d.]+)", PAGE.read_text("utf-8"), re.MULTILINE
    )
    defaults = FilterSettings()
    assert len(rows) == 8
    for name, value in rows:
        assert getattr(defaults, name) == float(value), name
