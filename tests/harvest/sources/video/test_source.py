import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import album, candidate, character, discovery, image, url
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.http.addresses import AllowList
from icf.harvest.http.session import Web
from icf.harvest.run import Outcome, Work, harvest
from icf.harvest.sources.base import ListingPage, Task
from icf.harvest.sources.video.source import VideoSource
from icf.harvest.sources.video.times import written
from icf.settings import HarvestSettings
from icf.workspace import Workspace
from tests.harvest.rows import all_of
from tests.harvest.sources.video.films import scenes, write_film
from tests.unreadable import unreadable


def source(root: Path, **keys: Any) -> VideoSource:
    table = {"name": "films", "kind": "video", "path": "films", **keys}
    return VideoSource(table, root, HarvestSettings())


def step(films: VideoSource, task: Task) -> ListingPage:
    async def one() -> ListingPage:
        async with Web("icf/test", AllowList([])) as web:
            return await films.step(task, web)

    return asyncio.run(one())


def tasks(films: VideoSource) -> list[Task]:
    return [task for one in films.first_tasks() for task in step(films, one).tasks]


def made(root: Path, keys: str = "") -> Workspace:
    workspace.init(root)
    with (root / "icf.toml").open("a") as config:
        config.write(
            f'\n[[source]]\nname = "films"\nkind = "video"\npath = "films"\n{keys}\n'
        )
    return workspace.find(root)


def run(place: Workspace, **work: Any) -> Outcome:
    return harvest(place, Work(**work))


def frames_of(place: Workspace) -> list[tuple[Any, ...]]:
    query = sa.select(url.c.url, url.c.seconds, url.c.shot, url.c.fate, image.c.sha256)
    with place.catalogue.read() as connection:
        rows = connection.execute(
            query.outerjoin(image, image.c.id == url.c.image_id).order_by(url.c.url)
        )
        return [tuple(row) for row in rows]


def test_frames_are_stored_under_the_cast_of_their_album(tmp_path: Path) -> None:
    write_film(tmp_path / "films/Moon/1.mp4", scenes(40, 50))
    place = made(tmp_path, 'characters = ["Luna", "Sol"]\nlicence = "CC0"')
    outcome = run(place)
    found = frames_of(place)
    start = (tmp_path / "films/Moon/1.mp4").as_uri() + "#t="
    assert len(found) == 4
    assert [row[0] for row in found] == [f"{start}{written(row[1])}" for row in found]
    assert [row[2] for row in found] == [0, 0, 1, 1]
    assert {row[3] for row in found} == {"stored"}
    assert [one["name"] for one in all_of(place.catalogue, album)] == ["Moon"]
    assert len(all_of(place.catalogue, character)) == 2
    assert len(all_of(place.catalogue, candidate)) == 8
    assert outcome.listed.faults == []
    assert not list(tmp_path.glob(".icf-frames-*"))


def test_frames_that_are_not_at_hand_are_decoded_again(tmp_path: Path) -> None:
    write_film(tmp_path / "one/films/Moon/1.mp4", scenes(40, 50))
    there = made(tmp_path / "one")
    run(there)
    (tmp_path / "one/films").rename(tmp_path / "films")
    here = made(tmp_path)
    run(here, fetch=False)
    assert {row[3] for row in frames_of(here)} == {"pending"}
    run(here)
    assert [row[4] for row in frames_of(here)] == [row[4] for row in frames_of(there)]


def test_a_changed_film_is_listed_again(tmp_path: Path) -> None:
    film = write_film(tmp_path / "films/Moon/1.mp4", scenes(40))
    place = made(tmp_path)
    run(place)
    before = frames_of(place)
    assert run(place).listed.pages == 0
    write_film(film, scenes(40, 50)[::-1])
    run(place)
    after = {row[0]: row[4] for row in frames_of(place)}
    assert len(after) > len(before)


def test_a_bad_film_has_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "films/Moon"
    whole = write_film(folder / "1.mkv", scenes(40, 50, 60))
    (folder / "2.mkv").write_bytes(b"")
    (folder / "3.mp4").write_text("no film")
    (folder / "4.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (folder / "5.srt").write_text("words")
    place = made(tmp_path)
    outcome = run(place)
    said = {
        row["subject"].split(" ")[0]: (row["status"], row["message"])
        for row in all_of(place.catalogue, discovery)
        if row["task"] == "video"
    }
    assert said["Moon/1.mkv"] == ("done", None)
    assert said["Moon/2.mkv"][1].startswith("empty: ")
    assert said["Moon/3.mp4"][1].startswith("not_image: ")
    assert said["Moon/4.mkv"][0] == "done"
    assert "truncated: damaged from" in said["Moon/4.mkv"][1]
    assert outcome.listed.failed == 2
    assert outcome.listed.passed_over == 1
    assert any("4.mkv" in row[0] for row in frames_of(place))


def test_linked_and_unreadable_folders_are_told(tmp_path: Path) -> None:
    for name in ("films/Moon/1.mp4", "films/Moon/old/2.mp4", "elsewhere/3.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "films/Moon/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "films/Moon/dead.mp4").symlink_to(tmp_path / "nowhere")
    films = source(tmp_path)
    with unreadable(tmp_path / "films/Moon/old"):
        (page,) = [step(films, task) for task in films.first_tasks()]
    films.reader.close()
    assert len(page.tasks) == 1
    assert [fault.rpartition("/Moon/")[2].split(": ")[:2] for fault in page.faults] == [
        ["dead.mp4", "bad_row"],
        ["more", "bad_row"],
        ["old", "unreachable"],
    ]


def stopped(start: Callable[..., Any]) -> Callable[..., Any]:
    """Let every child be stuck from its first moment, as a decoder may be."""

    def starting(*words: Any, **named: Any) -> Any:
        child = start(*words, **named)
        os.kill(child.pid, signal.SIGSTOP)
        return child

    return starting


def test_a_decoder_that_is_stuck_ends_at_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_film(tmp_path / "films/Moon/1.mp4", scenes(10))
    films = source(tmp_path, deadline=0.2)
    (task,) = tasks(films)
    monkeypatch.setattr(subprocess, "Popen", stopped(subprocess.Popen))
    with pytest.raises(Fault) as caught:
        step(films, task)
    assert caught.value.fate is FetchStatus.TIMEOUT
    assert str(caught.value).startswith("timeout: file:///")
    films.reader.close()


def test_a_frame_of_another_folder_is_forbidden(tmp_path: Path) -> None:
    secret = write_film(tmp_path / "secret.mp4", scenes(10))
    write_film(tmp_path / "films/Moon/1.mp4", scenes(10))
    films = source(tmp_path)
    with pytest.raises(Fault) as caught:
        films.reader.read(f"{secret.as_uri()}#t=0", None)  # type: ignore[arg-type]
    assert caught.value.fate is FetchStatus.FORBIDDEN_ADDRESS


def test_a_file_needs_an_album(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", scenes(10))
    with pytest.raises(WrongUse, match="album"):
        list(source(tmp_path, path="film.mp4").first_tasks())
    (task,) = tasks(source(tmp_path, path="film.mp4", album="Moon"))
    assert task.album == "Moon"


@pytest.mark.parametrize(
    "keys",
    [
        {"path": None},
        {"urls": ["http://a.org/1"]},
        {"path": None, "urls": ["http://a.org/1"]},
        {"mode": "keyframes", "tracks": True},
        {"mode": "shot"},
        {"path": "away"},
    ],
)
def test_wrong_keys_are_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises(WrongUse):
        list(source(tmp_path, **keys).first_tasks())
