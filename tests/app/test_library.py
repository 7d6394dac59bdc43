"""What `import icf` offers; docs/library.md is run in test_docs.py."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from typing_extensions import assert_type

import icf
from icf.catalogue.schema import run
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import Workspace

HEAVY = ("aiohttp", "click", "cv2", "numpy", "pydantic", "rich", "sqlalchemy", "torch")


def test_the_public_names_are_sorted_and_can_be_used() -> None:
    assert icf.__all__ == sorted(icf.__all__)
    assert set(icf.__all__) <= set(dir(icf))
    assert all(getattr(icf, name) is not None for name in icf.__all__)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = icf.no_such_name


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, icf; print(sorted(set({HEAVY!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_stage_imported_later_replaces_no_function() -> None:
    code = "import icf, icf.harvest.run, icf.filter.run; icf.run_harvest(icf.find())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert "icf.errors.WrongUse: / is not in an icf workspace" in done.stderr


def test_the_names_are_typed(tmp_path: Path) -> None:
    # mypy checks these lines too; an ignore that it does not need is an error.
    space = assert_type(icf.init(tmp_path, {"harvest.allow_hosts": ["a"]}), Workspace)
    assert space.settings.harvest.allow_hosts == ("a",)
    votes = icf.find(tmp_path, {"annotate.votes": 2}).settings.annotate.votes
    assert assert_type(votes, int) == 2
    with pytest.raises(WrongUse):
        icf.build_release("no workspace", "r")  # type: ignore[arg-type]
    space.catalogue.close()


def test_whatever_goes_wrong_is_an_error_of_the_one_tree(tmp_path: Path) -> None:
    space = icf.init(tmp_path)
    calls: list[Callable[[], object]] = [
        lambda: icf.find("/"),
        lambda: icf.find(tmp_path, {"filter.no_such": 1}),
        lambda: icf.init(Path(__file__)),
        lambda: icf.run_harvest(space),
        lambda: icf.run_filter(space, steps=["no_such"]),
        lambda: icf.run_filter(space, engine="no_such"),
        lambda: icf.export_questions(space, tmp_path / "b", format="no_such"),
        lambda: icf.import_answers(space, tmp_path / "no_such.csv"),
        lambda: icf.build_release(space, tmp_path / "release"),
        lambda: icf.build_release(space, tmp_path / "r", formats=["no_such"]),
        lambda: icf.evaluate(tmp_path),
    ]
    for call in calls:
        with pytest.raises(icf.IcfError):
            call()
    space.catalogue.close()


def _made(root: Path) -> Workspace:
    """A workspace with a folder of no pictures to harvest."""
    (root / "pictures").mkdir(parents=True)
    (root / "icf.toml").write_text(
        '[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n'
    )
    return icf.init(root)


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    made = _made(tmp_path / "space")
    yield made
    made.catalogue.close()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One in which no run ever begins."""
    made = _made(tmp_path_factory.mktemp("untouched") / "space")
    yield made
    made.catalogue.close()


def _runs(space: Workspace) -> list[tuple[str, bool]]:
    """Each run of a workspace, and whether it ended."""
    with space.catalogue.read() as connection:
        rows = connection.execute(sa.select(run).order_by(run.c.id)).all()
    return [(row.command, row.finished_at is not None) for row in rows]


_WRONG: dict[str, dict[str, list[Any]]] = {
    "run_harvest": {
        "sources": [[1], None, 3, "no_such"],
        "albums": [[1], None, 3, [""], "a" * 501],
        "refresh": ["no", None, 1],
        "fetch": ["no", None, 0],
    },
    "run_filter": {
        "steps": [[1], None, 3, "no_such", [None]],
        "engine": [None, ["local"], "loc"],
        "ray_address": [3, b"a:1"],
    },
    "rethreshold": {"dry_run": ["no", None, 1]},
    "export_questions": {
        "limit": [0, -5, "10", 2.5, True, 2**63],
        "format": [3, ["csv"], None, "cs"],
        "url_prefix": [3, b"http://a/", "\0"],
    },
    "import_answers": {
        "annotator": [3, b"me", "\ud800", "a\0"],
        "server": [5, "", "a:b"],
        "names": ["x", ["x"], {"a": 1}, {1: "a"}, {"a": ""}, {"": "a"}],
    },
    "build_release": {
        "crops": [-2, 10.1, math.nan, math.inf, "big", True, 10**5000, 1j],
        "seed": [1.5, True, -1, 2**63, None, "1", int, 10**5000],
        "boxes": ["nope", "", 3, ["verified"]],
        "formats": ["no_such", None, 3, [1], b"x", [["coco"]], {"coco": 1}],
        "detection_only": ["no", None, 1],
    },
    "evaluate": {
        "unverified": ["no", None],
        "features": [3, b"x", "a\0", ["x"]],
        "detections": [3, b"x", "a\0"],
    },
}


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, each) for name, arguments in _WRONG.items() for each in arguments],
)
def test_an_argument_that_cannot_be_meant_is_refused_before_anything_is_begun(
    untouched: Workspace, tmp_path: Path, name: str, argument: str
) -> None:
    new = tmp_path / "new"
    answers = tmp_path / "answers.csv"
    answers.write_text("question,answer\n")
    others: dict[str, tuple[object, ...]] = {
        "build_release": (untouched, new),
        "export_questions": (untouched, new),
        "import_answers": (untouched, answers),
        "evaluate": (tmp_path,),
    }
    for wrong in _WRONG[name][argument]:
        with pytest.raises(WrongUse):
            getattr(icf, name)(*others.get(name, (untouched,)), **{argument: wrong})
    assert not new.exists()
    assert _runs(untouched) == []


