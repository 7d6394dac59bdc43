"""Answers from Label Studio: its exports in JSON, JSON-MIN, CSV and TSV.

All four have the same answers under other names. The flat ones (all but JSON) leave out
what was skipped, who changed an answer last, and drafts; and a choice of another name
than ours is in none of the columns that they share.

An answer is of the user who made its annotation (``completed_by``), as Label Studio
itself counts it, also where somebody else changed it since (``updated_by``): the flat
exports do not say who did.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from icf.annotate.answers import AnswerRow, EmptyRow, Fault, Row, is_storable
from icf.annotate.batch import pictured
from icf.annotate.formats.csv_rows import read_rows
from icf.annotate.formats.json_list import NotJson, items_of
from icf.annotate.formats.values import moment_of, seconds_of
from icf.codes import RowFault, RowNote
from icf.errors import BadInput
from icf.names import normal_name
from icf.spreadsheet import Table
from icf.text_file import TextFile

#: The name of the choices in the labelling interface.
FROM_NAME = "same"

_QUESTION = "question_id"
#: Who answered, in the exports that are flat, and when.
_PERSON = ("annotator", "completed_by")
_TIME = ("updated_at", "created_at")
#: The number of a user. Software that knows other numbers only writes 5.0; in 1.000 the
#: point may stand between thousands.
_USER = re.compile(r"([0-9]{1,19})(?:[.,]0{1,2})?")
_NUMBER = re.compile(r"[0-9]+[.,][0-9.,]*")
#: Columns that flat exports have, whatever the project asks.
_ALWAYS = {"annotation_id", "annotator", "lead_time"}


def read_json(file: TextFile) -> Iterator[Row]:
    """The rows of a JSON or JSON-MIN export.

    Every annotation and every draft is a row; a task with neither is a row without an
    answer. Of a truncated file the tasks before the end are read.
    """
    number = 1
    try:
        for task, text in items_of(file):
            if not is_storable(text):
                yield Fault(number, RowFault.BAD_ENCODING, "it is not UTF-8")
            elif isinstance(task, dict) and ("data" in task or "annotations" in task):
                yield from _read_task(number, task)
            elif isinstance(task, dict) and _QUESTION in task:
                yield _read_flat(number, task)
            else:
                yield _bad(number, "it is not a Label Studio task")
            number += 1
    except NotJson as error:
        yield _bad(number, str(error))


def read_table(table: Table) -> Iterator[Row] | None:
    """The rows of a CSV or TSV export; None for any other table.

    Raises:
        BadInput: it is from a project that asks something else.
    """
    header = set(table.header)
    if not {_QUESTION, FROM_NAME} <= header:
        if header >= _ALWAYS:
            _refuse(table)
        return None
    names = (_QUESTION, FROM_NAME, "batch_id", "id", "lead_time", "annotation_id")
    columns = (*names, *_PERSON, *_TIME, "ref_url", "cand_url")
    return read_rows(table, columns, lambda row: _read_flat(row.line, row.cells))


def _refuse(table: Table) -> None:
    """Say what an export of another project lacks."""
    path = table.file.path
    if _QUESTION not in table.header:
        raise BadInput(
            f"{path} is an export of Label Studio whose tasks have no {_QUESTION}: "
            "they are not those of a batch of questions"
        )
    raise BadInput(
        f"{path} is an export of Label Studio without a column {FROM_NAME!r}: nobody "
        "answered, or the project's labelling interface is not the label-studio.xml "
        f"of the batch. It begins with {table.first[:200]!r}"
    )


@dataclass(frozen=True)
class _Place:
    """Where an answer is.

    Attributes:
        number: its place in the file.
        question: the question's id, as written.
        batch: of the question.
        task: what Label Studio calls the task.
        faces: those in the task's pictures.
    """

    number: int
    question: str
    batch: str | None
    task: str
    faces: frozenset[int]

    def bad(self, message: str) -> Fault:
        """Refuse what is there."""
        return Fault(
            self.number, RowFault.BAD_ROW, message, self.question[:40], self.task
        )

    def empty(self, note: RowNote | None = None) -> EmptyRow:
        """Say that there is no answer."""
        return EmptyRow(self.number, self.question[:40], self.task, note)

    def row(
        self,
        person: str,
        choice: str,
        annotation: Mapping[str, object],
        key: object,
        note: RowNote | None = None,
    ) -> Row:
        """The answer.

        Args:
            person: who gave it; may be empty.
            choice: as written.
            annotation: it has the times.
            key: the annotation's id.
            note: what is to be said about it.
        """
        if not all(map(is_storable, (self.question, self.batch or "", choice))):
            message = "it contains a lone surrogate"
            return Fault(self.number, RowFault.BAD_ENCODING, message)
        return AnswerRow(
            line=self.number,
            question=self.question,
            annotator=person,
            choice=choice,
            batch=self.batch,
            answered_at=moment_of(_written_time(annotation)),
            seconds=seconds_of(annotation.get("lead_time")),
            item=self.task,
            origin=person or None,
            origin_id=_origin_id(key, annotation.get("created_at")),
            note=note,
            faces=self.faces,
        )


def _written_time(annotation: Mapping[str, object]) -> object:
    """When an annotation was changed last, as written; None if nothing says so."""
    written = (annotation[name] for name in _TIME if annotation.get(name))
    return next(written, None)


def _origin_id(key: object, created: object) -> str | None:
    """What no other annotation is called, of no server: they number theirs alike."""
    moment = moment_of(created)
    if moment is None or key in (None, "") or not isinstance(key, str | int):
        return None
    return f"label-studio:{str(key)[:40]}@{moment:.6f}"


def _place(number: int, data: Mapping[str, object], task: object) -> _Place | None:
    """Where the answers of a task are; None if it does not say to which question."""
    question, batch = data.get(_QUESTION), data.get("batch_id") or None
    if not isinstance(question, str | int) or not isinstance(batch, str | None):
        return None
    known = isinstance(task, int | str) and not isinstance(task, bool)
    shown = str(task)[:40] if known else ""
    faces = pictured(data.get("ref_url"), data.get("cand_url"))
    named = shown if is_storable(shown) else ""
    return _Place(number, str(question), batch, named, faces)


def _read_flat(number: int, row: Mapping[str, object]) -> Row:
    """Read what JSON-MIN and CSV have of an annotation: names and bare values."""
    place = _place(number, row, row.get("id"))
    if place is None:
        return _bad(number, "question_id or batch_id is missing or not a string")
    value, key = row.get(FROM_NAME), row.get("annotation_id")
    if value in (None, "", [], {}):
        if key in (None, ""):
            return place.empty()
        # What was skipped is not there at all.
        return place.bad(f"annotation {key!s:.20} has no choice named {FROM_NAME!r}")
    chosen = _flat_choice(value)
    if chosen is None:
        return place.bad(f"it does not have exactly one choice named {FROM_NAME!r}")
    by = next((row[name] for name in _PERSON if row.get(name) not in (None, "")), None)
    person = _flat_person(by)
    if person is None:
        return place.bad("annotator is not a user")
    at = _written_time(row)
    if at is not None and moment_of(at) is None:
        return place.bad(f"it is dated by no time with its zone: {at!r:.40}")
    return place.row(person, chosen, row, key)


def _flat_choice(value: object) -> str | None:
    """The choice, which is an object with a list where the page allows several."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, dict):
        value = value.get("choices")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def _flat_person(by: object) -> str | None:
    """A name made of the user's number, or of a hash of the e-mail address.

    An empty one where the export names nobody.
    """
    if by is None:
        return ""
    if isinstance(by, str):
        if found := _USER.fullmatch(by):
            return _named(int(found[1]))
        if _NUMBER.fullmatch(by):
            return None
        address = normal_name(by).casefold().encode(errors="replace")
        return f"label-studio:{hashlib.sha256(address).hexdigest()[:12]}"
    return _person(by)


