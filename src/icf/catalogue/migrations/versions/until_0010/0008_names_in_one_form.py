"""Names in their normal form (`icf.names`): what was two of one name becomes one.

Albums of one name become one album. Of characters of one name in it the others are
merged into the first, as people merge characters: nothing is lost, and ``icf-filter
review --undo`` takes it back. Only what people called different stays apart. A person
whose name was written in two ways and who answered one question under both keeps both
answers. What was changed is said, and stays in the ledger.
"""

import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op

from icf.names import normal_name
from icf.version import __version__

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

log = logging.getLogger(__name__)

#: Ids in one statement. SQLite takes 999 variables before version 3.32.
_CHUNK = 900

_NOT_BURIED = """AND NOT EXISTS (
    SELECT 1 FROM tombstone AS t JOIN album ON album.id = c.album_id
    WHERE t.kind = 'character' AND t.subject = album.name || '/' || c.name
)"""


@dataclass
class _Report:
    """What was changed, in numbers."""

    renamed_albums: int = 0
    renamed_characters: int = 0
    merged_albums: int = 0
    merged_characters: int = 0
    kept_apart: int = 0
    renamed_annotators: int = 0
    answers_of_two_spellings: int = 0
    withdrawn: int = 0

    def lines(self) -> list[str]:
        """Say what a person has to know."""
        said = [
            f"{_count(self.renamed_albums, 'album')}, "
            f"{_count(self.renamed_characters, 'character')} and "
            f"{_count(self.renamed_annotators, 'annotator')} got the one form in which "
            "names are stored now"
        ]
        if self.merged_albums or self.merged_characters:
            said.append(
                f"{_count(self.merged_albums, 'album')} and "
                f"{_count(self.merged_characters, 'character')} were there twice and "
                "are merged: `icf-filter run` judges their faces again, and "
                "`icf-filter review --undo CHARACTER` takes a merge back"
            )
        if self.kept_apart:
            said.append(
                f"{_count(self.kept_apart, 'character')} with the name of another that "
                "people called different: a number stands behind the name"
            )
        if self.answers_of_two_spellings:
            said.append(
                f"{_count(self.answers_of_two_spellings, 'answer')} left under another "
                "spelling of the annotator, who answered the same question under both"
            )
        if self.withdrawn:
            said.append(
                f"{_count(self.withdrawn, 'character')} withdrawn under another "
                "spelling, and now under each: `icf takedown --list` names them; take "
                "them down again to remove their pictures"
            )
        return said


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    report = _Report()
    buried = _buried(connection)
    albums = _albums(connection, report)
    _tombstones(connection)
    _Characters(connection, report, albums, buried).write()
    _annotators(connection, report)
    report.withdrawn = len(_buried(connection) - buried)
    if any(asdict(report).values()):
        for line in report.lines():
            log.warning("names: %s", line)


def _rows(connection: sa.Connection, query: str) -> Sequence[sa.Row[Any]]:
    return connection.execute(sa.text(query)).all()


def _groups(rows: Iterable[sa.Row[Any]]) -> list[tuple[str, list[sa.Row[Any]]]]:
    """Return the rows of each name, where one of them is not in its normal form."""
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        found[_normal(row)].append(row)
    return [
        (name, some)
        for name, some in found.items()
        if len(some) > 1 or some[0].name != name
    ]


def _normal(row: sa.Row[Any]) -> str:
    return normal_name(row.name) or f"unnamed {row.id}"


# --- albums -----------------------------------------------------------------------


def _albums(connection: sa.Connection, report: _Report) -> dict[int, int]:
    """Give albums their names; return the album that each merged one is in now."""
    moved: dict[int, int] = {}
    for name, rows in _groups(
        _rows(connection, "SELECT id, name FROM album ORDER BY id")
    ):
        first, *others = rows
        for other in others:
            moved[other.id] = first.id
            _move_album(connection, other.id, first.id)
        connection.execute(
            sa.text("UPDATE album SET name = :name WHERE id = :id"),
            {"name": name, "id": first.id},
        )
        report.renamed_albums += first.name != name
        report.merged_albums += len(others)
    return moved


