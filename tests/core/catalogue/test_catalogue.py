import gc
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from icf.catalogue import ledger
from icf.catalogue.catalogue import (
    REVISION,
    Catalogue,
    DamagedCatalogue,
    alembic_config,
    sqlite_url,
)
from icf.catalogue.ledger import Decision
from icf.catalogue.schema import (
    album,
    answer,
    face,
    image,
    mention,
    metadata,
    question,
)
from icf.errors import BrokenMachine, WrongUse
from icf.workspace import init
from tests.catalogues import Copies, empty_postgres

pytestmark = pytest.mark.usefixtures("migrations")


def test_the_migrations_make_exactly_the_tables_of_the_schema(
    catalogue: Catalogue,
) -> None:
    with catalogue.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.upgrade()
    found, head = catalogue.revisions()
    assert found == head is not None


def test_a_catalogue_of_an_earlier_version_keeps_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    with Catalogue(url).write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")
        for row in (
            "INSERT INTO album VALUES (1, 'Moon', 's', NULL, NULL, NULL, 0)",
            "INSERT INTO character VALUES (1, 1, 'Luna', 's', NULL, NULL, NULL, 0)",
            "INSERT INTO url (id, url, host, source, fate, found_at)"
            " VALUES (1, 'http://a/1', 'a', 's', 'pending', 0)",
            "INSERT INTO mention VALUES (1, 1, 0, 0)",
        ):
            connection.exec_driver_sql(row)
    catalogue = Catalogue(url)
    catalogue.upgrade()
    with catalogue.read() as connection:
        kept = connection.execute(sa.select(mention.c.url_id)).scalars().all()
        assert kept == [1]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


#: Hashes at every border of 64 signed bits, and none.
HASHES = (0, 1, -1, 2**63 - 1, -(2**63), 0x0123_4567_89AB_CDEF, -81_985_529, None)


@pytest.mark.parametrize("empty", ["sqlite", "postgresql"], indirect=True)
def test_hashes_of_revision_0002_are_the_same_in_hex_afterwards(
    empty: Catalogue,
) -> None:
    with empty.write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0002")
        old = sa.MetaData()
        old.reflect(connection)
        insert = connection.execute
        insert(sa.insert(old.tables["album"]).values(id=1, **_album("Moon")))
        person = {"id": 1, "album_id": 1, "name": "Luna", "source": "t", "found_at": 0}
        insert(sa.insert(old.tables["character"]).values(person))
        images = [_image_0002(n, number) for n, number in enumerate(HASHES, 1)]
        insert(sa.insert(old.tables["image"]), images)
        faces = [_face_0002(n, number) for n, number in enumerate(HASHES[:-1], 1)]
        insert(sa.insert(old.tables["face"]), faces)
    empty.upgrade()
    with empty.read() as connection:
        for table, expected in ((image, HASHES), (face, HASHES[:-1])):
            columns = (table.c.phash, table.c.dhash)
            query = sa.select(*columns).order_by(table.c.id)
            assert connection.execute(query).all() == [(n, n) for n in expected]
        as_text = sa.select(sa.type_coerce(image.c.phash, sa.Text))
        stored = connection.execute(as_text.order_by(image.c.id)).scalars().all()
        assert stored == [
            None if n is None else f"{n & (2**64 - 1):016x}" for n in HASHES
        ]
        kept = sa.select(face.c.image_id, face.c.x2, face.c.sharpness, face.c.awaits)
        assert connection.execute(kept.order_by(face.c.id)).all() == [
            (n, 9.5, 120.0, "size") for n in range(1, len(HASHES))
        ]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


BATCH_0003 = {
    "id": "b1",
    "format": "csv",
    "path": "b1",
    "questions": 1,
    "created_at": 0.0,
}
QUESTION_0003 = {
    "id": 7,
    "face_id": 2,
    "character_id": 1,
    "reference_face_id": 3,
    "batch_id": "b1",
    "label": "same",
    "asked_at": 1.5,
}
ANSWER_0003 = {
    "id": 5,
    "question_id": 7,
    "annotator": "ann",
    "choice": "true",
    "answered_at": None,
    "imported_at": 2.5,
    "file": "a.csv",
    "line": 2,
}

