from __future__ import annotations

from pathlib import Path

import numpy as np
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from icf.app.demo.site.truth import Noise
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import candidate, decision, face, image
from icf.filter.rethreshold.run import rethreshold
from icf.filter.steps.exact import CopiedImage, Copy, Exact
from icf.images import decode
from tests.core.engine.test_runner import column, runner
from tests.core.pictures import encoded
from tests.filter.rows import add_album, add_image
from tests.filter.workspaces import (
    make_workspace,
    no_bar,
    read_file,
    rows,
    run_filter,
    site_files,
)

#: Characters of pictures of the same pixels, in the order of their ids.
FILED = st.lists(st.frozensets(st.integers(1, 3), min_size=1), max_size=12)


def add_copy(
    catalogue: Catalogue, pixels: int, *characters: int, verdict: str = "pending"
) -> int:
    """Add an image that waits for the step, of pixels given by a number."""
    awaits = "exact" if verdict == "pending" else None
    image_id = add_image(catalogue, *characters, awaits=awaits)
    values = {"pixel_hash": f"{pixels:064x}", "verdict": verdict}
    with catalogue.write() as connection:
        connection.execute(
            sa.update(image).where(image.c.id == image_id).values(values)
        )
    return image_id


def keepers(catalogue: Catalogue) -> dict[int, tuple[str, int | None]]:
    """Verdict and keeper of each image."""
    query = sa.select(image.c.id, image.c.verdict, image.c.keeper_id)
    with catalogue.read() as connection:
        return {
            row.id: (row.verdict, row.keeper_id) for row in connection.execute(query)
        }


def test_the_first_of_equal_pictures_stays_and_those_that_add_a_character(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    tom, ann, eve = add_album(catalogue, "Tom", "Ann", "Eve")
    gone = add_copy(catalogue, 1, tom, ann, verdict="dropped")
    first = add_copy(catalogue, 1, tom, ann)
    fewer = add_copy(catalogue, 1, ann)
    other = add_copy(catalogue, 2, ann)
    more = add_copy(catalogue, 1, tom, ann, eve)
    again = add_copy(catalogue, 1, ann, eve)
    run = runner(catalogue, tmp_path, step := Exact(), batch=2)
    tally = run.run(step)
    assert (tally.passed, dict(tally.dropped)) == (3, {"exact_duplicate": 2})
    assert keepers(catalogue) == {
        gone: ("dropped", None),
        first: ("kept", None),
        fewer: ("dropped", first),
        other: ("kept", None),
        more: ("kept", None),
        again: ("dropped", more),
    }


def test_what_comes_later_is_held_against_what_was_kept(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    [tom] = add_album(catalogue, "Tom")
    first = add_copy(catalogue, 1, tom)
    run = runner(catalogue, tmp_path, step := Exact())
    run.run(step)
    later = add_copy(catalogue, 1, tom)
    run.run(step)
    run.run(step)
    assert keepers(catalogue) == {first: ("kept", None), later: ("dropped", first)}
    judged = sa.select(decision.c.subject_id).order_by(decision.c.id)
    assert column(catalogue, judged) == [first, later]


def test_batches_judged_at_once_agree_with_one_after_the_other(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    people = add_album(catalogue, "Tom", "Ann", "Eve")
    random = np.random.default_rng(5)
    filed = []
    for _ in range(60):
        pixels = int(random.integers(4))
        some = random.choice(people, int(random.integers(1, 4)), replace=False)
        characters = frozenset(int(each) for each in some)
        filed.append((add_copy(catalogue, pixels, *characters), pixels, characters))
    run = runner(catalogue, tmp_path, step := Exact(), batch=3)
    run.run(step)
    found = keepers(catalogue)
    kept: list[tuple[int, int, frozenset[int]]] = []
    for image_id, pixels, characters in filed:
        better = [k for k, p, c in kept if p == pixels and c >= characters]
        if better:
            assert found[image_id] == ("dropped", better[0])
        else:
            assert found[image_id] == ("kept", None)
            kept.append((image_id, pixels, characters))


@given(FILED)
def test_it_does_not_matter_which_copies_were_judged_before(
    filed: list[frozenset[int]],
) -> None:
    copies = [Copy(number, characters) for number, characters in enumerate(filed)]
    blind = Exact().judge(
        [
            CopiedImage(c.image_id, c.characters, tuple(copies[:n]))
            for n, c in enumerate(copies)
        ]
    )
    kept: list[Copy] = []
    for each in copies:
        [outcome] = Exact().judge(
            [CopiedImage(each.image_id, each.characters, tuple(kept))]
        )
        assert outcome == blind[each.image_id]
        if outcome.passed:
            kept.append(each)
        else:
            assert outcome.columns["keeper_id"] in [one.image_id for one in kept]


def test_a_copy_that_turns_up_under_another_character_comes_back_when_asked_again(
    tmp_path: Path,
) -> None:
    alone = {
        file.filed_under: file
        for file in site_files(2)
        if file.noise is Noise.CLEAN and len(file.filed_under) == 1
    }
    drawing, other = list(alone.values())[:2]
    made = make_workspace(tmp_path, [drawing, other])
    again = encoded(decode(read_file(drawing)).pixels, "PNG")
    with made.catalogue.write() as connection:
        known = sa.select(candidate.c.character_id).order_by(candidate.c.image_id)
        tom, ann = connection.execute(known).scalars()
        copy_id = connection.execute(
            sa.insert(image)
            .values(
                sha256=made.blobs.put(again),
                bytes=len(again),
                awaits="detect",
                verdict="pending",
                reason="ok",
                stored_at=0.0,
            )
            .returning(image.c.id)
        ).scalar_one()
        filed = {"image_id": copy_id, "is_lead": False}
        connection.execute(sa.insert(candidate).values(**filed, character_id=tom))
    run_filter(made)
    assert keepers(made.catalogue)[copy_id] == ("dropped", 1)
    with made.catalogue.write() as connection:
        connection.execute(sa.insert(candidate).values(**filed, character_id=ann))
    rethreshold(made, no_bar)
    run_filter(made)
    assert keepers(made.catalogue)[copy_id] == ("kept", None)
    of_copy = sa.select(face.c.reason).where(face.c.image_id == copy_id)
    assert "picture_out" not in {row[0] for row in rows(made, of_copy)}
