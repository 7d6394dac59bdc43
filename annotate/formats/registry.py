"""The formats of question batches and answer files.

A new format is a module in this folder with a `Format`, and its line in `FORMATS`.
"""

from __future__ import annotations

from icf.annotate.formats import json_lines, label_studio, mturk, question_csv

#: Every format, in the order in which they are tried on an answer file.
FORMATS = (
    json_lines.FORMAT,
    label_studio.FORMAT,
    mturk.FORMAT,
    question_csv.FORMAT,
)

#: How to write each format that batches can be exported in, by its name.
WRITERS = {
    each.name: each.writer
    for each in sorted(FORMATS, key=lambda each: each.name)
    if each.writer is not None
}
