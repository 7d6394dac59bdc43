"""What is withdrawn while something is made of it is not in what was made."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate import export as exporting
from icf.annotate.export import ExportRequest
from icf.app.takedown import work
from icf.app.takedown.command import takedown
from icf.catalogue import tombstones
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import batch, character, face, image, question, release, url
from icf.dataset.formats.base import ReleaseData, WrittenPicture
from icf.dataset.plan import Placed
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.dataset.report import page
from icf.dataset.report.page import write_report
from icf.dataset.report.process.reliability import read_reliability
from icf.engine.runner import Chain, Runner
from icf.engine.step import Item, Outcome, Step
from icf.errors import IcfError
from icf.workspace import Workspace
from tests.app.program import invoke
from tests.dataset.drawn import EMBEDDER, Drawing, Size

PICTURE = "http://toons.test/1-1.jpg"


@pytest.fixture(scope="module")
def drawn_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("meanwhile") / "space"
    Drawing(root, Size(albums=2)).draw().catalogue.close()
    return root


def withdraw(space: Workspace, subject: str = PICTURE) -> None:
    words = (subject, "-C", space.root, "--reason", "asked", "--yes")
    assert invoke(takedown, *words).exit_code == 0


def face_of(space: Workspace) -> int:
    with space.catalogue.read() as connection:
        query = sa.select(face.c.id).join(url, url.c.image_id == face.c.image_id)
        return int(connection.execute(query.where(url.c.url == PICTURE)).scalar_one())


def withdrawing(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, kind: object, name: str
) -> None:
    """Withdraw the picture when a function has returned for the first time."""
    method, left = getattr(kind, name), [1]

    def patched(*words: Any, **more: Any) -> Any:
        returned = method(*words, **more)
        if left:
            left.clear()
            withdraw(space)
        return returned

    monkeypatch.setattr(kind, name, patched)


@pytest.mark.parametrize("form", ["csv", "label-studio"])
@pytest.mark.parametrize("as_reference", [False, True])
@pytest.mark.parametrize("after", ["write_crops", "_write_files"])
def test_a_batch_is_published_without_what_was_withdrawn_while_it_was_cut(
    space: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    as_reference: bool,
    after: str,
) -> None:
    key = face_of(space)
    with space.catalogue.write() as connection:
        connection.execute(sa.update(question).values(label="open"))
        if as_reference:
            changed = sa.update(question).where(question.c.face_id != key)
            connection.execute(changed.values(reference_face_id=key))
        folder = {"path": "batches/new", "format": form}
        connection.execute(sa.update(batch).values(folder))
    withdrawing(space, monkeypatch, exporting, after)
    request = ExportRequest(form, space.root / "batches" / "new", 1000)
    done = exporting.export(space, request)
    assert done.left_out == {}
    crop = request.folder / "pictures" / f"face-{key}.jpg"
    assert not crop.exists()
    assert len(list(crop.parent.iterdir())) == 90
    for path in request.folder.glob("*.*"):
        assert f"face-{key}.jpg" not in path.read_text()
    with space.catalogue.read() as connection:
        left = set(connection.execute(sa.select(question.c.id)).scalars())
    if form == "csv":
        with (request.folder / "questions.csv").open() as file:
            asked = {int(row["question"]) for row in csv.DictReader(file)}
    else:
        files = request.folder.glob("*.json")
        tasks = [task for file in files for task in json.loads(file.read_text())]
        asked = {int(each["data"]["question_id"][1:]) for each in tasks}
    assert asked == left


def test_a_release_is_not_published_with_what_was_withdrawn_while_it_was_written(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = space.root / "releases" / "one"
    with space.catalogue.read() as connection:
        query = sa.select(image.c.sha256).join(url, url.c.image_id == image.c.id)
        sha256 = connection.execute(query.where(url.c.url == PICTURE)).scalar_one()
    prepared = prepare(space, 1)
    last = max(each.picture for each in (*prepared.plan.train, *prepared.plan.test))
    put = ReleaseData.put

    def slowly(
        self: ReleaseData, each: Placed, folder: Path, file: Path
    ) -> WrittenPicture:
        written = put(self, each, folder, file)
        if each.picture == last:
            withdraw(space)
        return written

    monkeypatch.setattr(ReleaseData, "put", slowly)
    with pytest.raises(IcfError, match=r"withdrawn meanwhile.*run the same command"):
        write(space, prepared, out, 1)
    assert list(out.parent.iterdir()) == []
    with space.catalogue.read() as connection:
        assert connection.execute(sa.select(release)).all() == []
    monkeypatch.undo()
    assert write(space, prepare(space, 1), out, 1)
    assert sha256 not in (out / "licences.csv").read_text()


def test_a_release_of_what_a_killed_takedown_left_is_refused_with_what_helps(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(work, "_end_urls", stop)
        invoke(takedown, PICTURE, "-C", space.root, "--reason", "asked", "--yes")
    out = space.root / "releases" / "one"
    with pytest.raises(IcfError, match="If the takedown was killed, run it again"):
        write(space, prepare(space, 1), out, 1)
    withdraw(space)
    assert write(space, prepare(space, 1), out, 1)


def test_a_report_that_may_show_what_was_withdrawn_meanwhile_is_not_kept(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = space.root / "reports" / "first.html"

    def slowly(connection: sa.Connection) -> Any:
        withdraw(space)
        return read_reliability(connection)

    monkeypatch.setattr(page, "read_reliability", slowly)
    with pytest.raises(IcfError, match="withdrawn meanwhile"):
        write_report(space, target)
    assert not target.exists()
    monkeypatch.undo()
    assert write_report(space, target) == target.stat().st_size


class Late(Step[Item]):
    """Embeds a face, and is slower than a takedown."""

    name = "late"
    subject = "face"

    def __init__(self, space: Workspace) -> None:
        self.space = space

    def select(self, connection: sa.Connection, ids: Any) -> list[Item]:
        return [Item(each) for each in ids]

    def judge(self, batch: Any) -> list[Outcome]:
        withdraw(self.space)
        row = np.ones(32, np.float32)
        return [Outcome(each.id, True, model=EMBEDDER, vector=row) for each in batch]


class Here:
    """Judges in the calling thread."""

    def judge(self, step: Step[Any], batches: Any) -> Iterator[list[Outcome]]:
        for each in list(batches):
            yield step.judge(each)

    def close(self) -> None:
        """Nothing is open."""


def test_an_embedding_that_comes_after_its_face_was_withdrawn_is_erased(
    space: Workspace,
) -> None:
    key = face_of(space)
    with space.catalogue.write() as connection:
        waits = sa.update(face).where(face.c.id == key).values(awaits="late")
        connection.execute(waits)
        connection.execute(sa.update(character).values(reference_face_id=None))
    step = Late(space)
    run_id = space.begin_run("test")
    runner = Runner(
        space.catalogue,
        space.vectors,
        Here(),
        run_id,
        Chain((step,)),
    )
    assert runner.run(step).passed == 0
    assert not space.vectors.has(EMBEDDER, np.array([key])).any()


def test_on_postgresql_nothing_is_withdrawn_while_somebody_publishes(
    postgres_catalogue: Catalogue,
) -> None:
    def another() -> None:
        with postgres_catalogue.write() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
            tombstones.hold(connection)

    with postgres_catalogue.write() as connection:
        tombstones.hold(connection)
        with pytest.raises(IcfError, match="lock timeout"):
            another()
    another()
