"""Pictures to box through the server, as a browser does it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from icf.annotate.people.people import Role
from tests.annotate.boxes.pictures import SIDE, A, B, Pictures, boxed
from tests.annotate.page.clients import app_of, signed_in


@pytest.fixture
def app(plain_pictures: Pictures) -> Starlette:
    return app_of(plain_pictures.place.workspace)


def take(client: TestClient, task: str = "boxes", count: int = 5) -> list[Any]:
    response = client.post(f"/api/{task}/next", json={"count": count})
    assert response.status_code == 200
    found: list[Any] = response.json()["tasks"]
    return found


def send(client: TestClient, handle: str, value: dict[str, Any]) -> dict[str, Any]:
    name = client.headers["X-CSRF-Token"][:8]
    answer = {"id": handle, "client_id": f"{name}-{handle}", "answer": value}
    response = client.post("/api/answers", json={"answers": [answer | {"seconds": 4}]})
    assert response.status_code == 200
    (receipt,) = response.json()["receipts"]
    return dict(receipt)


def test_two_people_box_a_picture(plain_pictures: Pictures, app: Starlette) -> None:
    key = plain_pictures.add(A)
    for name in ("Ann", "Bob"):
        client = signed_in(app, name)
        (task,) = take(client)
        assert send(client, task["id"], boxed(A, B))["stored"]
    assert plain_pictures.status(key) == "verified"
    assert [box for box, _ in plain_pictures.verified(key)] == [A, B]


def test_the_picture_is_encoded_anew_in_its_own_size(
    plain_pictures: Pictures, app: Starlette
) -> None:
    plain_pictures.add(A)
    client = signed_in(app)
    (task,) = take(client)
    response = client.get(task["picture"])
    assert response.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(response.content)) as found:
        assert found.size == (SIDE, SIDE)


def test_nobody_else_sees_the_picture_or_answers_for_it(
    plain_pictures: Pictures, app: Starlette
) -> None:
    key = plain_pictures.add(A)
    (task,) = take(signed_in(app, "Ann"))
    bob = signed_in(app, "Bob")
    assert bob.get(task["picture"]).status_code == 404
    assert not send(bob, task["id"], boxed(A))["stored"]
    assert plain_pictures.status(key) == "open"


def test_a_refusal_says_why_in_words(plain_pictures: Pictures, app: Starlette) -> None:
    plain_pictures.add(A)
    client = signed_in(app)
    (task,) = take(client)
    receipt = send(client, task["id"], boxed((0, 0, 1000, 20)))
    assert receipt["message"] == "box 1 is not inside the picture of 160 x 160 pixels"


def test_only_reviewers_get_disputed_pictures(
    plain_pictures: Pictures, app: Starlette
) -> None:
    key = plain_pictures.add(A)
    for name, value in (("Ann", boxed(A)), ("Bob", boxed(B)), ("Cleo", boxed())):
        client = signed_in(app, name)
        (task,) = take(client)
        send(client, task["id"], value)
        answer = client.post("/api/box-review/next", json={"count": 1})
        assert answer.status_code == 403
    rita = signed_in(app, "Rita", Role.REVIEWER)
    (task,) = take(rita, "box-review")
    assert sorted(task["people"]) == [[], [list(A)], [list(B)]]
    assert send(rita, task["id"], boxed(B))["stored"]
    assert plain_pictures.status(key) == "verified"
    assert take(rita, "box-review") == []
