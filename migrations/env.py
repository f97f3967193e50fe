"""How Alembic reaches the database: through the app that Flask-Migrate has made."""

from alembic import context
from flask import current_app
from sqlalchemy import Enum

from statuspage import models
from statuspage.core.db import Base, UtcDateTime
from statuspage.runtime.migrating import begin_migrating, run_patiently

assert models.Page.metadata is Base.metadata


def render_item(type_: str, obj: object, autogen_context: object) -> str | bool:
    """Write our own column types as plain SQLAlchemy: old migrations never need our code."""
    if type_ == "type" and isinstance(obj, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if type_ == "type" and isinstance(obj, Enum):
        return f"sa.String(length={obj.length})"
    return False


def run() -> None:
    """Run the migrations: on PostgreSQL in one transaction, on SQLite in one each."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection.execution_options(writes=True),
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            begin_migrating(connection)
            context.run_migrations()


run_patiently(run)
