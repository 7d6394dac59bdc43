import unicodedata

import pytest
import sqlalchemy as sa

from icf.app.takedown.target import find_target
from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import album
from tests.filter.rows import add_album


@pytest.mark.parametrize("prefix", ["", "character:"])
def test_a_character_is_withdrawn_by_a_name_in_any_form(
    sqlite_catalogue: Catalogue, prefix: str
) -> None:
    (evoli,) = add_album(sqlite_catalogue, "Évoli")
    with sqlite_catalogue.write() as connection:
        connection.execute(sa.update(album).values(name="Pokémon"))
    written = unicodedata.normalize("NFD", "Pokémon/Évoli\u200b")
    with sqlite_catalogue.read() as connection:
        target = find_target(connection, prefix + written)
    assert (target.character_id, target.subject) == (evoli, "Pokémon/Évoli")
