"""Label Studio: write tasks and a labelling interface, read its exports.

Tasks have no ``predictions``: annotators who see a prediction tend to follow it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from icf.annotate.answers import (
    AnswerRow,
    EmptyRow,
    Fault,
    Row,
    is_storable,
    question_name,
)
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.csv_rows import read_rows
from icf.annotate.formats.json_list import NotJson, items_of
from icf.codes import RowFault
from icf.names import normal_name
from icf.spreadsheet import Table
from icf.text_file import TextFile

FILE = "tasks.json"
CONFIG_FILE = "label-studio.xml"

#: Questions about references are a project of their own, with another interface.
REFERENCES_FILE = "references.json"
REFERENCES_CONFIG_FILE = "label-studio-references.xml"

#: The name of the choices in the labelling interface.
FROM_NAME = "same"

CONFIG = f"""\
<View>
  <Header value="Is this the same character as in the reference picture?"/>
  <View style="display: flex; gap: 2em">
    <View>
      <Header size="5" value="Reference"/>
      <Image name="ref" value="$ref_url"/>
    </View>
    <View>
      <Header size="5" value="This one?"/>
      <Image name="cand" value="$cand_url"/>
    </View>
  </View>
  <Choices name="{FROM_NAME}" toName="cand" choice="single-radio" required="true">
    <Choice value="same" hotkey="f"/>
    <Choice value="different" hotkey="j"/>
    <Choice value="unsure" hotkey="u"/>
    <Choice value="The reference is wrong" alias="wrong_reference" hotkey="r"/>
    <Choice value="This is no face" alias="not_a_face" hotkey="n"/>
  </Choices>
</View>
"""

REFERENCES_CONFIG = f"""\
<View>
  <Header value="Is this a good picture of the character?"/>
  <Text name="character" value="$character"/>
  <Text name="album" value="$album"/>
  <Image name="cand" value="$cand_url"/>
  <Choices name="{FROM_NAME}" toName="cand" choice="single-radio" required="true">
    <Choice value="Yes" alias="same" hotkey="f"/>
    <Choice value="No: another character, or shown badly" alias="different" hotkey="j"/>
    <Choice value="This is no face" alias="not_a_face" hotkey="n"/>
    <Choice value="unsure" hotkey="u"/>
  </Choices>
</View>
"""

_QUESTION = "question_id"
#: Who answered, in the exports that are flat, and when.
_PERSON = ("annotator", "completed_by")
_TIME = ("updated_at", "created_at")


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of a tasks file, one task per line.

    Args:
        questions: the tasks.
        url_prefix: prepended to the path of each picture.
    """
    tasks = [{"data": _data(each, url_prefix)} for each in questions]
    lines = ",\n".join(json.dumps(task) for task in tasks)
    return f"[\n{lines}\n]\n".encode()


def _data(asked: Question, url_prefix: str) -> dict[str, str]:
    data = {
        "ref_url": url_prefix + picture_path(asked.reference_face_id),
        "cand_url": url_prefix + picture_path(asked.face_id),
        "question_id": question_name(asked.id),
        "batch_id": asked.batch_id,
    }
    if asked.asks_about_reference:
        data |= {"character": asked.character, "album": asked.album}
    return data


def read_json(file: TextFile) -> Iterator[Row]:
    """The rows of a JSON or JSON-MIN export.

    Every annotation is a row; a task without annotations is a row without an answer. Of
    a truncated file the tasks before the end are read.
    """
    number = 1
    try:
        for task, text in items_of(file):
            if not is_storable(text):
                yield Fault(number, RowFault.BAD_ENCODING, "it is not UTF-8")
            elif isinstance(task, dict) and "question_id" in task:
                yield _read_flat(number, task)
            else:
                yield from _read_task(number, task)
            number += 1
    except NotJson as error:
        yield _bad(number, str(error))


def read_table(table: Table) -> Iterator[Row] | None:
    """The rows of a CSV or TSV export; None for any other table."""
    if not {_QUESTION, FROM_NAME} <= set(table.header):
        return None
    columns = (_QUESTION, FROM_NAME, "batch_id", *_PERSON, *_TIME)
    return read_rows(table, columns, lambda row: _read_flat(row.line, row.cells))


