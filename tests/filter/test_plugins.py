"""Steps from outside: the one of the how-to, as a program runs it, and bad ones."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from icf.catalogue.schema import decision, face, image
from icf.engine.plugins import PluginStep, placed
from icf.engine.step import Item, Outcome
from icf.errors import WrongUse
from icf.filter.chain import filter_chain
from icf.workspace import Workspace, find
from tests.app.program import within
from tests.filter.plugin_package import (
    add_picture,
    install,
    install_bright,
    install_crashing,
    install_monochrome,
    of_the_page,
)
from tests.filter.workspaces import make_workspace, rows, site_files

pytestmark = pytest.mark.slow


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    return tmp_path / "packages"


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A workspace of a few drawings, and the first of them without its colours."""
    workspace = make_workspace(tmp_path / "work", site_files(1)[:5])
    [[first]] = rows(workspace, sa.select(image.c.sha256).order_by(image.c.id).limit(1))
    with Image.open(io.BytesIO(workspace.blobs.get(first))) as picture:
        add_picture(workspace, picture.convert("L"))
    return workspace


#: What the packages of these tests bring along.
MODULES = "monochrome", "bright", "crashing", "bad", "worse"


def run(
    made: Workspace,
    packages: Path,
    *words: str,
    program: str = "icf-filter",
    code: int = 0,
) -> tuple[str, str]:
    """Run a command that sees the packages; return stdout and stderr."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(packages)
        try:
            done = within(program, *words, "-C", made.root, folder=made.root, code=code)
        finally:
            for name in MODULES:
                sys.modules.pop(name, None)
    return done.stdout, done.stderr


def test_the_step_of_the_page_drops_what_it_says_and_is_explained(
    made: Workspace, packages: Path
) -> None:
    install_monochrome(packages)
    out, _ = run(made, packages, "run", "--json")
    steps = json.loads(out)["steps"]
    names = list(steps)
    assert names.index("monochrome") == names.index("detect") + 1
    assert steps["monochrome"]["dropped"] == {"monochrome": 1}
    assert steps["monochrome"]["passed"] == steps["detect"]["passed"] - 1
    [[grey, value, threshold]] = rows(
        made,
        sa.select(decision.c.subject_id, decision.c.value, decision.c.threshold).where(
            decision.c.reason == "monochrome"
        ),
    )
    assert (value, threshold) == (0.0, 8.0)
    meaning = "its colourfulness is under filter.steps.monochrome.min_colour"
    why, _ = run(made, packages, "why", f"image:{grey}", program="icf")
    assert f"meaning: {meaning}" in why
    for words in (("status",), ("run",)):
        shown, said = run(made, packages, *words)
        assert said == ""
    shown, _ = run(made, packages, "status")
    assert meaning in " ".join(shown.split())


def test_the_threshold_step_of_the_page_is_run_and_rethresholded(
    made: Workspace, packages: Path
) -> None:
    install_bright(packages)
    out, _ = run(made, packages, "run", "--json")
    assert json.loads(out)["steps"]["bright"]["dropped"] == {}
    measures = rows(
        made,
        sa.select(face.c.brightness, decision.c.value, decision.c.threshold)
        .join(decision, decision.c.subject_id == face.c.id)
        .where(decision.c.subject == "face", decision.c.step == "bright"),
    )
    assert all((value, limit) == (own, 240.0) for own, value, limit in measures)
    lowest = min(own for own, _, _ in measures)
    config = made.root / "icf.toml"
    table = f"[filter.steps.bright]\nmax_brightness = {lowest}\n"
    config.write_text(f"{config.read_text()}\n{table}")
    run(made, packages, "rethreshold")
    dropped = rows(made, sa.select(face.c.brightness).where(face.c.reason == "bright"))
    assert sorted(dropped) == sorted((own,) for own, _, _ in measures if own > lowest)


def test_its_settings_are_read_from_its_own_table(
    made: Workspace, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_monochrome(packages)
    monkeypatch.syspath_prepend(packages)
    package, table = of_the_page("toml")
    assert 'monochrome = "monochrome:Monochrome"' in package
    config = made.root / "icf.toml"
    before = config.read_text()
    config.write_text(f"{before}\n{table}")
    [step] = [s for s in filter_chain(find(made.root)).steps if s.name == "monochrome"]
    assert vars(step)["min_colour"] == 12
    for line, said in (
        (
            "min_color = 3",
            r"unknown setting filter\.steps\.monochrome\.min_color; the ",
        ),
        ("min_colour = -3", r"filter\.steps\.monochrome\.min_colour: .*greater than"),
        ('min_colour = "x"', r"filter\.steps\.monochrome\.min_colour: .*number"),
        ('blobs = "x"', r"unknown setting filter\.steps\.monochrome\.blobs"),
    ):
        config.write_text(f"{before}\n[filter.steps.monochrome]\n{line}\n")
        with pytest.raises(WrongUse, match=said):
            filter_chain(find(made.root))
    config.write_text(f"{before}\n[filter.steps.monocrome]\n")
    with pytest.raises(
        WrongUse, match=r"no such step is installed; the nearest is 'mo"
    ):
        filter_chain(find(made.root))


def test_rows_that_wait_for_a_step_that_is_gone_are_pending_and_counted(
    made: Workspace, packages: Path
) -> None:
    install_monochrome(packages)
    run(made, packages, "run", "--to", "detect")
    nowhere = packages / "none"
    for words in (("run",), ("status",)):
        _, said = run(made, nowhere, *words)
        assert "rows wait for the step 'monochrome', which is not installed" in said
        assert len(said.splitlines()) == 1
    found = json.loads(run(made, nowhere, "status", "--json")[0])
    assert found["images"]["pending"] == found["not_installed"]["monochrome"] > 0
    run(made, packages, "run")
    found = json.loads(run(made, packages, "status", "--json")[0])
    assert (found["images"]["pending"], found["not_installed"]) == (0, {})
    # Its reason stays, and is still shown, when it is gone for good.
    shown, said = run(made, nowhere, "status")
    assert "a reason of a step that is not installed" in " ".join(shown.split())
    assert said == ""


def test_a_picture_that_crashes_a_decoder_is_named_by_the_program(
    made: Workspace, packages: Path
) -> None:
    install_crashing(packages)
    out, said = run(made, packages, "run", "--json", code=3)
    steps = json.loads(out)["steps"]
    assert steps["crashing"]["dropped"] == {"crashed": 1}
    [[number, message]] = rows(
        made,
        sa.select(decision.c.subject_id, decision.c.message).where(
            decision.c.reason == "crashed"
        ),
    )
    assert message == "the process died of it (SIGSEGV)"
    assert f"see `icf why image:{number}`" in said
    status = json.loads(run(made, packages, "status", "--json")[0])
    assert status["images"]["dropped"]["crashed"] == 1
    assert status["images"]["pending"] == status["pending"] == 0
    out, _ = run(made, packages, "retry", "--json")
    assert json.loads(out) == {"crashing": 1}
    status = json.loads(run(made, packages, "status", "--json")[0])
    assert status["images"]["pending"] == 1


STEP = """
from icf.engine.outside import OutsideStep