def _read_task(number: int, task: Mapping[str, object]) -> Iterator[Row]:
    data, annotations = task.get("data"), task.get("annotations", [])
    if not isinstance(data, dict) or not isinstance(annotations, list):
        yield _bad(number, "it is not a Label Studio task")
        return
    place = _place(number, data, task.get("id"))
    if place is None:
        wrong = "data.question_id or data.batch_id is missing or not a string"
        yield _bad(number, wrong)
        return
    drafts = task.get("drafts")
    begun = len(drafts) if isinstance(drafts, list) else 0
    if not annotations and not begun:
        yield place.empty()
    for annotation in annotations:
        yield _read_annotation(place, annotation)
    for _ in range(begun):
        yield place.empty(RowNote.DRAFT)


def _read_annotation(place: _Place, annotation: Any) -> Row:
    if not isinstance(annotation, dict):
        return place.bad("an annotation is not an object")
    results = annotation.get("result")
    if annotation.get("was_cancelled") or results in (None, []):
        return place.empty()
    chosen = _chosen(results)
    if chosen is None:
        return place.bad(f"it does not have exactly one choice named {FROM_NAME!r}")
    author = _user(annotation.get("completed_by"))
    if author is None:
        return place.bad("completed_by is not a user id")
    editor = _user(annotation.get("updated_by"))
    note = RowNote.EDITED if editor not in (None, author) else None
    key = annotation.get("id")
    return place.row(_named(author), chosen, annotation, key, note)


def _chosen(results: object) -> str | None:
    """The choice; None unless there is exactly one, with the expected name."""
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        return None
    # A page may also ask for a comment, which is not a choice.
    named = [r for r in results if r.get("type", "choices") == "choices"]
    if len(named) != 1 or named[0].get("from_name") != FROM_NAME:
        return None
    value = named[0].get("value")
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return None
    return choices[0] if isinstance(choices[0], str) else None


def _person(by: object) -> str | None:
    user = _user(by)
    return None if user is None else _named(user)


def _user(by: object) -> int | None:
    """The id of a user; names and e-mail addresses are not kept."""
    if isinstance(by, dict):
        by = by.get("id")
    return by if isinstance(by, int) and not isinstance(by, bool) else None


def _named(user: int) -> str:
    return f"label-studio:{user}"


def _bad(number: int, message: str) -> Fault:
    return Fault(number, RowFault.BAD_ROW, message)
