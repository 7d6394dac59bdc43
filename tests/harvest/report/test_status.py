"""What the status report shows of listings."""

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import discovery
from icf.harvest.report.status import listings_with_messages


def test_a_failed_listing_is_named_without_its_password(catalogue: Catalogue) -> None:
    address = "https://ann:moon@a.org/posts"
    row = {"source": "posts", "task": "gallery", "subject": address, "attempts": 1}
    row |= {"level": "images", "status": "failed", "changed_at": 0.0}
    row |= {"message": f"{address}: no such site"}
    with catalogue.write() as connection:
        connection.execute(sa.insert(discovery).values(row))
        (found,) = listings_with_messages(connection, 5)
    assert found.subject == "https://ann:***@a.org/posts"
    assert found.message == "https://ann:***@a.org/posts: no such site"