#: Faces of revision 0003: the picture they are on, their character, their probability,
#: the value of identity's decision (if it decided), and what they become: the character
#: they are filed under and the one that identity chose.
SPLIT = {
    "not judged yet": (1, 1, None, (), (1, None)),
    "kept as another character": (1, 2, 0.9, (0.9,), (1, 2)),
    "kept as the first": (1, 1, 0.9, (0.9,), (1, 1)),
    "sent back to identity": (1, 2, None, (0.4,), (1, 2)),
    "filed before an older page was found": (1, 2, None, (), (2, None)),
    "dropped without comparison": (1, 1, None, (None,), (1, None)),
    "led by the second": (2, 1, 0.5, (0.5,), (2, 1)),
    "on a picture of a merged character": (3, 1, 0.5, (0.5,), (1, 1)),
    "on a picture under no character": (4, 2, 0.5, (0.5,), (2, 2)),
}


@pytest.mark.parametrize("empty", ["sqlite", "postgresql"], indirect=True)
def test_the_character_of_a_face_of_revision_0003_becomes_two(empty: Catalogue) -> None:
    with empty.write() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0003")
        old = sa.MetaData()
        old.reflect(connection)

        def insert(name: str, *rows: dict[str, object]) -> None:
            connection.execute(sa.insert(old.tables[name]), rows)

        insert("album", {"id": 1, **_album("Moon")})
        named = {"album_id": 1, "source": "t", "found_at": 0}
        insert(
            "character",
            {"id": 1, "name": "Luna", "merged_into": None, **named},
            {"id": 2, "name": "Sol", "merged_into": None, **named},
            {"id": 3, "name": "La Luna", "merged_into": 1, **named},
        )
        insert("image", *(_image_0002(n, None) for n in range(1, 5)))
        insert(
            "candidate",
            {"image_id": 1, "character_id": 1, "is_lead": False},
            {"image_id": 1, "character_id": 2, "is_lead": False},
            {"image_id": 2, "character_id": 1, "is_lead": False},
            {"image_id": 2, "character_id": 2, "is_lead": True},
            {"image_id": 3, "character_id": 3, "is_lead": False},
        )
        started = {"command": "t", "settings": "", "version": "", "started_at": 0}
        insert("run", {"id": 1, **started})
        for key, (on, who, probability, values, _) in enumerate(SPLIT.values(), 1):
            face_0003 = {
                **_face_0002(key, None),
                "image_id": on,
                "phash": "0" * 16,
                "dhash": "0" * 16,
                "character_id": who,
                "probability": probability,
            }
            insert("face", face_0003)
            for value in values:
                insert("decision", {**_decision_0003(key), "value": value})
        insert("batch", BATCH_0003)
        insert("question", QUESTION_0003)
        insert("answer", ANSWER_0003)
    empty.upgrade()
    with empty.write() as connection:
        query = sa.select(face.c.filed_under_id, face.c.character_id)
        found = connection.execute(query.order_by(face.c.id)).all()
        assert dict(zip(SPLIT, map(tuple, found), strict=True)) == {
            name: expected for name, (*_, expected) in SPLIT.items()
        }
        for table, row in ((question, QUESTION_0003), (answer, ANSWER_0003)):
            [kept] = connection.execute(sa.select(table)).mappings()
            assert row.items() <= dict(kept).items()
        # A face is asked about again, against another reference.
        again = {**QUESTION_0003, "id": 8, "reference_face_id": 4}
        connection.execute(sa.insert(question).values(again))
        answered = {**ANSWER_0003, "id": 8, "question_id": 8}
        connection.execute(sa.insert(answer).values(answered))
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _decision_0003(face_id: int) -> dict[str, object]:
    return {
        "subject": "face",
        "subject_id": face_id,
        "step": "identity",
        "verdict": "pending",
        "reason": "ok",
        "run_id": 1,
        "decided_at": 0.0,
    }


