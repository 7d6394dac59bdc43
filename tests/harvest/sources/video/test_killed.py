"""A harvest of a film that is killed while it lists comes to the same rows."""

import signal
from pathlib import Path

import pytest

from icf import workspace
from tests.app.forked import PROCESSES
from tests.harvest.sources.video.ending import harvest_and_end
from tests.harvest.sources.video.films import scenes, write_film
from tests.harvest.sources.video.test_source import frames_of, made, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three parts: 150 seconds, four frames in each, a cut every five."""
    root = tmp_path_factory.mktemp("film")
    frames = scenes(*[20] * 30, size=(160, 90))
    times = range(0, 250 * len(frames), 250)
    return write_film(root / "films/Moon/1.mp4", frames, times=times, keys_every=30)


@pytest.mark.parametrize(
    ("answers", "when"), [(1, "after"), (3, "before"), (3, "after"), (4, "before")]
)
def test_a_killed_listing_ends_as_if_nothing_had_happened(
    tmp_path: Path, film: Path, answers: int, when: str
) -> None:
    undisturbed = film.parents[2] / "undisturbed"
    (tmp_path / "films").symlink_to(film.parents[1])
    if not undisturbed.exists():
        undisturbed.mkdir()
        (undisturbed / "films").symlink_to(film.parents[1])
        run(made(undisturbed))
    place = made(tmp_path)
    words = (tmp_path, answers, when)
    process = PROCESSES.Process(target=harvest_and_end, args=words)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    run(place)
    found = frames_of(place)
    assert len(found) > 40
    assert found == frames_of(workspace.find(undisturbed))
