"""Files that hold a text that a test gives."""

import tempfile
from pathlib import Path

from icf.spreadsheet import Table, read_table
from icf.text_file import TextFile, open_text

_FOLDER = tempfile.TemporaryDirectory(prefix="icf-answers-")


def file_of(text: str) -> TextFile:
    """A file with this text; it is replaced by the next one."""
    path = Path(_FOLDER.name, "answers")
    path.write_bytes(text.encode(errors="surrogateescape"))
    return open_text(path)


def table_of(text: str) -> Table:
    """The table of a CSV text."""
    table = read_table(file_of(text))
    assert table is not None
    return table
