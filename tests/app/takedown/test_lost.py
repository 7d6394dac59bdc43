"""Pictures that are lost for good are taken out by one command, each with a trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from icf.app.takedown import work
from icf.catalogue.schema import face, image, tombstone, url
from icf.codes import FetchStatus
from icf.errors import BrokenMachine, SomeFailed, WrongUse
from icf.workspace import Workspace
from tests.app.doctor.damages import DAMAGES, cut
from tests.app.program import call, said

REASON = ("--reason", "the disk of May", "--yes")


def rows(space: Workspace, query: sa.Select[Any]) -> list[Any]:
    with space.catalogue.read() as connection:
        return list(connection.execute(query).all())


def hashes(space: Workspace) -> list[str]:
    query = sa.select(image.c.sha256).order_by(image.c.id)
    return [each.sha256 for each in rows(space, query)]


def lose(space: Workspace, count: int = len(DAMAGES)) -> list[str]:
    """Damage some pictures, each in another way; return their SHA-256."""
    lost = hashes(space)[2::3][:count]
    for number, sha256 in enumerate(lost):
        DAMAGES[number % len(DAMAGES)](space.blobs.path(sha256))
    return sorted(lost)


def withdrawn(space: Workspace) -> list[str]:
    query = sa.select(image.c.sha256).where(image.c.reason == "taken_down")
    return sorted(each.sha256 for each in rows(space, query))


def test_all_lost_pictures_are_taken_out_by_one_command(space: Workspace) -> None:
    every, lost = hashes(space), lose(space)
    few = ("--set", "dataset.min_faces=2", "-C", space.root)
    build = ("build-splits", space.root / "releases" / "first", *few)
    with pytest.raises(BrokenMachine, match="icf takedown --lost --reason TEXT"):
        call(*build)
    shown = said("-C", space.root, "takedown", "--lost", *REASON)
    assert (shown["kind"], shown["images"], shown["lost"]) == ("lost", 5, lost)
    assert withdrawn(space) == lost
    found = {
        (each.subject, each.reason)
        for each in rows(space, sa.select(tombstone))
        if each.kind == "sha256"
    }
    assert found == {(each, "the disk of May") for each in lost}
    assert {each for each in every if space.blobs.has(each)} == set(every) - set(lost)
    of_lost = sa.select(face.c.reason).join(image, image.c.id == face.c.image_id)
    gone = rows(space, of_lost.where(image.c.sha256.in_(lost)))
    assert {each.reason for each in gone} == {"taken_down"}
    said(*build)


def test_a_repair_that_brings_nothing_back_names_the_command(space: Workspace) -> None:
    lose(space)
    with pytest.raises(SomeFailed, match="`icf takedown --lost --reason TEXT`"):
        call("-C", space.root, "doctor", "--repair")


def test_a_whole_copy_with_the_same_pixels_stays(space: Workspace) -> None:
    [lost] = lose(space, 1)
    pixels = sa.select(image.c.pixel_hash).where(image.c.sha256 == lost)
    with space.catalogue.write() as connection:
        same = sa.update(image).where(image.c.sha256 == hashes(space)[7])
        connection.execute(same.values(pixel_hash=pixels.scalar_subquery()))
    said("-C", space.root, "takedown", "--lost", *REASON)
    assert withdrawn(space) == [lost]


def test_a_dry_run_lists_them_and_people_read_each(space: Workspace) -> None:
    lost = lose(space)
    shown = call(
        "-C", space.root, "takedown", "--lost", "--reason", "x", "--dry-run"
    ).stdout
    assert "5 pictures" in shown
    assert [each for each in lost if each in shown] == lost
    assert rows(space, sa.select(tombstone)) == []


def test_without_a_lost_picture_nothing_is_removed(space: Workspace) -> None:
    shown = said("-C", space.root, "takedown", "--lost", *REASON)
    assert (shown["images"], shown["lost"]) == (0, [])
    assert (withdrawn(space), rows(space, sa.select(tombstone))) == ([], [])
    # There is nothing to be asked about.
    again = call("-C", space.root, "takedown", "--lost", "--reason", "x")
    assert again.exit_code == 0
    assert "no picture is lost" in again.stdout


def test_a_store_that_is_not_there_withdraws_nothing(space: Workspace) -> None:
    (space.root / "blobs").rename(space.root / "elsewhere")
    with pytest.raises(WrongUse, match=r"all .* pictures .* is the disk there\?"):
        call("-C", space.root, "takedown", "--lost", *REASON)
    assert rows(space, sa.select(tombstone)) == []


@pytest.mark.parametrize("fate", [FetchStatus.STORED, FetchStatus.PENDING])
def test_what_was_not_asked_for_again_stays(
    space: Workspace, fate: FetchStatus
) -> None:
    lost = lose(space, 3)
    with (space.root / "icf.toml").open("a") as file:
        file.write('[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n')
    of = sa.select(image.c.id).where(image.c.sha256.in_(lost))
    with space.catalogue.write() as connection:
        some = sa.update(url).where(url.c.image_id.in_(of))
        connection.execute(some.values(fate=FetchStatus.UNREACHABLE.value))
        first = sa.select(image.c.id).where(image.c.sha256 == lost[0])
        one = sa.update(url).where(url.c.image_id.in_(first))
        connection.execute(one.values(fate=fate.value))
    with pytest.raises(WrongUse, match=r"1 of the 3 .*`icf doctor --repair` first"):
        call("-C", space.root, "takedown", "--lost", *REASON)
    assert rows(space, sa.select(tombstone)) == []
    with space.catalogue.write() as connection:
        gone = sa.update(url).where(url.c.image_id.in_(first))
        connection.execute(gone.values(fate=FetchStatus.NOT_FOUND.value))
    said("-C", space.root, "takedown", "--lost", *REASON)
    assert withdrawn(space) == lost


@pytest.mark.parametrize("words", [("http://toons.test/1-1.jpg",), ()])
def test_a_subject_beside_it_or_no_reason_is_refused(
    space: Workspace, words: tuple[str, ...]
) -> None:
    reason = REASON if words else ("--yes",)
    with pytest.raises(WrongUse, match="icf takedown --lost --reason TEXT"):
        call("-C", space.root, "takedown", *words, "--lost", *reason)
    assert rows(space, sa.select(tombstone)) == []


@pytest.mark.parametrize("stopped_in", ["_end_urls", "_drop_images", "remove_files"])
def test_stopped_anywhere_the_same_command_completes_it(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, stopped_in: str
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    lost = lose(space)
    with monkeypatch.context() as patched:
        patched.setattr(work, stopped_in, stop)
        call("-C", space.root, "takedown", "--lost", *REASON)
    said("-C", space.root, "takedown", "--lost", *REASON)
    assert withdrawn(space) == lost
    assert not [each for each in lost if space.blobs.has(each)]
    checks = json.loads(call("-C", space.root, "doctor", "--json").stdout)["checks"]
    states = {each["name"]: each["state"] for each in checks}
    assert (states["takedowns"], states["pictures"]) == ("ok", "ok")


def test_what_was_withdrawn_before_is_not_named_as_lost(
    space: Workspace,
) -> None:
    first, second, *_ = hashes(space)
    said("-C", space.root, "takedown", first, *REASON)
    cut(space.blobs.path(second))
    shown = said("-C", space.root, "takedown", "--lost", *REASON)
    assert shown["lost"] == [second]
