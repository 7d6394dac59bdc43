"""On PostgreSQL, whoever changes several rows locks them in the order of their ids.

Two who do so wait for each other in line; else each may have what the other needs, and
the database ends one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf.annotate import following
from icf.annotate.ask import ask
from icf.annotate.boxes.choose import Asking, ask_more
from icf.annotate.boxes.page_run import PageRun
from icf.annotate.boxes.record import lock_tasks
from icf.annotate.boxes.source import BoxSource
from icf.annotate.boxes.task import rule_of
from icf.annotate.gold.pauses import discount
from icf.annotate.page.desk import open_desk
from icf.annotate.pairs.questions import QuestionSource
from icf.annotate.people.people import BY_ADMIN, Person, Role, pause
from icf.annotate.tasks import leases
from icf.annotate.tasks.store import Receipt, store
from icf.annotate.waiting import apply_waiting
from icf.app.doctor.damage import Damage
from icf.app.doctor.repair import repair
from icf.app.takedown.target import Target
from icf.app.takedown.work import take_down
from icf.catalogue import references
from icf.catalogue.annotation.schema import box_task, lease
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.rows import count_rows, lock
from icf.catalogue.schema import (
    answer,
    candidate,
    character,
    face,
    image,
    question,
    review,
    url,
)
from icf.codes import ReviewStatus, Suspicion
from icf.engine.local import LocalEngine
from icf.engine.runner import Runner
from icf.filter.chain import filter_chain
from icf.filter.embed_again import embed_again
from icf.filter.rethreshold.reevaluate import reevaluate
from icf.filter.review.merges import apply, undo
from icf.filter.step_names import EMBED
from icf.harvest.attributes.licence import Licence
from icf.harvest.images import NewImage, insert_images
from icf.harvest.listing.exclusions import exclude_waiting
from icf.harvest.listing.pictures import store_pictures
from icf.harvest.listing.resolve import resolve
from icf.harvest.report.retry import Selection, make_pending
from icf.harvest.run import harvest
from icf.harvest.sources.base import Corrects, ListingPage, Picture
from tests.annotate.boxes.pictures import Pictures, boxed
from tests.annotate.pairs.asked import (
    ask_about,
    count_answers,
    lease_of,
    person,
    send,
    sent,
)
from tests.annotate.place import BOX, EMBEDDER, Place
from tests.annotate.review.expert import outlier, suspect
from tests.app.import_coco.coco_files import write_picture
from tests.catalogues import wait_until_waited_for
from tests.harvest.rows import SourceOfTheTest, as_source, put_urls

pytestmark = pytest.mark.slow

#: Odd: of every other row, the last is one too.
COUNT = 7

#: Locks something.
Hold = Callable[[sa.Connection], object]


@pytest.fixture
def space(
    postgres_catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    monkeypatch.setenv("ICF_CATALOGUE_URL", postgres_catalogue.url)
    made = Place(tmp_path / "space")
    read_by_place(made)
    yield made
    made.workspace.catalogue.close()


def read_by_place(space: Place) -> None:
    """Read tables in the order of their files, as the server reads many rows."""

    def set_up(driver: Any, _record: object) -> None:
        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            driver.execute(f"SET enable_{way} = off")
        driver.commit()

    engine = space.workspace.catalogue.engine
    sa.event.listen(engine, "connect", set_up)
    engine.dispose()


def reverse(catalogue: Catalogue, table: sa.Table) -> list[int]:
    """Let the rows lie in the table's file with the last first; return their ids."""
    with catalogue.read() as connection:
        ids = list(connection.execute(sa.select(table.c.id).order_by("id")).scalars())
    names = [each.name for each in table.c if each.index or each.nullable]
    for key in ids[::-1]:
        with catalogue.write() as connection:
            same = sa.update(table).where(table.c.id == key)
            connection.execute(same.values({names[-1]: table.c[names[-1]]}))
    return ids


