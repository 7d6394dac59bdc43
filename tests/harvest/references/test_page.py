"""The page as it is written; tests/integration opens it in a real browser."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import album, character, image
from icf.errors import BrokenMachine, WrongUse
from icf.harvest.references import page as reference_page
from icf.harvest.references.page import Order, write_page
from icf.images import decode, probe
from icf.workspace import Workspace, init
from tests.core.pictures import drawing, encoded
from tests.dataset.page import Page
from tests.filter.rows import add_album, add_face, add_image

HOSTILE = [
    "<script>alert(1)</script>",
    '" onload=alert(1) x="',
    "'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "]]></style></script><!--",
]


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return init(tmp_path / "space")


def add_picture(
    made: Workspace, *who: int, seed: int = 1, lead: bool = False, exif: bytes = b""
) -> int:
    data = encoded(drawing(300, 200, seed), "JPEG", exif=exif)
    sha256 = made.blobs.put(data)
    return add_image(made.catalogue, *who, sha256=sha256, lead=lead)


def add_known(made: Workspace, who: int, seed: int, **columns: object) -> int:
    """A picture whose one face is known."""
    image_id = add_picture(made, who, seed=seed)
    with made.catalogue.write() as connection:
        connection.execute(
            sa.update(image).where(image.c.id == image_id).values(awaits=None)
        )
    kept = {"awaits": None, "verdict": "kept"}
    return add_face(made.catalogue, image_id, who, **{**kept, **columns})


def written(made: Workspace, **order: object) -> Page:
    target = made.root / "page.html"
    write_page(made, Order(target, **order))  # type: ignore[arg-type]
    return Page.read(target)


def radios(page: Page) -> list[str]:
    return [tag["value"] for tag in page.of("input") if tag.get("type") == "radio"]


def test_before_faces_are_known_whole_pictures_are_shown_the_lead_first(
    made: Workspace,
) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_picture(made, tom, seed=1)
    lead = add_picture(made, tom, seed=2, lead=True)
    with made.catalogue.read() as connection:
        query = sa.select(image.c.sha256).order_by((image.c.id == lead).desc())
        first, second = connection.execute(query).scalars()
    page = written(made)
    assert radios(page) == [f"image:{first}", f"image:{second}", "none"]
    assert page.words.count("lead picture") == 1


def test_once_faces_are_known_their_crops_are_shown_with_what_was_measured(
    made: Workspace,
) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    small = add_known(made, tom, 1, score=0.9, sharpness=123.4)
    large = add_known(made, tom, 2, x2=180.0, y2=180.0)
    copy = add_known(made, tom, 3, verdict="dropped", reason="near_duplicate")
    human = add_known(made, tom, 4, verdict="dropped", reason="human")
    page = written(made)
    assert radios(page) == [f"face:{large}", f"face:{small}", "none"]
    assert f"face:{copy}" not in radios(page)
    assert f"face:{human}" not in radios(page)
    assert "90% ◐123" in page.words


def test_the_present_reference_comes_first_and_is_marked(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_known(made, tom, 1, x2=190.0, y2=190.0)
    present = add_known(made, tom, 2, verdict="dropped", reason="human")
    with made.catalogue.write() as connection:
        connection.execute(
            sa.update(character).values(reference_face_id=present, reference_by="hand")
        )
    page = written(made)
    assert radios(page)[0] == f"face:{present}"
    assert [tag.get("class") for tag in page.of("label")].count("now") == 1
    assert "chosen by hand" in page.words


def test_a_character_has_at_most_as_many_pictures_as_asked(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    for seed in range(5):
        add_picture(made, tom, seed=seed)
    assert len(radios(written(made, limit=3))) == 4


def test_names_from_the_web_are_text_and_nothing_else(made: Workspace) -> None:
    for name in HOSTILE:
        [who] = add_album(made.catalogue, name)
        with made.catalogue.write() as connection:
            connection.execute(
                sa.update(album).where(album.c.id == who).values(name=f"of {name}")
            )
            connection.execute(
                sa.update(character).values(page_url="javascript:alert(1)")
            )
    page = written(made)
    assert len(page.of("script")) == 1
    assert page.of("a") == []
    assert not any(name.startswith("on") for _, tag in page.tags for name in tag)
    shown = [tag["data-row"] for tag in page.of("section")]
    assert len(shown) == len(HOSTILE)
    for name in HOSTILE:
        assert name in page.text


def test_the_policy_lets_only_the_page_s_own_style_and_script_run(
    made: Workspace,
) -> None:
    add_album(made.catalogue, "Tom")
    written(made)
    text = (made.root / "page.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    allowed = policy[1].replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; img-src 'self' data:;")
    assert "unsafe" not in allowed
    for tag in ("style", "script"):
        code = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert code is not None
        digest = base64.b64encode(hashlib.sha256(code[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in allowed
    assert 'style="' not in text


def test_nothing_is_loaded_from_elsewhere(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_picture(made, tom)
    page = written(made)
    assert page.of("link") == []
    (picture,) = page.of("img")
    assert picture["src"].startswith("data:image/jpeg;base64,")


def test_pictures_are_encoded_anew_and_carry_nothing_along(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    secret = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"secret" * 9
    add_picture(made, tom, exif=secret)
    (picture,) = written(made).of("img")
    data = base64.b64decode(picture["src"].partition(",")[2])
    assert b"secret" not in data
    assert max(decode(data).pixels.shape) <= 240


def test_many_pictures_go_into_a_folder_beside_the_page(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference_page, "INLINE", 10)
    [tom] = add_album(made.catalogue, "Tom")
    add_picture(made, tom)
    (picture,) = written(made).of("img")
    assert picture["src"].startswith("page_pictures/image-")
    assert probe((made.root / picture["src"]).read_bytes()).format == "jpeg"
    # Made again with few pictures, the folder is not left behind.
    monkeypatch.undo()
    written(made)
    assert not (made.root / "page_pictures").exists()
    assert [each for each in made.root.iterdir() if each.name.startswith("tmp")] == []


def test_a_folder_with_other_files_is_not_replaced(made: Workspace) -> None:
    add_album(made.catalogue, "Tom")
    folder = made.root / "page_pictures"
    folder.mkdir()
    (folder / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(WrongUse, match="has other files"):
        written(made)
    assert (folder / "mine.jpg").read_bytes() == b"mine"


def test_pictures_that_cannot_be_read_are_counted_by_reason(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_image(made.catalogue, tom)
    add_image(made.catalogue, tom, sha256=made.blobs.put(b"<html>"))
    done = write_page(made, Order(made.root / "page.html"))
    assert done.left_out == {"missing_blob": 1, "not_image": 1}
    assert (done.characters, done.pictures) == (1, 0)
    page = Page.read(made.root / "page.html")
    assert "1 missing_blob, 1 not_image" in page.words
    assert "No picture yet." in page.words


def test_only_an_album_or_only_those_without_a_reference(made: Workspace) -> None:
    [tom] = add_album(made.catalogue, "Tom")
    add_album(made.catalogue, "Bugs")
    add_picture(made, tom, lead=True)
    assert "Tom" not in written(made, missing=True).words
    with made.catalogue.read() as connection:
        names = connection.execute(sa.select(album.c.name).order_by(album.c.id))
        first = names.scalars().first()
    assert "Bugs" not in written(made, album=first).words


def test_a_page_about_nobody_is_wrong_use(made: Workspace) -> None:
    with pytest.raises(WrongUse, match="no character to show"):
        written(made)


def test_a_place_that_cannot_be_written_is_said(made: Workspace) -> None:
    add_album(made.catalogue, "Tom")
    with pytest.raises(BrokenMachine, match="cannot write the page"):
        write_page(made, Order(made.root / "nowhere" / "page.html"))
