"""Every example that a command's help ends with does what it says."""

from __future__ import annotations

import json
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from icf.app.command_reference import commands, programs
from icf.app.demo.shell import Shell
from icf.app.demo.site import DemoSite
from tests.app.demo.site_pictures import good_files, write_pictures
from tests.app.demo_runs import Demo, run_within
from tests.app.import_coco.coco_files import (
    content,
    image,
    write_json,
    write_picture,
)
from tests.app.program import first_line, invoke, program, within
from tests.icartoonface_files import write_published
from tests.models.formats.published_files import yolo
from tests.models.onnx_files import colour_detector

EXAMPLES = sorted(
    {each.example for name, made in programs().items() for each in commands(name, made)}
)

#: The first example of each program is run as one, the others within this process.
FIRST = sorted({line.split()[0]: line for line in reversed(EXAMPLES)}.values())

#: They go on until they are interrupted.
SERVERS = [
    line for line in EXAMPLES if line.startswith(("icf-annotate serve ", "icf browse "))
]


@pytest.fixture(scope="module")
def prepared(
    finished_demo: tuple[Demo, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The finished demo, with what else the examples name."""
    root = tmp_path_factory.mktemp("examples") / "space"
    shutil.copytree(finished_demo[0].root, root)
    shutil.copytree(finished_demo[0].root, root / "demo")
    files = good_files(3)
    paths = write_pictures(root / "pictures", files)
    lines = [
        json.dumps({"path": str(path.relative_to(root)), "box": face.box})
        for path, file in zip(paths, files, strict=True)
        for face in file.faces
    ]
    (root / "faces.jsonl").write_text("\n".join(lines) + "\n")
    write_published(root / "published")
    write_picture(root / "coco" / "1.png", 1)
    write_json(root / "coco" / "a.json", content([image(1, "1.png")], []))
    write_picture(root / "albums" / "Sea" / "Luna" / "1.png", 1)
    (root / "references.csv").write_text("character,choice\nArun Vale,face:1\n")
    program("icf-build-splits", "releases/first", "--seed", "1", folder=root)
    links = ("releases/links", "--format", "relink")
    within("icf-build-splits", *links, "--seed", "1", folder=root)
    within("icf", "release", "takedowns", "takedowns.json", folder=root)
    within("icf-annotate", "invite", "Ann", folder=root)
    yolo(root / "yolo" / "model.onnx")
    eyes = colour_detector(tmp_path_factory.mktemp("models") / "eyes.onnx")
    forced = ("--force", "a rollback needs a promotion")
    within("icf", "model", "promote", eyes, *forced, folder=root)
    return root


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_example_runs(
    line: str, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *words = shlex.split(line)
    monkeypatch.setattr(Shell, "run", run_within)
    if name == "icf-build-splits":
        # Other examples changed labels since.
        shutil.rmtree(prepared / "releases" / "first")
    port = int(json.loads((prepared / "demo.json").read_text())["port"])
    asks = name == "icf-harvest" or words[:2] == ["release", "relink"]
    with DemoSite(port) if asks else nullcontext():
        if line in SERVERS:
            out = first_line(name, *words, folder=prepared)
        elif line in FIRST:
            out = program(name, *words, folder=prepared).stdout
        else:
            monkeypatch.chdir(prepared)
            done = invoke(programs()[name], *words)
            assert done.exit_code == 0, done.output
            out = done.stdout
    assert out
    if "--json" in words:
        assert all(json.loads(each) is not None for each in out.splitlines())
