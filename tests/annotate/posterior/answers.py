"""Questions with answers of several people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from icf.annotate.answers import Vote
from icf.annotate.exchange.earlier import Source
from icf.annotate.record import Recorder
from icf.annotate.rule import Rule
from icf.annotate.votes import VotesRule
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import answer, calibration
from icf.codes import Choice
from tests.annotate.place import EMBEDDER, Place

#: Settles nothing, so answers can be stored before a rule is tried on them.
NOTHING = VotesRule(needed=1000, max_votes=1000)


def say(
    place: Place,
    said: Mapping[int, Iterable[tuple[str, Choice]]],
    rule: Rule = NOTHING,
) -> None:
    """Record what people say of some questions."""
    run_id = place.workspace.begin_run("test")
    votes = [
        Vote(line, key, name, choice, float(line))
        for line, (key, name, choice) in enumerate(
            (key, name, choice) for key, each in said.items() for name, choice in each
        )
    ]
    source = Source("a.csv", "a.csv")
    Recorder(place.workspace.catalogue, run_id, source, rule).record(votes)


def decide(place: Place, key: int, name: str, choice: Choice) -> None:
    """Let an expert settle a question, as the review page stores it."""
    values = {
        "question_id": key,
        "annotator": name,
        "choice": choice.value,
        "answered_at": 1e9,
        "imported_at": 1e9,
        "file": "page",
        "line": 0,
        "decides": True,
    }
    with place.workspace.catalogue.write() as connection:
        connection.execute(sa.insert(answer).values(values))


def calibrate(catalogue: Catalogue, run_id: int, fitted_at: float = 0.0) -> None:
    """Say that answers taught the embedder's curve."""
    values = {
        "model": EMBEDDER,
        "parameters": json.dumps({"slope": 1.0, "intercept": 0.0}),
        "answered": 100,
        "error": 0.01,
        "run_id": run_id,
        "fitted_at": fitted_at,
    }
    with catalogue.write() as connection:
        connection.execute(sa.insert(calibration).values(values))
