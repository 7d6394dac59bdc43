"""Relink a release: read what it names, download it, write the folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from icf.app.relink.fetching import Downloads, Fate
from icf.app.relink.folder import check_release, check_target, write_relinked
from icf.app.relink.listed import Wanted, read_wanted
from icf.codes import RelinkStatus
from icf.dataset.release.sums import read_sums
from icf.errors import BadInput
from icf.settings import HarvestSettings
from icf.stores.lock import one_at_a_time


def relink_release(
    release: Path,
    target: Path,
    settings: HarvestSettings,
    finished: Callable[[int], None] = lambda count: None,
) -> dict[str, Fate]:
    """Download the pictures of a release, and write it with those that are there.

    What is downloaded lies in a folder beside the target (`downloads_of`) until nothing
    is missing: a run that was stopped goes on with it.

    Args:
        release: made in the format ``relink``.
        target: the folder to make; or that which an earlier run made of this release.
        settings: how to fetch.
        finished: called with the number of addresses of each finished batch.

    Returns:
        How far each picture is, by SHA-256.

    Raises:
        WrongUse: it is no such release, or the target holds something else.
        BadInput: a file of the release was changed, or its table cannot be read.
        BrokenMachine: the disk or the name service does not work.
    """
    release, target = release.resolve(), target.resolve()
    pictures = read_wanted(release)
    check_release(release)
    _check_names(release, pictures, read_sums(release))
    check_target(release, target)
    state = downloads_of(target)
    state.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(state / "lock", f"icf release relink {release}"):
        downloads = Downloads(state, settings)
        try:
            fates = downloads.fetch(pictures, finished)
            write_relinked(release, target, pictures, fates, downloads.blobs)
        finally:
            downloads.close()
    if all(each.status is RelinkStatus.THERE for each in fates.values()):
        shutil.rmtree(state)
    return fates


def downloads_of(target: Path) -> Path:
    """The folder of the downloads for a target."""
    return target.with_name(f"{target.name}.downloads")


def _check_names(
    release: Path, pictures: Sequence[Wanted], sums: Mapping[str, str]
) -> None:
    """Refuse a table whose pictures would take the place of the release's files."""
    for each in pictures:
        for file in each.files:
            if file in sums:
                raise BadInput(
                    f"{release / file} is there already: only a release of the format "
                    "relink, without pictures, can be linked again"
                )