def _image_0002(number: int, hashed: int | None) -> dict[str, object]:
    return {
        "id": number,
        "sha256": f"{number:064x}",
        "bytes": 1,
        "phash": hashed,
        "dhash": hashed,
        "verdict": "pending",
        "reason": "ok",
        "stored_at": 0.0,
    }


def _face_0002(number: int, hashed: int | None) -> dict[str, object]:
    return {
        "id": number,
        "image_id": number,
        "x1": 0.0,
        "y1": 0.0,
        "x2": 9.5,
        "y2": 9.5,
        "kind": "cartoon",
        "score": 0.9,
        "detector": "d" * 64,
        "sharpness": 120.0,
        "pixel_hash": f"{number:064x}",
        "phash": hashed,
        "dhash": hashed,
        "character_id": 1,
        "awaits": "size",
        "verdict": "pending",
        "reason": "ok",
        "found_at": 0.0,
    }


def test_a_transaction_that_fails_leaves_nothing(catalogue: Catalogue) -> None:
    row = _album("Moon Rabbits")

    def add_twice() -> None:
        with catalogue.write() as connection:
            connection.execute(sa.insert(album).values(row))
            connection.execute(sa.insert(album).values(row))

    with pytest.raises(sa.exc.IntegrityError):
        add_twice()
    assert _albums(catalogue) == []


def test_one_that_nobody_closes_leaves_no_open_connection(tmp_path: Path) -> None:
    forgotten = Catalogue(sqlite_url(tmp_path / "catalogue.sqlite"))
    with forgotten.read() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    del forgotten, connection
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        driver.execute("SELECT 1")


def test_writers_wait_for_each_other(catalogue: Catalogue) -> None:
    def add(number: int) -> None:
        for part in range(10):
            with catalogue.write() as connection:
                row = _album(f"album {number}.{part}")
                connection.execute(sa.insert(album).values(row))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_albums(catalogue)) == 40


def test_decisions_come_back_in_the_order_they_were_taken(
    catalogue: Catalogue,
) -> None:
    first = Decision("face", 7, "size", "pending", "ok", value=120.0, threshold=100.0)
    second = Decision("face", 7, "sharpness", "dropped", "blurred", value=3.5)
    other = Decision("image", 7, "detect", "kept", "ok")
    with catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "icf-filter run", "{}", "0")
        ledger.append(connection, run_id, [first, other])
        ledger.append(connection, run_id, [second])
        ledger.end_run(connection, run_id)
    with catalogue.read() as connection:
        found = ledger.history(connection, "face", 7)
    assert [each.decision for each in found] == [first, second]
    assert {each.run_id for each in found} == {run_id}


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(WrongUse, match=r"catalogue\.url"):
        Catalogue(url)


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    catalogue = Catalogue("postgresql://icf:secret@127.0.0.1:1/none")
    with pytest.raises(BrokenMachine, match="does not answer") as caught:
        catalogue.revisions()
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


PAGE = 4096


