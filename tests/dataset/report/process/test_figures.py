from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from icf.catalogue import schema
from icf.catalogue.annotation.pauses import DISCOUNTED
from icf.catalogue.annotation.schema import person
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.filing import NOBODY
from icf.codes import FetchStatus, Verdict
from icf.dataset.report.process.figures import read_figures
from icf.dataset.report.process.funnel import Stage, read_funnel
from icf.dataset.report.process.measures import read_measures
from icf.settings import FilterSettings
from icf.workspace import Workspace
from tests.filter.rows import add_album, add_face, add_image


def insert(catalogue: Catalogue, table: sa.Table, *rows: Mapping[str, object]) -> None:
    with catalogue.write() as connection:
        connection.execute(sa.insert(table), rows)


def one_image(catalogue: Catalogue) -> None:
    insert(
        catalogue, schema.album, {"id": 1, "name": "a", "source": "s", "found_at": 1.0}
    )
    named = {"id": 1, "album_id": 1, "name": "c", "source": "s", "found_at": 1.0}
    insert(catalogue, schema.character, named)
    stored = {"id": 1, "sha256": "0" * 64, "bytes": 1, "stored_at": 1.0}
    verdict = {"verdict": Verdict.KEPT.value, "reason": "ok"}
    insert(catalogue, schema.image, stored | verdict)


def face(side: float, verdict: Verdict = Verdict.KEPT) -> dict[str, object]:
    return {
        "image_id": 1,
        "x1": 0.0,
        "y1": 0.0,
        "x2": side,
        "y2": side + 7,
        "kind": "cartoon",
        "score": 0.9,
        "detector": "d" * 64,
        "sharpness": 0.0,
        "edge_sharpness": side / 100,
        "pixel_hash": "0" * 64,
        "phash": 1,
        "dhash": 1,
        "filed_under_id": 1,
        "character_id": 1,
        "verdict": verdict.value,
        "reason": "ok" if verdict is Verdict.KEPT else "blurred",
        "found_at": 1.0,
    }


def test_both_databases_count_a_face_under_the_step_it_is_in(
    catalogue: Catalogue,
) -> None:
    one_image(catalogue)
    kept = [0.0, 9.875, 10.0, 14.9, 15.1, 60.0, 66.875, 69.999, 70.0]
    rows = [*map(face, kept), face(15.0, Verdict.DROPPED)]
    insert(catalogue, schema.face, *rows)
    with catalogue.read() as connection:
        found = read_measures(connection, FilterSettings(min_face=1))
    size = next(each for each in found if each.name == "Size")
    # The dropped face is measured, too.
    counts = {at: good + bad for at, (good, bad) in size.counts.items()}
    assert counts == {0: 2, 1: 4, 6: 3, 7: 1}
    assert list(size.counts) == sorted(size.counts)
    assert (size.step, size.total) == (10, 10)


def test_nobody_and_who_was_merged_are_no_characters(catalogue: Catalogue) -> None:
    album = {"source": "s", "found_at": 1.0}
    for key, name in enumerate(("Sea", "set, not named"), start=1):
        insert(catalogue, schema.album, album | {"id": key, "name": name})
    cast = ((1, "Luna", None), (1, "Nova", 1), (1, NOBODY, None), (2, NOBODY, None))
    for key, (where, name, merged) in enumerate(cast, start=1):
        row = {"id": key, "album_id": where, "name": name, "merged_into": merged}
        insert(catalogue, schema.character, album | row)
    with catalogue.read() as connection:
        figures = read_figures(connection)
    assert dict(figures.headline) == {"albums": 1, "characters": 1}


def test_every_url_is_a_picture_or_has_a_reason_not_to_be(catalogue: Catalogue) -> None:
    one_image(catalogue)
    fates = [
        (FetchStatus.STORED, 1),
        (FetchStatus.UNCHANGED, 1),
        (FetchStatus.STORED, 1),
        (FetchStatus.NOT_FOUND, None),
        (FetchStatus.PENDING, None),
    ]
    common = {"host": "h", "source": "s", "found_at": 1.0}
    rows = [
        common | {"url": str(number), "fate": fate.value, "image_id": image}
        for number, (fate, image) in enumerate(fates)
    ]
    insert(catalogue, schema.url, *rows)
    with catalogue.read() as connection:
        urls, pictures, *_ = read_funnel(connection, None)
    rest = [("lost", 1), ("the same file again", 2), ("waiting", 1)]
    assert urls == Stage("URLs", 5, rest)
    assert urls.count - sum(count for _, count in rest) == pictures.count == 1


def test_a_release_ends_the_funnel_with_its_faces(catalogue: Catalogue) -> None:
    parts = {"train_faces": 5, "probes": 3, "distractors": 2, "train_identities": 4}
    with catalogue.read() as connection:
        stages = read_funnel(connection, {**parts, "confirmed_faces": 12})
        assert stages[-2:] == [
            Stage("confirmed faces", 12, [("not used", 2)]),
            Stage("faces released", 10, []),
        ]
        assert read_funnel(connection, None)[-1].name == "labels"


def test_a_face_is_asked_about_or_has_a_reason_not_to_be(catalogue: Catalogue) -> None:
    [tom] = add_album(catalogue, "Tom")
    image = add_image(catalogue, tom)
    out = {"awaits": None, "verdict": "dropped"}
    asked = add_face(catalogue, image, tom, reason="not_a_face", **out)
    add_face(catalogue, image, tom, reason="blurred", **out)
    add_face(catalogue, image, tom, reason="low_score", **out)
    add_face(catalogue, image, tom, awaits=None, verdict="kept")
    add_face(catalogue, image, tom, awaits="size")
    batch = {"id": "b", "format": "csv", "path": "q.csv", "questions": 1}
    insert(catalogue, schema.batch, {**batch, "created_at": 0.0})
    about = {"face_id": asked, "character_id": tom, "reference_face_id": asked}
    said = {"batch_id": "b", "label": "not_a_face", "asked_at": 0.0}
    insert(catalogue, schema.question, {**about, **said})
    with catalogue.read() as connection:
        faces = read_funnel(connection, None)[2]
    assert faces == Stage(
        "faces",
        5,
        [
            ("of a low score", 1),
            ("filtered out", 1),
            ("not asked about", 1),
            ("waiting", 1),
        ],
    )


def test_people_whose_answers_do_not_count_agree_with_nobody(
    workspace: Workspace,
) -> None:
    with workspace.catalogue.read() as connection:
        before = read_figures(connection).agreement
        names = sa.select(schema.answer.c.annotator).distinct()
        one, _ = connection.execute(names).scalars()
    someone = {"name": one, "role": "annotator", "pseudonym": "p"}
    paused = {"paused_at": 1.0, "paused_why": DISCOUNTED, "added_at": 1.0}
    insert(workspace.catalogue, person, someone | paused)
    with workspace.catalogue.read() as connection:
        after = read_figures(connection).agreement
    assert (before.people, after.people) == (2, 1)
    assert before.asked_twice > after.asked_twice == 0
