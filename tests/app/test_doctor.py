from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icf.app.doctor import _attempt
from icf.models.detection import Detector
from icf.workspace import init
from tests.app.program import call, program, said

MACHINE = ["python", "processors", "onnxruntime", "faiss", "torch", "ray", "gpu"]
MODELS = ["detector", "embedder", "photo"]


def states(found: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["state"] for each in found["checks"]}


@pytest.fixture
def space(tmp_path: Path) -> Path:
    init(tmp_path).catalogue.close()
    return tmp_path


def test_a_sound_workspace_on_a_sound_machine_passes_every_check(space: Path) -> None:
    found = said("-C", space, "doctor")
    names = [*MACHINE, *MODELS, "workspace", "catalogue", "writable", "free disk"]
    assert [each["name"] for each in found["checks"]] == names
    assert "broken" not in states(found).values()
    revision = found["checks"][names.index("catalogue")]["found"]
    assert revision.startswith("sqlite, revision ")


def test_it_leaves_nothing_behind(space: Path) -> None:
    def names() -> set[str]:
        found = {each.name for each in space.iterdir()}
        return {name for name in found if not name.startswith("catalogue.sqlite-")}

    before = names()
    call("-C", space, "doctor")
    assert names() == before


def test_outside_a_workspace_it_checks_the_machine_and_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = said("doctor")
    assert [each["name"] for each in found["checks"]] == [
        *MACHINE,
        *MODELS,
        "workspace",
    ]
    assert found["checks"][-1]["state"] == "warning"
    assert "icf init" in found["checks"][-1]["found"]


@pytest.mark.slow
def test_a_catalogue_that_is_no_database_is_broken_and_the_exit_code_says_so(
    space: Path,
) -> None:
    (space / "catalogue.sqlite").write_bytes(
        b"no database at all, but a long text" * 99
    )
    for left in space.glob("catalogue.sqlite-*"):
        left.unlink()
    done = program("icf", "doctor", "--json", folder=space, code=1)
    found = json.loads(done.stdout)
    assert states(found)["catalogue"] == "broken"
    assert done.stderr == "error: broken: catalogue; see the table above\n"


@pytest.mark.slow
def test_settings_that_cannot_be_read_are_broken(space: Path) -> None:
    (space / "icf.toml").write_text("[filter]\nmin_fase = 3\n")
    done = program("icf", "doctor", "--json", folder=space, code=1)
    last = json.loads(done.stdout)["checks"][-1]
    assert (last["name"], last["state"]) == ("workspace", "broken")
    assert "filter.min_face" in last["found"]


def test_people_get_a_table(space: Path) -> None:
    lines = call("-C", space, "doctor").stdout.splitlines()
    assert lines[0].split() == ["check", "state", "found"]
    assert any(line.startswith("detector") for line in lines)


def test_a_model_that_does_not_match_its_card_is_broken(
    space: Path, tmp_path: Path
) -> None:
    def opened() -> str:
        return Detector.open(tmp_path / "none.onnx").model_hash

    check = _attempt("detector", opened)
    assert (check.name, check.state) == ("detector", "broken")
    assert "none.json" in check.found
