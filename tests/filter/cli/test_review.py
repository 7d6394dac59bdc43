"""`icf-filter review`, and the page it writes."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from icf.catalogue import reviews
from icf.catalogue.reviews import Found
from icf.catalogue.schema import character, review
from icf.codes import ReviewStatus, Suspicion
from icf.errors import BrokenMachine, SomeFailed, WrongUse
from icf.filter.cli.main import cli
from tests.annotate.place import Place


class Desk:
    """Two characters, one name of which would be code in a page; three suspicions."""

    def __init__(self, root: Path) -> None:
        self.place = Place(root)
        self.root = root
        self.tom = self.place.add_character("Tom", "<b>Cats</b> & mice")
        self.jerry = self.place.add_character("<script>alert(1)</script>")
        self.odd = self.place.add_face(self.tom, 0.4)
        refs = {who: self.reference(who) for who in (self.tom, self.jerry)}
        kinds = (Suspicion.OUTLIER, Suspicion.MERGE, Suspicion.TWIN)
        found = [
            Found(Suspicion.OUTLIER, self.tom, self.odd, refs[self.tom], 0.75),
            Found(
                Suspicion.MERGE,
                self.tom,
                refs[self.tom],
                refs[self.jerry],
                0.9,
                other_character_id=self.jerry,
                similarity=0.81,
            ),
            Found(
                Suspicion.TWIN,
                self.tom,
                self.odd,
                self.place.add_face(self.jerry, 0.5),
                0.6,
                other_character_id=self.jerry,
                phash_bits=3,
                dhash_bits=5,
            ),
        ]
        with self.place.workspace.catalogue.write() as connection:
            reviews.replace(connection, kinds, [self.tom, self.jerry], found)

    def reference(self, who: int) -> int:
        query = sa.select(character.c.reference_face_id).where(character.c.id == who)
        with self.place.workspace.catalogue.read() as connection:
            return int(connection.execute(query).scalar_one())

    def said(self, kind: Suspicion, status: ReviewStatus) -> None:
        with self.place.workspace.catalogue.write() as connection:
            connection.execute(
                sa.update(review)
                .where(review.c.kind == kind.value)
                .values(status=status.value)
            )

    def call(self, *words: object) -> Result:
        logging.getLogger().handlers.clear()
        line = ["review", *map(str, words), "-C", str(self.root)]
        done = CliRunner().invoke(cli, line)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def json(self, *words: object) -> dict[str, Any]:
        found = json.loads(self.call(*words, "--json").stdout)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "space")


def test_without_a_queue_it_counts_all_and_shows_the_strongest(desk: Desk) -> None:
    queues = desk.json()["queues"]
    assert {name: each["open"] for name, each in queues.items()} == {
        "twins": 1,
        "merges": 1,
        "splits": 0,
        "outliers": 1,
    }
    assert queues["splits"]["strongest"] is None
    assert queues["outliers"]["strongest"]["face"]["why"] == f"face:{desk.odd}"
    shown = desk.call().stdout
    assert "outliers" in shown
    assert f"face:{desk.odd}" in shown


def test_a_queue_lists_faces_and_characters_as_arguments_of_why(desk: Desk) -> None:
    shown = desk.call("merges").stdout
    for who in (desk.tom, desk.jerry):
        assert f"character:{who}" in shown
        assert f"face:{desk.reference(who)}" in shown
    [row] = desk.json("merges")["suspicions"]
    assert (row["score"], row["similarity"], row["status"]) == (0.9, 0.81, "open")
    assert row["beside"]["character"] == "<script>alert(1)</script>"


def test_suspicions_can_be_selected_by_status_and_limit(desk: Desk) -> None:
    desk.said(Suspicion.TWIN, ReviewStatus.DIFFERENT)
    assert desk.json("twins")["suspicions"] == []
    assert "no twins with status open" in desk.call("twins").stdout
    found = desk.json("twins", "--status", "different", "--limit", 1)
    assert (found["total"], len(found["suspicions"])) == (1, 1)


def test_the_page_shows_each_pair_and_links_nothing_outside(
    desk: Desk, tmp_path: Path
) -> None:
    target = tmp_path / "page.html"
    assert desk.json("--sheet", target)["suspicions"] == 3
    page = target.read_text()
    assert page.count("<article>") == 3
    assert page.count('src="data:image/jpeg;base64,') == 6
    assert f"face:{desk.odd}" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;Cats&lt;/b&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:image/jpeg|#)", page)
    assert "default-src 'none'" in page


def test_a_page_of_one_queue_contains_only_that(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    assert ": 1 suspicion\n" in desk.call("twins", "--sheet", target).stdout
    assert "pHash 3, dHash 5 bits" in target.read_text()


def test_faces_without_a_picture_are_counted_and_the_page_is_written(
    desk: Desk, tmp_path: Path
) -> None:
    blobs = desk.place.workspace.blobs
    query = sa.text("SELECT sha256 FROM image JOIN face ON image_id = image.id")
    with desk.place.workspace.catalogue.read() as connection:
        for sha256 in connection.execute(query).scalars():
            blobs.remove(sha256)
    target = tmp_path / "page.html"
    found = desk.json("--sheet", target)
    assert (found["suspicions"], found["left_out"]) == (3, {"missing_blob": 4})
    assert target.read_text().count("no picture") == 6


def test_a_refresh_closes_what_no_longer_holds(desk: Desk) -> None:
    desk.place.set_reference(desk.tom, None)
    desk.place.set_reference(desk.jerry, None)
    assert desk.json("--refresh")["queues"]["outliers"]["closed"] == 1


def test_merges_are_listed_applied_and_undone(desk: Desk) -> None:
    assert "no merges to apply" in desk.call("--apply").stdout
    desk.said(Suspicion.MERGE, ReviewStatus.SAME)
    planned = desk.json("--apply", "--dry-run")
    assert planned["done"] is False
    assert "nothing was changed" in desk.call("--apply", "--dry-run").stdout
    done = desk.json("--apply")
    assert done == {**planned, "done": True}
    [each] = done["merges"]
    assert (each["gone"], each["stays"]) == (desk.jerry, desk.tom)
    assert (
        f"character:{desk.jerry} is no longer merged into"
        in desk.call("--undo", f"character:{desk.jerry}").stdout
    )


def test_contradictory_answers_are_reported_with_exit_code_three(desk: Desk) -> None:
    desk.said(Suspicion.MERGE, ReviewStatus.SAME)
    with desk.place.workspace.catalogue.write() as connection:
        [row] = connection.execute(
            sa.select(review).where(review.c.kind == "merge")
        ).mappings()
        against = {**row, "id": 99, "status": "different", "face_id": desk.odd}
        connection.execute(sa.insert(review).values(against))
    with pytest.raises(SomeFailed, match="characters are different"):
        desk.call("--apply")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--undo", "Toom"), "the nearest: 'Tom'"),
        (("--undo", "1"), "is not merged"),
        (("--undo", "12345"), "has no character:12345"),
        (("--dry-run",), "requires --apply"),
        (("merges", "--apply"), "give one"),
        (("--apply", "--undo", "1"), "give one"),
    ],
)
def test_wrong_use_says_what_to_do(
    desk: Desk, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(WrongUse, match=message):
        desk.call(*words)


def test_a_missing_folder_is_reported(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"there is no folder .*nowhere"):
        desk.call("--sheet", tmp_path / "nowhere" / "page.html")


def test_a_page_that_cannot_be_written_is_reported(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(BrokenMachine, match="cannot write the page"):
        desk.call("--sheet", tmp_path / f"{'x' * 300}.html")
