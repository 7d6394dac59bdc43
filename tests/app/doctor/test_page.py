from __future__ import annotations

import sqlalchemy as sa

from icf.annotate.people.tokens import KEY_FILE, read_key
from icf.app.doctor.page import check_page
from icf.catalogue.schema import answer
from tests.annotate.pairs.asked import ask_about
from tests.annotate.place import Place


def states(place: Place) -> dict[str, str]:
    return {each.name: each.state for each in check_page(place.workspace)}


def test_a_page_that_was_never_served_has_nothing_to_check(plain: Place) -> None:
    assert states(plain) == {}


def test_a_key_that_others_may_read_is_named(plain: Place) -> None:
    read_key(plain.workspace.root)
    assert states(plain) == {"page key": "ok", "answers": "ok"}
    (plain.workspace.root / KEY_FILE).chmod(0o640)
    assert states(plain)["page key"] == "warning"


def test_a_key_that_is_cut_short_is_broken(plain: Place) -> None:
    read_key(plain.workspace.root)
    (plain.workspace.root / KEY_FILE).write_bytes(b"short")
    assert states(plain)["page key"] == "broken"


def test_answers_that_wait_for_their_labels_are_counted(plain: Place) -> None:
    read_key(plain.workspace.root)
    [asked] = ask_about(plain, 1)
    with plain.workspace.catalogue.write() as connection:
        connection.execute(
            sa.insert(answer).values(
                question_id=asked,
                annotator="ann",
                choice="true",
                imported_at=0.0,
                file="page",
                line=0,
                waits=True,
            )
        )
    assert states(plain)["answers"] == "warning"
