"""Telephone lines: alarm history, counters, what people took out of service, traces."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "line_alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("line", sa.String(length=16), nullable=False),
        sa.Column("alarm", sa.String(length=16), nullable=False),
        sa.Column("since_us", sa.Integer(), nullable=False),
        sa.Column("until_us", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_line_alarm_line", "line_alarm", ["line"])
    op.create_table(
        "line_counts",
        sa.Column("line", sa.String(length=16), nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("line", "at_us"),
    )
    op.create_table(
        "line_block",
        sa.Column("line", sa.String(length=16), nullable=False),
        sa.Column("timeslot", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("line", "timeslot"),
    )
    op.create_table(
        "line_trace",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("began_us", sa.Integer(), nullable=False),
        sa.Column("ended_us", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("end", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_line_trace_line", "line_trace", ["line"])