def _read_flat(number: int, row: Mapping[str, object]) -> Row:
    """Read what JSON-MIN and CSV have of an annotation: names and bare values."""
    question, batch = row.get(_QUESTION), row.get("batch_id") or None
    if not isinstance(question, str | int) or not isinstance(batch, str | None):
        return _bad(number, "question_id or batch_id is missing or not a string")
    value = row.get(FROM_NAME)
    if value in (None, "", [], {}):
        return EmptyRow(number)
    chosen = _flat_choice(value)
    if chosen is None:
        return _bad(number, f"it does not have exactly one choice named {FROM_NAME!r}")
    by = next((row[name] for name in _PERSON if row.get(name) not in (None, "")), None)
    person = _flat_person(by)
    if person is None:
        return _bad(number, "annotator is not a user")
    if not all(map(is_storable, (str(question), batch or "", chosen))):
        return Fault(number, RowFault.BAD_ENCODING, "it contains a lone surrogate")
    return AnswerRow(number, str(question), person, chosen, batch, _answered_at(row))


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
    if isinstance(by, str) and by.isascii() and by.isdecimal() and len(by) < 20:
        return _person(int(by))
    if isinstance(by, str):
        address = normal_name(by).casefold().encode(errors="replace")
        return f"label-studio:{hashlib.sha256(address).hexdigest()[:12]}"
    return _person(by)


def _read_task(number: int, task: object) -> Iterator[Row]:
    data = task.get("data") if isinstance(task, dict) else None
    annotations = task.get("annotations", []) if isinstance(task, dict) else None
    if not isinstance(data, dict) or not isinstance(annotations, list):
        yield _bad(number, "it is not a Label Studio task")
        return
    question, batch = data.get("question_id"), data.get("batch_id")
    if not isinstance(question, str | int) or not isinstance(batch, str | None):
        yield _bad(
            number, "data.question_id or data.batch_id is missing or not a string"
        )
        return
    if not annotations:
        yield EmptyRow(number)
    for annotation in annotations:
        yield _read_annotation(number, str(question), batch, annotation)


def _read_annotation(
    number: int, question: str, batch: str | None, annotation: Any
) -> Row:
    if not isinstance(annotation, dict):
        return _bad(number, "an annotation is not an object")
    results = annotation.get("result")
    if annotation.get("was_cancelled") or results in (None, []):
        return EmptyRow(number)
    chosen = _chosen(results)
    if chosen is None:
        return _bad(number, f"it does not have exactly one choice named {FROM_NAME!r}")
    person = _person(annotation.get("completed_by"))
    if person is None:
        return _bad(number, "completed_by is not a user id")
    if not all(map(is_storable, (question, batch or "", chosen))):
        return Fault(number, RowFault.BAD_ENCODING, "it contains a lone surrogate")
    return AnswerRow(number, question, person, chosen, batch, _answered_at(annotation))


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


def _person(completed_by: object) -> str | None:
    """A name made of the user id; names and e-mail addresses are not kept."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("id")
    if not isinstance(completed_by, int) or isinstance(completed_by, bool):
        return None
    return f"label-studio:{completed_by}"


def _answered_at(annotation: Mapping[str, object]) -> float | None:
    written = next((annotation[name] for name in _TIME if annotation.get(name)), None)
    if not isinstance(written, str):
        return None
    try:
        when = datetime.datetime.fromisoformat(written.replace("Z", "+00:00"))
        return when.timestamp() if when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _bad(number: int, message: str) -> Fault:
    return Fault(number, RowFault.BAD_ROW, message)


def _write_files(questions: Sequence[Question], url_prefix: str) -> Mapping[str, bytes]:
    """Tasks that compare two faces, and those about references, as far as there are."""
    shown = [each for each in questions if each.asks_about_reference]
    compared = [each for each in questions if not each.asks_about_reference]
    files: dict[str, bytes] = {}
    if compared or not shown:  # a batch without questions is recognised, too
        files |= {FILE: write(compared, url_prefix), CONFIG_FILE: CONFIG.encode()}
    if shown:
        files[REFERENCES_FILE] = write(shown, url_prefix)
        files[REFERENCES_CONFIG_FILE] = REFERENCES_CONFIG.encode()
    return files


def _local_files_prefix(folder: Path) -> str:
    """How Label Studio serves a folder below its document root."""
    return f"/data/local-files/?d={quote(folder.resolve().name)}/"


FORMAT = Format(
    "label-studio",
    "an export of Label Studio (JSON, JSON-MIN, CSV or TSV)",
    read_table,
    read_json,
    BatchWriter((FILE, REFERENCES_FILE), _write_files, _local_files_prefix),
)
