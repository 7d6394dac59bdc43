from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.sources.video import keyframes, shots
from icf.harvest.sources.video.found import Part, Place, Wanted
from icf.harvest.sources.video.times import written
from icf.harvest.sources.video.work import answer
from tests.harvest.sources.video.films import RATE, held_film, scenes, write_film

SHOTS = Wanted("shots", 2, False, "jpeg")
KEYS = Wanted("keyframes", 2, False, "jpeg")


def nothing(piece: bytes) -> None:
    raise AssertionError("no bytes were asked for")


def find(
    path: Path, wanted: Wanted, start: Place | None = None, folder: Path | None = None
) -> Part:
    request = {
        "do": "find",
        "path": str(path),
        "start": asdict(start or Place()),
        "wanted": asdict(wanted),
        "folder": None if folder is None else str(folder),
    }
    return Part.from_json(answer(request, nothing))


def parts(path: Path, wanted: Wanted) -> list[Part]:
    found = [find(path, wanted)]
    while (following := found[-1].following) is not None:
        found.append(find(path, wanted, following))
        assert len(found) < 50, "it does not end"
    return found


def frame(path: Path, seconds: float, write: Callable[[bytes], object]) -> None:
    request = {"do": "frame", "path": str(path), "seconds": seconds}
    answer({**request, "keys_only": False, "form": "jpeg"}, write)


def test_each_shot_gives_frames_of_its_own(tmp_path: Path) -> None:
    lengths = (40, 50, 60, 30)
    film = write_film(tmp_path / "a.mp4", scenes(*lengths))
    found = find(film, SHOTS)
    begins = np.cumsum((0, *lengths)) / RATE
    assert {one.shot for one in found.frames} == {0, 1, 2, 3}
    for one in found.frames:
        assert one.shot is not None
        assert begins[one.shot] <= one.seconds < begins[one.shot + 1]


def test_each_picture_of_a_slide_show_is_a_shot(tmp_path: Path) -> None:
    film = held_film(tmp_path / "a.mp4", [0, 5, 10, 15, 90, 95], 100)
    found = [one for part in parts(film, SHOTS) for one in part.frames]
    assert [one.seconds for one in found] == pytest.approx([0, 5, 10, 15, 90, 95])
    assert len({one.shot for one in found}) == 6


def test_cuts_are_found_to_the_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shots, "PART", 0.1)
    lengths = (40, 50, 60, 30)
    film = write_film(tmp_path / "a.mp4", scenes(*lengths))
    found = [one.following.seconds for one in parts(film, SHOTS) if one.following]
    assert found == pytest.approx(np.cumsum(lengths)[:-1] / RATE)


@pytest.mark.parametrize("wanted", [SHOTS, KEYS])
def test_a_film_in_parts_gives_what_it_gives_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: Wanted
) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(40, 50, 60, 30), keys_every=30)
    whole = find(film, wanted)
    monkeypatch.setattr(shots, "PART", 0.1)
    monkeypatch.setattr(keyframes, "PART", 2.0)
    found = parts(film, wanted)
    assert len(found) > 2
    assert tuple(one for part in found for one in part.frames) == whole.frames


def test_a_long_shot_counts_as_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shots, "LONGEST", 2.0)
    film = write_film(tmp_path / "a.mp4", scenes(150))
    found = parts(film, SHOTS)
    assert len(found) == 4
    assert [one.following.shot for one in found if one.following] == [1, 2, 3]


@pytest.mark.parametrize(
    "pauses", [[1], [12], [1, 12], [11, 12, 13], [23]], ids=lambda pauses: f"{pauses}"
)
def test_a_picture_that_is_held_for_minutes_ends_a_part(
    tmp_path: Path, pauses: list[int]
) -> None:
    # What follows is nearly the same picture: no cut is found there.
    steps = [400_000 if number in pauses else 40 for number in range(1, 24)]
    times = [0, *np.cumsum(steps).tolist()]
    film = write_film(tmp_path / "a.mkv", scenes(24), times=times, keys_every=5)
    found = parts(film, SHOTS)
    begins = [one.following.seconds for one in found if one.following]
    assert begins == pytest.approx([times[number] / 1000 for number in pauses])
    shots_of = [{one.shot for one in part.frames} for part in found]
    assert shots_of == [{number} for number in range(len(pauses) + 1)]


def test_blank_frames_and_still_keyframes_are_passed_over(tmp_path: Path) -> None:
    moving = scenes(48)
    black = np.zeros_like(moving[0])
    film = write_film(
        tmp_path / "a.mp4", [black] * 48 + [moving[0]] * 48 + moving[24:], keys_every=24
    )
    assert [one.seconds for one in find(film, KEYS).frames] == [2.0, 4.0]
    assert find(film, KEYS).passed_over == 3
    assert all(one.seconds >= 2.0 for one in find(film, SHOTS).frames)


def test_frames_that_were_put_aside_are_those_that_are_read(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(40, 50))
    for one in find(film, SHOTS, folder=tmp_path / "aside").frames:
        pieces: list[bytes] = []
        frame(film, one.seconds, pieces.append)
        aside = (tmp_path / "aside" / written(one.seconds)).read_bytes()
        assert b"".join(pieces) == aside


def test_a_time_without_a_frame_is_not_found(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", scenes(40))
    for seconds in (0.51, 100.0):
        with pytest.raises(Fault) as caught:
            frame(film, seconds, nothing)
        assert caught.value.fate is FetchStatus.NOT_FOUND


def test_a_film_without_a_frame_is_empty(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mkv", scenes(40)).read_bytes()
    head = tmp_path / "head.mkv"
    head.write_bytes(whole[: whole.index(b"\x1f\x43\xb6\x75")])  # the first cluster
    with pytest.raises(Fault) as caught:
        find(head, SHOTS)
    assert caught.value.fate is FetchStatus.EMPTY