def _move_album(connection: sa.Connection, gone: int, stays: int) -> None:
    """Move all but the characters, whose names may meet, into another album."""
    ids = {"gone": gone, "stays": stays}
    for column in ("page_url", "rank", "region"):
        value = f"(SELECT {column} FROM album WHERE id = :gone)"
        filled = f"UPDATE album SET {column} = COALESCE({column}, {value})"
        connection.execute(sa.text(f"{filled} WHERE id = :stays"), ids)
    for table in ("url", "discovery"):
        change = f"UPDATE {table} SET album_id = :stays WHERE album_id = :gone"
        connection.execute(sa.text(change), ids)
    # Its name has to be free for the other one.
    connection.execute(
        sa.text("UPDATE album SET name = :name WHERE id = :gone"),
        {"name": f"merged into album {stays} from {gone}", "gone": gone},
    )


# --- characters -------------------------------------------------------------------


class _Characters:
    """Gives characters their names and albums, and merges those of one name.

    Args:
        connection: the migration's.
        report: gets the counts.
        moved: the album that each merged album's characters are in now.
        buried: the characters that were withdrawn by name.
    """

    def __init__(
        self,
        connection: sa.Connection,
        report: _Report,
        moved: Mapping[int, int],
        buried: set[int],
    ) -> None:
        self._connection = connection
        self._report = report
        self._moved = moved
        self._buried = buried
        self._different = _called_different(connection)
        self._run_id: list[int] = []

    def write(self) -> None:
        """Write all of them, and delete the albums that they have left."""
        query = (
            "SELECT id, album_id, name, merged_into, reference_face_id, reference_by, "
            'reference_image_id FROM "character" ORDER BY id'
        )
        of_album: dict[int, list[sa.Row[Any]]] = defaultdict(list)
        for row in _rows(self._connection, query):
            of_album[self._moved.get(row.album_id, row.album_id)].append(row)
        joined = set(self._moved.values())
        for album_id, rows in of_album.items():
            merged = self._write_album(album_id, rows)
            if merged or album_id in joined:
                _file_cast(self._connection, album_id)
                _judge_again(self._connection, self._run_id, album_id)
        for gone in self._moved:
            delete = sa.text("DELETE FROM album WHERE id = :id")
            self._connection.execute(delete, {"id": gone})

    def _write_album(self, album_id: int, rows: list[sa.Row[Any]]) -> bool:
        """Write the characters of an album; return whether some were merged."""
        used = {_normal(row) for row in rows}
        merged = False
        for name, same in _groups(rows):
            # One that stands for others stays; else the one that came first.
            same.sort(key=lambda row: (row.merged_into is not None, row.id))
            first, *others = same
            for other in others:
                numbered = next(
                    each
                    for number in itertools.count(2)
                    if (each := f"{name} ({number})") not in used
                )
                used.add(numbered)
                _rename(self._connection, other.id, numbered, album_id)
            _rename(self._connection, first.id, name, album_id)
            self._report.renamed_characters += first.name != name
            merged = self._join(first, others) or merged
        for row in rows:
            if row.album_id != album_id and row.name == _normal(row):
                move = 'UPDATE "character" SET album_id = :album WHERE id = :id'
                values = {"album": album_id, "id": row.id}
                self._connection.execute(sa.text(move), values)
        return merged

    def _join(self, first: sa.Row[Any], others: Sequence[sa.Row[Any]]) -> bool:
        """Merge the others of a name into the first; return whether any was."""
        if self._buried & {row.id for row in (first, *others)}:
            # Withdrawn in one spelling is withdrawn in all; takedown wants them alone.
            for other in others:
                _bury_as(self._connection, other.id, first.id)
            return False
        merged = []
        for other in others:
            if frozenset((first.id, other.id)) in self._different:
                self._report.kept_apart += 1
            elif other.merged_into is None:
                _merge(self._connection, self._run_id, other.id, first.id)
                merged.append(other)
        self._report.merged_characters += len(merged)
        if first.reference_by != "hand":
            by_hand = [row for row in merged if row.reference_by == "hand"]
            chosen = [row for row in merged if row.reference_by is not None]
            if by_hand or (first.reference_by is None and chosen):
                _take_reference(self._connection, first.id, (by_hand or chosen)[0])
        return bool(merged)


