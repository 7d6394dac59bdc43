"""The log of aliases: what each names, and that nothing in it is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from icf import workspace
from icf.catalogue.schema import model_alias
from icf.errors import WrongUse
from icf.models.registry import aliases
from icf.workspace import Workspace
from tests.filter.workspaces import rows

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    return workspace.init(tmp_path)


def promote(made: Workspace, model: str | None, gate_id: int | None = None) -> None:
    with made.catalogue.write() as connection:
        aliases.promote(connection, "embedder", model, "anna@studio", "new", gate_id)


def roll_back(made: Workspace) -> None:
    with made.catalogue.write() as connection:
        aliases.roll_back(connection, "embedder", "anna@studio", "worse")


def current(made: Workspace) -> dict[aliases.Alias, str | None]:
    with made.catalogue.read() as connection:
        assert aliases.current(connection, "detector") == {"champion": None}
        return aliases.current(connection, "embedder")


def test_the_bundled_model_is_the_champion_before_the_first_promotion(
    made: Workspace,
) -> None:
    assert current(made) == {"champion": None}


def test_a_promotion_makes_the_champion_the_previous_one(made: Workspace) -> None:
    promote(made, ONE)
    assert current(made) == {"champion": ONE, "previous": None}
    promote(made, OTHER)
    assert current(made) == {"champion": OTHER, "previous": ONE}


def test_a_promoted_challenger_is_a_challenger_no_longer(made: Workspace) -> None:
    with made.catalogue.write() as connection:
        aliases.challenge(connection, "embedder", ONE, "anna@studio", "trained")
    assert current(made) == {"champion": None, "challenger": ONE}
    promote(made, ONE)
    assert current(made) == {"champion": ONE, "previous": None}


def test_the_champion_cannot_be_promoted_again(made: Workspace) -> None:
    with pytest.raises(WrongUse, match="the bundled model is the champion embedder"):
        promote(made, None)
    promote(made, ONE)
    with pytest.raises(WrongUse, match="model 111111111111 is the champion embedder"):
        promote(made, ONE)


def test_a_rollback_goes_back_once(made: Workspace) -> None:
    promote(made, ONE)
    promote(made, OTHER)
    roll_back(made)
    assert current(made) == {"champion": ONE}
    with pytest.raises(WrongUse, match="there is no previous embedder to go back to"):
        roll_back(made)
    promote(made, OTHER)
    roll_back(made)
    assert current(made) == {"champion": ONE}


def test_every_move_stays_in_the_log_with_who_and_why(made: Workspace) -> None:
    promote(made, ONE)
    roll_back(made)
    with made.catalogue.read() as connection:
        log = aliases.history(connection, "embedder")
        assert aliases.history(connection, "detector") == []
    assert [(m.alias, m.model, m.by, m.reason) for m in log] == [
        ("previous", None, "anna@studio", "new"),
        ("champion", ONE, "anna@studio", "new"),
        ("champion", None, "anna@studio", "worse"),
    ]
    assert log[0].at <= log[1].at <= log[2].at
    assert rows(made, sa.select(model_alias.c.task).distinct()) == [("embed",)]


def test_a_user_is_named_with_the_machine() -> None:
    user, _, host = aliases.this_user().partition("@")
    assert user
    assert host
