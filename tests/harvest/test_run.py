"""Whole runs against a site on loopback: what each URL's one fate is in the end."""

import asyncio
import hashlib
import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from icf.catalogue.labels.marks import Marked, count_marked
from icf.catalogue.schema import image, image_source, url
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.download.worker import BATCH
from icf.harvest.http.user_agent import user_agent
from icf.harvest.listing.discover import Scope
from icf.harvest.report.retry import Selection, make_pending
from icf.harvest.run import Outcome, Work, harvest, plan
from icf.harvest.sources.base import Task
from icf.harvest.sources.folder import FolderSource
from icf.settings import HarvestSettings
from icf.workspace import Workspace, find, init
from tests.harvest.processes import running, wait_for
from tests.harvest.rows import all_of, count_urls, fates, filed
from tests.harvest.wire import Handler, Site, answer, redirect

#: More than two batches, so that a run is killed, or shares, in the middle.
PICTURES = 400


def png(number: int) -> bytes:
    """A small real picture, another one for each number."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (number % 256, number // 256, 7)).save(out, "PNG")
    return out.getvalue()


def marked(number: int) -> bytes:
    """A picture whose metadata forbids training on it."""
    info, out = PngInfo(), io.BytesIO()
    said = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
    info.add_itxt("XML:com.adobe.xmp", f'<x plus:DataMining="{said}"/>')
    picture = Image.new("RGB", (40, 30), (number, 200, 7))
    picture.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def workspace(root: Path, site: Site, *urls: str, **settings: object) -> Workspace:
    """A workspace with a list of these URLs."""
    init(root)
    lines = [f"{key} = {value}" for key, value in settings.items()]
    (root / "icf.toml").write_text(
        f'[harvest]\nallow_hosts = ["{site.host}"]\nbackoff = 0.0\n'
        + "\n".join(lines)
        + '\n[[source]]\nname = "mine"\nkind = "list"\npath = "urls.csv"\n'
    )
    rows = "".join(f"Moon,Luna,{one}\n" for one in urls)
    (root / "urls.csv").write_text("album,character,url\n" + rows)
    return find(root)


Crawl = Callable[..., tuple[Workspace, Outcome]]


@pytest.fixture
def crawl(tmp_path: Path, site: Site) -> Crawl:
    def once(*urls: str, **settings: object) -> tuple[Workspace, Outcome]:
        made = workspace(tmp_path / "ws", site, *urls, **settings)
        return made, harvest(made)

    return once


def test_pictures_are_stored_byte_for_byte_with_all_that_is_known(
    site: Site, crawl: Crawl
) -> None:
    made, outcome = crawl(site.route("/1.png", answer(png(1), ETag='"v1"')))
    (kept,) = all_of(made.catalogue, image)
    assert made.blobs.get(kept["sha256"]) == png(1)
    assert kept["sha256"] == hashlib.sha256(png(1)).hexdigest()
    assert (kept["format"], kept["width"], kept["height"]) == ("png", 40, 30)
    (source,) = all_of(made.catalogue, image_source)
    assert json.loads(source["headers"]) == {"ETag": '"v1"'}
    assert filed(made.catalogue) == [("1.png", "Luna", False)]
    assert outcome.harvested.fates == {FetchStatus.STORED: 1}


def test_many_pictures_end_with_one_fate_each(site: Site, crawl: Crawl) -> None:
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(300)]
    made, outcome = crawl(*urls, *urls)
    assert outcome.harvested.fates == {FetchStatus.STORED: 300}
    assert count_urls(made.catalogue) == {"total": 300, "stored": 300}
    assert len(site.asked) == 301  # and robots.txt
    temporary = made.root / "blobs" / "tmp"
    assert list(temporary.iterdir()) == []


def test_the_same_bytes_under_two_urls_are_one_image(site: Site, crawl: Crawl) -> None:
    urls = [site.route(path, answer(png(1))) for path in ("/a.png", "/b.png")]
    made, _ = crawl(*urls)
    assert len(all_of(made.catalogue, image)) == 1
    assert len(all_of(made.catalogue, image_source)) == 2


async def _short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + png(1))
    await writer.drain()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("reply", "fate", "attempts"),
    [
        (_short, FetchStatus.TRUNCATED, 3),
        (_hang_up, FetchStatus.UNREACHABLE, 3),
        (answer(b"", "500 Oops"), FetchStatus.HTTP_ERROR, 3),
        (answer(b"", "404 Not Found"), FetchStatus.NOT_FOUND, 1),
        (answer(b"", "410 Gone"), FetchStatus.GONE, 1),
        (answer(b"", "403 Forbidden"), FetchStatus.REFUSED, 1),
        (answer(b""), FetchStatus.EMPTY, 1),
        (answer(b"<html>not a picture</html>"), FetchStatus.NOT_IMAGE, 1),
        (answer(png(1), X_Robots_Tag="noai"), FetchStatus.OPTED_OUT, 1),
        (answer(marked(1)), FetchStatus.NO_TRAINING, 1),
        (redirect("file:///etc/passwd"), FetchStatus.BAD_SCHEME, 1),
        (redirect("http://10.0.0.1/"), FetchStatus.FORBIDDEN_ADDRESS, 1),
        (redirect("/x"), FetchStatus.TOO_MANY_REDIRECTS, 1),
        (answer(bytes(3000)), FetchStatus.TOO_LARGE, 1),
    ],
)
def test_what_brings_no_picture_has_a_fate_that_says_why(
    site: Site, crawl: Crawl, reply: bytes | Handler, fate: FetchStatus, attempts: int
) -> None:
    made, outcome = crawl(site.route("/x", reply), attempts=3, max_bytes=2000)
    (row,) = all_of(made.catalogue, url)
    assert row["fate"] == fate.value
    assert row["message"]
    assert outcome.harvested.failed == 1
    assert row["attempts"] == attempts
    assert all_of(made.catalogue, image) == []
    stored = [p for p in (made.root / "blobs").rglob("*") if p.is_file()]
    assert stored == []


def test_marks_against_training_are_counted_where_they_do_not_refuse(
    site: Site, crawl: Crawl
) -> None:
    # The mark lies behind what is kept in memory of a body.
    large = marked(3)[:-12] + b"\0\4\0\0teXt" + bytes((1 << 18) + 4) + marked(3)[-12:]
    urls = [
        site.route("/1.png", answer(marked(1))),
        site.route("/2.png", answer(png(2))),
        site.route("/3.png", answer(large)),
    ]
    made, _ = crawl(*urls, no_training='"count"')
    said = {row["bytes"]: row["no_training"] for row in all_of(made.catalogue, image)}
    mark = "plus:DataMining: PROHIBITED-AIMLTRAINING"
    assert said == {len(marked(1)): mark, len(png(2)): None, len(large): mark}
    with made.catalogue.read() as connection:
        assert count_marked(connection) == Marked(refused=0, stored=2, reserved=0)


def test_what_was_stored_before_anybody_looked_is_marked_when_it_comes_again(
    site: Site, crawl: Crawl
) -> None:
    made, _ = crawl(site.route("/1.png", answer(marked(1))), no_training='"count"')
    with made.catalogue.write() as connection:
        connection.execute(sa.update(image).values(no_training=None))
    again = made.root / "urls.csv"
    again.write_text(
        again.read_text() + f"Moon,Luna,{site.route('/2.png', answer(marked(1)))}\n"
    )
    harvest(made, Work(refresh=True))
    assert [row["no_training"] for row in all_of(made.catalogue, image)] == [
        "plus:DataMining: PROHIBITED-AIMLTRAINING"
    ]


def test_a_picture_of_more_pixels_than_allowed_is_known_by_its_header(
    site: Site, crawl: Crawl
) -> None:
    made, _ = crawl(site.route("/x.png", answer(png(1))), max_pixels=1199)
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["http_status"]) == ("too_large", 200)
    assert "1199 pixels" in row["message"]
    assert in_blobs(made) == {}


@pytest.mark.parametrize(
    ("body", "fate", "options"),
    [
        (bytes(3000), "too_large", {"max_bytes": 2000}),
        (b"<html>no picture</html>", "not_image", {}),
        (png(1), "too_large", {"max_pixels": 1199}),
        (marked(1), "no_training", {"no_training": '"refuse"'}),
    ],
)
def test_what_is_not_stored_has_the_status_of_its_answer(
    site: Site, crawl: Crawl, body: bytes, fate: str, options: dict[str, object]
) -> None:
    reply = answer(body, "203 Non-Authoritative Information")
    made, _ = crawl(site.route("/x.png", reply), **options)
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["http_status"]) == (fate, 203)


def test_a_failure_that_passes_is_tried_until_it_has(site: Site, crawl: Crawl) -> None:
    reply = site.route("/1.png", _short, answer(b"", "502 Bad"), answer(png(1)))
    made, _ = crawl(reply)
    assert fates(made.catalogue) == {"1.png": "stored"}
    assert all_of(made.catalogue, url)[0]["attempts"] == 3


def test_a_picture_that_cannot_be_decoded_here_is_stored_for_the_filter_to_judge(
    site: Site, crawl: Crawl
) -> None:
    made, _ = crawl(site.route("/1.svg", answer(b"<svg xmlns='x'/>")))
    (kept,) = all_of(made.catalogue, image)
    assert (kept["format"], kept["awaits"]) == (None, "detect")


def test_a_host_that_asks_for_time_gets_it_and_the_others_go_on(
    site: Site, crawl: Crawl
) -> None:
    busy = answer(b"", "429 Slow Down", Retry_After="1")
    slow = site.route("/slow.png", busy, answer(png(1)))
    made, outcome = crawl(slow, attempts=1)
    assert fates(made.catalogue) == {"slow.png": "stored"}
    assert outcome.harvested.failed == 0


def test_a_host_that_refuses_too_often_is_left_alone_for_this_run(
    site: Site, crawl: Crawl
) -> None:
    urls = [site.route(f"/{n}", answer(b"", "403 No")) for n in range(40)]
    made, outcome = crawl(*urls, refusals=5, per_host=1)
    counts = count_urls(made.catalogue)
    assert counts == {"total": 40, "pending": 35, "refused": 5}
    assert outcome.pending == 35
    assert outcome.harvested.given_up == {site.host}
    leases = {row["leased_by"] for row in all_of(made.catalogue, url)}
    assert leases == {None}


@pytest.mark.slow
def test_robots_txt_is_obeyed_unless_the_site_is_ones_own(
    site: Site, crawl: Crawl
) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nDisallow: /\n"))
    one = site.route("/1.png", answer(png(1)))
    made, _ = crawl(one)
    assert fates(made.catalogue) == {"1.png": "disallowed"}
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.DISALLOWED,)))
    again, _ = crawl(one, respect_robots="false")
    assert fates(again.catalogue) == {"1.png": "stored"}


@pytest.mark.slow
def test_a_crawl_delay_is_kept(site: Site, crawl: Crawl) -> None:
    site.route("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 0.2\n"))
    came: list[float] = []

    def handler(number: int) -> Handler:
        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            came.append(time.monotonic())
            writer.write(answer(png(number)))
            await writer.drain()

        return serve

    began = time.monotonic()
    crawl(*(site.route(f"/{n}", handler(n)) for n in range(3)), per_host=1)
    # However long each took to arrive, none was sent before its turn.
    assert len(came) == 3
    assert all(at - began >= 0.2 * turn for turn, at in enumerate(came))


# --- again ---------------------------------------------------------------------------


def test_a_second_run_asks_and_fetches_nothing(
    site: Site, crawl: Crawl, tmp_path: Path
) -> None:
    urls = [site.route("/1", answer(png(1))), site.route("/2", answer(b"", "404 No"))]
    crawl(*urls)
    before = len(site.asked)
    outcome = harvest(find(tmp_path / "ws"))
    assert len(site.asked) == before
    assert outcome.harvested.fates == {}


def test_asked_again_unchanged_bytes_are_not_sent_and_changed_ones_are_new(
    site: Site, crawl: Crawl
) -> None:
    same = site.route(
        "/same", answer(png(1), ETag='"v1"'), answer(b"", "304 Not Modified")
    )
    new = site.route("/new", answer(png(2), ETag='"v2"'), answer(png(3)))
    made, _ = crawl(same, new)
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.STORED,)))
    harvest(made)
    assert fates(made.catalogue) == {"same": "unchanged", "new": "stored"}
    assert len(all_of(made.catalogue, image)) == 3
    assert any('If-None-Match: "v1"' in head for head in site.heads)


@pytest.mark.parametrize("damage", [b"", b"other bytes", None])
def test_bytes_that_were_lost_or_changed_are_fetched_whatever_was_not_modified(
    site: Site, crawl: Crawl, damage: bytes | None
) -> None:
    url = site.route("/1", answer(png(1), ETag='"v1"', Last_Modified="Mon"))
    made, _ = crawl(url)
    [path] = [each for each in (made.root / "blobs").rglob("*") if each.is_file()]
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.STORED,)))
    site.heads.clear()
    harvest(made, Work(again=True))
    assert path.read_bytes() == png(1)
    assert fates(made.catalogue) == {"1": "stored"}
    assert not any("If-None-Match" in head for head in site.heads)
    assert not any("If-Modified-Since" in head for head in site.heads)


def fetched(made: Workspace) -> int:
    return count_urls(made.catalogue).get("stored", 0)


def in_blobs(made: Workspace) -> dict[str, str]:
    """Each name in the blob store, and the SHA-256 of what it holds."""
    files = (path for path in (made.root / "blobs").rglob("*") if path.is_file())
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.parent.name != "tmp"
    }


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 1, 150])
def test_killed_at_any_time_it_goes_on_and_ends_the_same(
    site: Site, tmp_path: Path, after: int
) -> None:
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(PICTURES)]
    made = workspace(tmp_path / "ws", site, *urls)
    child = running(made)
    wait_for(lambda: len(site.asked) > 1 and fetched(made) >= after, child)
    child.kill()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    whole = in_blobs(made)
    assert all(name == held for name, held in whole.items())

    # The leases of the dead process are free at once.
    harvest(made)
    assert count_urls(made.catalogue) == {"total": PICTURES, "stored": PICTURES}
    pictures = {hashlib.sha256(png(n)).hexdigest() for n in range(PICTURES)}
    kept = [row["sha256"] for row in all_of(made.catalogue, image)]
    assert sorted(kept) == sorted(pictures)
    assert in_blobs(made) == {name: name for name in pictures}
    assert len(all_of(made.catalogue, image_source)) == PICTURES
    assert len(filed(made.catalogue)) == PICTURES
    # Asked again is at most what was in flight, and one batch on its way.
    fetches = sum(path != "/robots.txt" for path in site.asked)
    assert fetches <= PICTURES + made.settings.harvest.concurrency + BATCH


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_gives_back_what_it_held(
    site: Site, tmp_path: Path, how: signal.Signals
) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    urls = [site.route(f"/{n}.png", never) for n in range(50)]
    first = site.route("/!.png", answer(png(1)))
    made = workspace(tmp_path / "ws", site, first, *urls)
    child = running(made)
    wait_for(lambda: fetched(made) == 1, child)
    child.send_signal(how)
    _, said = child.communicate()
    assert child.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
    rows = all_of(made.catalogue, url)
    assert {row["leased_by"] for row in rows} == {None}
    assert sum(row["fate"] == "pending" for row in rows) == 50


def test_interrupted_in_a_notebook_it_gives_back_what_it_held(
    site: Site, tmp_path: Path
) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await reader.read()

    made = workspace(tmp_path / "ws", site, site.route("/1.png", never))

    async def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            harvest(made)

    asyncio.run(cell())
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["leased_by"]) == ("pending", None)
    assert harvest(made, Work(fetch=False)).pending == 1


@pytest.mark.slow
def test_two_runs_at_once_share_the_work(site: Site, tmp_path: Path) -> None:
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(PICTURES)]
    made = workspace(tmp_path / "ws", site, *urls)
    children = [running(made), running(made)]
    for child in children:
        _, said = child.communicate()
        assert child.returncode == 0, said
    assert count_urls(made.catalogue) == {"total": PICTURES, "stored": PICTURES}
    assert sum(path != "/robots.txt" for path in site.asked) == PICTURES


def test_the_same_run_works_on_postgresql(
    site: Site, tmp_path: Path, postgres_catalogue: object, postgres_url: str
) -> None:
    urls = [site.route(f"/{n}.png", answer(png(n))) for n in range(50)]
    gone = site.route("/gone", answer(b"", "404 No"))
    workspace(tmp_path / "ws", site, *urls, gone)
    made = find(tmp_path / "ws", (f"catalogue.url={postgres_url}",))
    harvest(made)
    counts = count_urls(made.catalogue)
    with made.catalogue.read() as connection:
        images = connection.execute(sa.select(sa.func.count(image.c.id))).scalar()
    made.catalogue.close()
    assert counts == {"total": 51, "stored": 50, "not_found": 1}
    assert images == 50


# --- files of one's own --------------------------------------------------------------


def folder_workspace(root: Path) -> Workspace:
    init(root)
    (root / "icf.toml").write_text(
        '[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n'
    )
    return find(root)


def test_a_folder_is_harvested_like_a_site(tmp_path: Path) -> None:
    luna = tmp_path / "pictures/Moon/Luna"
    luna.mkdir(parents=True)
    (luna / "1.png").write_bytes(png(1))
    (luna / "notes.txt").write_text("not a picture")
    (luna / "empty.png").write_bytes(b"")
    made = folder_workspace(tmp_path)
    harvest(made)
    assert fates(made.catalogue) == {
        "1.png": "stored",
        "notes.txt": "not_image",
        "empty.png": "empty",
    }
    (source,) = all_of(made.catalogue, image_source)
    assert source["url"] == (luna / "1.png").as_uri()
    assert filed(made.catalogue) == [("1.png", "Luna", False)]


def test_no_answer_is_noted_for_a_file_that_is_no_picture(tmp_path: Path) -> None:
    luna = tmp_path / "pictures/Moon/Luna"
    luna.mkdir(parents=True)
    (luna / "notes.txt").write_text("not a picture")
    made = folder_workspace(tmp_path)
    harvest(made)
    (row,) = all_of(made.catalogue, url)
    assert (row["fate"], row["http_status"]) == ("not_image", None)


def test_a_new_file_in_a_folder_is_found_by_the_next_run(tmp_path: Path) -> None:
    luna = tmp_path / "pictures/Moon/Luna"
    luna.mkdir(parents=True)
    (luna / "1.png").write_bytes(png(1))
    made = folder_workspace(tmp_path)
    harvest(made)
    (luna / "2.png").write_bytes(png(2))
    assert harvest(made).harvested.fates == {FetchStatus.STORED: 1}


# --- settings ------------------------------------------------------------------------


def test_without_a_source_there_is_nothing_to_run(tmp_path: Path) -> None:
    init(tmp_path)
    with pytest.raises(WrongUse, match=r"no \[\[source\]\]"):
        harvest(find(tmp_path))


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / "icf.toml").write_text('[[source]]\nname = "x"\nkind = "mediawki"\n')
    with pytest.raises(WrongUse, match="folder, gallery-dl, list, mediawiki"):
        harvest(find(tmp_path))


def test_two_sources_of_one_name_are_wrong_use(tmp_path: Path) -> None:
    init(tmp_path)
    table = '[[source]]\nname = "x"\nkind = "folder"\npath = "."\n'
    (tmp_path / "icf.toml").write_text(table + table)
    with pytest.raises(WrongUse, match="two sources"):
        harvest(find(tmp_path))


def test_a_contact_that_cannot_stand_in_a_header_is_wrong_use() -> None:
    with pytest.raises(WrongUse, match="contact"):
        user_agent(HarvestSettings(contact="me\r\nX-Evil: 1"))


def test_pictures_of_hosts_that_speak_against_training_are_refused_or_counted(
    site: Site, crawl: Crawl
) -> None:
    site.route(
        "/robots.txt", answer(b"User-agent: *\nContent-Usage: /art/ train-ai=n\n")
    )
    urls = [
        site.route("/1.png", answer(png(1), TDM_Reservation="1")),
        site.route("/art/2.png", answer(png(2))),
        site.route("/3.png", answer(png(3), TDM_Reservation="0")),
    ]
    made, _ = crawl(*urls)
    assert fates(made.catalogue) == {
        "1.png": "opted_out",
        "2.png": "opted_out",
        "3.png": "stored",
    }
    why = {row["message"] for row in all_of(made.catalogue, url)}
    assert f"{urls[0]}: its site says TDM-Reservation: 1" in why
    assert f"{urls[1]}: its site says no training (robots.txt)" in why

    settings = made.root / "icf.toml"
    settings.write_text(
        settings.read_text().replace("[harvest]", '[harvest]\nno_training = "count"')
    )
    made = find(made.root)
    with made.catalogue.write() as connection:
        make_pending(connection, Selection((FetchStatus.OPTED_OUT,)))
    harvest(made)
    assert set(fates(made.catalogue).values()) == {"stored"}
    said = [row["reserved"] for row in all_of(made.catalogue, image_source)]
    expected = ["TDM-Reservation: 1", "no training (robots.txt)", None]
    assert sorted(said, key=str) == sorted(expected, key=str)
    with made.catalogue.read() as connection:
        assert count_marked(connection) == Marked(refused=0, stored=0, reserved=2)


def own_pictures(root: Path) -> Workspace:
    """A workspace with a folder of two pictures, of which one waits to be read."""
    init(root)
    (root / "icf.toml").write_text(
        '[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n'
    )
    for number in range(2):
        path = root / "pictures/Moon/Luna" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(number))
    made = find(root)
    harvest(made, Work(fetch=False))
    return made


def test_pictures_of_a_disk_that_was_away_are_read_when_it_is_back(
    tmp_path: Path,
) -> None:
    made = own_pictures(tmp_path)
    luna, away = tmp_path / "pictures/Moon/Luna", tmp_path / "away"
    listed = FolderSource.first_tasks

    def list_and_unmount(source: FolderSource) -> Iterator[Task]:
        yield from list(listed(source))
        luna.rename(away)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FolderSource, "first_tasks", list_and_unmount)
        harvest(made)
    assert set(fates(made.catalogue).values()) == {"not_found"}
    assert plan(made, Work()).urls == 0
    away.rename(luna)
    other = Work(scope=Scope(albums=frozenset({"Sun"})))
    assert plan(made, other).urls == 0
    assert harvest(made, other).fates == {}
    assert set(fates(made.catalogue).values()) == {"not_found"}
    assert plan(made, Work()).urls == 2
    assert harvest(made).fates == {FetchStatus.STORED: 2}


def test_a_picture_of_ones_own_that_is_put_back_is_read(tmp_path: Path) -> None:
    made = own_pictures(tmp_path)
    one = tmp_path / "pictures/Moon/Luna/1.png"
    kept = one.rename(tmp_path / "kept.png")
    assert harvest(made).fates == {FetchStatus.STORED: 1, FetchStatus.NOT_FOUND: 1}
    # Nothing is read again before it is there.
    assert harvest(made).fates == {}
    kept.rename(one)
    assert harvest(made).fates == {FetchStatus.STORED: 1}
