"""The round trip of boxes through a real Label Studio.

It runs where ICF_TEST_LABEL_STUDIO names the program, see docs/testing.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icf.annotate.boxes.exchange.export_boxes import BoxExport, Which, export_boxes
from icf.annotate.boxes.exchange.import_boxes import BoxImporter, ImportedBoxes
from icf.annotate.boxes.exchange.read import read_boxes_file
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.workspace import Workspace
from tests.annotate.boxes.pictures import RULE, A, B, Pictures
from tests.annotate.place import Place
from tests.integration.label_studio import PROGRAM, User, label_studio

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="opt-in: ICF_TEST_LABEL_STUDIO names no Label Studio"
)


class Project:
    """A project made from a folder of pictures to be boxed."""

    def __init__(self, folder: Path, user: User) -> None:
        made = {
            "title": "boxes",
            "label_config": (folder / "label-studio.xml").read_text(),
        }
        self.user = user
        self._path = f"/api/projects/{user.call('POST', '/api/projects/', made)['id']}"
        project = self._path.rpartition("/")[2]
        storage = {"path": str(folder), "project": project, "use_blob_urls": True}
        user.call("POST", "/api/storages/localfiles/", storage)
        tasks = json.loads((folder / "tasks.json").read_bytes())
        user.call("POST", f"{self._path}/import", tasks)
        listed = user.call("GET", f"/api/tasks?fields=all&project={project}")
        self.tasks = {each["data"]["picture"]: each for each in listed["tasks"]}

    def submit(self, who: User, task: int, result: list[Any]) -> None:
        """Submit an annotation."""
        data = {"result": result, "lead_time": 3.25}
        who.call("POST", f"/api/tasks/{task}/annotations/", data)

    def exported(self, folder: Path) -> Path:
        """Save the export in JSON."""
        path = folder / "export.json"
        query = "exportType=JSON&download_all_tasks=true"
        path.write_bytes(self.user.fetch("GET", f"{self._path}/export?{query}"))
        return path


def take(workspace: Workspace, path: Path) -> ImportedBoxes:
    file = read_boxes_file(path)
    assert file is not None
    return BoxImporter(workspace, RULE, AnnotatorNames({})).store(file)


def rectangle(values: tuple[float, float, float, float]) -> dict[str, Any]:
    """What the page of Label Studio sends for a box of a picture of 160 x 160."""
    x1, y1, x2, y2 = (100 * each / 160 for each in values)
    value = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1, "rotation": 0}
    return {
        "type": "rectanglelabels",
        "from_name": "face",
        "to_name": "image",
        "original_width": 160,
        "original_height": 160,
        "image_rotation": 0,
        "value": value | {"rectanglelabels": ["face"]},
    }


def test_boxes_go_to_a_real_label_studio_and_come_back(tmp_path: Path) -> None:
    place = Place(tmp_path / "space", ("annotate.box_hidden=0",))
    workspace, pictures = place.workspace, Pictures(place)
    boxed, empty, unseen = pictures.add(A), pictures.add(), pictures.add(B)
    out = tmp_path / "out"
    export_boxes(workspace, BoxExport(Which.ASKED, "label-studio", out, 9))
    (tmp_path / "server").mkdir()
    with label_studio(tmp_path / "server", tmp_path) as first:
        second = User(first.url, "second@example.org")
        second.sign_up()
        project = Project(out, first)
        tasks = {int(name[1:7]): each for name, each in project.tasks.items()}
        # It has the detector's box as a prediction, and nothing where none was found.
        (prediction,) = tasks[boxed]["predictions"]
        assert tasks[empty]["predictions"] == []
        picture = first.fetch("GET", tasks[boxed]["data"]["image"])
        assert picture[:2] == b"\xff\xd8"
        for who in (first, second):
            drawn = [*prediction["result"], rectangle(B)]
            project.submit(who, tasks[boxed]["id"], drawn)
            project.submit(who, tasks[empty]["id"], [])
        found = take(workspace, project.exported(tmp_path))
        again = take(workspace, project.exported(tmp_path))
    assert (found.taken, found.unanswered, dict(found.refused)) == (4, 1, {})
    assert (again.taken, again.known) == (0, 4)
    assert [box for box, _ in pictures.verified(boxed)] == [A, B]
    statuses = [pictures.status(key) for key in (boxed, empty, unseen)]
    assert statuses == ["verified", "verified", "open"]
    workspace.catalogue.close()
