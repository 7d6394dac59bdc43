"""The round trip through a real Label Studio: questions there, answers back.

It runs where ICF_TEST_LABEL_STUDIO names the program, see docs/testing.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.export import ExportRequest, export
from icf.annotate.import_answers import Imported, import_answers
from icf.catalogue.schema import answer
from tests.annotate.place import Place
from tests.integration.label_studio import PROGRAM, User, label_studio

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="opt-in: ICF_TEST_LABEL_STUDIO names no Label Studio"
)

#: How each export is called by the API, in the order in which they are imported.
EXPORTS = ("JSON", "JSON_MIN", "CSV", "TSV")


class Project:
    """A project made from a batch of questions."""

    def __init__(self, batch: Path, first: User, second: User) -> None:
        made = {
            "title": "questions",
            "label_config": (batch / "label-studio.xml").read_text(),
            "maximum_annotations": 2,
        }
        self.first, self.second = first, second
        self._path = f"/api/projects/{first.call('POST', '/api/projects/', made)['id']}"
        tasks = json.loads((batch / "tasks.json").read_bytes())
        first.call("POST", f"{self._path}/import", tasks)
        listed = first.call("GET", f"/api/tasks?fields=all&project={self.id}")
        self.tasks = {
            each["data"]["question_id"]: int(each["id"]) for each in listed["tasks"]
        }

    @property
    def id(self) -> str:
        return self._path.rpartition("/")[2]

    def answer(
        self, who: User, question: str, choice: str, name: str = "same", **more: object
    ) -> int:
        """Submit an annotation; return its id."""
        data = {**annotated(choice, name), **more}
        path = f"/api/tasks/{self.tasks[question]}/annotations/"
        return int(who.call("POST", path, data)["id"])

    def change(self, who: User, annotation: int, choice: str) -> None:
        """Submit another answer in an annotation."""
        who.call("PATCH", f"/api/annotations/{annotation}/", annotated(choice))

    def begin(self, who: User, question: str, choice: str) -> None:
        """Answer without submitting it."""
        path = f"/api/tasks/{self.tasks[question]}/drafts"
        who.call("POST", path, annotated(choice))

    def exported(self, form: str, folder: Path, *, unanswered: bool = True) -> Path:
        """Save an export."""
        query = f"exportType={form}&download_all_tasks={str(unanswered).lower()}"
        path = folder / f"export.{form}"
        path.write_bytes(self.first.fetch("GET", f"{self._path}/export?{query}"))
        return path


def annotated(choice: str, name: str = "same") -> Mapping[str, object]:
    """What the page sends for a choice."""
    value = {"choices": [choice]}
    chosen = {"from_name": name, "to_name": "cand", "type": "choices", "value": value}
    return {"result": [chosen], "lead_time": 3.25}


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, User]]:
    """Two people on a server; it takes half a minute to start."""
    folder = tmp_path_factory.mktemp("label-studio")
    with label_studio(folder, folder) as first:
        second = User(first.url, "second@example.org")
        second.sign_up()
        yield first, second


@pytest.fixture
def project(plain: Place, users: tuple[User, User]) -> Project:
    ann = plain.add_character()
    for _ in range(8):
        plain.add_face(ann, 0.5)
    batch = plain.workspace.root / "batches" / "first"
    export(plain.workspace, ExportRequest("label-studio", batch, 8))
    return Project(batch, *users)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Place]:
    """An empty workspace with its own SQLite file."""
    made = Place(tmp_path / "space")
    yield made
    made.workspace.catalogue.close()


def take(place: Place, path: Path, **names: Any) -> Imported:
    return import_answers(place.workspace, path, AnnotatorNames({}, **names))


def counting(place: Place) -> list[tuple[Any, ...]]:
    """The answers that count: question, person, choice, seconds, whether dated."""
    columns: Sequence[sa.ColumnElement[Any]] = (
        answer.c.question_id,
        answer.c.annotator,
        answer.c.choice,
        answer.c.seconds,
        answer.c.answered_at.is_not(None),
    )
    query = sa.select(*columns).where(answer.c.replaced_at.is_(None))
    with place.workspace.catalogue.read() as connection:
        ordered = query.order_by(answer.c.question_id, answer.c.annotator)
        return [tuple(row) for row in connection.execute(ordered)]


@pytest.mark.parametrize("form", EXPORTS)
def test_every_export_brings_the_same_answers_and_the_others_nothing_more(
    plain: Place, project: Project, tmp_path: Path, form: str
) -> None:
    one, two = project.first, project.second
    for who, choice in ((one, "same"), (two, "different")):
        project.answer(who, "q000001", choice)
    project.answer(one, "q000002", "wrong_reference")
    taken = take(plain, project.exported(form, tmp_path))
    assert (taken.taken, taken.unanswered, taken.refused) == (3, 6, {})
    assert counting(plain) == [
        (1, "label-studio:1", "true", 3.25, True),
        (1, "label-studio:2", "false", 3.25, True),
        (2, "label-studio:1", "wrong_reference", 3.25, True),
    ]
    for other in EXPORTS:
        again = take(plain, project.exported(other, tmp_path))
        assert (again.taken, again.revised, again.known) == (0, 0, 3)
    named = take(plain, project.exported(form, tmp_path), server="lab")
    assert (named.taken, named.known, named.renamed) == (0, 3, 3)
    assert [row[1] for row in counting(plain)] == [
        "label-studio:lab:1",
        "label-studio:lab:2",
        "label-studio:lab:1",
    ]


@pytest.mark.parametrize("form", EXPORTS)
def test_a_corrected_answer_replaces_the_old_one_in_whatever_order_files_come(
    plain: Place, project: Project, tmp_path: Path, form: str
) -> None:
    annotation = project.answer(project.first, "q000001", "same")
    before = project.exported(form, tmp_path).rename(tmp_path / "before")
    project.change(project.first, annotation, "different")
    after = project.exported(form, tmp_path)
    take(plain, before)
    assert take(plain, after).revised == 1
    assert (take(plain, before).known, take(plain, after).known) == (1, 1)
    assert [row[2] for row in counting(plain)] == ["false"]


def test_what_label_studio_accepts_and_we_do_not_is_said_of_every_export(
    plain: Place, project: Project, tmp_path: Path
) -> None:
    one, two = project.first, project.second
    project.answer(one, "q000001", "sane")
    project.answer(one, "q000002", "same", name="sam")
    for choice in ("same", "different"):
        project.answer(one, "q000003", choice)
    project.answer(one, "q000004", "same", was_cancelled=True)
    project.begin(two, "q000005", "same")
    project.change(two, project.answer(one, "q000006", "same"), "different")
    for form in EXPORTS:
        found = take(plain, project.exported(form, tmp_path))
        assert found.refused == {"unknown_choice": 1, "bad_row": 1}
        assert [(each.question, each.item) for each in found.faults] == [
            (name, str(project.tasks[name])) for name in ("q000001", "q000002")
        ]
        assert found.superseded == 1
        if form == "JSON":
            assert found.noted == {"edited": 1, "draft": 1}
            assert {each.question for each in found.notes} == {"q000005", "q000006"}
        assert [row[:3] for row in counting(plain)] == [
            (3, "label-studio:1", "false"),
            (6, "label-studio:1", "false"),
        ]


def test_without_the_unanswered_tasks_an_export_says_the_same(
    plain: Place, project: Project, tmp_path: Path
) -> None:
    project.answer(project.first, "q000001", "unsure")
    for form in EXPORTS:
        path = project.exported(form, tmp_path, unanswered=False)
        assert take(plain, path).unanswered == 0
    assert [row[:3] for row in counting(plain)] == [(1, "label-studio:1", "unsure")]