def meet(
    catalogue: Catalogue,
    first: Sequence[Hold],
    work: Callable[[], object],
    then: Hold,
) -> None:
    """Run work while another holds something, and takes more when it is waited for."""
    with ThreadPoolExecutor(1) as threads:
        with catalogue.write() as connection:
            for each in first:
                each(connection)
            other = threads.submit(work)
            wait_until_waited_for(connection, other)
            then(connection)
        other.result()


def row(table: sa.Table, key: int) -> Hold:
    """What locks a row."""
    return lambda connection: lock(connection, table, table.c.id == key)


def labels(connection: sa.Connection) -> None:
    """Lock what whoever lets labels follow locks first."""
    following.lock(connection, [])


def cross(
    catalogue: Catalogue, table: sa.Table, work: Callable[[], object], but: int = 0
) -> None:
    """Run work on rows, of which another holds the first, and takes the last then.

    Those before ``but`` are not among them.
    """
    first, *_, last = reverse(catalogue, table)[but:]
    meet(catalogue, [row(table, first)], work, row(table, last))


def check_count(
    catalogue: Catalogue, table: sa.Table, chosen: sa.ColumnElement[bool], count: int
) -> None:
    """See that so many rows are as they should be."""
    with catalogue.read() as connection:
        assert count_rows(connection, table, chosen) == count


def silent(
    title: str, total: int | None
) -> AbstractContextManager[Callable[[int], None]]:
    """No progress bar."""
    del title, total
    return nullcontext(lambda number: None)


def addresses() -> list[str]:
    return [f"https://a.test/{number}.png" for number in range(COUNT)]


def test_urls_that_are_tried_again(space: Place) -> None:
    catalogue = space.workspace.catalogue
    put_urls(catalogue, *addresses(), fate="http_error")

    def retry() -> None:
        with catalogue.write() as connection:
            assert make_pending(connection, Selection()) == COUNT

    cross(catalogue, url, retry)


def test_urls_of_another_licence(space: Place) -> None:
    catalogue = space.workspace.catalogue
    for number, address in enumerate(addresses()):
        put_urls(catalogue, address, licence=f"licence {number % 2}")
    cross(catalogue, url, lambda: exclude_waiting(catalogue, ["CC0"]))
    check_count(catalogue, url, url.c.fate == "other_licence", COUNT)


def test_urls_that_are_withdrawn(space: Place) -> None:
    catalogue = space.workspace.catalogue
    put_urls(catalogue, *addresses())
    target = Target("url", addresses()[0], urls=range(1, COUNT + 1))
    cross(catalogue, url, lambda: take_down(space.workspace, target, "asked to"))
    check_count(catalogue, url, url.c.fate == "taken_down", COUNT)


@pytest.mark.parametrize("table", [face, image], ids=["faces", "images"])
def test_what_is_withdrawn(space: Place, table: sa.Table) -> None:
    catalogue = space.workspace.catalogue
    space.add_faces(space.add_character(), 0.5, COUNT)
    ids = reverse(catalogue, table)
    target = Target("sha256", "0" * 64, faces=ids)
    if table is image:
        target = Target("sha256", "0" * 64, images=ids)
    cross(catalogue, table, lambda: take_down(space.workspace, target, "asked to"))
    check_count(catalogue, table, table.c.reason == "taken_down", len(ids))


def test_pictures_that_say_no_to_training(space: Place) -> None:
    catalogue = space.workspace.catalogue
    pictures = [f"{number:064x}" for number in range(COUNT, 0, -1)]
    with catalogue.write() as connection:
        for each in pictures:
            insert_images(connection, [NewImage(each, 1)])

    def again() -> None:
        marked = [NewImage(each, 1, no_training="noai") for each in pictures]
        with catalogue.write() as connection:
            insert_images(connection, marked)

    cross(catalogue, image, again)
    check_count(catalogue, image, image.c.no_training == "noai", COUNT)


