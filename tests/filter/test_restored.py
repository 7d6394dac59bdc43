"""A catalogue that was restored from a backup, and stores that are ahead of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue import ledger
from icf.catalogue.schema import decision, face
from icf.filter.restored import discard_ahead
from icf.stores.hash_index import Rows
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image

MODELS = ("a" * 64, "b" * 64)


@pytest.fixture
def filtered(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of three faces that have everything."""
    made = workspace.init(tmp_path)
    [tom] = add_album(made.catalogue, "Tom")
    ids = [
        add_face(made.catalogue, add_image(made.catalogue, tom), tom) for _ in range(3)
    ]
    with made.catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        kept = [ledger.Decision("face", i, "identity", "kept", "ok") for i in ids]
        ledger.append(connection, run_id, kept)
        last = connection.execute(sa.select(sa.func.max(decision.c.id))).scalar_one()
    for model in MODELS:
        made.vectors.append(model, np.array(ids), np.ones((3, 2), np.float32))
    made.hashes.restart("as set")
    made.hashes.add(Rows(np.array(ids), np.array(ids), np.array(ids)), last)
    yield made
    made.catalogue.close()


def test_stores_that_agree_with_the_catalogue_stay(filtered: Workspace) -> None:
    mark = filtered.hashes.mark
    discard_ahead(filtered)
    assert all(filtered.vectors.ids(model).tolist() == [1, 2, 3] for model in MODELS)
    assert (len(filtered.hashes), filtered.hashes.mark) == (3, mark)
    assert filtered.hashes.note == "as set"


def test_what_the_catalogue_has_no_face_of_is_gone(filtered: Workspace) -> None:
    with filtered.catalogue.write() as connection:
        connection.execute(sa.delete(face).where(face.c.id > 1))
    discard_ahead(filtered)
    assert all(filtered.vectors.ids(model).tolist() == [1] for model in MODELS)
    assert (len(filtered.hashes), filtered.hashes.mark) == (0, 0)


def test_hashes_that_were_read_further_than_the_ledger_are_made_again(
    filtered: Workspace,
) -> None:
    with filtered.catalogue.write() as connection:
        connection.execute(sa.delete(decision).where(decision.c.subject_id > 1))
    discard_ahead(filtered)
    assert (len(filtered.hashes), filtered.hashes.mark) == (0, 0)
    assert filtered.vectors.last_id() == 3


def test_a_workspace_in_which_nothing_was_filtered_yet(tmp_path: Path) -> None:
    made = workspace.init(tmp_path)
    discard_ahead(made)
    assert not (tmp_path / "hashes").exists()
    made.catalogue.close()
