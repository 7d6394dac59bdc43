from pathlib import Path

import av
import numpy as np
import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.video.film import Film
from icf.harvest.sources.video.pixels import encoded, upright
from tests.harvest.sources.video.films import RATE, scenes, write_film


def times(path: Path, start: float = 0.0, *, keys_only: bool = False) -> list[float]:
    with Film(path) as film:
        return [one.seconds for one in film.frames(start, keys_only=keys_only)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mov"])
def test_frames_have_their_true_times_from_any_start(tmp_path: Path, name: str) -> None:
    film = write_film(tmp_path / name, scenes(60), keys_every=24)
    found = times(film)
    assert found == pytest.approx([n / RATE for n in range(60)], abs=1e-3)
    for start in (0, 1, 23, 24, 25, 59):
        assert times(film, found[start]) == found[start:]


def test_a_varying_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    shown = [0, 41, 97, 400, 405, 1900, 2000, 2503]
    film = write_film(tmp_path / "a.mkv", scenes(len(shown)), times=shown)
    assert times(film) == pytest.approx([one / 1000 for one in shown], abs=1e-6)


def test_keyframes_alone_are_exactly_the_keyframes(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(100), keys_every=30)
    assert times(film, keys_only=True) == pytest.approx([0, 1.25, 2.5, 3.75])
    assert times(film, 2.5, keys_only=True) == pytest.approx([2.5, 3.75])


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_a_rotated_film_is_turned_as_players_turn_it(
    tmp_path: Path, degrees: int
) -> None:
    picture = np.zeros((96, 160, 3), np.uint8)
    picture[:48, :80] = 255  # the upper left quarter
    film = write_film(tmp_path / "a.mp4", [picture] * 3, rotation=degrees)
    with Film(film) as opened:
        found = upright(next(opened.frames()).frame)
    expected = np.rot90(picture, degrees // 90)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 8


def test_the_bytes_of_a_frame_are_always_the_same(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(30))
    files = []
    for _ in range(2):
        with Film(film) as opened:
            *_, last = opened.frames()
            files.append([encoded(upright(last.frame), f) for f in ("jpeg", "png")])
    assert files[0] == files[1]


def fate_of(path: Path) -> FetchStatus:
    with pytest.raises(Fault) as caught, Film(path):
        pass
    return caught.value.fate


def test_what_is_no_film_says_what_it_is(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.write_bytes(b"")
    text.write_text("no film\n" * 100)
    assert fate_of(empty) is FetchStatus.EMPTY
    assert fate_of(text) is FetchStatus.NOT_IMAGE
    assert fate_of(tmp_path / "away.mp4") is FetchStatus.NOT_FOUND


def test_a_film_without_its_index_is_corrupt(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mp4", scenes(30)).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    assert fate_of(cut) is FetchStatus.CORRUPT


def test_sound_alone_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert fate_of(path) is FetchStatus.UNSUPPORTED


def test_an_unknown_codec_is_unsupported(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mp4", scenes(30)).read_bytes()
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(whole.replace(b"avc1", b"zzzz"))
    assert fate_of(odd) is FetchStatus.UNSUPPORTED


def test_an_encrypted_film_is_encrypted(tmp_path: Path) -> None:
    secret = write_film(
        tmp_path / "secret.mp4",
        scenes(30),
        encryption_scheme="cenc-aes-ctr",
        encryption_key="00112233445566778899aabbccddeeff",
        encryption_kid="ffeeddccbbaa99887766554433221100",
    )
    with pytest.raises(Fault) as caught:
        times(secret)
    assert caught.value.fate is FetchStatus.ENCRYPTED


def test_a_playlist_that_names_other_files_is_not_opened(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(5))
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n")
    concat = tmp_path / "list.ffconcat"
    concat.write_text(f"ffconcat version 1.0\nfile '{film}'\n")
    assert fate_of(playlist) is FetchStatus.NOT_IMAGE
    assert fate_of(concat) is FetchStatus.NOT_IMAGE


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
def test_of_a_film_that_ends_early_what_is_there_is_kept(
    tmp_path: Path, name: str
) -> None:
    whole = write_film(tmp_path / name, scenes(240))
    cut = tmp_path / f"cut{whole.suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with Film(cut) as film:
        found = [one.seconds for one in film.frames()]
        damaged_at = film.damaged_at
    assert found == times(whole)[: len(found)]
    assert len(found) > 60
    if name == "a.mkv":  # of a stream nobody says how long it should be
        assert damaged_at == found[-1]
