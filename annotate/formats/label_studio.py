"""Label Studio: write tasks and a labelling interface.

Tasks have no ``predictions``: annotators who see a prediction tend to follow it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from icf.annotate.answers import question_name
from icf.annotate.batch import Question, picture_path
from icf.annotate.formats.base import BatchWriter, Format
from icf.annotate.formats.label_studio_answers import (
    FROM_NAME,
    read_json,
    read_table,
)

FILE = "tasks.json"
CONFIG_FILE = "label-studio.xml"

#: Questions about references are a project of their own, with another interface.
REFERENCES_FILE = "references.json"
REFERENCES_CONFIG_FILE = "label-studio-references.xml"

#: The largest width of a picture there. A crop of 2 : 3 then fits a laptop's window
#: (1366 x 768) below the choices, in both of Label Studio's views.
_WIDTH = "320px"

#: Without ``flex: 1`` a column is as wide as its heading, and its picture 50 pixels.
_COLUMN = "flex: 1; min-width: 0; max-width: 420px"

#: Nothing is to be zoomed or drawn on; by default Label Studio offers both.
_PICTURE = f'maxWidth="{_WIDTH}" zoom="false" zoomControl="false"'

CONFIG = f"""\
<View>
  <Header size="5" value="Is this the same character as in the reference picture?"/>
  <Choices name="{FROM_NAME}" toName="cand" choice="single-radio" required="true" \
showInline="true">
    <Choice value="same" hotkey="f"/>
    <Choice value="different" hotkey="j"/>
    <Choice value="unsure" hotkey="u"/>
    <Choice value="The reference is wrong" alias="wrong_reference" hotkey="r"/>
    <Choice value="This is no face" alias="not_a_face" hotkey="n"/>
  </Choices>
  <View style="display: flex; gap: 1em">
    <View style="{_COLUMN}">
      <Header size="5" value="Reference"/>
      <Image name="ref" value="$ref_url" {_PICTURE}/>
    </View>
    <View style="{_COLUMN}">
      <Header size="5" value="This one?"/>
      <Image name="cand" value="$cand_url" {_PICTURE}/>
    </View>
  </View>
</View>
"""

REFERENCES_CONFIG = f"""\
<View>
  <Header size="5" value="Is this a good picture of the character?"/>
  <Text name="character" value="$character"/>
  <Text name="album" value="$album"/>
  <Choices name="{FROM_NAME}" toName="cand" choice="single-radio" required="true" \
showInline="true">
    <Choice value="Yes" alias="same" hotkey="f"/>
    <Choice value="No: another character, or shown badly" alias="different" hotkey="j"/>
    <Choice value="This is no face" alias="not_a_face" hotkey="n"/>
    <Choice value="unsure" hotkey="u"/>
  </Choices>
  <View style="{_COLUMN}">
    <Image name="cand" value="$cand_url" {_PICTURE}/>
  </View>
</View>
"""


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
    writer=BatchWriter((FILE, REFERENCES_FILE), _write_files, _local_files_prefix),
    of_server=True,
)
