"""Alembic's environment: run by `store.migrate.upgrade`, which gives the connection and owns the transaction."""

from alembic import context

from appliance_agent.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True,
    transactional_ddl=True, transaction_per_migration=False,
)  # fmt: skip
context.run_migrations()
