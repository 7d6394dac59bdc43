from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger, references
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.entry_steps import Entry, declare, step_at
from icf.catalogue.schema import entry_step
from icf.errors import BrokenMachine
from icf.filter.chain import own_steps
from icf.filter.entry_steps import ENTRY_STEPS
from icf.workspace import init
from tests.filter.rows import add_album, add_face, add_image, face_row

ROOT = Path(__file__).parent.parent.parent.parent

#: Names of steps that mean nothing else in a catalogue; "identity" is also a content
#: coding of HTTP, and "reference", "faces", "size" are plain words.
NAMES = {"detect", "embed", "duplicates", "identity", "aspect", "exact"}
HTTP = {"body.py", "fetch.py", "warc.py"}


def test_a_new_catalogue_has_the_entries_of_the_filter(catalogue: Catalogue) -> None:
    with catalogue.read() as connection:
        found = {entry: step_at(connection, entry) for entry in Entry}
    assert found == ENTRY_STEPS


def test_rows_enter_only_at_steps_of_the_chain(tmp_path: Path) -> None:
    subjects = {step.name: step.subject for step in own_steps(init(tmp_path))}
    entered = {entry: subjects[step] for entry, step in ENTRY_STEPS.items()}
    assert entered == {
        entry: "image" if entry is Entry.NEW_IMAGE else "face" for entry in Entry
    }


def test_what_the_filter_declares_is_where_faces_are_sent(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    image_id = add_image(catalogue, tom, awaits=None)
    face_id = add_face(catalogue, image_id, tom, awaits=None, verdict="kept")
    with catalogue.write() as connection:
        declare(connection, {**ENTRY_STEPS, Entry.CHANGED_REFERENCE: "compare"})
        run_id = ledger.begin_run(connection, "test", "{}", "0")
        references.judge_again(connection, run_id, tom)
    assert face_row(catalogue, face_id)["awaits"] == "compare"


def test_a_catalogue_without_entries_says_what_is_missing(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        connection.execute(sa.delete(entry_step))
        with pytest.raises(BrokenMachine, match="no row for 'new_image'"):
            step_at(connection, Entry.NEW_IMAGE)


def test_the_core_and_the_harvest_name_no_step_of_the_filter() -> None:
    files = [*(ROOT / "src/icf/catalogue").glob("*.py"), *ROOT.glob("harvest/**/*.py")]
    assert len(files) > 100
    named = {
        (file.name, text)
        for file in files
        for text in NAMES.intersection(_strings(file))
        if not (text == "identity" and file.name in HTTP)
    }
    assert named == set()


def _strings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
