"""The round trip through a real Label Studio: questions there, answers back.

It runs where ICF_TEST_LABEL_STUDIO names the program, see docs/testing.md.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import sync_playwright

from icf.annotate.batch import picture_path
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.export import ExportRequest, export
from icf.annotate.import_answers import Imported, import_answers
from icf.catalogue.schema import answer
from tests.annotate.place import Place
from tests.integration.label_studio import PROGRAM, User, label_studio
from tests.integration.page.server import CHROMIUM

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="opt-in: ICF_TEST_LABEL_STUDIO names no Label Studio"
)


#: How each export is called by the API, in the order in which they are imported.
EXPORTS = ("JSON", "JSON_MIN", "CSV", "TSV")


@dataclass(frozen=True)
class Server:
    """A Label Studio, two people who work with it, and where it finds local files."""

    first: User
    second: User
    files: Path


class Project:
    """A project made from a batch of questions, as docs/annotate/exchange.md says.

    Args:
        server: where it is made.
        batch: the folder, which is below the server's local files.
        references: whether it is about references.
    """

    def __init__(
        self, server: Server, batch: Path, *, references: bool = False
    ) -> None:
        config = "label-studio-references.xml" if references else "label-studio.xml"
        made = {
            "title": "questions",
            "label_config": (batch / config).read_text(),
            "maximum_annotations": 2,
        }
        first = server.first
        self.first, self.second = first, server.second
        self._path = f"/api/projects/{first.call('POST', '/api/projects/', made)['id']}"
        pictures = {"project": self.id, "path": str(batch / "pictures")}
        storage = {**pictures, "title": "pictures", "use_blob_urls": True}
        first.call("POST", "/api/storages/localfiles", storage)
        file = "references.json" if references else "tasks.json"
        tasks = json.loads((batch / file).read_bytes())
        first.call("POST", f"{self._path}/import", tasks)
        listed = first.call("GET", f"/api/tasks?fields=all&project={self.id}")
        self.tasks = {
            each["data"]["question_id"]: int(each["id"]) for each in listed["tasks"]
        }

    @property
    def id(self) -> str:
        return self._path.rpartition("/")[2]

    def next_for(self, who: User) -> int:
        """The task that the page shows next; 0: none."""
        try:
            return int(who.call("GET", f"{self._path}/next")["id"])
        except AssertionError:
            return 0

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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two people on a server; it takes half a minute to start."""
    folder = tmp_path_factory.mktemp("label-studio")
    files = folder / "files"
    files.mkdir()
    with label_studio(folder, files) as first:
        second = User(first.url, "second@example.org")
        second.sign_up()
        yield Server(first, second, files)


def exported_batch(place: Place, server: Server) -> Path:
    """Export all questions of a workspace to where the server finds the pictures."""
    batch = Path(tempfile.mkdtemp(dir=server.files)) / "first"
    # Its prefix is the name of the folder, below the server's document root.
    below = f"/data/local-files/?d={batch.relative_to(server.files)}/"
    export(place.workspace, ExportRequest("label-studio", batch, 20, below))
    return batch


@pytest.fixture
def project(plain: Place, server: Server) -> Project:
    ann = plain.add_character()
    for _ in range(8):
        plain.add_face(ann, 0.5)
    return Project(server, exported_batch(plain, server))


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


def test_two_people_get_the_same_task_where_the_project_says_so(
    plain: Place, server: Server, project: Project
) -> None:
    one, two = project.first, project.second
    for question in project.tasks:
        project.answer(one, question, "same")
    assert project.next_for(one) == 0
    assert project.next_for(two) in project.tasks.values()
    one.call("PATCH", f"/api/projects/{project.id}/", {"maximum_annotations": 1})
    assert project.next_for(two) == 0


def test_answers_about_references_come_back(
    plain: Place, server: Server, tmp_path: Path
) -> None:
    ann = plain.add_character()
    plain.set_reference(ann, plain.reference(ann), by="source")
    batch = exported_batch(plain, server)
    project = Project(server, batch, references=True)
    project.answer(project.first, "q000001", "different")
    for form in EXPORTS:
        take(plain, project.exported(form, tmp_path))
    assert [row[:3] for row in counting(plain)] == [(1, "label-studio:1", "false")]


#: Width, height and lower end of both pictures, once they have their width.
LAID_OUT = """(width) => {
  const boxes = [...document.querySelectorAll("img")]
    .filter((each) => each.src.startsWith("blob:") && each.naturalWidth > 0)
    .map((each) => each.getBoundingClientRect())
    .map((box) => [box.width, box.height, box.bottom].map(Math.round));
  return boxes.length === 2 && boxes.every((box) => box[0] === width) && boxes;
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_pictures_of_any_form_are_large_and_seen_without_scrolling(
    plain: Place, server: Server
) -> None:
    ann = plain.add_character()
    faces = [plain.add_face(ann, 0.5) for _ in range(2)]
    batch = exported_batch(plain, server)
    for face, size in zip(faces, ((400, 600), (640, 400)), strict=True):
        Image.new("RGB", size, "orange").save(batch / picture_path(face))
    project = Project(server, batch)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.add_cookies(
            [
                {"name": name, "value": value, "url": server.first.url}
                for name, value in server.first.cookies.items()
            ]
        )
        page = context.new_page()
        heights = []
        for task in project.tasks.values():
            page.goto(f"{server.first.url}/projects/{project.id}/data?task={task}")
            # It lays them out anew when both are loaded.
            laid_out = page.wait_for_function(LAID_OUT, arg=320)
            reference, candidate = laid_out.json_value()
            assert max(reference[2], candidate[2]) < 720
            heights.append(candidate[1])
        browser.close()
    assert sorted(heights) == [200, 480]
