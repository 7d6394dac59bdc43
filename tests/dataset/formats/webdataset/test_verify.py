"""What was done to a shard is named, though the sums were written again."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from icf.dataset.contents import FILE, read_contents
from icf.dataset.formats.checked import Fault, ReleaseFiles
from icf.dataset.formats.webdataset.writer import WebDatasetWriter
from tests.dataset.drawn import digest
from tests.dataset.formats.conftest import Exported

SHARD = "recognition-test-000000.tar"
Members = list[tuple[str, bytes]]


def faults(exported: Exported, folder: Path) -> list[Fault]:
    contents = read_contents(exported.folder / FILE)
    settings: dict[str, object] = {"crops": {}} if exported.plan.crops else {}
    summary = {"settings": settings}
    files = ReleaseFiles(folder, contents, digest(folder), summary)
    return list(WebDatasetWriter().verify(files))


@pytest.mark.parametrize("kind", ["whole", "cropped"])
def test_shards_as_they_were_written_have_no_fault(
    kind: str, request: pytest.FixtureRequest
) -> None:
    exported: Exported = request.getfixturevalue(kind)
    assert faults(exported, exported.of("webdataset")) == []


def swap(members: Members) -> None:
    (one, first), (other, second) = members[0], members[2]
    members[0], members[2] = (one, second), (other, first)


def relabel(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"label":', b'"label":9')


def move_box(members: Members) -> None:
    name, about = members[1]
    members[1] = name, about.replace(b'"boxes":[[', b'"boxes":[[1')


def lose(members: Members) -> None:
    del members[:2]


def repeat(members: Members) -> None:
    members += members[:2]


def add(members: Members) -> None:
    (_, picture), (_, about) = members[:2]
    members += [("other.jpg", picture), ("other.json", about)]


def lose_labels(members: Members) -> None:
    del members[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (swap, "is another picture"),
        (relabel, "has the label 9"),
        (move_box, "has the box"),
        (lose, "is in none of its shards"),
        (repeat, "a second time"),
        (add, "has other.jpg, which is not in this part"),
        (lose_labels, "has no JSON behind it"),
    ],
)
def test_what_was_changed_in_a_shard_is_named(
    whole: Exported, tmp_path: Path, change: Callable[[Members], None], said: str
) -> None:
    folder = tmp_path / "webdataset"
    shutil.copytree(whole.of("webdataset"), folder)
    with tarfile.open(folder / SHARD) as tar:
        members = [
            (each.name, file.read())
            for each in tar
            if (file := tar.extractfile(each)) is not None
        ]
    change(members)
    with tarfile.open(folder / SHARD, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert said in " ".join(map(str, faults(whole, folder)))


def test_a_shard_that_was_cut_off_is_named(whole: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "webdataset"
    shutil.copytree(whole.of("webdataset"), folder)
    content = (folder / SHARD).read_bytes()
    (folder / SHARD).write_bytes(content[: len(content) // 2])
    assert any(fault.file == SHARD for fault in faults(whole, folder))
