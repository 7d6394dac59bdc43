"""Label Studio: tasks and labelling interface for it, answers from its JSON export.

Tasks never carry ``predictions``: shown what the machine thinks, people follow it.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from icf.annotate.answers import Fault, Given, Row, Unanswered, is_text, question_name
from icf.annotate.batch import Question
from icf.annotate.pictures import picture_path
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
    """The bytes of a tasks file, one task a line.

    Args:
        questions: the tasks.
        url_prefix: what goes before the path of each picture.
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


def reads(text: str) -> bool:
    """Whether a text is a JSON list."""
    return text.lstrip().startswith("[")


def read(text: str) -> Iterator[Row]:
    """Read an export, task by task.

    A file that breaks off gives the answers before the break. Every annotation is a
    row; a task without one is a row without an answer.
    """
    decoder = json.JSONDecoder()
    at = _after_space(text, _after_space(text, 0) + 1)
    number = 1
    while text[at : at + 1] != "]":
        try:
            task, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield Fault(number, RowFault.BAD_ROW, "from here on it is not JSON")
            return
        if is_text(text[at:end]):
            yield from _read_task(number, task)
        else:
            yield Fault(number, RowFault.BAD_ENCODING, "it is not UTF-8")
        at = _after_space(text, end)
        number += 1
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != "]":
            yield Fault(number, RowFault.BAD_ROW, "the list of tasks breaks off")
            return
    if _after_space(text, at + 1) < len(text):
        yield Fault(number, RowFault.BAD_ROW, "something follows the list of tasks")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _read_task(number: int, task: object) -> Iterator[Row]:
    data = task.get("data") if isinstance(task, dict) else None
    annotations = task.get("annotations", []) if isinstance(task, dict) else None
    if not isinstance(data, dict) or not isinstance(annotations, list):
        yield _bad(number, "it is no Label Studio task")
        return
    question, batch = data.get("question_id"), data.get("batch_id")
    if not isinstance(question, str | int) or not isinstance(batch, str | None):
        yield _bad(number, "data.question_id or data.batch_id is missing or no text")
        return
    if not annotations:
        yield Unanswered(number)
    for annotation in annotations:
        yield _read_annotation(number, str(question), batch, annotation)


def _read_annotation(
    number: int, question: str, batch: str | None, annotation: Any
) -> Row:
    if not isinstance(annotation, dict):
        return _bad(number, "an annotation is no object")
    results = annotation.get("result")
    if annotation.get("was_cancelled") or results in (None, []):
        return Unanswered(number)
    chosen = _chosen(results)
    if chosen is None:
        return _bad(number, f"it has not exactly one choice named {FROM_NAME!r}")
    person = _person(annotation.get("completed_by"))
    if person is None:
        return _bad(number, "completed_by is not the number of a person")
    if not all(map(is_text, (question, batch or "", chosen))):
        return Fault(number, RowFault.BAD_ENCODING, "it has half a character in it")
    return Given(number, question, person, chosen, batch, _answered_at(annotation))


def _chosen(results: object) -> str | None:
    """The one choice; None where there is another number, or under another name."""
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        return None
    # A page may ask for a comment besides: that is no choice.
    named = [r for r in results if r.get("type", "choices") == "choices"]
    if len(named) != 1 or named[0].get("from_name") != FROM_NAME:
        return None
    value = named[0].get("value")
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list) or len(choices) != 1:
        return None
    return choices[0] if isinstance(choices[0], str) else None


def _person(completed_by: object) -> str | None:
    """A name for a user's number; names and addresses beside it are not kept."""
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
