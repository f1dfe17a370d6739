"""Sums of quality are found by time: of all peers, they are read by reports and go when they are old."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_quality_quarter_at", "quality_quarter", ["at_us"])