def to_merge(space: Place) -> int:
    """Two characters that people found to be one; return the one that will go."""
    catalogue = space.workspace.catalogue
    stays, gone = space.add_character("Ann"), space.add_character("Anna")
    space.add_faces(gone, 0.5, COUNT)
    suspicion = {
        "kind": Suspicion.MERGE.value,
        "character_id": stays,
        "other_character_id": gone,
        "face_id": space.reference(stays),
        "other_face_id": space.reference(gone),
        "score": 0.9,
        "status": ReviewStatus.SAME.value,
        "found_at": 0.0,
        "changed_at": 0.0,
    }
    with catalogue.write() as connection:
        connection.execute(sa.insert(review).values(suspicion))
        theirs = face.c.character_id == gone
        query = sa.select(face.c.image_id, sa.literal(gone), sa.false()).where(theirs)
        columns = ["image_id", "character_id", "is_lead"]
        connection.execute(sa.insert(candidate).from_select(columns, query))
    return gone


def test_faces_of_merged_characters(space: Place) -> None:
    catalogue, gone = space.workspace.catalogue, to_merge(space)
    cross(catalogue, face, lambda: apply(space.workspace), but=1)
    cross(catalogue, face, lambda: undo(space.workspace, gone), but=1)
    check_count(catalogue, face, face.c.character_id == gone, COUNT + 1)


def test_merges_while_labels_follow(space: Place) -> None:
    catalogue, gone = space.workspace.catalogue, to_merge(space)
    one, other = row(face, space.reference(gone)), row(character, gone)
    meet(catalogue, [labels, one], lambda: apply(space.workspace), other)
    check_count(catalogue, character, character.c.merged_into.is_not(None), 1)
    meet(catalogue, [labels, other], lambda: undo(space.workspace, gone), one)
    check_count(catalogue, character, character.c.merged_into.is_not(None), 0)


@pytest.mark.parametrize("what", ["face", "none", "clear"])
def test_references_by_hand_while_labels_follow(space: Place, what: str) -> None:
    catalogue, gone = space.workspace.catalogue, to_merge(space)
    run_id = space.workspace.begin_run("icf-harvest reference")
    [one, other, *_] = reverse(catalogue, face)[2:]

    def choose() -> None:
        with catalogue.write() as connection:
            if what == "face":
                references.choose_face(connection, run_id, gone, one)
            elif what == "none":
                references.choose_none(connection, run_id, gone)
            else:
                references.clear(connection, run_id, gone)

    meet(catalogue, [labels, row(face, other)], choose, row(character, gone))
    chosen = character.c.reference_face_id.is_not_distinct_from(
        one if what == "face" else None
    )
    check_count(catalogue, character, sa.and_(character.c.id == gone, chosen), 1)


def test_references_that_the_filter_chooses_while_labels_follow(space: Place) -> None:
    made, ann = space.workspace, space.add_character()
    [face_id] = space.add_faces(ann, 0.5, 1, awaits="reference")
    space.set_reference(ann, None, by="filter")
    shown = sa.select(face.c.image_id, sa.literal(ann), sa.true())
    leads = shown.where(face.c.id == face_id)
    with made.catalogue.write() as connection:
        columns = ["image_id", "character_id", "is_lead"]
        connection.execute(sa.insert(candidate).from_select(columns, leads))
    chain = filter_chain(made)
    step = next(each for each in chain.steps if each.name == "reference")
    run_id = made.begin_run("icf-filter run")
    runner = Runner(made.catalogue, made.vectors, LocalEngine(1), run_id, chain)
    first, then = [labels, row(character, ann)], row(face, face_id)
    meet(made.catalogue, first, lambda: runner.run(step), then)
    assert space.reference(ann) == face_id


