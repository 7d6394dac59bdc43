"""A second format through the seam: the one of docs/add-a-release-format.md."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.app.takedown.copies import find_copies
from icf.catalogue import schema
from icf.dataset.formats.icartoonface.writer import ICartoonFaceWriter
from icf.dataset.formats.registry import (
    OWN,
    format_folders,
    format_names,
    make_writers,
)
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report.scored.release import last_release
from icf.dataset.verify.verify import verify
from icf.errors import IcfError, WrongUse
from icf.icartoonface.release_files import RECTEST_INFO
from icf.workspace import Workspace
from tests.dataset.drawn import digest, same_files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "add-a-release-format.md"

#: Its name is not that of its entry point.
MISNAMED = "class Writer:\n    name = 'other'\n    help = ''\n    write = print\n"
#: They write nothing: one raises, one makes no folders, one names files all the same,
#: one does nothing.
FAILING = """
from pathlib import Path
from icf.dataset.formats.base import WrittenPicture

class Raising:
    name = "raising"
    def write(self, data, folder):
        raise KeyError("hair")

class Folderless:
    name = "folderless"
    def write(self, data, folder):
        return [data.put(each, folder, Path(each.path)) for each in data.plan.train]

class Lying:
    name = "lying"
    def write(self, data, folder):
        return [WrittenPicture(Path("../none.jpg"), each) for each in data.plan.train]

class Idle:
    name = "idle"
    def write(self, data, folder):
        return []
"""


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages as pip would install them: the page's, and bad ones."""
    folder = tmp_path / "packages"
    info = folder / "formats-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: formats\nVersion: 1\n")
    [code] = blocks("python")
    [text] = blocks("ini")
    project = tomllib.loads(text)
    [module] = project["tool"]["setuptools"]["py-modules"]
    [(group, points)] = project["project"]["entry-points"].items()
    [(name, where)] = points.items()
    (folder / f"{module}.py").write_text(code)
    (folder / "misnamed_format.py").write_text(MISNAMED)
    (folder / "failing_formats.py").write_text(FAILING)
    (info / "entry_points.txt").write_text(
        f"[{group}]\n{name} = {where}\n"
        "misnamed = misnamed_format:Writer\n"
        "raising = failing_formats:Raising\n"
        "folderless = failing_formats:Folderless\n"
        "lying = failing_formats:Lying\n"
        "idle = failing_formats:Idle\n"
        "broken = no_such_module_anywhere:Writer\n"
        "icartoonface = image_folder:ImageFolderWriter\n"
    )
    return folder


@pytest.fixture
def installed(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(packages))


def build(
    workspace: Workspace, packages: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("icf-build-splits"), *words],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )


def listed(release: Path) -> set[str]:
    with (release / "licences.csv").open(newline="") as file:
        return {row["file"] for row in csv.DictReader(file)}


def test_every_format_of_our_own_can_be_made_and_says_what_it_writes() -> None:
    for name, writer in make_writers(OWN).items():
        assert writer.name == name
        assert writer.help.endswith(".")


def test_the_format_of_the_page_writes_a_release_by_its_name(
    workspace: Workspace, packages: Path
) -> None:
    done = build(workspace, packages, "releases/a", "--format", "image-folder")
    assert done.returncode == 0, done.stderr
    out = workspace.root / "releases" / "a"
    pictures = {name for name in digest(out) if name.endswith(".jpg")}
    assert any(name.startswith("train/00000/") for name in pictures)
    assert listed(out) == pictures
    summary = json.loads((out / "release.json").read_text())
    assert summary["formats"] == {"image-folder": "."}
    counts = summary["counts"]
    assert len(pictures) == counts["train_faces"] + counts["probes"]
    # It has neither distractors nor the detection set, which is its own business.
    assert verify(out, quick=True).faults == ()


