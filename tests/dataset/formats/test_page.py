"""Every snippet of docs/dataset/formats.md runs in a release of every format."""

from __future__ import annotations

import re
from pathlib import Path

import datasets
import pytest

from icf.dataset.formats.registry import OWN
from tests.dataset.formats.conftest import Exported

PAGE = Path(__file__).parents[3] / "docs" / "dataset" / "formats.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {
    part.partition("\n")[0].strip(): part for part in re.split("^## ", TEXT, flags=re.M)
}
SNIPPETS = {
    name: found[1]
    for name, part in SECTIONS.items()
    if (found := re.search(r"^```python\n(.*?)^```$", part, re.M | re.S))
}


def test_every_format_is_in_the_table_and_has_a_section() -> None:
    table = set(re.findall(r"^\| `([a-z0-9-]+)` \|", TEXT, re.M))
    assert table == set(OWN)
    assert {*OWN} - {"icartoonface-lists"} <= SECTIONS.keys()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", SNIPPETS)
def test_the_snippet_of_a_format_runs(
    whole: Exported, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(whole.folder)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    made: dict[str, object] = {}
    exec(compile(SNIPPETS[name], f"{PAGE}: {name}", "exec"), made)
    assert made.keys() - {"__builtins__"}, "it opened nothing"
