"""A queue with parts: one is taken alone, and what is left of each is counted."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from icf.annotate.people.people import Role
from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.place import Place
from tests.annotate.review.expert import merge, outlier, suspect


@pytest.fixture
def expert(plain: Place) -> TestClient:
    """A reviewer's browser; an outlier and a merge wait."""
    ann, bea = plain.add_character("Ann"), plain.add_character("Bea")
    suspect(plain, outlier(plain, ann))
    suspect(plain, merge(plain, ann, bea))
    return signed_in(app_of(plain.workspace), "Eve", Role.REVIEWER)


def taken(client: TestClient, **asked: Any) -> list[str]:
    tasks = client.post("/api/review/next", json=asked).json()["tasks"]
    return [each["kind"] for each in tasks]


def test_one_part_is_taken_alone(expert: TestClient) -> None:
    assert taken(expert, count=9, part="outlier") == ["outlier"]
    assert taken(expert, count=9, part="nothing") == []
    assert taken(expert, count=9) == ["merge"]


def test_a_part_must_be_a_text(expert: TestClient) -> None:
    asked = {"count": 1, "part": 7}
    assert expert.post("/api/review/next", json=asked).status_code == 400


def test_what_is_left_of_each_part_is_counted_for_reviewers(
    plain: Place, expert: TestClient
) -> None:
    found = expert.get("/api/review/parts").json()["parts"]
    left = {each["name"]: each["left"] for each in found}
    assert (left["outlier"], left["merge"], left["twin"]) == (1, 1, 0)
    assert expert.get("/api/pairs/parts").status_code == 404
    assert expert.get("/api/nothing/parts").status_code == 404
    client = signed_in(app_of(plain.workspace), "Ann")
    assert client.get("/api/review/parts").status_code == 403


def test_nothing_that_is_shown_says_which_row_it_is(expert: TestClient) -> None:
    for task in expert.post("/api/review/next", json={"count": 9}).json()["tasks"]:
        assert set(task) == {
            "id",
            "kind",
            "character",
            "album",
            "alone",
            "candidate",
            "references",
            "context",
            "own",
            "votes",
            "score",
        }
        urls = [task["candidate"], task["context"], *task["references"]]
        assert all(each.startswith(f"/picture/{task['id']}/") for each in urls)
        assert len(task["id"]) == 32
