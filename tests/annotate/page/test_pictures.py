from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.annotate.page.clients import app_of, signed_in
from tests.annotate.pairs.asked import ask_about, ask_all
from tests.annotate.place import Place, picture


def opened(data: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(data))
    assert found.format == "JPEG"
    return found


@pytest.mark.parametrize("name", ["candidate", "reference", "context"])
def test_pictures_are_encoded_anew_without_metadata(plain: Place, name: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    out = io.BytesIO()
    Image.open(io.BytesIO(picture(7))).save(out, "JPEG", exif=exif)
    ann = plain.add_character()
    plain.add_face(ann, 0.5, data=out.getvalue() + b"<script>trailing</script>")
    ask_all(plain)
    client = signed_in(app_of(plain.workspace))
    [task] = client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    response = client.get(f"/picture/{task['id']}/{name}.jpg")
    assert response.headers["content-type"] == "image/jpeg"
    assert b"secret" not in response.content
    assert b"script" not in response.content
    assert len(opened(response.content).getexif()) == 0


def test_a_whole_picture_has_at_most_1600_pixels_and_the_box(plain: Place) -> None:
    ann = plain.add_character()
    box = dict.fromkeys(("x1", "y1"), 800.0) | dict.fromkeys(("x2", "y2"), 1600.0)
    plain.add_face(ann, 0.5, data=picture(3, side=3200), **box)
    ask_all(plain)
    client = signed_in(app_of(plain.workspace))
    [task] = client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    shown = opened(client.get(task["context"]).content)
    assert shown.size == (1600, 1600)
    red, green, blue = np.asarray(shown)[600, 400].astype(int)
    assert red > 180
    assert green > 120
    assert blue < 120


def test_nobody_sees_what_was_shown_to_another(plain: Place) -> None:
    ask_about(plain, 1)
    app = app_of(plain.workspace)
    [task] = signed_in(app).post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    other = signed_in(app, "Bob")
    for url in (task["candidate"], *task["references"], task["context"]):
        assert other.get(url).status_code == 404


def test_a_reference_is_not_shown_from_memory_when_its_picture_is_gone(
    plain: Place,
) -> None:
    ask_about(plain, 1)
    client = signed_in(app_of(plain.workspace))
    [task] = client.post("/api/pairs/next", json={"count": 1}).json()["tasks"]
    [url] = task["references"]
    first = client.get(url)
    assert first.status_code == 200
    assert client.get(url).content == first.content
    for path in (plain.workspace.root / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    assert client.get(url).status_code == 404
