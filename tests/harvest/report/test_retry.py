"""What is pending after `icf-harvest retry`."""

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import discovery
from icf.harvest.report.retry import Selection, list_again
from tests.harvest.rows import all_of


def test_a_listing_whose_continue_token_is_refused_begins_again(
    catalogue: Catalogue,
) -> None:
    told = {
        "refused": "http://w/api.php: badcontinue: Invalid continue param.",
        "down": "http://w/api.php: the server answered 503",
        "odd": None,
    }
    row = {"source": "wiki", "task": "category", "level": "albums", "attempts": 1}
    row |= {"status": "failed", "cursor": "now", "first_cursor": "first"}
    with catalogue.write() as connection:
        for subject, message in told.items():
            values = {**row, "subject": subject, "message": message, "changed_at": 0.0}
            connection.execute(sa.insert(discovery).values(values))
        assert list_again(connection, Selection()) == 3
    rows = all_of(catalogue, discovery)
    assert {each["subject"]: each["cursor"] for each in rows} == {
        "refused": "first",
        "down": "now",
        "odd": "now",
    }
    assert {each["status"] for each in rows} == {"pending"}
