from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from icf.catalogue import ledger
from icf.catalogue.calibrations import Curve
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.sampling import FloatArray, IntArray, Mask
from icf.catalogue.schema import batch, character, decision, question
from icf.codes import Label
from icf.filter.identify.asked_evidence import AskedEvidence
from icf.filter.identify.calibration import (
    FOLDS,
    Answers,
    calibrate,
    fit,
    folds,
    read_labelled,
    requeue_faces,
)
from icf.stores.vectors import VectorStore
from tests.filter.identify.evidence import of_cosines
from tests.filter.rows import add_album, add_face, add_image, face_row

CARD = Curve(14.0, -7.0)
MODEL = "e" * 64
#: How often the answers are wrong.
ERROR = 0.03
GRID = np.linspace(0.1, 0.9, 17)

_curves = st.builds(
    lambda slope, even: Curve(slope, -slope * even),
    st.floats(8, 24),
    st.floats(0.3, 0.7),
)


def plain(
    cosines: FloatArray,
    same: Mask,
    characters: IntArray | None = None,
    weights: FloatArray | None = None,
) -> Answers:
    """Answers about faces of which only the cosine to one reference is known."""
    count = len(cosines)
    return Answers(
        of_cosines(cosines),
        same,
        np.arange(count) % 10 if characters is None else characters,
        np.full(count, ERROR),
        np.ones(count) if weights is None else weights,
    )


def expected_answers(curve: Curve, each: int = 200) -> Answers:
    """So many answers at each of many cosines, right as often as the curve says."""
    grid = np.linspace(-0.1, 1, 45)
    said = ERROR + (1 - 2 * ERROR) * curve.probability(grid)
    number = np.round(said * each).astype(int)
    same = (np.arange(each) < number[:, None]).ravel()
    return plain(np.repeat(grid, each), same)


def drawn_answers(curve: Curve, count: int, seed: int = 0) -> Answers:
    """Answers about uncertain faces, some of them wrong."""
    draw = np.random.default_rng(seed)
    cosines = draw.uniform(0.2, 0.9, count)
    same = draw.uniform(size=count) < curve.probability(cosines)
    same ^= draw.uniform(size=count) < ERROR
    return plain(cosines, same, draw.integers(12, size=count))


@given(_curves)
def test_the_curve_behind_many_answers_is_found(curve: Curve) -> None:
    found = fit(expected_answers(curve), CARD)
    assert found.slope == pytest.approx(curve.slope, rel=0.05)
    assert found.even == pytest.approx(curve.even, abs=0.01)


@given(_curves)
def test_the_curve_is_found_from_uncertain_faces_only(
    curve: Curve,
) -> None:
    """Choosing by the cosine alone leaves the answers at each cosine what they are."""
    answered = expected_answers(curve, each=400)
    asked = np.abs(curve.probability(answered.evidence.cosine) - 0.5) < 0.4
    found = fit(answered.take(asked), CARD)
    assert found.slope == pytest.approx(curve.slope, rel=0.15)
    assert found.even == pytest.approx(curve.even, abs=0.02)


def test_the_curve_is_found_although_rivals_decide_who_is_asked_about() -> None:
    """The more a rival resembles a face, the higher a cosine leaves it uncertain."""
    curve = Curve(18.0, -9.0)
    own, rival = (each.ravel() for each in np.meshgrid(GRID, GRID))
    evidence = AskedEvidence(
        np.arange(len(own)),
        np.repeat(np.arange(len(own)), 2),
        np.stack([own, rival], axis=1).ravel(),
        np.tile([1.0, 0.5], len(own)),
        np.tile([True, False], len(own)),
    )
    probability = evidence.probability(curve)
    asked = np.abs(probability - 0.5) < 0.4
    each = 40
    some = evidence.take(asked)
    said = np.round((ERROR + (1 - 2 * ERROR) * probability[asked]) * each)
    same = np.arange(each) < said[:, None]

    def repeated(column: int) -> Answers:
        rows = np.arange(len(some.rows))
        return Answers(
            some,
            same[:, column],
            rows % 9,
            np.full(len(rows), ERROR),
            np.ones(len(rows)),
        )

    parts = [repeated(column) for column in range(each)]
    found = fit(joined(parts), CARD)
    assert found.slope == pytest.approx(curve.slope, rel=0.1)
    assert found.even == pytest.approx(curve.even, abs=0.02)
    # From the cosine to the reference alone the line is much too flat.
    alone = [plain(some.cosine[some.own], part.same, part.characters) for part in parts]
    assert fit(joined(alone), CARD).slope < 0.8 * curve.slope


