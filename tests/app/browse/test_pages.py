from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import sqlalchemy as sa
from starlette.routing import Route

from icf.annotate.people.people import Role
from icf.app.browse.pages import routes
from icf.catalogue.schema import face, image, question, release, review
from icf.dataset.contents import COLUMNS, FILE
from tests.annotate.page.clients import signed_in
from tests.app.browse.conftest import Looking


def listed(html: str) -> list[int]:
    """The faces of a page, in order."""
    return [int(each) for each in re.findall(r'name="face" value="(\d+)"', html)]


def test_nobody_but_reviewers_sees_anything(looking: Looking) -> None:
    annotator = signed_in(looking.app, "Ann", Role.ANNOTATOR)
    for route in routes(looking.place.workspace):
        assert isinstance(route, Route)
        path = route.path.replace("{id:key}", "1")
        method = "POST" if "POST" in (route.methods or ()) else "GET"
        body = {"faces": [1]} if method == "POST" else None
        assert looking.stranger().request(method, path, json=body).status_code == 401
        assert annotator.request(method, path, json=body).status_code == 403


def test_albums_lead_to_characters_and_these_to_their_faces(looking: Looking) -> None:
    albums = looking.reviewer.get("/browse").text
    assert "Moon" in albums
    assert "3 of 4 faces kept" in albums
    [moon] = re.findall(r'href="(/browse/album/\d+)">[^§]*?Moon', albums)[:1]
    cast = looking.reviewer.get(moon).text
    assert "Ann &lt;b&gt;" in cast
    assert "<b>" not in cast.partition("<h1>")[2][:400]
    found = looking.reviewer.get(f"/browse/faces?character={looking.ann}").text
    assert listed(found) == [looking.references[0], *looking.faces]


def test_the_first_page_is_that_of_the_albums(looking: Looking) -> None:
    answer = looking.reviewer.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/browse")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("sort=sharpness", [1, 2, 0]),
        ("sort=sharpness&order=down", [0, 2, 1]),
        ("sort=probability&order=down", [0, 1, 2]),
        ("verdict=dropped", [2]),
        ("reason=blurred", [2]),
        ("verdict=kept", [0, 1]),
        ("label=same", []),
        ("round=1", []),
    ],
)
def test_faces_are_filtered_and_sorted(
    looking: Looking, query: str, wanted: list[int]
) -> None:
    url = f"/browse/faces?character={looking.ann}&{query}"
    found = listed(looking.reviewer.get(url).text)
    mine = [each for each in found if each != looking.references[0]]
    assert mine == [looking.faces[each] for each in wanted]


@pytest.mark.parametrize(
    "query",
    [
        *("sort=beauty", "order=best", "album=x", "round=-1", "image=1e3"),
        *("after=1", "after=nan:1", "after=inf:1", "after=1:-1", f"after=1:{10**22}"),
    ],
)
def test_an_address_without_a_meaning_is_refused_in_words(
    looking: Looking, query: str
) -> None:
    answer = looking.reviewer.get(f"/browse/faces?{query}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_face_says_why_and_shows_its_neighbours(looking: Looking) -> None:
    page = looking.reviewer.get(f"/browse/face/{looking.faces[0]}").text
    assert "kept" in page
    assert "Why" in page
    near = [int(each) for each in re.findall(r"(\d+) · cosine", page)]
    place = looking.by_angle.index(looking.faces[0])
    assert set(near[:2]) == {looking.by_angle[place - 1], looking.by_angle[place + 1]}
    assert looking.faces[0] not in near
    blurred = looking.reviewer.get(f"/browse/face/{looking.faces[2]}").text
    assert "It is not embedded" in blurred
    assert looking.reviewer.get("/browse/face/999").status_code == 404
    assert looking.reviewer.get("/browse/album/999").status_code == 404


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5000])
def test_a_number_that_no_face_can_have_leads_nowhere(
    looking: Looking, number: str
) -> None:
    for before in ("/browse/face/", "/browse/album/", "/picture/browse/face/"):
        after = ".jpg" if before.startswith("/picture") else ""
        answer = looking.reviewer.get(f"{before}{number}{after}")
        assert answer.status_code == 404
    whole = looking.reviewer.get(f"/picture/browse/whole/{number}.jpg")
    assert whole.status_code == 404


def test_pictures_are_shown_until_their_bytes_are_gone(looking: Looking) -> None:
    for name in ("face", "whole"):
        url = f"/picture/browse/{name}/{looking.faces[0]}.jpg"
        assert looking.reviewer.get(url).content[:2] == b"\xff\xd8"
        assert (
            looking.reviewer.get(f"/picture/browse/{name}/999.jpg").status_code == 404
        )
    query = sa.select(image.c.sha256).join(face, face.c.image_id == image.c.id)
    with looking.place.workspace.catalogue.read() as connection:
        rows = connection.execute(query.where(face.c.id == looking.faces[0]))
        looking.place.workspace.blobs.remove(rows.scalar_one())
    for name in ("face", "whole"):
        url = f"/picture/browse/{name}/{looking.faces[0]}.jpg"
        assert looking.reviewer.get(url).status_code == 404