def overwrite(path: Path, start: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"this is not a database, and it is long enough"),
        lambda path: overwrite(path, 0, bytes(PAGE)),
        lambda path: overwrite(path, 0, b"s"),
        lambda path: overwrite(path, 18, b"\x07\x07"),
        lambda path: overwrite(path, 100, b"\xff" * (PAGE - 100)),
        lambda path: overwrite(path, PAGE, bytes(path.stat().st_size - PAGE)),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(path.read_bytes()[:700]),
    ],
)
def test_a_damaged_file_is_called_that_and_what_to_do(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    path = tmp_path / "catalogue.sqlite"
    made = Catalogue(f"sqlite:///{path}")
    made.upgrade()
    with made.write() as connection:
        rows = [_album(f"album {number}" * 20) for number in range(500)]
        connection.execute(sa.insert(album), rows)
    made.close()
    damage(path)
    opened = Catalogue(f"sqlite:///{path}")

    def read_all() -> None:
        opened.revisions()
        for table in metadata.sorted_tables:
            with opened.read() as connection:
                connection.execute(sa.select(table)).all()

    with pytest.raises(
        DamagedCatalogue, match=r"is damaged: .*\n.*put a back"
    ) as caught:
        read_all()
    assert "icf init" not in str(caught.value)
    opened.close()


@pytest.mark.parametrize("digits", ["x" * 16, "", "0" * 15])
def test_a_hash_that_is_none_is_damage(
    sqlite_catalogue: Catalogue, digits: str
) -> None:
    with sqlite_catalogue.write() as connection:
        row = {**_image_0002(1, None), "bytes": 1}
        connection.execute(sa.insert(image).values(row))
        change = "UPDATE image SET phash = :digits"
        connection.execute(sa.text(change), {"digits": digits})
    with (
        pytest.raises(BrokenMachine, match="is damaged"),
        sqlite_catalogue.read() as connection,
    ):
        connection.execute(sa.select(image.c.phash)).all()


def _album(name: str) -> dict[str, object]:
    return {"name": name, "source": "test", "found_at": 0.0}


def _albums(catalogue: Catalogue) -> list[str]:
    with catalogue.read() as connection:
        return list(connection.execute(sa.select(album.c.name)).scalars())


def test_the_revision_that_is_written_is_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_current_head() == REVISION


def _sqlite(path: Path) -> Catalogue:
    return Catalogue(f"sqlite:///{path}")


def test_the_copies_that_tests_use_are_what_the_migrations_make(
    tmp_path: Path,
) -> None:
    copied, migrated = _sqlite(tmp_path / "copied"), _sqlite(tmp_path / "migrated")
    Copies(tmp_path / "first").upgrade(copied)
    migrated.upgrade()
    dumps = []
    for one in (copied, migrated):
        with one.read() as connection:
            query = "SELECT * FROM sqlite_master ORDER BY rowid"
            rows = connection.exec_driver_sql(query).all()
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        dumps.append((rows, mode, one.revisions()))
        one.close()
    assert dumps[0] == dumps[1]
    assert dumps[0][1] == "wal"


def test_a_workspace_that_a_test_makes_has_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(tmp_path / "first")
    monkeypatch.setattr(Catalogue, "upgrade", lambda self: copies.upgrade(self))
    monkeypatch.setattr("icf.catalogue.catalogue.migrate", never)
    with closing(init(tmp_path / "space").catalogue) as made:
        assert _albums(made) == []


def never(connection: sa.Connection) -> None:
    pytest.fail("the catalogue was migrated")


def test_a_catalogue_that_is_there_is_not_copied_over(tmp_path: Path) -> None:
    old = _sqlite(tmp_path / "old")
    copies = Copies(tmp_path / "first")
    copies.upgrade(old)
    with old.write() as connection:
        connection.execute(sa.insert(album).values(_album("Moon")))
    copies.upgrade(old)
    assert _albums(old) == ["Moon"]
    old.close()


@pytest.mark.parametrize(
    "harm", ["DROP TABLE answer", "UPDATE alembic_version SET version_num = '0002'"]
)
def test_emptied_tables_have_no_rows_and_count_from_one(
    postgres_url: str, harm: str
) -> None:
    for statement in ("SELECT 1", harm, "SELECT 1"):
        empty = empty_postgres(postgres_url)
        assert _albums(empty) == []
        with empty.write() as connection:
            insert = sa.insert(album).values(_album("Moon")).returning(album.c.id)
            assert connection.execute(insert).scalar_one() == 1
            connection.exec_driver_sql(statement)
        with empty.read() as connection:
            context = MigrationContext.configure(connection)
            missing = compare_metadata(context, metadata)
        assert bool(missing) == statement.startswith("DROP")
        empty.close()


@pytest.mark.parametrize(
    ("free", "remedy"), [(0, "Free some space"), (1 << 40, "The disk failed")]
)
def test_a_full_disk_is_not_taken_for_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, remedy: str
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", {tmp_path: usage}.get)
    catalogue = Catalogue(sqlite_url(tmp_path / "catalogue.sqlite"))
    # As SQLite says it where it cannot make the -shm file.
    reason = sqlite3.OperationalError("disk I/O error")
    failed = sa.exc.OperationalError("BEGIN", {}, reason)
    with pytest.raises(BrokenMachine, match=remedy), catalogue.read():
        raise failed
