from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue import ledger, schema
from icf.catalogue.catalogue import Catalogue
from icf.dataset.report.reliability import Reliability, read_reliability
from tests.filter.rows import add_album, add_face, add_image

MODEL = "e" * 64


def ask(
    catalogue: Catalogue, value: float, label: str, model: str | None = MODEL
) -> None:
    """One face, asked about with a probability, and what people said."""
    [tom] = add_album(catalogue, "Tom")
    face = add_face(catalogue, add_image(catalogue, tom), tom)
    with catalogue.write() as connection:
        if not connection.execute(sa.select(schema.batch.c.id)).first():
            batch = {"id": "b", "format": "csv", "path": "b", "questions": 1}
            connection.execute(sa.insert(schema.batch).values(**batch, created_at=0.0))
        question = connection.execute(
            sa.insert(schema.question)
            .values(
                face_id=face,
                character_id=tom,
                reference_face_id=face,
                batch_id="b",
                label=label,
                asked_at=0.0,
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
    assert [(each.count, each.observed) for each in found.bins] == [
        (2, 0.5),
        (1, 0.0),
        (2, 1.0),
    ]
    predicted = [each.predicted for each in found.bins]
    assert predicted == pytest.approx([0.16, 0.3, 0.975])
    assert found.answered == 5
    by_hand = (2 * 0.34 + 1 * 0.3 + 2 * 0.025) / 5
    assert found.error == pytest.approx(by_hand)
    assert (found.model, found.calibration) == (MODEL, None)


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
                    parameters="{}",
                    answered=answered,
                    error=error,
                    run_id=run,
                    fitted_at=0.0,
                )
            )
    found = reliability(catalogue)
    assert found is not None
    assert found.calibration is not None
    assert (found.calibration.answered, found.calibration.error) == (40, 0.05)
