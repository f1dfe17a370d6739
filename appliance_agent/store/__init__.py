"""The box's database: SQLite in WAL mode through SQLAlchemy Core; migrations by alembic."""
