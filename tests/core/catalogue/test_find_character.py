from __future__ import annotations

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.find_character import character_names
from icf.catalogue.rows import CHUNK
from icf.catalogue.schema import character
from tests.filter.rows import add_album


def test_characters_are_named_with_their_albums_however_many_are_asked_for(
    catalogue: Catalogue,
) -> None:
    tom, jerry = add_album(catalogue, "Tom", "Jerry")
    with catalogue.write() as connection:
        merged = sa.update(character).where(character.c.id == jerry)
        connection.execute(merged.values(merged_into=tom))
        found = character_names(connection, [jerry, *range(3 * CHUNK), tom])
        assert character_names(connection, []) == {}
    assert set(found) == {tom, jerry}
    assert found[jerry].name == "Jerry"
    assert found[tom] == ("Tom", found[jerry].album)
