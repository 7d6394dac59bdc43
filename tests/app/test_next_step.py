"""What a workspace says that comes next."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import answer, face, image, question
from icf.errors import WrongUse
from icf.next_step import HARVEST, next_step
from icf.workspace import find, init
from tests.app.program import call
from tests.harvest.rows import put_urls


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return init(tmp_path_factory.mktemp("empty")).root


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "harvest status",
        "harvest reference",
        "filter run",
        "filter status",
        "filter rethreshold",
        "filter review",
        "filter consistency",
        "filter calibrate",
        "annotate status",
        "report {}/report.html",
        "annotate export {}/batch",
    ],
)
def test_an_empty_workspace_says_what_comes_first(empty: Path, line: str) -> None:
    words = line.format(empty).split()
    assert HARVEST in call("-C", empty, *words).stderr.splitlines()


def test_a_release_of_nothing_says_what_comes_first(empty: Path) -> None:
    with pytest.raises(WrongUse, match=r"run `icf-harvest run`$"):
        call("-C", empty, "build-splits", empty / "release")


def test_each_stage_names_the_next(drawn_space: Path) -> None:
    catalogue = find(drawn_space).catalogue
    with catalogue.engine.connect() as connection:
        steps: list[str] = []
        needs_others: list[bool] = []
        for change in (
            sa.select(1),
            sa.update(question).values(label="disputed"),
            sa.update(question).values(label="open"),
            sa.delete(answer),
            sa.delete(question),
            sa.update(face).values(verdict="dropped"),
            sa.update(image).values(awaits="detect"),
        ):
            connection.execute(change)
            said = next_step(connection)
            needs_others.append("another person" in said)
            steps.append(said.partition(":")[0])
        connection.rollback()
    assert [number for number, needs in enumerate(needs_others) if needs] == [2]
    assert steps == [
        "all questions are settled",
        "people contradict each other about some questions",
        "questions are open",
        "questions are open",
        "kept faces can be asked about",
        "no face is kept",
        "pictures or faces wait for the filter",
    ]
    catalogue.close()


def test_pending_urls_come_before_the_filter(tmp_path: Path) -> None:
    made = init(tmp_path)
    put_urls(made.catalogue, "http://a.org/1.png")
    assert call("-C", tmp_path, "status").stderr == (
        "URLs are pending: run `icf-harvest run`\n"
    )
    made.catalogue.close()