@pytest.mark.parametrize("wrong", ["w", Path("w"), None, 3])
@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("run_harvest", ()),
        ("run_filter", ()),
        ("rethreshold", ()),
        ("export_questions", ("b",)),
        ("import_answers", ("a.csv",)),
        ("build_release", ("r",)),
    ],
)
def test_a_path_is_no_workspace(
    name: str, others: tuple[object, ...], wrong: object
) -> None:
    expected = r"expected a workspace, as icf\.find\(\.\.\.\) returns it, not .*"
    with pytest.raises(WrongUse, match=expected):
        getattr(icf, name)(wrong, *others)


@pytest.mark.parametrize("wrong", ["w\0", b"w", 3, None, ["w"]])
def test_what_is_no_path_is_refused(untouched: Workspace, wrong: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: icf.init(wrong),
        lambda: icf.find(wrong),
        lambda: icf.export_questions(untouched, wrong),
        lambda: icf.import_answers(untouched, wrong),
        lambda: icf.build_release(untouched, wrong),
        lambda: icf.evaluate(wrong),
    ]
    for call in calls:
        with pytest.raises(WrongUse, match="expected a path"):
            call()


def test_a_path_that_the_catalogue_cannot_write_down_is_refused(
    untouched: Workspace, tmp_path: Path
) -> None:
    for call in (icf.export_questions, icf.import_answers, icf.build_release):
        with pytest.raises(WrongUse, match="UTF-8"):
            call(untouched, tmp_path / "w\udcff")
    assert _runs(untouched) == []


def test_a_working_folder_that_is_gone_is_said(
    untouched: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    calls: list[Callable[[], object]] = [
        icf.find,
        lambda: icf.init("new"),
        lambda: icf.export_questions(untouched, "b"),
        lambda: icf.import_answers(untouched, "a.csv"),
        lambda: icf.build_release(untouched, "r"),
        lambda: icf.evaluate("r"),
    ]
    for call in calls:
        with pytest.raises(WrongUse, match="no current folder"):
            call()
    assert icf.find(untouched.root).root == untouched.root


def test_what_the_machine_refuses_is_an_error_of_the_one_tree(tmp_path: Path) -> None:
    with pytest.raises(BrokenMachine, match="too long"):
        icf.find(tmp_path / ("a" * 300))


@pytest.mark.parametrize(
    "settings",
    [
        {"filter.no_such": 1},
        {"filter.min_face": "big"},
        {"filter.min_face": None},
        {"filter": {"min_face": 80}},
        {"catalogue.url": "no url"},
        {"harvest.allow_hosts": [None]},
        {3: 4},
        "filter.min_face=80",
        [("filter.min_face", 80)],
    ],
)
def test_a_wrong_setting_makes_no_workspace(tmp_path: Path, settings: Any) -> None:
    with pytest.raises(WrongUse):
        icf.init(tmp_path / "new", settings)
    assert not (tmp_path / "new").exists()
    (tmp_path / "icf.toml").write_text("")
    with pytest.raises(WrongUse):
        icf.init(tmp_path, settings)
    assert [each.name for each in tmp_path.iterdir()] == ["icf.toml"]


@pytest.mark.parametrize("contact", [3, None, "two\nlines", "m\0"])
def test_a_wrong_contact_makes_no_workspace(tmp_path: Path, contact: Any) -> None:
    with pytest.raises(WrongUse):
        icf.init(tmp_path / "new", contact=contact)
    assert not (tmp_path / "new").exists()


def test_a_lone_text_is_one_name(space: Workspace) -> None:
    assert icf.run_harvest(space, sources="mine", albums="Moon").listed.pictures == 0
    assert [tally.step for tally in icf.run_filter(space, steps="embed")] == ["embed"]
    with pytest.raises(WrongUse, match="'no_such'"):
        icf.build_release(space, space.root / "r", formats="no_such")
    with pytest.raises(WrongUse, match="no face is confirmed"):
        icf.build_release(space, space.root / "r", formats="coco")


def test_numbers_of_numpy_are_numbers(space: Workspace, tmp_path: Path) -> None:
    limit: Any = np.int64(3)
    seed: Any = np.uint8(3)
    crops: Any = np.float32(1)
    assert icf.export_questions(space, tmp_path / "b", limit=limit).batch is None
    with pytest.raises(WrongUse, match="no face is confirmed"):
        icf.build_release(space, tmp_path / "r", seed=seed, crops=crops)


def test_it_harvests_where_an_event_loop_runs_as_in_notebooks(
    space: Workspace,
) -> None:
    async def cell() -> object:
        return icf.run_harvest(space).listed.pictures

    assert asyncio.run(cell()) == 0
    assert _runs(space) == [("icf-harvest run", True)]
