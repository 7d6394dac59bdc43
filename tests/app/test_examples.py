"""Every example that a command's help ends with does what it says."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
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


@pytest.fixture
def served(prepared: Path) -> Iterator[Path]:
    """The same, while its site can be asked."""
    port = int(json.loads((prepared / "demo.json").read_text())["port"])
    with DemoSite(port):
        yield prepared


@pytest.mark.slow
@pytest.mark.parametrize("line", EXAMPLES)
def test_the_example_runs(
    line: str, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *words = shlex.split(line)
    monkeypatch.chdir(served)
    done = invoke(programs()[name], *words)
    assert done.exit_code == 0, done.output
    assert_tells(done.stdout, words)


@pytest.mark.parametrize("line", FIRST)
def test_the_first_example_of_each_program_runs_as_a_program(
    line: str, served: Path
) -> None:
    name, *words = shlex.split(line)
    assert_tells(program(name, *words, folder=served).stdout, words)


def assert_tells(out: str, words: list[str]) -> None:
    """Something comes out, and it is JSON where that was asked for."""
    assert out
    if "--json" in words:
        assert all(json.loads(each) for each in out.splitlines())
