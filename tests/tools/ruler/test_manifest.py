"""The files that say what the ruler is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from icf.errors import BadInput
from icf.tools.ruler import manifest
from icf.tools.ruler.manifest import Drawing, Face, View

DRAWING = Drawing(
    "a", "b/c.png", View(cut=(0, 0, 9, 9), longer=90), "0" * 64, (90, 90), "comics",
    (Face((1, 2, 30, 40), "Ada"), Face((50, 2, 80.5, 40))), ((3, 60, 9, 70),),
)  # fmt: skip
LINE = {"source": "a", "file": "b", "sha256": "0", "size": [9, 9], "group": "no faces"}


def test_a_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    plain = Drawing("a", "a.png", View(), "1" * 64, (4, 4), "no faces")
    manifest.write(tmp_path / "set.jsonl", [DRAWING, plain])
    assert manifest.read(tmp_path / "set.jsonl") == [plain, DRAWING]
    first = (tmp_path / "set.jsonl").read_text().splitlines()[0]
    assert set(json.loads(first)) == set(LINE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "oil"}, "unknown group 'oil'"),
        ({"group": "comics"}, "'no faces' if it has none"),
        ({"group": "comics", "faces": [{"box": [0, 0, 10, 9]}]}, "not inside 9 x 9"),
        ({"ignored": [[3, 3, 3, 4]]}, "not inside 9 x 9"),
        ({"view": {"turn": 90}}, "turn"),
    ],
)
def test_a_line_that_cannot_be_is_refused_by_its_number(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + json.dumps({**LINE, **change}) + "\n")
    with pytest.raises(BadInput, match=r"set\.jsonl:2: .*" + message):
        manifest.read(path)


@pytest.mark.parametrize("name", ["dev", "test"])
def test_the_sources_of_the_sets_are_apart_and_known(name: manifest.SetName) -> None:
    known = manifest.sources()
    drawings = manifest.read(manifest.path_of(name))
    assert {known[each.source].set for each in drawings} <= {name}
    assert len({each.sha256 for each in drawings}) == len(drawings)
    packages = [(each.registry, each.package) for each in known.values()]
    assert len(set(packages)) == len(packages)
