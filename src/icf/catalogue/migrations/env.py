"""Run migrations on the connection that `Catalogue.upgrade` hands over."""

from alembic import context

from icf.catalogue.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