def test_several_formats_have_a_folder_each_and_one_table_of_licences(
    workspace: Workspace, packages: Path, tmp_path: Path
) -> None:
    words = ("releases/both", "--format", "icartoonface", "--format", "image-folder")
    done = build(workspace, packages, *words, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["formats"] == ["icartoonface", "image-folder"]
    both = workspace.root / "releases" / "both"
    write(workspace, prepare(workspace, 1), tmp_path / "one", 1)
    assert listed(both) == {name for name in digest(both) if name.endswith(".jpg")}
    for part in ("recognition", "detection"):
        assert same_files(both / "icartoonface" / part, tmp_path / "one" / part)
    again = build(workspace, packages, *words)
    assert "this release already" in again.stderr
    other = build(workspace, packages, "releases/both", "--format", "image-folder")
    assert other.returncode == 2
    assert "another release" in other.stderr


@pytest.mark.usefixtures("installed")
def test_readers_find_the_files_of_a_release_of_several_formats(
    workspace: Workspace, tmp_path: Path
) -> None:
    formats = ("image-folder", "icartoonface")
    out = tmp_path / "both"
    assert write(workspace, prepare(workspace, 1, formats), out, 1)
    with workspace.catalogue.read() as connection:
        shown = last_release(connection, workspace)
        sha256 = connection.execute(sa.select(schema.image.c.sha256)).scalars().all()
    assert shown is not None
    assert shown.identification is not None
    assert shown.detection is not None
    [held] = find_copies(workspace, set(sha256), ()).held
    assert set(held.files) == listed(out)
    assert held.remedy.endswith("--seed 1 --format image-folder --format icartoonface")


@pytest.mark.usefixtures("installed")
def test_a_release_without_the_published_files_is_reported_without_scores(
    workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "folders"
    assert write(workspace, prepare(workspace, 1, ("image-folder",)), out, 1)
    with workspace.catalogue.read() as connection:
        shown = last_release(connection, workspace)
    assert shown is not None
    assert (shown.identification, shown.detection) == (None, None)
    assert shown.counts["probes"] > 0


def test_a_release_of_before_there_were_formats_is_the_same_release(
    workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    prepared = prepare(workspace, 1)
    write(workspace, prepared, out, 1)
    summary = json.loads(prepared.summary)
    assert summary.pop("formats") == {"icartoonface": "."}
    old = json.dumps(summary, indent=2) + "\n"
    (out / "release.json").write_text(old)
    (out / "SHA256SUMS").unlink()  # nor had it this
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(schema.release).values(summary=old))
    assert not write(workspace, prepare(workspace, 1), out, 1)
    with workspace.catalogue.read() as connection:
        assert len(connection.execute(sa.select(schema.release)).all()) == 1
        shown = last_release(connection, workspace)
        [held] = find_copies(workspace, _hashes(connection), ()).held
    assert shown is not None
    assert shown.identification is not None
    assert held.remedy.endswith("--seed 1")
    assert format_folders(summary) == {"icartoonface": "."}
    assert (out / RECTEST_INFO).is_file()


def _hashes(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.select(schema.image.c.sha256)).scalars())


@pytest.mark.usefixtures("installed")
def test_our_own_formats_cannot_be_replaced_by_a_package() -> None:
    assert format_names() == sorted(
        [
            *(*OWN, "broken", "folderless", "idle"),
            *("image-folder", "lying", "misnamed", "raising"),
        ]
    )
    [writer] = make_writers(["icartoonface"]).values()
    assert isinstance(writer, ICartoonFaceWriter)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "raising",
            r"'raising' failed: KeyError: 'hair'; repair its package",
        ),
        ("folderless", r"'folderless' failed: FileNotFoundError: .*repair its package"),
        ("lying", r"'lying' names the file \.\./none\.jpg, and has not written it"),
        ("idle", r"'idle' has written nothing; repair its package, or leave the"),
        ("icartoonface,idle", r"'idle' has written nothing"),
    ],
)
def test_what_fails_in_a_format_of_another_package_is_told_with_its_name(
    workspace: Workspace, tmp_path: Path, name: str, said: str
) -> None:
    prepared = prepare(workspace, 1, tuple(name.split(",")))
    with pytest.raises(IcfError, match=said):
        write(workspace, prepared, tmp_path / "out", 1)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "no_such_module_anywhere"),
        ("misnamed", "must be equal to that of the entry point"),
        ("coc", "the known ones are: broken, .*icartoonface, .*image-folder, .*misn"),
    ],
)
def test_a_format_that_cannot_be_used_is_named(name: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        make_writers([name])


def test_an_unknown_format_is_wrong_use_and_lists_the_known_ones(
    workspace: Workspace, tmp_path: Path
) -> None:
    done = build(workspace, tmp_path, "releases/a", "--format", "toon")
    assert done.returncode == 2
    assert "unknown release format 'toon'" in done.stderr
    assert "icartoonface" in done.stderr
    assert not (workspace.root / "releases" / "a").exists()
