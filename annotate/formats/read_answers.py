"""Detect the format of an answer file by its content, and read its rows."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from icf.annotate.answers import AnswerFile, Fault
from icf.annotate.formats.registry import FORMATS
from icf.codes import RowFault
from icf.errors import BadInput

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_answers(path: Path) -> AnswerFile:
    """Read an answer file; its name and suffix do not matter.

    Raises:
        BadInput: the file cannot be read, or its format is unknown.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if data.startswith(_UTF16):
        return AnswerFile(path.name, "csv", tuple(_refuse_utf16(data)))
    # Bytes that are not UTF-8 become lone surrogates; rows that contain them are
    # refused one by one.
    text = data.decode("utf-8-sig", errors="surrogateescape")
    for form in FORMATS:
        rows = form.read(text)
        if rows is not None:
            return AnswerFile(path.name, form.name, tuple(rows), form.unit)
    *others, last = [form.expected for form in reversed(FORMATS)]
    raise BadInput(
        f"{path} is not an answer file: expected {', '.join(others)} or {last}"
    )


def _refuse_utf16(data: bytes) -> Iterator[Fault]:
    lines = data.decode("utf-16", errors="replace").splitlines()
    for line, _ in enumerate(lines, 1):
        yield Fault(line, RowFault.BAD_ENCODING, "it is UTF-16; save it as UTF-8")
