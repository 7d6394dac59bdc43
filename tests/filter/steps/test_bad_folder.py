"""The worst folder there is, from the harvest to the end of the filter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import decision, face, image, url
from icf.filter.status import count_faces, count_images
from icf.harvest.run import harvest
from icf.workspace import Workspace, find, init
from tests.filter.steps.bad_folder import GOOD, TWINS, Odd, fill
from tests.filter.workspaces import rows

pytestmark = pytest.mark.slow

SOURCE = '[[source]]\nname = "mine"\nkind = "folder"\npath = "pictures"\n'


@dataclass(frozen=True)
class Found:
    """What became of the folder.

    Attributes:
        made: the workspace.
        good: names of the good files.
        odd: the other files.
        statuses: of each file by its name, the fate or the image's reason.
        images: of each file that was stored, its row.
        told: what `icf-filter run` printed.
    """

    made: Workspace
    good: list[str]
    odd: list[Odd]
    statuses: Mapping[str, str]
    images: Mapping[str, Mapping[str, Any]]
    told: str


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Harvest the folder and filter it, as a user does."""
    root = tmp_path_factory.mktemp("careless")
    good, odd = fill(root / "pictures" / "Moon" / "Luna")
    init(root)
    (root / "icf.toml").write_text(SOURCE)
    made = find(root)
    harvest(made)
    program = "from icf.filter.cli.main import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "run", "--json", "-C", str(root)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    statuses: dict[str, str] = {}
    images: dict[str, Mapping[str, Any]] = {}
    query = sa.select(url.c.url, url.c.fate, image).outerjoin(
        image, image.c.id == url.c.image_id
    )
    with made.catalogue.read() as connection:
        for row in connection.execute(query).mappings():
            name = unquote(row["url"].rpartition("/")[2])
            stored = row["fate"] == "stored"
            statuses[name] = row["reason"] if stored else row["fate"]
            if stored:
                images[name] = dict(row)
    return Found(made, good, odd, statuses, images, run.stdout)


def test_every_good_picture_is_kept(found: Found) -> None:
    lost = {name: found.statuses[name] for name in found.good}
    assert Counter(lost.values()) == {"ok": GOOD}, lost
    assert {found.images[name]["verdict"] for name in found.good} == {"kept"}


def test_every_other_file_has_the_status_that_names_it(found: Found) -> None:
    expected = {odd.name: odd.status for odd in found.odd}
    assert {name: found.statuses[name] for name in expected} == expected
    assert set(found.statuses) == {*expected, *found.good, *TWINS}


def test_of_two_files_of_the_same_pixels_one_is_kept(found: Found) -> None:
    first, second = sorted(TWINS, key=lambda name: found.images[name]["id"])
    assert found.statuses[first] == "ok"
    assert found.statuses[second] == "exact_duplicate"
    assert found.images[second]["keeper_id"] == found.images[first]["id"]


def test_what_is_unusual_about_a_picture_is_known(found: Found) -> None:
    for odd in found.odd:
        for column, value in odd.columns:
            assert found.images[odd.name][column] == value, odd.name
    flagged = [n for n, row in found.images.items() if row["trailing"]]
    assert flagged == ["script.jpg"]


def test_nothing_is_left_open_and_the_run_tells_every_reason(found: Found) -> None:
    with found.made.catalogue.read() as connection:
        images, faces = count_images(connection), count_faces(connection)
    assert (images.pending, faces.pending) == (0, 0)
    assert images.kept == GOOD + 1 + sum(odd.status == "ok" for odd in found.odd)
    steps = json.loads(found.told)["steps"]
    told: Counter[str] = Counter()
    for name in ("detect", "faces", "aspect", "photo", "exact"):
        told.update(steps[name]["dropped"])
    assert told == Counter(images.dropped)


def test_a_refused_picture_says_why_in_the_ledger_and_has_no_face(
    found: Found,
) -> None:
    refused = [n for n, row in found.images.items() if row["width"] is None]
    ids = [found.images[name]["id"] for name in refused]
    said = sa.select(decision.c.subject_id, decision.c.message).where(
        decision.c.subject == "image", decision.c.subject_id.in_(ids)
    )
    messages = dict(rows(found.made, said))
    assert sorted(messages) == sorted(ids)
    assert all(messages.values())
    faces = sa.select(face.c.id).where(face.c.image_id.in_(ids))
    assert rows(found.made, faces) == []
