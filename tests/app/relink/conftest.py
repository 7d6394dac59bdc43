from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from icf.dataset.release.files import SUMS
from icf.dataset.release.prepare import prepare
from icf.dataset.release.sums import read_sums, sum_line
from icf.dataset.release.write import write
from icf.stores.files import hash_file
from tests.dataset.drawn import Drawing, Size
from tests.harvest.wire import Site, answer, serving

#: Where the drawn pictures say that they are from.
DRAWN = "http://toons.test"


@dataclass(frozen=True)
class Built:
    """The same release without pictures and with them, and the bytes by their path."""

    links: Path
    whole: Path
    pictures: dict[str, bytes]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("relink") / "space"
    workspace = Drawing(root, Size(characters=4, faces=7)).draw()
    folders = {name: root.parent / name for name in ("relink", "icartoonface")}
    for name, folder in folders.items():
        assert write(workspace, prepare(workspace, 1, (name,)), folder, 1)
    sources = prepare(workspace, 1).sources
    plan = prepare(workspace, 1).plan
    images = plan.selection.pictures
    pictures = {}
    for image, sha256 in zip(images.image.tolist(), images.sha256, strict=True):
        for each in sources.get(image, ()):
            path = each.url.removeprefix(DRAWN)
            pictures[path] = workspace.blobs.get(sha256.decode())
    workspace.catalogue.close()
    return Built(folders["relink"], folders["icartoonface"], pictures)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as one:
        yield one


@pytest.fixture
def links(built: Built, site: Site, tmp_path: Path) -> Path:
    """The release without pictures; these are on the site."""
    folder = tmp_path / "links"
    shutil.copytree(built.links, folder)
    change(folder, DRAWN, f"http://{site.host}")
    for path, data in built.pictures.items():
        site.route(path, answer(data))
    return folder


def change(folder: Path, old: str, new: str) -> None:
    """Put a text into ``licences.csv`` in place of another one."""
    table = folder / "licences.csv"
    table.write_bytes(table.read_bytes().replace(old.encode(), new.encode()))
    sums = read_sums(folder) | {table.name: hash_file(table)}
    lines = [f"{sum_line(*each)}\n" for each in sorted(sums.items())]
    (folder / SUMS).write_text("".join(lines))