def test_an_answer_may_come_while_its_question_is_removed(space: Place) -> None:
    ann = space.add_character()
    shown = space.add_face(ann, 0.5)
    run_id = space.workspace.begin_run("ask")
    catalogue = space.workspace.catalogue
    with catalogue.write() as connection:
        assert ask(connection, run_id, "csv", "batch", 9)
        key = connection.execute(sa.select(question.c.id)).scalar_one()

    def answered(connection: sa.Connection) -> None:
        said = {"question_id": key, "annotator": "ann", "choice": "true", "line": 1}
        more = {"imported_at": 0.0, "file": "page"}
        connection.execute(sa.insert(answer).values(**said, **more))

    target = Target("sha256", "0" * 64, faces=[shown])
    meet(
        catalogue,
        [answered],
        lambda: take_down(space.workspace, target, "asked to"),
        lambda _: None,
    )
    check_count(catalogue, answer, sa.true(), 0)


def test_takedowns_while_labels_follow(space: Place) -> None:
    ann = space.add_character()
    shown = space.add_face(ann, 0.5)
    run_id = space.workspace.begin_run("ask")
    with space.workspace.catalogue.write() as connection:
        assert ask(connection, run_id, "csv", "batch", 9)
    target = Target("sha256", "0" * 64, faces=[shown])
    meet(
        space.workspace.catalogue,
        [labels],
        lambda: take_down(space.workspace, target, "asked to"),
        row(face, shown),
    )
    check_count(space.workspace.catalogue, face, face.c.reason == "taken_down", 1)


def test_urls_that_are_listed_again(space: Place) -> None:
    """Of all, the source knows the version; of the last, it says another licence."""
    catalogue = space.workspace.catalogue
    source = as_source(SourceOfTheTest())

    def store(last: str) -> None:
        licences = ["CC0"] * (COUNT - 1) + [last]
        pictures = tuple(
            Picture(
                each,
                licence=Licence(name, None, "list"),
                version="1",
                corrects=Corrects.SOURCE,
            )
            for each, name in zip(addresses(), licences, strict=True)
        )
        page = resolve(source, ListingPage(pictures=pictures))
        with catalogue.write() as connection:
            store_pictures(connection, source, page, {}, {})

    store("CC0")
    cross(catalogue, url, lambda: store("CC BY"))
    check_count(catalogue, url, url.c.licence == "CC BY", 1)


def test_urls_of_lost_pictures(space: Place, tmp_path: Path) -> None:
    for number in range(COUNT):
        write_picture(tmp_path / "mine" / "Moon" / "Luna" / f"{number}.png", number)
    space.set_up(
        f'[[source]]\nname = "mine"\nkind = "folder"\npath = "{tmp_path}/mine"'
    )
    read_by_place(space)
    made = space.workspace
    harvest(made)
    with made.catalogue.read() as connection:
        lost = dict(connection.execute(sa.select(image.c.id, image.c.sha256)).all())
    assert len(lost) == COUNT
    for each in lost.values():
        made.blobs.remove(each)
    cross(made.catalogue, url, lambda: repair(made, Damage(pictures=lost), silent))
    assert all(map(made.blobs.is_whole, lost.values()))


def test_leases_that_ran_out(space: Place) -> None:
    catalogue = space.workspace.catalogue
    ann = person(space, "ann")
    with catalogue.write() as connection:
        some = [("question", number) for number in range(COUNT)]
        leases.Leasing(-1.0).issue(connection, ann, "pairs", some)

    def sweep() -> None:
        with catalogue.write() as connection:
            leases.sweep(connection)

    cross(catalogue, lease, sweep)
    sweep()
    check_count(catalogue, lease, lease.c.ended_at.is_(None), 0)


def holding_leases(space: Place, name: str = "ann") -> tuple[Person, list[str]]:
    """Somebody who holds something of each of some questions."""
    someone = person(space, name)
    subjects = [("question", key) for key in ask_about(space, COUNT)]
    with space.workspace.catalogue.write() as connection:
        made = leases.Leasing(60).issue(connection, someone, "pairs", subjects)
    return someone, [each.handle for each in made]


