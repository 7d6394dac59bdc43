"""The log of aliases: what each names, and that nothing in it is overwritten."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import model_alias
from icf.errors import WrongUse
from icf.models.registry import aliases

ONE, OTHER = "1" * 64, "2" * 64


def promote(
    catalogue: Catalogue, model: str | None, gate_id: int | None = None
) -> None:
    with catalogue.write() as connection:
        aliases.promote(connection, "embedder", model, "anna@studio", "new", gate_id)


def roll_back(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        aliases.roll_back(connection, "embedder", "anna@studio", "worse")


def current(catalogue: Catalogue) -> dict[aliases.Alias, str | None]:
    with catalogue.read() as connection:
        assert aliases.current(connection, "detector") == {"champion": None}
        return aliases.current(connection, "embedder")


def test_the_bundled_model_is_the_champion_before_the_first_promotion(
    catalogue: Catalogue,
) -> None:
    assert current(catalogue) == {"champion": None}


def test_a_promotion_makes_the_champion_the_previous_one(catalogue: Catalogue) -> None:
    promote(catalogue, ONE)
    assert current(catalogue) == {"champion": ONE, "previous": None}
    promote(catalogue, OTHER)
    assert current(catalogue) == {"champion": OTHER, "previous": ONE}


def test_a_promoted_challenger_is_a_challenger_no_longer(catalogue: Catalogue) -> None:
    with catalogue.write() as connection:
        aliases.challenge(connection, "embedder", ONE, "anna@studio", "trained")
    assert current(catalogue) == {"champion": None, "challenger": ONE}
    promote(catalogue, ONE)
    assert current(catalogue) == {"champion": ONE, "previous": None}


def test_the_champion_cannot_be_promoted_again(catalogue: Catalogue) -> None:
    with pytest.raises(WrongUse, match="the bundled model is the champion embedder"):
        promote(catalogue, None)
    promote(catalogue, ONE)
    with pytest.raises(WrongUse, match="model 111111111111 is the champion embedder"):
        promote(catalogue, ONE)


def test_a_rollback_goes_back_once(catalogue: Catalogue) -> None:
    promote(catalogue, ONE)
    promote(catalogue, OTHER)
    roll_back(catalogue)
    assert current(catalogue) == {"champion": ONE}
    with pytest.raises(WrongUse, match="there is no previous embedder to go back to"):
        roll_back(catalogue)
    promote(catalogue, OTHER)
    roll_back(catalogue)
    assert current(catalogue) == {"champion": ONE}


def test_every_move_stays_in_the_log_with_who_and_why(catalogue: Catalogue) -> None:
    promote(catalogue, ONE)
    roll_back(catalogue)
    with catalogue.read() as connection:
        log = aliases.history(connection, "embedder")
        assert aliases.history(connection, "detector") == []
        tasks = set(connection.execute(sa.select(model_alias.c.task)).scalars())
    assert [(m.alias, m.model, m.by, m.reason) for m in log] == [
        ("previous", None, "anna@studio", "new"),
        ("champion", ONE, "anna@studio", "new"),
        ("champion", None, "anna@studio", "worse"),
    ]
    assert log[0].at <= log[1].at <= log[2].at
    assert tasks == {"embed"}


def test_a_user_is_named_with_the_machine() -> None:
    user, _, host = aliases.this_user().partition("@")
    assert user
    assert host
