"""Lost pictures that an import brought: no source has them, the same import does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import icf.app
from icf.app.doctor import origins
from icf.app.doctor.damage import lost_pictures
from icf.app.init import make_workspace
from icf.catalogue.schema import image, url
from icf.errors import SomeFailed
from icf.workspace import Workspace, find
from tests.app.doctor.damages import cut, flip_a_bit
from tests.app.doctor.test_command import invoke_anyhow
from tests.app.import_coco.coco_files import write_picture
from tests.app.program import call, said


@pytest.fixture(scope="module")
def albums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that were imported into a workspace beside them; only to read."""
    root = tmp_path_factory.mktemp("imported") / "albums"
    for number in range(3):
        write_picture(root / "Sea" / "Luna" / f"{number}.png", number)
    made = make_workspace(root.with_name("space"), (), "")
    said("-C", made.root, "import", "folder", root)
    made.catalogue.close()
    return root


@pytest.fixture
def space(albums: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(albums.with_name("space"), tmp_path / "space")
    made = find(tmp_path / "space")
    yield made
    made.catalogue.close()


def damage(space: Workspace) -> list[Path]:
    """Overwrite four bytes of one picture, and truncate another."""
    query = sa.select(image.c.sha256).order_by(image.c.id).limit(2)
    with space.catalogue.read() as connection:
        hashes = connection.execute(query).scalars().all()
    first, second = (space.blobs.path(each) for each in hashes)
    data = first.read_bytes()
    first.write_bytes(data[:100] + bytes(4) + data[104:])
    cut(second)
    return [first, second]


def fates(space: Workspace) -> list[tuple[str, str | None]]:
    query = sa.select(url.c.fate, url.c.message).order_by(url.c.id)
    with space.catalogue.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def declare(space: Workspace, folder: Path, name: str) -> None:
    with (space.root / "icf.toml").open("a") as file:
        file.write(f'\n[[source]]\nname = "{name}"\nkind = "folder"\n')
        file.write(f'path = "{folder}"\n')


def found(space: Workspace) -> str:
    """What a full check says of pictures."""
    lines = invoke_anyhow("-C", space.root, "doctor", "--full").splitlines()
    return next(line for line in lines if line.startswith("pictures"))


@pytest.mark.parametrize("source", [None, "mine", "albums"])
def test_what_has_changed_makes_room_for_the_same_import(
    space: Workspace, albums: Path, tmp_path: Path, source: str | None
) -> None:
    if source:
        # A source of the same name reads no address of an import either.
        write_picture(tmp_path / "other" / "Sea" / "Sol" / "9.png", 9)
        declare(space, tmp_path / "other", source)
    before = fates(space)
    paths = damage(space)
    assert "2 of imports are missing or have changed" in found(space)
    assert "removes what has changed; then run `icf import ...`" in found(space)
    assert "mends it" not in found(space)
    with pytest.raises(SomeFailed, match="2 imported pictures are lost: ") as failed:
        call("-C", space.root, "doctor", "--repair")
    assert "run `icf import ...` of that data again" in str(failed.value)
    assert "takedown" not in str(failed.value)
    assert fates(space) == before
    assert [each.exists() for each in paths] == [False, False]
    assert "have changed: run `icf import ...` of that data again" in found(space)
    said("-C", space.root, "import", "folder", albums)
    assert not lost_pictures(space, full=True)
    assert "mended: nothing was damaged" in call(
        "-C", space.root, "doctor", "--repair"
    ).output.replace("\n", " ")


def test_what_a_source_has_as_well_is_fetched_from_there(
    space: Workspace, albums: Path
) -> None:
    declare(space, albums, "mine")
    said("-C", space.root, "harvest", "run")
    damage(space)
    assert "2 are missing or have changed: `icf doctor --repair`" in found(space)
    done = said("-C", space.root, "doctor", "--repair")["repaired"]
    assert (done["pictures"], done["lost"], done["imported"]) == (2, {}, {})


def test_pictures_of_a_source_that_is_declared_no_more_keep_their_fate(
    space: Workspace, albums: Path, tmp_path: Path
) -> None:
    write_picture(tmp_path / "other" / "Sea" / "Sol" / "9.png", 9)
    declare(space, tmp_path / "other", "mine")
    said("-C", space.root, "harvest", "run")
    text = (space.root / "icf.toml").read_text()
    (space.root / "icf.toml").write_text(text.replace('"mine"', '"renamed"'))
    before = fates(space)
    with space.catalogue.read() as connection:
        query = sa.select(image.c.sha256).join(url, url.c.image_id == image.c.id)
        query = query.where(url.c.source == "mine")
        path = space.blobs.path(connection.execute(query).scalar_one())
    cut(path)
    with pytest.raises(SomeFailed, match="1 pictures could not be fetched again"):
        call("-C", space.root, "doctor", "--repair")
    assert fates(space) == before
    assert path.exists()


def test_nothing_that_can_be_mended_is_no_damage_mended(space: Workspace) -> None:
    damage(space)
    shown = invoke_anyhow("-C", space.root, "doctor", "--repair")
    assert "nothing could be mended" in shown
    assert "nothing was damaged" not in shown


def test_lost_embeddings_of_lost_pictures_end_with_the_same_advice(
    space: Workspace,
) -> None:
    call("-C", space.root, "filter", "run")
    damage(space)
    shutil.rmtree(space.root / "vectors")
    for segment in (space.root / "hashes").glob("*.hashes"):
        flip_a_bit(segment)
    with pytest.raises(SomeFailed, match=r"2 imported pictures are lost: .*: run `icf"):
        call("-C", space.root, "doctor", "--repair")


def test_every_import_gives_addresses_of_a_known_scheme() -> None:
    folder = Path(icf.app.__file__).parent
    texts = [path.read_text() for path in folder.glob("import_*/*.py")]
    given = {each for text in texts for each in re.findall(r'f"(\w+)://\{', text)}
    assert given == set(origins.IMPORTED)
