from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.video.film import Film
from icf.harvest.sources.video.pixels import encoded, upright
from tests.harvest.sources.video.films import (
    RATE,
    SIZE,
    held_film,
    scene,
    scenes,
    write_film,
)


def times(path: Path, start: float = 0.0, *, keys_only: bool = False) -> list[float]:
    with Film(path) as film:
        return [one.seconds for one in film.frames(start, keys_only=keys_only)]


def seen(path: Path) -> tuple[list[float], float | None]:
    """The times of all frames, and from when on the film is damaged."""
    with Film(path) as film:
        return [one.seconds for one in film.frames()], film.damaged_at


def test_titles_that_are_no_utf8_do_not_matter(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mkv", scenes(3))
    whole = film.read_bytes()
    assert b"Lavf" in whole
    film.write_bytes(whole.replace(b"Lavf", b"\xff\xfe\xe9f"))
    assert len(times(film)) == 3


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
        found = upright(next(opened.frames()))
    expected = np.rot90(picture, degrees // 90)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 8


@pytest.mark.parametrize(
    ("aspect", "turned", "size"),
    [
        (Fraction(4, 3), 0, (213, 96)),  # width, height
        (Fraction(8, 9), 0, (142, 96)),
        (Fraction(4, 3), 90, (96, 213)),
        (Fraction(60, 1), 0, (160, 96)),  # no film has such pixels
    ],
)
def test_pixels_that_are_not_square_become_square(
    tmp_path: Path, aspect: Fraction, turned: int, size: tuple[int, int]
) -> None:
    stored = scenes(3, size=(160, 96))
    film = write_film(tmp_path / "a.mp4", stored, aspect=aspect, rotation=turned)
    with Film(film) as opened:
        for shown in opened.frames():
            assert upright(shown).shape[1::-1] == size


def test_the_bytes_of_a_frame_are_always_the_same(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(30))
    files = []
    for _ in range(2):
        with Film(film) as opened:
            *_, last = opened.frames()
            files.append([encoded(upright(last), f) for f in ("jpeg", "png")])
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
    found, damaged_at = seen(cut)
    assert found == times(whole)[: len(found)]
    assert len(found) > 60
    if name == "a.mkv":  # of a stream nobody says how long it should be
        assert damaged_at == found[-1]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv", "a.ts"])
def test_a_last_frame_that_is_held_is_no_damage(tmp_path: Path, name: str) -> None:
    film = held_film(tmp_path / name, [0, 5, 10], 20)
    found, damaged_at = seen(film)
    assert found == pytest.approx([0, 5, 10])
    assert damaged_at is None


def test_a_gif_that_rests_at_its_end_is_whole(tmp_path: Path) -> None:
    pictures = [Image.fromarray(scene(number, 0)) for number in range(3)]
    film = tmp_path / "rest.gif"
    pictures[0].save(
        film, save_all=True, append_images=pictures[1:], duration=[100, 100, 9000]
    )
    found, damaged_at = seen(film)
    assert found == pytest.approx([0, 0.1, 0.2])
    assert damaged_at is None


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.flv"])
def test_a_slide_show_that_was_cut_is_damaged(tmp_path: Path, name: str) -> None:
    options: dict[str, Any] = {"times": [1000 * n for n in range(12)]}
    if name == "a.mp4":
        options["movflags"] = "faststart"
    film = write_film(tmp_path / name, scenes(12), **options)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    found, damaged_at = seen(film)
    assert 0 < len(found) < 12
    assert damaged_at is not None


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("share", [0.75, 0.9])
@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_the_last_pictures_of_a_short_film_are_missed(
    tmp_path: Path, name: str, share: float, sound: bool
) -> None:
    film = tmp_path / name
    if sound:
        with_sound(film, 0, 2, 2)
    else:
        write_film(film, scenes(48))
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * share)])
    found, damaged_at = seen(film)
    assert 0.5 < found[-1] < 1.9
    assert damaged_at is not None


def with_sound(path: Path, begins: int, length: int, sound: int) -> Path:
    """Pictures for ``length`` seconds from ``begins`` on, and sound from 0 on."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast"}
        heard = container.add_stream("aac", rate=8000, layout="mono")
        for number in range(sound * 8000 // 1024):
            noise = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            noise.sample_rate, noise.pts = 8000, 1024 * number
            container.mux(heard.encode(noise))
        container.mux(heard.encode(None))
        for step in range(length * RATE):
            frame = av.VideoFrame.from_ndarray(scene(0, step), format="rgb24")
            frame.pts = begins * RATE + step
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_sound_may_begin_before_the_pictures_and_end_long_after(
    tmp_path: Path, name: str
) -> None:
    found, damaged_at = seen(with_sound(tmp_path / name, 5, 1, 30))
    assert len(found) == RATE
    assert found[0] == pytest.approx(5, abs=0.2)
    assert damaged_at is None


@pytest.mark.parametrize("name", ["a.ts", "a.mkv"])
def test_times_that_begin_again_go_on(tmp_path: Path, name: str) -> None:
    first = write_film(tmp_path / f"1{name}", scenes(48))
    second = write_film(tmp_path / f"2{name}", scenes(30))
    joined = tmp_path / name
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    found, damaged_at = seen(joined)
    assert len(found) == 78
    assert np.diff(found) == pytest.approx(1 / RATE, abs=1e-3)
    assert damaged_at is None
    assert times(joined, found[60]) == found[60:]


def raw(path: Path, form: str, codec: str = "libx264") -> Path:
    """Pictures whose codec shows them in another order than they are stored in."""
    with av.open(str(path), "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=RATE, options={"bf": "2"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for pixels in scenes(40):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("form", "codec"), [("h264", "libx264"), ("avi", "libx264"), ("avi", "mpeg4")]
)
def test_a_film_without_true_times_has_steady_ones(
    tmp_path: Path, form: str, codec: str
) -> None:
    film = raw(tmp_path / f"a.{form}", form, codec)
    found, damaged_at = seen(film)
    assert len(found) == 40
    assert np.diff(found) == pytest.approx(1 / RATE, abs=1e-3)
    assert damaged_at is None
    assert times(film, found[7]) == found[7:]


def test_pauses_and_an_edit_list_are_no_damage(tmp_path: Path) -> None:
    shown = [0, 40, 80, 300_000, 300_040, 700_000]
    film = write_film(tmp_path / "a.mp4", scenes(6), times=shown, keys_every=3)
    found, damaged_at = seen(film)
    assert found == pytest.approx([one / 1000 for one in shown], abs=1e-3)
    assert damaged_at is None
    assert times(film, found[3]) == found[3:]
    late = [one + 3000 for one in shown]  # the muxer writes an edit list for it
    found, damaged_at = seen(write_film(tmp_path / "b.mp4", scenes(6), times=late))
    assert np.diff(found) == pytest.approx(np.diff(shown) / 1000, abs=1e-3)
    assert damaged_at is None