@pytest.mark.parametrize("what", ["prolong", "end", "pause"])
def test_leases_of_a_person(space: Place, what: str) -> None:
    catalogue = space.workspace.catalogue
    ann, handles = holding_leases(space)

    def change() -> None:
        with catalogue.write() as connection:
            if what == "prolong":
                leases.Leasing(60).prolong(connection, ann, handles)
            elif what == "end":
                leases.end(connection, ann, handles)
            else:
                pause(connection, ann, BY_ADMIN)

    cross(catalogue, lease, change)
    check_count(catalogue, lease, lease.c.ended_at.is_(None), COUNT * (what[1] == "r"))


def test_answers_of_the_page_while_their_questions_are_removed(space: Place) -> None:
    """A browser that was offline sends several, in whatever order they were given."""
    catalogue = space.workspace.catalogue
    ann, handles = holding_leases(space)
    first, *_, last = reverse(catalogue, question)
    some = [sent(each) for each in handles[::-1]]
    found: list[Receipt] = []
    meet(
        catalogue,
        [removed(first)],
        lambda: found.extend(send(space, QuestionSource(), ann, some)),
        removed(last),
    )
    assert [each.client_id for each in found] == [each.client_id for each in some]
    assert count_answers(space) == COUNT
    check_count(catalogue, lease, lease.c.ended_at.is_(None), 0)


def removed(key: int) -> Hold:
    """What locks a question that is about to be removed."""
    query = sa.select(question.c.id).where(question.c.id == key)
    return lambda connection: connection.execute(query.with_for_update())


def test_experts_answers_while_questions_are_removed(space: Place) -> None:
    """An answer to a suspicion may ask a question, which locks all of them."""
    catalogue = space.workspace.catalogue
    made = open_desk(space.workspace, ["pairs", "review"])
    [key, *_] = ask_about(space, 1)
    suspected = suspect(space, outlier(space, space.add_character("Bea")))
    rita = person(space, "rita", Role.REVIEWER)
    some = [
        sent(lease_of(space, rita, key).handle),
        sent(lease_of(space, rita, suspected, "suspicion").handle),
    ]
    found: list[Receipt] = []
    meet(
        catalogue,
        [labels],
        lambda: found.extend(store(catalogue, made.sources, rita, some)),
        removed(key),
    )
    assert [each.refused for each in found] == [None, None]


def to_be_boxed(space: Place, pictures: Pictures) -> list[int]:
    """Add pictures of which people are asked for boxes."""
    keys = [pictures.add() for _ in range(COUNT)]
    run_id = space.workspace.begin_run("serve")
    with space.workspace.catalogue.write() as connection:
        assert ask_more(connection, run_id, Asking(0.0)) == COUNT
    return keys


def test_pictures_that_are_boxed_while_they_are_settled(space: Place) -> None:
    catalogue = space.workspace.catalogue
    pictures = Pictures(space)
    keys = to_be_boxed(space, pictures)
    ann = pictures.person()
    source = BoxSource(rule_of(space.workspace), PageRun(space.workspace))
    some = [
        replace(sent(lease_of(space, ann, key, "boxes").handle), value=boxed())
        for key in keys[::-1]
    ]
    found: list[Receipt] = []
    meet(
        catalogue,
        [lambda connection: lock_tasks(connection, keys[:1])],
        lambda: found.extend(send(space, source, ann, some)),
        lambda connection: lock_tasks(connection, keys[-1:]),
    )
    assert [each.refused for each in found] == [None] * COUNT