def _called_different(connection: sa.Connection) -> set[frozenset[int]]:
    """Return the pairs of characters of which people said that they are not one."""
    query = (
        "SELECT character_id, other_character_id FROM review "
        "WHERE kind = 'merge' AND status = 'different'"
    )
    return {frozenset(row) for row in _rows(connection, query)}


def _rename(connection: sa.Connection, key: int, name: str, album_id: int) -> None:
    connection.execute(
        sa.text(
            'UPDATE "character" SET name = :name, album_id = :album WHERE id = :id'
        ),
        {"name": name, "album": album_id, "id": key},
    )


def _merge(connection: sa.Connection, run_id: list[int], gone: int, stays: int) -> None:
    """Merge a character into another one, as `icf.catalogue.merges` does."""
    ids = {"gone": gone, "stays": stays}
    change = (
        'UPDATE "character" SET merged_into = :stays '
        "WHERE id = :gone OR merged_into = :gone"
    )
    connection.execute(sa.text(change), ids)
    for column in ("filed_under_id", "character_id"):
        change = f"UPDATE face SET {column} = :stays WHERE {column} = :gone"
        connection.execute(sa.text(change), ids)
    why = f"character {gone} was merged into character {stays}: one name"
    _note(connection, run_id, "character", ids.values(), ("merge", "same", "same", why))


def _take_reference(
    connection: sa.Connection, character_id: int, of: sa.Row[Any]
) -> None:
    """Give a character the reference of one that was merged into it."""
    change = (
        'UPDATE "character" SET reference_face_id = :face, reference_by = :by, '
        "reference_image_id = :image WHERE id = :id"
    )
    values = {
        "face": of.reference_face_id,
        "by": of.reference_by,
        "image": of.reference_image_id,
        "id": character_id,
    }
    connection.execute(sa.text(change), values)


def _bury_as(connection: sa.Connection, character_id: int, like: int) -> None:
    """Withdraw a character that has got another name, for another one's reason."""
    subject = (
        "(SELECT album.name || '/' || c.name FROM \"character\" AS c "
        "JOIN album ON album.id = c.album_id WHERE c.id = {})"
    )
    insert = (
        "INSERT INTO tombstone (kind, subject, reason, taken_at) "
        f"SELECT kind, {subject.format(':id')}, reason, taken_at FROM tombstone "
        f"WHERE kind = 'character' AND subject = {subject.format(':like')}"
    )
    connection.execute(sa.text(insert), {"id": character_id, "like": like})


def _file_cast(connection: sa.Connection, album_id: int) -> None:
    """File pictures of an album that name no character under all of its characters."""
    values = {"album": album_id, "now": time.time(), "no": False}
    connection.execute(
        sa.text(
            "INSERT INTO mention (url_id, character_id, is_lead, found_at) "
            "SELECT url.id, c.id, :no, :now FROM url "
            'JOIN "character" AS c ON c.album_id = url.album_id '
            "WHERE url.album_id = :album AND NOT EXISTS (SELECT 1 FROM mention AS m "
            f"WHERE m.url_id = url.id AND m.character_id = c.id) {_NOT_BURIED}"
        ),
        values,
    )
    connection.execute(
        sa.text(
            "INSERT INTO candidate (image_id, character_id, is_lead) "
            "SELECT DISTINCT url.image_id, c.id, :no FROM url "
            'JOIN "character" AS c ON c.album_id = url.album_id '
            "WHERE url.album_id = :album AND url.image_id IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM candidate AS k "
            f"WHERE k.image_id = url.image_id AND k.character_id = c.id) {_NOT_BURIED}"
        ),
        values,
    )


