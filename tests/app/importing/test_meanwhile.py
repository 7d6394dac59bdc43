"""On PostgreSQL others write meanwhile: what they enter is found, and not doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate import following
from icf.annotate.boxes.choose import Asking, ask_more
from icf.app.importing.given import (
    GivenFace,
    GivenPicture,
    Owner,
    Place,
    Publisher,
    SourceFile,
)
from icf.app.importing.rows import Entries, MeasuredFace, MeasuredPicture
from icf.app.importing.write import Writer
from icf.app.init import make_workspace
from icf.catalogue import ledger, references, row_state
from icf.catalogue.annotation.schema import box_task
from icf.catalogue.bulk_insert import insert_new
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.filing import NOBODY, file_under_nobody
from icf.catalogue.labels.given_boxes import GIVEN_ALL
from icf.catalogue.row_state import RowState
from icf.catalogue.rows import count_rows, lock
from icf.catalogue.schema import album, character, decision, face, image, image_source
from icf.codes import BoxStatus, FaceReason, ImageReason, Verdict
from icf.engine.step import NewFace
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


PUBLISHER = Publisher("others", "import", "csv", "others")


def given(
    number: int, *faces: MeasuredFace, all_faces: bool = True, **said: Any
) -> MeasuredPicture:
    """A picture as a source gives it, measured."""
    source = SourceFile(Path("contents.csv"), "0" * 64)
    picture = GivenPicture(
        "others",
        f"release://others/{number}",
        Path(f"{number}.png"),
        source,
        (),
        all_faces=all_faces,
        line=number,
        **said,
    )
    sides = {"width": 100, "height": 100}
    return MeasuredPicture(
        picture, {"sha256": f"{number:064x}", "bytes": 1, **sides}, faces
    )


def face_of_ann(*, labelled: bool) -> MeasuredFace:
    """A face as a source gives it, measured."""
    box = 1.0, 1.0, 50.0, 50.0
    new = NewFace(box, "cartoon", 1.0, 9.0, 9.0, 9.0, 9.0, "0" * 64, 0, 0)
    owner = Owner("Album", "Ann")
    return MeasuredFace(new, GivenFace(box, 1, owner, labelled=labelled))


def write(space: Workspace, pictures: list[MeasuredPicture]) -> int:
    """Write them in one transaction; return how many have new verified boxes."""
    writer = Writer(space.begin_run("import"), Entries(DETECT, None, None), PUBLISHER)
    with space.catalogue.write() as connection:
        writer.write(connection, pictures)
    return writer.written.verified


def test_a_picture_that_people_are_asked_about_meanwhile_is_theirs(
    space: Workspace,
) -> None:
    boxed = [given(number, verified=((1, 1, 50, 50),)) for number in range(COUNT)]
    write(space, [given(number) for number in range(COUNT - 1)])
    run_id = space.begin_run("serve")
    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            assert ask_more(connection, run_id, Asking(0.0)) == COUNT - 1
            imported = threads.submit(write, space, boxed)
            wait_until_waited_for(connection, imported)
        assert imported.result() == 1
    with space.catalogue.read() as connection:
        is_open = box_task.c.status == BoxStatus.OPEN.value
        assert count_rows(connection, box_task, is_open) == COUNT - 1
        assert count_rows(connection, box_task) == COUNT


def test_a_harvest_and_an_import_of_several_places_never_block_each_other(
    space: Workspace,
) -> None:
    write(space, [given(1)])
    urls = ["https://a.test/1.png", "https://b.test/1.png"]
    places = tuple(Place(each, "", "", "", "", "") for each in reversed(urls))
    with space.catalogue.read() as connection:
        key = connection.execute(sa.select(image.c.id)).scalar_one()

    def fetched(connection: sa.Connection, address: str) -> None:
        row = {
            "image_id": key,
            "url": address,
            "source": "wiki",
            "licence": "unknown",
            "licence_from": "unknown",
            "fetched_at": 0.0,
        }
        insert_new(connection, image_source, ["image_id", "url"], [row])

    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            fetched(connection, urls[0])
            imported = threads.submit(write, space, [given(1, places=places)])
            wait_until_waited_for(connection, imported)
            fetched(connection, urls[1])
        imported.result()
    with space.catalogue.read() as connection:
        of_wiki = image_source.c.source == "wiki"
        query = sa.select(image_source.c.url).where(of_wiki)
        assert sorted(connection.execute(query).scalars()) == urls


def test_a_filter_may_file_a_picture_under_the_same_new_album(
    space: Workspace,
) -> None:
    """It knows no album of it, and takes the name of the source."""
    one = given(1, face_of_ann(labelled=False))
    found = {"source": "Album", "fetched_at": 0.0}
    licence = {"licence": "unknown", "licence_from": "unknown"}
    with space.catalogue.write() as connection:
        [key] = insert_images(connection, [NewImage(one.sha256, 1)]).values()
        row = {"image_id": key, "url": "https://a.test/1.png", **found, **licence}
        insert_new(connection, image_source, ["image_id", "url"], [row])
    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            assert lock(connection, image, image.c.awaits == DETECT) == [key]
            imported = threads.submit(write, space, [one])
            wait_until_waited_for(connection, imported)
            file_under_nobody(connection, [key])
        imported.result()
    with space.catalogue.read() as connection:
        names = connection.scalars(sa.select(character.c.name).order_by("name"))
        assert list(names) == ["Ann", NOBODY]
        assert count_rows(connection, album) == 1


def test_labels_may_follow_while_known_faces_get_more(space: Workspace) -> None:
    write(space, [given(1, face_of_ann(labelled=False), all_faces=False)])
    more = given(1, face_of_ann(labelled=True))
    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            following.lock(connection, [])
            imported = threads.submit(write, space, [more])
            wait_until_waited_for(connection, imported)
            lock(connection, face, face.c.id > 0)
        imported.result()
    with space.catalogue.read() as connection:
        assert list(connection.scalars(sa.select(face.c.detector))) == [GIVEN_ALL]


def test_a_reference_may_be_chosen_while_its_picture_is_imported_again(
    space: Workspace,
) -> None:
    write(space, [given(1, face_of_ann(labelled=False))])
    run_id = space.begin_run("icf-harvest reference")
    with ThreadPoolExecutor(1) as threads:
        with space.catalogue.write() as connection:
            following.lock(connection, [])
            more = given(1, face_of_ann(labelled=True))
            imported = threads.submit(write, space, [more])
            wait_until_waited_for(connection, imported)
            query = sa.select(face.c.filed_under_id, face.c.id)
            ann, shown = connection.execute(query).one()
            references.choose_face(connection, run_id, ann, shown)
        imported.result()
