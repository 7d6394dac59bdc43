"""After a change of the embedder the filter ends where a fresh run by it ends."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import batch, character, decision, face, image, question
from icf.engine.step import Item, ItemT, Outcome, Step
from icf.filter import embed_again
from icf.filter.chain import filter_chain
from icf.filter.cli.status import other_embedder
from icf.filter.embed_again import DECIDE_AGAIN, EMBED_AGAIN, Outdated
from icf.filter.rethreshold.run import rethreshold
from icf.filter.steps import embed as embed_step
from icf.filter.steps.embed import Embed
from icf.models.cards import load_card
from icf.workspace import Workspace, find
from tests.filter.cli.test_main import forked, run
from tests.filter.rows import alike
from tests.filter.workspaces import (
    make_workspace,
    no_bar,
    outcome_of,
    rows,
    run_before,
    run_filter,
    site_files,
)
from tests.models.onnx_files import colour_embedder

OTHER = "filter.embedder=models/ears.onnx"

Made = Callable[..., Workspace]


@pytest.fixture(scope="module")
def detected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace before the embedding, with an embedder of its own."""
    made = make_workspace(tmp_path_factory.mktemp("faces") / "before", site_files(2))
    run_before(made, "embed")
    ears = colour_embedder(made.root / "models" / "ears.onnx", slope=60, intercept=-59)
    return Path(ears).parent.parent


@pytest.fixture(scope="module")
def filtered(detected: Path) -> Made:
    """Give a workspace that was filtered afresh with some settings."""

    def make(*flags: str) -> Workspace:
        root = detected.parent / ("-".join(flags).replace("/", "-") or "defaults")
        if not root.exists():
            shutil.copytree(detected, root)
            run_filter(workspace.find(root, flags))
        return workspace.find(root, flags)

    return make


@pytest.fixture
def changed(filtered: Made, tmp_path: Path) -> Made:
    """Give a copy of a workspace that was filtered, with other settings."""

    def change(*flags: str) -> Workspace:
        root = tmp_path / "copy"
        shutil.copytree(filtered().root, root, dirs_exist_ok=True)
        return workspace.find(root, flags)

    return change


def standing(made: Workspace) -> dict[str, list[Any]]:
    """All that a run leaves, without how it came to be."""
    return {key: value for key, value in outcome_of(made).items() if key != "decisions"}


def ears_of(made: Workspace) -> str:
    return load_card(made.root / "models" / "ears.json").sha256


def test_another_embedder_ends_where_a_fresh_run_by_it_ends(
    filtered: Made, changed: Made
) -> None:
    made, fresh = changed(OTHER), filtered(OTHER)
    assert not alike(standing(made), standing(fresh))
    old = rows(made, sa.select(face.c.embedder, sa.func.count()).group_by("embedder"))
    tallies = {each.step: each for each in run_filter(made)}
    assert alike(standing(made), standing(fresh))
    [[bundled, number]] = [row for row in old if row[0] is not None]
    assert tallies[EMBED_AGAIN].passed == number
    assert tallies[DECIDE_AGAIN].dropped or tallies[DECIDE_AGAIN].passed
    # The vectors of before stay, and another run has nothing to do.
    assert len(made.vectors.ids(bundled)) == number
    assert not {EMBED_AGAIN, DECIDE_AGAIN} & {each.step for each in run_filter(made)}
    again = rethreshold(made, no_bar)
    assert not again.dropped + again.restored + again.other_reason