def _judge_again(connection: sa.Connection, run_id: list[int], album_id: int) -> None:
    """Send the faces of an album back to identity, as `icf.catalogue.references`."""
    steps = {
        row.entry: row.step
        for row in _rows(connection, "SELECT entry, step FROM entry_step")
    }
    query = sa.text(
        "SELECT id FROM face WHERE awaits IS NULL AND (verdict = 'kept' OR reason IN "
        "('not_this_character', 'no_reference')) AND image_id IN (SELECT image_id FROM "
        'candidate JOIN "character" AS c ON c.id = candidate.character_id '
        "WHERE c.album_id = :album)"
    )
    ids = list(connection.execute(query, {"album": album_id}).scalars())
    why = "characters of its album were merged: one name"
    by = steps["cleared_reference"]
    _note(connection, run_id, "face", ids, (by, "pending", "ok", why))
    update = sa.text(
        "UPDATE face SET awaits = :step, verdict = 'pending', reason = 'ok', "
        "similarity = NULL, probability = NULL WHERE id IN :ids"
    ).bindparams(sa.bindparam("ids", expanding=True))
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        connection.execute(update, {"step": steps["changed_reference"], "ids": part})


def _note(
    connection: sa.Connection,
    run_id: list[int],
    subject: str,
    ids: Iterable[int],
    decision: tuple[str, str, str, str],
) -> None:
    """Append to the ledger, in a run that begins with the first line."""
    if not run_id:
        query = sa.text(
            "INSERT INTO run (command, settings, version, started_at, finished_at) "
            "VALUES ('icf init (names in one form)', '{}', :version, :now, :now)"
        )
        connection.execute(query, {"version": __version__, "now": time.time()})
        newest = sa.text("SELECT MAX(id) FROM run")
        run_id.append(connection.execute(newest).scalar_one())
    step, verdict, reason, message = decision
    insert = sa.text(
        "INSERT INTO decision (subject, subject_id, step, verdict, reason, message, "
        "run_id, decided_at) VALUES (:subject, :id, :step, :verdict, :reason, "
        ":message, :run, :now)"
    )
    rows = [
        {
            "subject": subject,
            "id": each,
            "step": step,
            "verdict": verdict,
            "reason": reason,
            "message": message,
            "run": run_id[0],
            "now": time.time(),
        }
        for each in ids
    ]
    if rows:
        connection.execute(insert, rows)


# --- tombstones and annotators ----------------------------------------------------


def _buried(connection: sa.Connection) -> set[int]:
    """Return the characters that are withdrawn by name."""
    query = (
        'SELECT c.id FROM "character" AS c JOIN album ON album.id = c.album_id '
        "JOIN tombstone AS t ON t.kind = 'character' "
        "AND t.subject = album.name || '/' || c.name"
    )
    return {row.id for row in _rows(connection, query)}


def _tombstones(connection: sa.Connection) -> None:
    """Give withdrawn characters their names; of two reasons for one keep both."""
    query = (
        "SELECT id, subject AS name, reason FROM tombstone "
        "WHERE kind = 'character' ORDER BY id"
    )
    for name, rows in _groups(_rows(connection, query)):
        first, *others = rows
        for other in others:
            gone = {"id": other.id}
            connection.execute(sa.text("DELETE FROM tombstone WHERE id = :id"), gone)
        connection.execute(
            sa.text(
                "UPDATE tombstone SET subject = :name, reason = :reason WHERE id = :id"
            ),
            {
                "name": name,
                "reason": "; ".join(dict.fromkeys(row.reason for row in rows)),
                "id": first.id,
            },
        )


def _annotators(connection: sa.Connection, report: _Report) -> None:
    """Give annotators their names, but where one has answered under both."""
    query = "SELECT DISTINCT annotator AS name, 0 AS id FROM answer ORDER BY 1"
    for name, rows in _groups(_rows(connection, query)):
        for row in rows:
            if row.name == name:
                continue
            values = {"name": name, "old": row.name}
            free = (
                "NOT EXISTS (SELECT 1 FROM answer AS o WHERE o.annotator = :name "
                "AND o.question_id = answer.question_id)"
            )
            change = (
                f"UPDATE answer SET annotator = :name WHERE annotator = :old AND {free}"
            )
            connection.execute(sa.text(change), values)
            left = "SELECT COUNT(*) FROM answer WHERE annotator = :old"
            count = connection.execute(sa.text(left), values).scalar_one()
            report.renamed_annotators += not count
            report.answers_of_two_spellings += count