def test_boxes_of_pictures_that_are_withdrawn(space: Place) -> None:
    catalogue = space.workspace.catalogue
    pictures = Pictures(space)
    keys = to_be_boxed(space, pictures)
    for key in keys[::-1]:
        with catalogue.write() as connection:
            same = sa.update(box_task).where(box_task.c.image_id == key)
            connection.execute(same.values(status=box_task.c.status))
    target = Target("sha256", "0" * 64, images=keys)
    meet(
        catalogue,
        [lambda connection: lock_tasks(connection, keys[:1])],
        lambda: take_down(space.workspace, target, "asked to"),
        lambda connection: lock_tasks(connection, keys[-1:]),
    )
    check_count(catalogue, box_task, sa.true(), 0)


@pytest.mark.parametrize("what", ["follow", "pause", "remove"])
def test_answers_to_several_questions(space: Place, what: str) -> None:
    catalogue = space.workspace.catalogue
    ann, handles = holding_leases(space)
    send(space, QuestionSource(), ann, [sent(each) for each in handles])

    def change() -> None:
        if what == "follow":
            assert apply_waiting(space.workspace).answers == COUNT
        elif what == "pause":
            with catalogue.write() as connection:
                discount(connection, ann)
        else:
            faces = range(1, COUNT + 1)
            target = Target("sha256", "0" * 64, faces=faces)
            take_down(space.workspace, target, "asked to")

    cross(catalogue, answer, change)
    left = {"follow": 0, "pause": COUNT, "remove": 0}[what]
    check_count(catalogue, answer, answer.c.waits.is_(sa.true()), left)


@pytest.mark.parametrize("what", ["another", "none"])
def test_references_that_rethreshold_changes_while_labels_follow(
    space: Place, what: str
) -> None:
    made, bea, ann = space.workspace, space.add_character(), space.add_character("Ann")
    large, small = space.reference(ann), space.add_face(ann, 0.5, x2=BOX[0] + 50.0)
    space.set_reference(ann, small, by="medoid")
    both = [large, small]
    made.vectors.append(EMBEDDER, np.array(both), np.eye(2, 4, dtype=np.float32))
    # Her face waits for identity again where the other's reference changes.
    hers = space.reference(bea)
    with made.catalogue.write() as connection:
        query = sa.select(face.c.image_id, face.c.filed_under_id)
        filed = [
            {"image_id": each.image_id, "character_id": key, "is_lead": key == own}
            for each in connection.execute(query)
            for own in [each.filed_under_id]
            for key in {ann, own}
        ]
        connection.execute(sa.insert(candidate), filed)
        if what == "none":
            # By nothing that the chain knows.
            lost = {"verdict": "dropped", "reason": "too_small"}
            dropped = sa.update(face).where(face.c.id.in_(both))
            connection.execute(dropped.values(lost))
    run_id = made.begin_run("icf-filter rethreshold")
    chain = filter_chain(made)
    names = [each.name for each in chain.steps]
    here = names.index("reference")
    chain = replace(chain, steps=chain.steps[: here + 1])
    meet(
        made.catalogue,
        [labels, row(face, hers)],
        lambda: reevaluate(made.catalogue, run_id, chain, silent, names[here - 1]),
        row(character, ann),
    )
    chosen = large if what == "another" else None
    is_chosen = character.c.reference_face_id.is_not_distinct_from(chosen)
    check_count(made.catalogue, character, is_chosen, 1)


def test_faces_that_are_embedded_again(space: Place) -> None:
    made = space.workspace
    space.add_faces(space.add_character(), 0.5, COUNT)
    ids = reverse(made.catalogue, face)
    made.vectors.append("f" * 64, np.array(ids), np.eye(len(ids), 4, dtype=np.float32))
    chain = filter_chain(made)
    step = next(each for each in chain.steps if each.name == EMBED)
    run_id = made.begin_run("icf-filter run")

    def embed() -> None:
        embed_again(made, step, "f" * 64, chain, LocalEngine(1), run_id, silent)

    cross(made.catalogue, face, embed)
    check_count(made.catalogue, face, face.c.embedder == "f" * 64, len(ids))
