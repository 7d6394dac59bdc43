"""On PostgreSQL others write meanwhile: what they enter is found, and not doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.init import make_workspace
from icf.catalogue import ledger, row_state
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import lock
from icf.catalogue.schema import decision, face, image
from icf.codes import FaceReason, ImageReason, Verdict
from icf.filter.step_names import DETECT
from icf.harvest.images import NewImage, insert_images
from icf.stores.files import hash_file
from icf.workspace import Workspace
from tests.app.import_coco.coco_files import write_picture
from tests.app.program import said
from tests.catalogues import wait_until_waited_for

COUNT = 6

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for number in range(COUNT):
        write_picture(root / "Luna" / f"{number}.png", number)
    return root


@pytest.fixture
def space(
    postgres_catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    made = make_workspace(tmp_path / "space", (), "")
    yield made
    made.catalogue.close()


def hashes(root: Path) -> list[str]:
    """The SHA-256 of all pictures, in the order of the import."""
    return [hash_file(each) for each in sorted(root.rglob("*.png"))]


def harvested(root: Path) -> list[NewImage]:
    files = sorted(root.rglob("*.png"))
    return [NewImage(hash_file(each), each.stat().st_size) for each in files]


def imported_while(
    space: Workspace, root: Path, *works: Callable[[sa.Connection], object]
) -> dict[str, Any]:
    """Import while another transaction does the works, one each time it is waited for.

    Returns:
        What the import printed.
    """
    first, *others = works
    words = "-C", space.root, "import", "folder", root
    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            first(connection)
            imported = threads.submit(said, *words)
            wait_until_waited_for(connection, imported)
            for each in others:
                each(connection)
                wait_until_waited_for(connection, imported)
        return imported.result()


def test_pictures_that_a_harvest_stores_meanwhile_are_imported(
    space: Workspace, root: Path
) -> None:
    some = harvested(root)[1:3]
    done = imported_while(space, root, lambda one: insert_images(one, some))
    assert done["files"]["imported"] == COUNT
    assert done["copies"] == len(some)
    with space.catalogue.read() as connection:
        query = sa.select(image.c.sha256, image.c.awaits)
        rows = dict(connection.execute(query).all())
        assert set(rows) == set(hashes(root))
        # What the source knows need not be detected.
        assert DETECT not in rows.values()
        faces = sa.select(sa.func.count()).select_from(face)
        assert connection.execute(faces).scalar_one() == COUNT


def test_an_import_and_a_harvest_of_the_same_pictures_never_block_each_other(
    space: Workspace, root: Path
) -> None:
    _, second, *rest = sorted(harvested(root), key=lambda each: each.sha256)
    done = imported_while(
        space,
        root,
        lambda one: insert_images(one, [second]),
        lambda one: insert_images(one, rest),
    )
    assert done["files"]["imported"] == COUNT


def test_numbers_of_pictures_follow_the_list(space: Workspace, root: Path) -> None:
    said("-C", space.root, "import", "folder", root)
    with space.catalogue.read() as connection:
        query = sa.select(image.c.sha256).order_by(image.c.id)
        assert list(connection.execute(query).scalars()) == hashes(root)


def test_what_a_filter_decides_meanwhile_stays(space: Workspace, root: Path) -> None:
    """It looks for the faces of harvested pictures, as the import enters them."""
    run_id = space.begin_run("harvest")
    with space.catalogue.write() as connection:
        ids = insert_images(connection, harvested(root))
    one = ids[hashes(root)[3]]

    def dropped(connection: sa.Connection) -> None:
        lock(connection, image, image.c.id == one)
        verdict, reason = Verdict.DROPPED.value, ImageReason.BAD_ASPECT.value
        made = ledger.Decision("image", one, DETECT, verdict, reason)
        row_state.write(connection, run_id, [RowState(made, None)])

    done = imported_while(space, root, dropped)
    assert done["files"]["imported"] == COUNT
    with space.catalogue.read() as connection:
        query = sa.select(image.c.verdict, image.c.awaits).where(image.c.id == one)
        assert tuple(connection.execute(query).one()) == (Verdict.DROPPED.value, None)
        query = sa.select(decision.c.step).where(
            decision.c.subject == "image", decision.c.subject_id == one
        )
        assert list(connection.execute(query).scalars()) == [DETECT]
        query = sa.select(face.c.reason).where(face.c.image_id == one)
        assert list(connection.execute(query).scalars()) == [FaceReason.OK.value]