def joined(parts: list[Answers]) -> Answers:
    """All answers as one."""
    starts = np.cumsum([0, *(len(part.same) for part in parts)])
    evidence = [part.evidence for part in parts]
    return Answers(
        AskedEvidence(
            np.arange(starts[-1]),
            np.concatenate(
                [e.question + at for e, at in zip(evidence, starts, strict=False)]
            ),
            np.concatenate([each.cosine for each in evidence]),
            np.concatenate([each.factor for each in evidence]),
            np.concatenate([each.own for each in evidence]),
        ),
        np.concatenate([part.same for part in parts]),
        np.concatenate([part.characters for part in parts]),
        np.concatenate([part.wrong for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.booleans()), max_size=40),
    st.floats(0.5, 40),
    st.floats(-20, 20),
)
def test_the_curve_rises_for_any_answers(
    answers: list[tuple[float, bool]], slope: float, intercept: float
) -> None:
    cosines = np.array([cosine for cosine, _ in answers], np.float64)
    same = np.array([same for _, same in answers], bool)
    found = fit(plain(cosines, same), Curve(slope, intercept))
    assert found.slope > 0
    assert np.isfinite([found.slope, found.intercept]).all()


def test_without_answers_the_card_stays() -> None:
    found = fit(plain(np.empty(0), np.empty(0, bool)), CARD)
    assert (found.slope, found.intercept) == pytest.approx((14, -7))


def test_a_few_answers_move_it_less_than_many() -> None:
    other = Curve(14.0, -10.0)

    def moved(each: int) -> float:
        return fit(expected_answers(other, each), CARD).even - CARD.even

    assert 0 < moved(1) < moved(5) < moved(200) < other.even - CARD.even + 0.005


def test_a_style_that_is_far_from_the_cards_is_learned() -> None:
    """All cosines are far above the card's even odds."""
    found = fit(drawn_far(Curve(36.0, -30.0), 400), CARD)
    assert found.even == pytest.approx(30 / 36, abs=0.02)
    assert found.slope == pytest.approx(36, rel=0.35)


def drawn_far(curve: Curve, count: int) -> Answers:
    draw = np.random.default_rng(3)
    cosines = draw.uniform(0.7, 0.97, count)
    same = draw.uniform(size=count) < curve.probability(cosines)
    return plain(cosines, same)


def test_one_mistake_about_an_obvious_face_changes_little() -> None:
    answered = joined([expected_answers(CARD), plain(np.ones(1), np.zeros(1, bool))])
    assert fit(answered, CARD).slope == pytest.approx(CARD.slope, rel=0.03)


def test_a_better_curve_is_better_on_held_out_answers() -> None:
    made = calibrate(drawn_answers(Curve(20.0, -13.0), 600), CARD)
    assert made.improves
    assert made.fitted.error < made.card.error / 2
    assert made.fitted.low == 0
    assert made.card.low > 0.05
    assert made.curve.even == pytest.approx(0.65, abs=0.03)


def test_a_gain_that_may_be_chance_is_no_improvement() -> None:
    made = calibrate(drawn_answers(Curve(14.5, -7.3), 300), CARD)
    assert made.gain.low < made.gain.value < made.gain.high
    assert made.gain.low < 0
    assert not made.improves


def test_a_gain_on_faces_that_stand_for_few_others_is_no_improvement() -> None:
    """The fitted curve helps where people were asked, and harms where they were not."""
    draw = np.random.default_rng(4)
    cosines = np.concatenate([draw.uniform(0.4, 0.6, 2000), draw.uniform(0.7, 0.9, 40)])
    same = draw.uniform(size=2040) < np.where(np.arange(2040) < 2000, 0.5, 0.97)
    weights = np.repeat([1.0, 200.0], [2000, 40])
    who = draw.integers(30, size=2040)
    assert calibrate(plain(cosines, same, who), CARD).improves
    assert not calibrate(plain(cosines, same, who, weights), CARD).improves


def test_a_curve_that_is_worse_on_held_out_answers_is_no_improvement() -> None:
    """What the others' answers say of the level is wrong for every character."""
    who = np.repeat(np.arange(6), 20)
    cosines = np.tile(np.linspace(0.49, 0.51, 20), 6)
    made = calibrate(plain(cosines, who < 3, who), CARD)
    assert not made.improves
    assert made.fitted.log_loss > made.card.log_loss


def test_with_enough_characters_each_is_in_one_fold() -> None:
    who = np.array([9, 4, 4, 7, 1, 2, 9, 30])
    fold = folds(who)
    assert {len(set(fold[who == each])) for each in who} == {1}
    assert sorted(set(folds(who % 2).tolist())) == list(range(FOLDS))


