"""What Alembic reads before the steps: on which connection they are made (`scviz.workspace.schema` hands it over)."""

from alembic import context

from scviz.workspace.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
