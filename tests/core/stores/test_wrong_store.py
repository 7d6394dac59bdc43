"""A blob store with none of the catalogue's pictures is named, before it is used."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import decision, image, run
from icf.codes import ImageReason
from icf.engine.engine import open_engine
from icf.engine.runner import Progress
from icf.errors import BrokenMachine
from icf.filter.run import ALL, run_steps
from icf.workspace import Workspace, find, init
from tests.annotate.place import picture
from tests.app.program import within
from tests.filter.rows import add_album, add_image

#: A store is looked into for so many of its pictures.
ENOUGH = 10
EXPECTED = "elsewhere has none of the catalogue's pictures"


def sha256_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def stored(folder: Path, pictures: int) -> Workspace:
    """A workspace with pictures whose bytes are in its blob store."""
    made = init(folder)
    (folder / "mine").mkdir()
    source = '[[source]]\nname = "mine"\nkind = "folder"\npath = "mine"\n'
    (folder / "icf.toml").write_text('[harvest]\ncontact = "me@x.org"\n' + source)
    (character,) = add_album(made.catalogue, "Luna")
    for number in range(pictures):
        sha256 = made.blobs.put(str(number).encode())
        add_image(made.catalogue, character, sha256=sha256)
    return made


def elsewhere(made: Workspace) -> Workspace:
    return find(made.root, (f"blobs.url={made.root / 'elsewhere'}",))


def test_a_store_without_any_of_the_pictures_is_refused(tmp_path: Path) -> None:
    made = stored(tmp_path, ENOUGH + 2)
    made.check_blobs()
    wrong = elsewhere(made)
    with pytest.raises(BrokenMachine, match=rf"{EXPECTED}.*is blobs\.url right"):
        wrong.check_blobs()
    wrong.blobs.put(b"5")
    wrong.check_blobs()  # it has lost others


def test_of_few_pictures_all_may_be_lost_and_of_withdrawn_ones_too(
    tmp_path: Path,
) -> None:
    made = stored(tmp_path, ENOUGH)
    with made.catalogue.write() as connection:
        gone = sa.update(image).where(image.c.id == 1)
        connection.execute(gone.values(reason=ImageReason.TAKEN_DOWN.value))
    elsewhere(made).check_blobs()


@pytest.mark.parametrize(
    "command",
    [
        "icf-harvest run",
        "icf-filter run",
        "icf-annotate export batches/first --format csv",
        "icf-annotate export batches/boxes --what boxes",
        "icf-annotate serve --port 0",
        "icf-report reports/one.html",
        "icf-harvest reference page page.html",
        "icf-harvest reference set Luna --file mine/luna.png",
        "icf-filter review --sheet sheet.html",
        "icf browse --port 0",
        "icf-train detector --data workspace --out model",
        "icf-train embedder --data workspace --out model",
        "icf model compare bundled bundled --task embedder",
        "icf model compare bundled bundled --task detector",
        "icf model quantise bundled --task embedder",
    ],
)
def test_a_command_that_needs_pictures_says_so_and_writes_nothing(
    tmp_path: Path, command: str
) -> None:
    made = stored(tmp_path, ENOUGH)
    name, *words = command.split()
    url = str(tmp_path / "elsewhere")
    done = within(name, *words, folder=tmp_path, code=1, ICF_BLOBS_URL=url)
    assert EXPECTED in done.stderr
    with made.catalogue.read() as connection:
        for table in (run, decision):
            assert connection.execute(sa.select(table.c.id)).all() == []
    assert not (tmp_path / "elsewhere").exists()


def test_an_import_is_refused_unless_it_brings_lost_pictures_back(
    tmp_path: Path,
) -> None:
    made = stored(tmp_path / "space", 0)
    for folder, pictures in (("mine", ENOUGH), ("others", 1)):
        for number in range(pictures):
            file = tmp_path / folder / "Luna" / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture(number + 100 * len(folder)))

    def bring(folder: str, code: int) -> str:
        url = str(tmp_path / "elsewhere")
        words = "import", "folder", tmp_path / folder
        done = within("icf", *words, folder=made.root, code=code, ICF_BLOBS_URL=url)
        return done.stderr

    within("icf", "import", "folder", tmp_path / "mine", folder=made.root)
    assert EXPECTED in bring("others", 1)
    with made.catalogue.read() as connection:
        assert len(connection.execute(sa.select(run.c.id)).all()) == 1
    assert not (tmp_path / "elsewhere").exists()
    assert f"{ENOUGH} pictures that were imported before were not in" in bring(
        "mine", 0
    )
    assert "not in" not in bring("mine", 0)
    assert len(list((tmp_path / "elsewhere").rglob("*"))) > ENOUGH
    bring("others", 0)


def test_a_store_that_goes_away_ends_the_run_before_the_next_step(
    tmp_path: Path,
) -> None:
    made = stored(tmp_path, ENOUGH)
    begun = []

    def bar(step: str, pending: int) -> AbstractContextManager[Progress]:
        begun.append(step)
        (tmp_path / "blobs").rename(tmp_path / "unmounted")
        return nullcontext(lambda settled: None)

    with (
        closing(open_engine("local", 1, deadline=60.0)) as engine,
        pytest.raises(BrokenMachine, match="none of the catalogue's pictures"),
    ):
        run_steps(made, ALL, engine, bar)
    assert begun == ["detect"]
    with made.catalogue.read() as connection:
        assert connection.execute(sa.select(decision.c.id)).all() == []


def test_the_doctor_names_it_instead_of_lost_pictures(tmp_path: Path) -> None:
    stored(tmp_path, ENOUGH)
    url = str(tmp_path / "elsewhere")
    done = within("icf", "doctor", folder=tmp_path, code=1, ICF_BLOBS_URL=url)
    assert EXPECTED in done.stdout
