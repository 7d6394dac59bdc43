from __future__ import annotations

import pytest

from icf import workspace as workspaces
from icf.annotate.boxes import settle_again as module
from icf.annotate.boxes.settle_again import preview_again, settle_again
from icf.workspace import Workspace
from tests.annotate.boxes.pictures import A, B, Pictures, boxed

#: 12 pixels to the right of `A`: an IoU of 38/62.
FAR_A = (22.0, 10.0, 72.0, 60.0)


def answer(pictures: Pictures, name: str, *drawn: tuple[float, ...]) -> None:
    someone = pictures.person(name)
    (task,) = pictures.task().take(someone, 1)
    value = {"verdict": "boxed", "boxes": [*map(list, drawn)]}
    assert pictures.answer(someone, task, value).refused is None


def with_setting(pictures: Pictures, flag: str) -> Workspace:
    """The same workspace with another setting."""
    root = pictures.place.workspace.root
    return workspaces.find(root, (f"catalogue.url={pictures.catalogue.url}", flag))


def test_another_setting_is_applied_to_the_answers_that_are_known(
    pictures: Pictures,
) -> None:
    key = pictures.add()
    answer(pictures, "ann", A)
    answer(pictures, "bob", FAR_A)
    assert pictures.status(key) == "open"
    lower = with_setting(pictures, "annotate.box_iou=0.5")
    assert preview_again(lower) == 1
    assert pictures.status(key) == "open"
    assert settle_again(lower) == 1
    assert pictures.status(key) == "verified"
    assert settle_again(lower) == 0
    lower.catalogue.close()
    higher = with_setting(pictures, "annotate.box_iou=0.7")
    assert settle_again(higher) == 1
    higher.catalogue.close()
    assert pictures.status(key) == "open"
    assert pictures.verified(key) == []
    assert pictures.decisions(key) == ["open", "verified", "open"]


def test_all_pages_are_settled(
    plain_pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    keys = [plain_pictures.add() for _ in range(5)]
    ann = plain_pictures.person()
    for task in plain_pictures.task().take(ann, 5):
        plain_pictures.answer(ann, task, boxed(B))
    alone = with_setting(plain_pictures, "annotate.box_people=1")
    assert (preview_again(alone), settle_again(alone)) == (5, 5)
    assert {plain_pictures.status(key) for key in keys} == {"verified"}
    alone.catalogue.close()


def test_where_nobody_was_asked_nothing_is_written(plain_pictures: Pictures) -> None:
    workspace = plain_pictures.place.workspace
    assert (preview_again(workspace), settle_again(workspace)) == (0, 0)
