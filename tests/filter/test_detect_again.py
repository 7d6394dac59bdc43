"""Pictures that another detector searched: what it missed is added, nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from icf.catalogue.schema import character, decision, face, image
from icf.engine.step import ItemT, Outcome, Step
from icf.filter.detect_again import DETECT_AGAIN, count_other_detector
from icf.filter.run import ALL, run_steps
from icf.models.cards import bundled_path, load_card
from icf.stores.files import hash_file
from icf.workspace import Workspace, find
from tests.filter.cli.test_main import run
from tests.filter.workspaces import make_workspace, no_bar, rows, run_filter, site_files

pytestmark = pytest.mark.slow

TWIN = "filter.detector=models/twin.onnx"
BOXES = sa.select(face.c.id, face.c.image_id, face.c.x1, face.c.y1, face.c.reason)


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after the filter, with the same detector under another hash."""
    made = make_workspace(tmp_path_factory.mktemp("found") / "first", site_files(1))
    run_filter(made)
    twin = made.root / "models" / "twin.onnx"
    # An empty metadata property: other bytes, the same network.
    twin.write_bytes(bundled_path("detector").read_bytes() + b"\x72\x00")
    card = json.loads(bundled_path("detector").with_suffix(".json").read_text())
    card |= {"file": twin.name, "sha256": hash_file(twin)}
    card |= {"bytes": twin.stat().st_size}
    twin.with_suffix(".json").write_text(json.dumps(card))
    return made.root


@pytest.fixture
def made(filtered: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(filtered, tmp_path / "toons")
    return find(tmp_path / "toons", (TWIN,))


class Here:
    """Judges in this process."""

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        for batch in batches:
            yield step.judge(batch)

    def close(self) -> None:
        """Nothing was started."""


@dataclass
class Stopping(Here):
    """Is killed as it has judged so many batches."""

    left: int

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        for outcomes in super().judge(step, batches):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            yield outcomes


def search_again(made: Workspace, engine: Here | None = None) -> dict[str, int]:
    tallies = run_steps(made, ALL, engine or Here(), no_bar, search_again=True)
    return {each.step: each.passed for each in tallies}


def searches(made: Workspace) -> int:
    model = load_card(made.root / "models" / "twin.json").sha256
    done = sa.select(sa.func.count(sa.distinct(decision.c.subject_id)))
    where = decision.c.step == "detect", decision.c.model == model
    return int(rows(made, done.where(*where))[0][0])


def test_faces_that_are_known_stay_and_each_picture_is_searched_once(
    made: Workspace,
) -> None:
    before = rows(made, BOXES.order_by(face.c.id))
    number = count_other_detector(made)
    assert number > 5
    assert search_again(made)[DETECT_AGAIN] == number == searches(made)
    assert rows(made, BOXES.order_by(face.c.id)) == before
    assert count_other_detector(made) == 0
    assert search_again(made)[DETECT_AGAIN] == 0
    # Not unless it is asked for.
    assert DETECT_AGAIN not in {each.step for each in run_filter(find(made.root))}


def test_what_the_earlier_detector_missed_is_added_and_decided_on(
    made: Workspace,
) -> None:
    kept = rows(made, BOXES.where(face.c.verdict == "kept").order_by(face.c.id))
    shown = {row[0] for row in rows(made, sa.select(character.c.reference_face_id))}
    others = [each for each in kept if each[0] not in shown]
    alone = sa.select(face.c.image_id).group_by(face.c.image_id)
    single = {row[0] for row in rows(made, alone.having(sa.func.count() == 1))}
    missed, other = others[-1], next(each for each in others if each[1] in single)
    assert missed[1] != other[1]
    with made.catalogue.write() as connection:
        gone = sa.delete(face).where(face.c.id.in_([missed[0], other[0]]))
        connection.execute(gone)
        # As the earlier detector would have left it.
        empty = sa.update(image).where(image.c.id == other[1])
        connection.execute(empty.values(verdict="dropped", reason="no_face"))
    search_again(made)
    found = rows(made, BOXES.where(face.c.verdict == "kept"))
    assert {row[1:] for row in found} == {row[1:] for row in kept}
    fates = sa.select(image.c.verdict, image.c.awaits).where(image.c.id == other[1])
    assert rows(made, fates) == [("kept", None)]
    detectors = sa.select(face.c.detector).where(face.c.image_id == missed[1])
    model = load_card(made.root / "models" / "twin.json").sha256
    assert (model,) in rows(made, detectors)


def test_a_run_that_was_killed_goes_on_with_the_others(made: Workspace) -> None:
    number = count_other_detector(made)
    small = find(made.root, (TWIN, "filter.batch=2"))
    with pytest.raises(KeyboardInterrupt):
        search_again(small, Stopping(2))
    assert searches(made) == 4
    assert search_again(small)[DETECT_AGAIN] == number - 4
    assert searches(made) == number


def test_the_command_counts_and_searches(made: Workspace) -> None:
    words = ("run", "--detect-again", "--set", TWIN)
    hint = "searched by another detector than"
    assert hint in run(made, "run", "--set", TWIN)[1]
    assert hint in run(made, "status", "--set", TWIN)[1]
    dry = json.loads(run(made, *words, "--dry-run", "--json")[0])
    assert dry["pending"][DETECT_AGAIN] == count_other_detector(made)
    out, said = run(made, *words)
    assert DETECT_AGAIN in out
    assert hint not in said
    assert count_other_detector(made) == 0