class Bad(OutsideStep):
    name, subject, after, reasons = "bad", "image", "detect", {}
    grouped = False

    @classmethod
    def make(cls, workspace, table):
        return cls()

    def select(self, connection, ids):
        return []

    def judge(self, batch):
        return []
"""


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        (
            "bad",
            "import no_such_module",
            r"'bad' \(bad:Bad\) cannot be loaded: ModuleN",
        ),
        ("bad", "Bad = 3", r"is not a subclass of icf\.engine\.plugins\.PluginStep"),
        (
            "worse",
            STEP,
            r"'worse' \(bad:Bad\) has the name 'bad'; the two must be equal",
        ),
        (
            "size",
            STEP.replace('"bad"', '"size"'),
            r"called 'size', like one of icf's own",
        ),
        (
            "bad",
            STEP.replace('"detect"', '"detekt"'),
            r"comes after 'detekt', which is not in the chain; the nearest is 'd",
        ),
        (
            "bad",
            STEP.replace('"detect"', '"size"'),
            r"judges images and comes after 'size', which judges faces",
        ),
        (
            "bad",
            STEP.replace('"image"', '"album"'),
            r"judges 'album', which is neither",
        ),
        ("bad", STEP.replace("after", "before"), r"does not define 'after'"),
    ],
)
def test_a_bad_step_is_refused_with_what_is_wrong(
    made: Workspace,
    packages: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    code: str,
    message: str,
) -> None:
    install(packages, "bad_package", {name: "bad:Bad"}, bad=code)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.delitem(sys.modules, "bad", raising=False)
    with pytest.raises(WrongUse, match=message):
        filter_chain(made)


def test_two_packages_with_a_step_of_one_name_end_a_run_before_it_begins(
    made: Workspace, packages: Path
) -> None:
    install(packages, "one", {"bad": "bad:Bad"}, bad=STEP)
    install(packages, "other", {"bad": "worse:Bad"}, worse=STEP)
    _, said = run(made, packages, "run", code=2)
    assert re.search(r"(bad|worse):Bad and (bad|worse):Bad both have a step", said)
    assert rows(made, sa.select(decision.c.id)) == []
    # What was decided can be looked at all the same.
    assert run(made, packages, "why", "image:1", program="icf")[1] == ""


def test_several_steps_behind_one_stand_in_the_order_of_their_names() -> None:
    own = (placeholder("detect"), placeholder("size"))
    others = [
        placeholder("b", "detect"),
        placeholder("c", "a"),
        placeholder("a", "detect"),
    ]
    names = [step.name for step in placed(own, others)]
    assert names == ["detect", "a", "c", "b", "size"]


def placeholder(called: str, behind: str = "") -> PluginStep[Item]:
    """A step that does nothing."""

    class Placeholder(PluginStep[Item]):
        name, subject, after, reasons = called, "image", behind, {}

        @classmethod
        def make(
            cls, workspace: Workspace, table: Mapping[str, Any]
        ) -> PluginStep[Item]:
            return cls()

        def select(self, connection: sa.Connection, ids: Sequence[int]) -> list[Item]:
            return []

        def judge(self, batch: Sequence[Item]) -> list[Outcome]:
            return []

    return Placeholder()
