"""Quality of calls: windows of each leg, and their sums."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leg_quality",
        sa.Column("uniqueid", sa.String(length=64), nullable=False),
        sa.Column("windows", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uniqueid"),
    )
    op.create_table(
        "quality_quarter",
        sa.Column("peer", sa.String(length=32), nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "at_us"),
    )
