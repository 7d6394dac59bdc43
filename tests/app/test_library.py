"""What `import icf` offers; docs/library.md is run in test_docs.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import assert_type

import icf
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
    with pytest.raises(AttributeError):
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