def test_chosen_faces_are_put_into_review_once(looking: Looking) -> None:
    chosen = {"faces": [looking.faces[0], looking.references[0]]}
    for _ in range(2):
        answer = looking.reviewer.post("/api/browse/review", json=chosen)
        assert answer.json() == {"counts": {"review": 1, "is_reference": 1}}
    with looking.place.workspace.catalogue.read() as connection:
        rows = connection.execute(sa.select(review.c.face_id, review.c.status)).all()
    assert rows == [(looking.faces[0], "open")]


def test_what_reviewers_would_not_see_is_not_put_into_review(looking: Looking) -> None:
    looking.reviewer.post("/api/browse/ask", json={"faces": looking.faces[:1]})
    chosen = {"faces": [*looking.faces, 999]}
    answer = looking.reviewer.post("/api/browse/review", json=chosen)
    expected = {"asked_before": 1, "review": 1, "dropped": 1, "gone": 1}
    assert answer.json() == {"counts": expected}
    with looking.place.workspace.catalogue.read() as connection:
        rows = connection.execute(sa.select(review.c.face_id)).scalars().all()
    assert rows == [looking.faces[1]]


def test_chosen_faces_become_questions_once(looking: Looking) -> None:
    chosen = {"faces": looking.faces[:2]}
    first = looking.reviewer.post("/api/browse/ask", json=chosen).json()
    again = looking.reviewer.post("/api/browse/ask", json=chosen).json()
    assert first == {"counts": {"asked": 2}}
    assert again == {"counts": {"asked_before": 2}}
    with looking.place.workspace.catalogue.read() as connection:
        query = sa.select(question.c.face_id, question.c.chosen).order_by(question.c.id)
        rows = connection.execute(query).all()
    assert rows == [(each, "by_hand") for each in looking.faces[:2]]
    page = looking.reviewer.get(f"/browse/face/{looking.faces[0]}").text
    # Tables are told apart by what is in them.
    assert 'role="group" aria-label="decisions"' in page


@pytest.mark.parametrize("faces", [None, [], "1", [True], [-1], [2**70], list("ab")])
def test_what_is_no_list_of_faces_changes_nothing(
    looking: Looking, faces: object
) -> None:
    answer = looking.reviewer.post("/api/browse/ask", json={"faces": faces})
    assert answer.status_code == 400
    assert looking.place.questions() == []


def test_nothing_is_done_without_the_token_of_the_session(looking: Looking) -> None:
    del looking.reviewer.headers["X-CSRF-Token"]
    answer = looking.reviewer.post("/api/browse/ask", json={"faces": looking.faces})
    assert answer.status_code == 403
    assert looking.place.questions() == []


@pytest.mark.parametrize("damaged", ["a neighbour", "its own", "all, with the files"])
def test_a_face_is_shown_whatever_embeddings_are_lost(
    looking: Looking, damaged: str
) -> None:
    # A disk changed them, or the other machine with this catalogue has them.
    wanted = looking.faces[0]
    folder = looking.place.workspace.vectors.folder
    lost = wanted if damaged == "its own" else looking.faces[1]
    for path in list(folder.glob("*/*")):
        if damaged.startswith("all"):
            path.unlink()
            continue
        rows = np.memmap(path, _ROW, "r+")
        rows["vector"][rows["id"] == lost, 0] += 1
        rows.flush()
    page = looking.reviewer.get(f"/browse/face/{wanted}")
    assert page.status_code == 200
    near = [int(each) for each in re.findall(r"(\d+) · cosine", page.text)]
    others = {*looking.by_angle} - {wanted, lost}
    assert set(near) == (others if damaged == "a neighbour" else set())
    assert ("Its embedding is lost" in page.text) == (not near)


#: A row of the embeddings of two numbers.
_ROW = np.dtype([("id", "<i8"), ("vector", "<f2", (2,)), ("crc", "<u4")])


def test_faces_are_filtered_by_their_part_of_the_newest_release(
    looking: Looking,
) -> None:
    space = looking.place.workspace
    folder = space.root / "releases" / "first"
    folder.mkdir(parents=True)
    places = sa.select(image.c.sha256, face.c.x1, face.c.y1, face.c.x2, face.c.y2).join(
        face, face.c.image_id == image.c.id
    )
    with space.catalogue.write() as connection:
        one, other = (
            connection.execute(places.where(face.c.id == each)).one()
            for each in looking.faces[:2]
        )
        made = {"path": "releases/first", "seed": 1, "summary": "{}", "created_at": 0.0}
        connection.execute(sa.insert(release).values(made))
    with (folder / FILE).open("w") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for part, place in (("train", one), ("probe", other)):
            writer.writerow({"part": part, **place._asdict()})
    for part, wanted in (("train", [looking.faces[0]]), ("probe", [looking.faces[1]])):
        page = looking.reviewer.get(f"/browse/faces?part={part}").text
        assert listed(page) == wanted
    page = looking.reviewer.get(f"/browse/face/{looking.faces[0]}").text
    assert "In the release releases/first: train" in page
