import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icf import workspace
from icf.codes import FetchStatus
from icf.errors import WrongUse
from icf.harvest.fault import Fault
from icf.harvest.sources.video.sites import Sites
from icf.harvest.sources.video.source import VideoSource
from icf.settings import HarvestSettings
from tests.harvest.sources.video.films import scenes, write_film
from tests.harvest.sources.video.test_source import frames_of, run
from tests.harvest.wire import Site, answer, redirect, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as one:
        yield one


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    return write_film(tmp_path / "a.mp4", scenes(40, 50)).read_bytes()


def sites(folder: Path, *allow: str, max_bytes: int = 1 << 30) -> Sites:
    return Sites(folder, max_bytes, allow, 60.0)


def serve(site: Site, film: bytes) -> str:
    return site.route("/film.mp4", answer(film, Content_Type="video/mp4"))


def fate_of(some: Sites, url: str) -> FetchStatus:
    with pytest.raises(Fault) as caught:
        some.bring(url)
    some.close()
    return caught.value.fate


def test_a_video_is_brought_here_once(tmp_path: Path, site: Site, film: bytes) -> None:
    url = serve(site, film)
    some = sites(tmp_path / "videos", site.host)
    path = some.bring(url)
    asked = len(site.asked)
    assert path.read_bytes() == film
    assert some.bring(url) == path
    assert len(site.asked) == asked
    some.close()


def test_a_video_comes_through_a_proxy(tmp_path: Path, site: Site, film: bytes) -> None:
    url = "http://films.example/film.mp4"
    site.route(url, answer(film, Content_Type="video/mp4"))
    proxy = f"http://{site.host}"
    some = Sites(tmp_path / "videos", 1 << 30, (), 60.0, proxy)
    assert some.bring(url).read_bytes() == film
    some.close()


def test_a_private_address_is_forbidden(
    tmp_path: Path, site: Site, film: bytes
) -> None:
    url = serve(site, film)
    assert fate_of(sites(tmp_path / "videos"), url) is FetchStatus.FORBIDDEN_ADDRESS
    assert site.asked == []


def test_a_redirect_to_a_private_address_is_forbidden(
    tmp_path: Path, site: Site, film: bytes
) -> None:
    with serving() as other:
        private = serve(other, film)
        url = site.route("/film.mp4", redirect(private))
        some = sites(tmp_path / "videos", site.host)
        assert fate_of(some, url) is FetchStatus.FORBIDDEN_ADDRESS
        assert other.asked == []


def test_a_video_over_the_cap_is_too_large(
    tmp_path: Path, site: Site, film: bytes
) -> None:
    url = serve(site, film)
    some = sites(tmp_path / "videos", site.host, max_bytes=1000)
    assert fate_of(some, url) is FetchStatus.TOO_LARGE


def test_a_page_without_a_video_is_unreachable(tmp_path: Path, site: Site) -> None:
    url = site.route("/page", answer(b"<html>nothing</html>", Content_Type="text/html"))
    assert (
        fate_of(sites(tmp_path / "videos", site.host), url) is FetchStatus.UNREACHABLE
    )


def test_no_other_program_is_given_an_address_of_the_page(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!/bin/sh\necho $@ >> {tmp_path}/started\necho ffmpeg version 6.0\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # yt-dlp leaves what is encrypted so to ffmpeg, which asks for anything.
    playlist = (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=k\n"
        b"#EXTINF:2,\nhttp://127.0.0.1:9/private\n#EXT-X-ENDLIST\n"
    )
    kind = "application/vnd.apple.mpegurl"
    url = site.route("/film.m3u8", answer(playlist, Content_Type=kind))
    some = sites(tmp_path / "videos", site.host)
    assert fate_of(some, url) is FetchStatus.UNREACHABLE
    assert not (tmp_path / "started").exists()


def test_a_library_that_looks_up_names_by_itself_is_not_loaded(
    tmp_path: Path, site: Site, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"import pathlib; pathlib.Path({str(tmp_path / 'loaded')!r}).touch()"
    (tmp_path / "curl_cffi.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    some = sites(tmp_path / "videos", site.host)
    assert some.bring(serve(site, film)).read_bytes() == film
    some.close()
    assert not (tmp_path / "loaded").exists()


def test_a_proxy_of_the_environment_is_not_asked(
    tmp_path: Path, site: Site, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.delenv("no_proxy", raising=False)
        some = sites(tmp_path / "videos", site.host, proxy.host)
        assert some.bring(serve(site, film)).read_bytes() == film
        some.close()
        assert proxy.asked == []


def test_frames_of_a_page_lead_back_to_it(
    tmp_path: Path, site: Site, film: bytes
) -> None:
    url = serve(site, film)
    workspace.init(tmp_path / "w")
    with (tmp_path / "w/icf.toml").open("a") as config:
        config.write(
            f'allow_hosts = ["{site.host}"]\n[[source]]\nname = "films"\n'
            f'kind = "video"\nurls = ["{url}"]\nalbum = "Moon"\n'
        )
    place = workspace.find(tmp_path / "w")
    run(place)
    found = frames_of(place)
    assert len(found) == 4
    assert all(row[0].startswith(f"{url}#t=") for row in found)
    assert {row[3] for row in found} == {"stored"}


def test_without_yt_dlp_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, *more: Any) -> None:
        assert name == "yt_dlp"

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    table = {"name": "films", "kind": "video", "urls": ["http://a.org/1"], "album": "M"}
    with pytest.raises(WrongUse, match="video-sites"):
        VideoSource(table, tmp_path, HarvestSettings())
