"""Run migrations on the connection that `Catalogue.upgrade` hands over."""

from alembic import context

import icf.catalogue.annotation.schema  # noqa: F401 - its tables
from icf.catalogue.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