def test_the_way_back_embeds_nothing_and_ends_where_it_was(
    filtered: Made, changed: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = changed(OTHER)
    run_filter(made)

    def refuse(*_: object) -> None:
        raise AssertionError("a face was read to be embedded")

    monkeypatch.setattr(embed_step.Embed, "select", refuse)
    run_filter(find(made.root))
    assert alike(standing(made), standing(filtered()))


def test_new_and_old_faces_may_come_together(
    filtered: Made, detected: Path, tmp_path: Path
) -> None:
    shutil.copytree(detected, tmp_path / "some")
    made = find(tmp_path / "some")
    held = sa.update(face).where(face.c.awaits == "embed", face.c.id % 2 == 1)
    with made.catalogue.write() as connection:
        connection.execute(held.values(awaits="held"))
    run_filter(made)
    come = sa.update(face).where(face.c.awaits == "held")
    with made.catalogue.write() as connection:
        connection.execute(come.values(awaits="embed"))
    run_filter(find(made.root, (OTHER,)))
    assert alike(standing(made), standing(filtered(OTHER)))


def test_killed_while_it_embeds_it_goes_on(filtered: Made, changed: Made) -> None:
    made = changed(OTHER)
    flags = ("--set", OTHER, "--set", "filter.batch=8")
    process = forked(made, "run", *flags)
    folder = made.root / "vectors" / ears_of(made)
    while process.poll() is None:
        if folder.is_dir() and len(made.vectors.ids(ears_of(made))) > 8:
            process.send_signal(signal.SIGKILL)
            break
    process.communicate()
    done = made.vectors.ids(ears_of(made))
    assert alike(standing(made), standing(filtered()))
    run(made, "run", *flags)
    assert alike(standing(made), standing(filtered(OTHER)))
    # What was there before the second run was not written again.
    [shard] = folder.glob("*.checked")
    number = rows(made, sa.select(sa.func.count(face.c.embedder)))[0][0]
    row = np.dtype([("id", "<i8"), ("v", "<f2", (3,)), ("crc", "<u4")]).itemsize
    assert len(done)
    assert shard.stat().st_size == number * row


def test_killed_before_it_decides_it_says_so_and_goes_on(
    filtered: Made, changed: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = changed(OTHER)
    with monkeypatch.context() as patched:
        patched.setattr(embed_again, "reevaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            run_filter(made)
    other = other_embedder(made)
    assert other is not None
    assert (other.faces, other.undecided) == (0, True)
    assert "`icf-filter run` decides again" in other.message
    run_filter(made)
    assert alike(standing(made), standing(filtered(OTHER)))
    assert other_embedder(made) is None


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_step_alone_embeds_and_leaves_the_decision_to_the_next_run(
    filtered: Made, changed: Made
) -> None:
    made = changed(OTHER)
    before = other_embedder(made)
    assert before is not None
    assert before.faces > 10
    dry = json.loads(run(made, "run", "--dry-run", "--json", "--set", OTHER)[0])
    assert dry["pending"][EMBED_AGAIN] == before.faces
    out, err = run(made, "status", "--json", "--set", OTHER)
    assert json.loads(out)["other_embedder"] == asdict(before)
    assert before.message in err
    assert "embeds again" in err
    run_filter(made, "embed")
    models = sa.select(face.c.embedder).where(face.c.embedder.is_not(None)).distinct()
    assert rows(made, models) == [(ears_of(made),)]
    run_filter(made, "identity")
    undecided = other_embedder(made)
    assert undecided is not None
    assert undecided.undecided
    run_filter(made)
    assert alike(standing(made), standing(filtered(OTHER)))


def test_people_keep_their_references_and_their_answers(changed: Made) -> None:
    made = changed(OTHER)
    [(one, old)] = rows(
        made,
        sa.select(character.c.id, character.c.reference_face_id)
        .where(character.c.reference_face_id.is_not(None))
        .limit(1),
    )
    kept = sa.select(face.c.id).where(
        face.c.character_id == one, face.c.verdict == "kept", face.c.id != old
    )
    about = rows(made, kept)[0][0]
    with made.catalogue.write() as connection:
        connection.execute(
            sa.insert(batch).values(
                id="b1", format="csv", path="b", questions=2, created_at=0.0
            )
        )
        connection.execute(
            sa.insert(question),
            [
                {
                    "face_id": each,
                    "character_id": one,
                    "reference_face_id": old,
                    "batch_id": "b1",
                    "label": "same",
                    "asked_at": 0.0,
                }
                for each in (old, about)
            ],
        )
    run_filter(made)
    references = sa.select(character.c.reference_face_id).where(character.c.id == one)
    assert rows(made, references) == [(old,)]
    labels = sa.select(question.c.face_id, question.c.label).order_by(question.c.id)
    assert rows(made, labels) == [(old, "same"), (about, "same")]
    found = rows(made, sa.select(face.c.reason).where(face.c.id == about))
    assert found[0][0] not in ("exact_duplicate", "near_duplicate")


def test_a_face_whose_picture_is_lost_waits_and_is_embedded_when_it_is_back(
    filtered: Made, changed: Made
) -> None:
    made = changed(OTHER)
    [(sha256,)] = rows(
        made,
        sa.select(image.c.sha256)
        .join(face, face.c.image_id == image.c.id)
        .where(face.c.verdict == "kept")
        .limit(1),
    )
    data = made.blobs.get(sha256)
    [path] = (made.root / "blobs").rglob(sha256)
    path.unlink()
    [tally] = [each for each in run_filter(made) if each.step == EMBED_AGAIN]
    lost = sum(tally.waiting.values())
    assert lost >= 1
    waiting = sa.select(face.c.embedder).where(face.c.awaits == "embed")
    assert rows(made, waiting) == [(None,)] * lost
    made.blobs.put(data)
    run_filter(made)
    rethreshold(made, no_bar)
    assert alike(standing(made), standing(filtered(OTHER)))


@dataclass
class Watched:
    """Judges in this process, and notes what is judged."""

    batches: list[list[Item]] = field(default_factory=list)

    def judge(
        self, step: Step[ItemT], batches: Iterable[Sequence[ItemT]]
    ) -> Iterator[list[Outcome]]:
        for some in batches:
            self.batches.append(list(some))
            yield step.judge(some)

    def close(self) -> None:
        """Nothing was started."""


def test_every_picture_is_opened_once_and_references_come_first(changed: Made) -> None:
    made = changed(OTHER, "filter.batch=3")
    step = next(each for each in filter_chain(made).steps if isinstance(each, Embed))
    run_id = made.begin_run("test")
    watched = Watched()
    embed_again.embed_again(
        made, step, ears_of(made), filter_chain(made), watched, run_id, no_bar
    )
    batches = watched.batches
    assert len(batches) > 2
    shown = dict(rows(made, sa.select(face.c.id, face.c.image_id)))
    pictures = [{shown[item.id] for item in each} for each in batches]
    assert sum(map(len, pictures)) == len(set().union(*pictures))
    chosen = {row[0] for row in rows(made, sa.select(character.c.reference_face_id))}
    assert {shown[each] for each in chosen if each} <= pictures[0]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_pages_never_divide_a_picture(size: int) -> None:
    images = np.array([4, 4, 4, 1, 2, 2, 3], np.int64)
    outdated = Outdated(np.arange(7), images)
    pages = list(outdated.pages(size))
    assert [each for page in pages for each in page] == list(range(7))
    shown = [{int(images[each]) for each in page} for page in pages]
    assert sum(map(len, shown)) == 4
    assert all(len(page) <= max(size, 3) for page in pages)


def test_decisions_of_before_stay_in_the_ledger(changed: Made) -> None:
    made = changed(OTHER)
    query = sa.select(decision.c.id, decision.c.step, decision.c.verdict)
    before = rows(made, query.order_by(decision.c.id))
    run_filter(made)
    after = rows(made, query.order_by(decision.c.id))
    assert after[: len(before)] == before
    models = sa.select(decision.c.model).where(
        decision.c.step == "identity", decision.c.id > before[-1][0]
    )
    assert {row[0] for row in rows(made, models)} == {ears_of(made)}
