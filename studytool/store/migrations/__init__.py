"""The history of the schema: one numbered file a change, applied by ../migrate.py through Alembic."""
