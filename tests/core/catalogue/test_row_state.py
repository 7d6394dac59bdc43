from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue import ledger, row_state
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.ledger import Decision
from icf.catalogue.row_state import RowState
from icf.catalogue.schema import image
from tests.filter.rows import add_album, add_face, add_image, face_row


def test_rows_and_ledger_say_the_same_after_one_write(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom)
    kept, small, other = (
        add_face(catalogue, image_id, tom, probability=0.5) for _ in range(3)
    )
    states = [
        RowState(Decision("image", image_id, "exact", "kept", "ok"), None),
        RowState(Decision("face", kept, "size", "pending", "ok", 120.0, 80.0), "kind"),
        RowState(
            Decision("face", small, "size", "dropped", "too_small", 20.0, 80.0),
            None,
            {"probability": None},
        ),
    ]
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        row_state.write(connection, run_id, states)
    with catalogue.read() as connection:
        row = connection.execute(sa.select(image.c.awaits, image.c.verdict)).one()
        assert tuple(row) == (None, "kept")
        for state in states:
            told = ledger.history(
                connection, state.decision.subject, state.decision.subject_id
            )
            assert [each.decision for each in told] == [state.decision]
    found = {
        key: tuple(face_row(catalogue, key)[name] for name in COLUMNS)
        for key in (kept, small, other)
    }
    assert found == {
        kept: ("kind", "pending", "ok", 0.5),
        small: (None, "dropped", "too_small", None),
        other: ("size", "pending", "ok", 0.5),
    }


COLUMNS = ("awaits", "verdict", "reason", "probability")
