"""Every example that a command's help ends with does what it says."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from icf.app.command_reference import commands, programs
from icf.app.demo.site import DemoSite
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.demo_runs import Demo
from tests.app.program import invoke, program

EXAMPLES = sorted(
    {each.example for name, made in programs().items() for each in commands(name, made)}
)

#: The first example of each program.
FIRST = sorted({line.split()[0]: line for line in reversed(EXAMPLES)}.values())


@pytest.fixture(scope="module")
def prepared(
    undisturbed: tuple[Demo, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The finished demo, with what else the examples name."""
    root = tmp_path_factory.mktemp("examples") / "space"
    shutil.copytree(undisturbed[0].root, root)
    shutil.copytree(undisturbed[0].root, root / "demo")
    files = good_files(3)
    paths = write_pictures(root / "pictures", files)
    lines = [
        json.dumps({"path": str(path.relative_to(root)), "box": face.box})
        for path, file in zip(paths, files, strict=True)
        for face in file.faces
    ]
    (root / "faces.jsonl").write_text("\n".join(lines) + "\n")
    (root / "references.csv").write_text("character,choice\nArun Vale,face:1\n")
    program("icf-build-splits", "releases/first", "--seed", "1", folder=root)
    return root


@contextmanager
def served(name: str, prepared: Path) -> Iterator[None]:
    """Answer the harvest's requests; `icf demo` serves the site itself."""
    port = int(json.loads((prepared / "demo.json").read_text())["port"])
    with DemoSite(port) if name == "icf-harvest" else nullcontext():
        yield


# Before the other examples, which change what a release is made from.
@pytest.mark.parametrize("line", FIRST)
def test_the_first_example_of_each_program_runs_as_a_program(
    line: str, prepared: Path
) -> None:
    name, *words = shlex.split(line)
    with served(name, prepared):
        done = program(name, *words, folder=prepared)
    assert_prints(done.stdout, words)


@pytest.mark.slow
@pytest.mark.parametrize("line", EXAMPLES)
def test_the_example_runs(
    line: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *words = shlex.split(line)
    monkeypatch.chdir(prepared)
    with served(name, prepared):
        done = invoke(programs()[name], *words)
    assert done.exit_code == 0, done.output
    assert_prints(done.stdout, words)


def assert_prints(out: str, words: list[str]) -> None:
    """Something is printed, and it is JSON where that was asked for."""
    assert out
    if "--json" in words:
        assert all(json.loads(each) for each in out.splitlines())