class Asked:
    """An album with a reference, and faces that people were asked about."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self.catalogue = catalogue
        self.store = VectorStore(folder)
        self.tom, self.jerry = add_album(catalogue, "Tom", "Jerry")
        self.reference = self.face(self.tom, 1.0)
        with catalogue.write() as connection:
            connection.execute(
                sa.update(character).values(reference_face_id=self.reference)
            )
            connection.execute(
                sa.insert(batch).values(
                    id="b1", format="page", path="b1", questions=1, created_at=0.0
                )
            )

    def face(self, character_id: int, cosine: float, **columns: object) -> int:
        image_id = add_image(self.catalogue, character_id)
        kept = {"awaits": None, "verdict": "kept", "embedder": MODEL}
        face_id = add_face(
            self.catalogue, image_id, character_id, **{**kept, **columns}
        )
        vector = np.array([[cosine, np.sqrt(1 - cosine**2)]], np.float32)
        self.store.append(MODEL, np.array([face_id]), vector)
        return face_id

    def ask(self, face_id: int, character_id: int, label: Label) -> None:
        with self.catalogue.write() as connection:
            connection.execute(
                sa.insert(question).values(
                    face_id=face_id,
                    character_id=character_id,
                    reference_face_id=self.reference,
                    batch_id="b1",
                    label=label.value,
                    asked_at=0.0,
                )
            )

    def read(self) -> list[tuple[float, bool, int]]:
        found = read_labelled(self.catalogue, self.store, MODEL).answers
        terms = np.flatnonzero(found.evidence.own)
        # The reference is the first of a gallery.
        first = np.unique(found.evidence.question[terms], return_index=True)[1]
        cosines = found.evidence.cosine[terms[first]].round(2)
        columns = cosines, found.same, found.characters
        return list(zip(*(each.tolist() for each in columns), strict=True))


@pytest.fixture
def asked(catalogue: Catalogue, tmp_path: Path) -> Asked:
    return Asked(catalogue, tmp_path / "vectors")


def test_settled_questions_are_read_with_the_cosine_to_what_was_shown(
    asked: Asked,
) -> None:
    assert asked.read() == []
    asked.ask(asked.face(asked.tom, 0.8), asked.tom, Label.SAME)
    asked.ask(asked.face(asked.tom, 0.2), asked.tom, Label.DIFFERENT)
    asked.ask(asked.face(asked.tom, 0.5), asked.tom, Label.UNSURE)
    asked.ask(asked.face(asked.tom, 0.5), asked.tom, Label.OPEN)
    assert asked.read() == [(0.8, True, asked.tom), (0.2, False, asked.tom)]


def test_faces_of_another_embedder_are_left_out(asked: Asked) -> None:
    asked.ask(asked.face(asked.tom, 0.8, embedder="f" * 64), asked.tom, Label.SAME)
    assert asked.read() == []


def test_a_look_alike_of_another_character_is_left_out(asked: Asked) -> None:
    twin = asked.face(asked.jerry, 0.9)
    asked.ask(twin, asked.tom, Label.DIFFERENT)
    assert asked.read() == []
    with asked.catalogue.write() as connection:
        merged = sa.update(character).where(character.c.id == asked.jerry)
        connection.execute(merged.values(merged_into=asked.tom))
    assert asked.read() == [(0.9, False, asked.tom)]


def test_judged_faces_are_sent_back_to_identity(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icf.filter.identify.calibration._PAGE", 2)
    kept = [asked.face(asked.tom, 0.8, probability=0.9) for _ in range(3)]
    out = asked.face(asked.tom, 0.1, verdict="dropped", reason="not_this_character")
    blurred = asked.face(asked.tom, 0.1, verdict="dropped", reason="blurred")
    other = asked.face(asked.tom, 0.8, embedder="f" * 64)
    with asked.catalogue.write() as connection:
        run_id = ledger.begin_run(connection, "test", "{}", "0")
    # The reference was judged as well.
    assert requeue_faces(asked.catalogue, run_id, MODEL) == 5
    for each in (*kept, out):
        row = face_row(asked.catalogue, each)
        assert (row["awaits"], row["verdict"]) == ("identity", "pending")
        assert row["probability"] is None
    for each in (blurred, other):
        assert face_row(asked.catalogue, each)["awaits"] is None
    with asked.catalogue.read() as connection:
        count = sa.select(sa.func.count()).select_from(decision)
        assert connection.execute(count).scalar_one() == 5
    assert requeue_faces(asked.catalogue, run_id, MODEL) == 0
