from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from icf.catalogue import ledger, schema
from icf.catalogue.catalogue import Catalogue
from icf.dataset.report.process.reliability import Reliability, read_reliability
from icf.reliability import reliability as compare
from tests.filter.rows import add_album, add_face, add_image

MODEL = "e" * 64


def ask(
    catalogue: Catalogue,
    value: float,
    label: str,
    model: str | None = MODEL,
    inclusion: float | None = None,
) -> None:
    """One face, asked about with a probability, and what people said."""
    [tom] = add_album(catalogue, "Tom")
    face, reference = (
        add_face(catalogue, add_image(catalogue, tom), tom) for _ in range(2)
    )
    with catalogue.write() as connection:
        if not connection.execute(sa.select(schema.batch.c.id)).first():
            batch = {"id": "b", "format": "csv", "path": "b", "questions": 1}
            connection.execute(sa.insert(schema.batch).values(**batch, created_at=0.0))
        question = connection.execute(
            sa.insert(schema.question)
            .values(
                face_id=face,
                character_id=tom,
                reference_face_id=reference,
                batch_id="b",
                label=label,
                asked_at=0.0,
                chosen=inclusion and "random",
                inclusion=inclusion,
                probability=inclusion and value,
            )
            .returning(schema.question.c.id)
        ).scalar_one()
        run = ledger.begin_run(connection, "test", "{}", "0")
        line = ledger.Decision(
            "question", question, "ask", "pending", "open", value, model=model
        )
        ledger.append(connection, run, [line])


def reliability(catalogue: Catalogue) -> Reliability | None:
    with catalogue.read() as connection:
        return read_reliability(connection)


def test_answers_are_compared_with_the_probabilities(catalogue: Catalogue) -> None:
    for value, label in (
        (0.15, "different"),
        (0.17, "same"),
        (0.3, "different"),
        (1.0, "same"),
        (0.95, "same"),
        (0.5, "open"),
        (0.6, "unsure"),
    ):
        ask(catalogue, value, label)
    found = reliability(catalogue)
    assert found is not None
    observed = [(each.count, round(each.observed, 6)) for each in found.bins]
    assert observed == [(2, 0.5), (1, 0.0), (2, 1.0)]
    predicted = [each.predicted for each in found.bins]
    assert predicted == pytest.approx([0.16, 0.3, 0.975])
    assert found.answered == 5
    same = np.array([False, True, False, True, True])
    asked = np.array([0.15, 0.17, 0.3, 1.0, 0.95])
    by_hand = compare(asked, same, None, found.wrong.rate)
    assert found.measured.error == pytest.approx(by_hand.error)
    assert found.measured.low == 0
    assert (found.wrong.repeated, round(found.wrong.rate, 2)) == (0, 0.03)
    assert (found.model, found.calibration) == (MODEL, None)


def test_a_face_that_was_drawn_at_random_counts_for_those_that_were_not(
    catalogue: Catalogue,
) -> None:
    for value, label, inclusion in (
        (0.5, "same", 1.0),
        (0.5, "different", 1.0),
        (0.9, "different", 0.1),
        (0.9, "open", 0.1),
    ):
        ask(catalogue, value, label, inclusion=inclusion)
    found = reliability(catalogue)
    assert found is not None
    # The open question's ten faces are represented by the answered one.
    assert found.answered == 3
    assert found.represented == pytest.approx(22)
    assert [round(each.share, 3) for each in found.bins] == [0.091, 0.909]
    assert found.measured.error == pytest.approx(0.9 * 20 / 22, abs=0.04)


def test_suspicions_are_no_probabilities(catalogue: Catalogue) -> None:
    ask(catalogue, 0.9, "different", model=None)
    assert reliability(catalogue) is None


def test_only_the_model_that_asked_last_is_judged(catalogue: Catalogue) -> None:
    ask(catalogue, 0.9, "same", model="a" * 64)
    ask(catalogue, 0.2, "different")
    found = reliability(catalogue)
    assert found is not None
    assert (found.model, found.answered) == (MODEL, 1)


def test_the_newest_curve_of_the_model_is_shown(catalogue: Catalogue) -> None:
    ask(catalogue, 0.9, "same")
    with catalogue.write() as connection:
        run = ledger.begin_run(connection, "test", "{}", "0")
        for model, answered, error in (
            (MODEL, 10, 0.2),
            (MODEL, 40, 0.05),
            ("a" * 64, 99, 0.5),
        ):
            connection.execute(
                sa.insert(schema.calibration).values(
                    model=model,
                    parameters='{"low": 0.01, "high": 0.09}',
                    answered=answered,
                    error=error,
                    run_id=run,
                    fitted_at=0.0,
                )
            )
    found = reliability(catalogue)
    assert found is not None
    assert found.calibration is not None
    shown = found.calibration
    assert (shown.answered, shown.error, shown.low, shown.high) == (
        40,
        0.05,
        0.01,
        0.09,
    )
