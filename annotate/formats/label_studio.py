"""Label Studio: write tasks and a labelling interface, read its JSON export.

Tasks have no ``predictions``: annotators who see a prediction tend to follow it.
"""

from __future__ import annotations

import datetime
import json
import re
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
from icf.codes import RowFault

FILE = "tasks.json"

CONFIG_FILE = "label-studio.xml"

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
  </Choices>
</View>
"""

_SPACE = re.compile(r"\s*")


def write(questions: Iterable[Question], url_prefix: str) -> bytes:
    """The bytes of a tasks file, one task per line.

    Args:
        questions: the tasks.
        url_prefix: prepended to the path of each picture.
    """
    tasks = [
        {
            "data": {
                "ref_url": url_prefix + picture_path(each.reference_face_id),
                "cand_url": url_prefix + picture_path(each.face_id),
                "question_id": question_name(each.id),
                "batch_id": each.batch_id,
            }
        }
        for each in questions
    ]
    lines = ",\n".join(json.dumps(task) for task in tasks)
    return f"[\n{lines}\n]\n".encode()


def read(text: str) -> Iterator[Row] | None:
    """The rows of an export; None for a text that is not a JSON list.

    Every annotation is a row; a task without annotations is a row without an answer. Of
    a truncated file the tasks before the end are read.
    """
    return _read_tasks(text) if text.lstrip().startswith("[") else None


def _read_tasks(text: str) -> Iterator[Row]:
    decoder = json.JSONDecoder()
    at = _after_space(text, _after_space(text, 0) + 1)
    number = 1
    while text[at : at + 1] != "]":
        try:
            task, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Fault(number, RowFault.BAD_ROW, "from here on the file is not JSON")
            return
        if is_storable(text[at:end]):
            yield from _read_task(number, task)
        else:
            yield Fault(number, RowFault.BAD_ENCODING, "it is not UTF-8")
        at = _after_space(text, end)
        number += 1
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != "]":
            yield Fault(number, RowFault.BAD_ROW, "the list of tasks ends unexpectedly")
            return
    if _after_space(text, at + 1) < len(text):
        yield Fault(number, RowFault.BAD_ROW, "there is text after the list of tasks")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


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
    written = annotation.get("updated_at") or annotation.get("created_at")
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
    return {FILE: write(questions, url_prefix), CONFIG_FILE: CONFIG.encode()}


def _local_files_prefix(folder: Path) -> str:
    """How Label Studio serves a folder below its document root."""
    return f"/data/local-files/?d={quote(folder.resolve().name)}/"


FORMAT = Format(
    "label-studio",
    "a JSON export of Label Studio",
    read,
    BatchWriter(FILE, _write_files, _local_files_prefix),
    unit="task",
)
