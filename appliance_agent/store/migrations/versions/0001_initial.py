"""Every table of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _desired_state()
    _journal()
    _records()
    _seats()
    _health()
    _others()


def _people() -> None:
    op.create_table(
        "user",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("extension"),
        sa.UniqueConstraint("login"),
    )  # fmt: skip
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=True),
        sa.Column("sip_username", sa.String(length=32), nullable=True),
        sa.Column("sip_secret", sa.String(length=64), nullable=True),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("seen_us", sa.Integer(), nullable=False),
        sa.Column("expires_us", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_index("ix_audit_at_us", "audit", ["at_us"])


def _desired_state() -> None:
    op.create_table(
        "config_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_table(
        "config_version",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.String(length=200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )  # fmt: skip
    op.create_table(
        "apply_job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=True),
        sa.Column("timing", sa.String(length=8), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("finished_us", sa.Integer(), nullable=True),
        sa.Column("log_offset", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["config_version.version"], ),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_table(
        "menu_version",
        sa.Column("menu_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("retired_us", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("menu_id", "version"),
    )  # fmt: skip


def _journal() -> None:
    op.create_table(
        "journal_position",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("inode", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_table(
        "journal_event",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("linkedid", sa.String(length=64), nullable=False),
        sa.Column("time_us", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )  # fmt: skip
    op.create_index("ix_journal_event_call_id", "journal_event", ["call_id"])
    op.create_index("ix_journal_event_linkedid", "journal_event", ["linkedid"])
    op.create_table(
        "open_call",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("started_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )  # fmt: skip
    op.create_table(
        "call_join",
        sa.Column("linkedid", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("linkedid"),
    )  # fmt: skip
    op.create_index("ix_call_join_call_id", "call_join", ["call_id"])


def _records() -> None:
    op.create_table(
        "call_record",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=24), nullable=False),
        sa.Column("caller_number", sa.String(length=64), nullable=False),
        sa.Column("caller_name", sa.String(length=128), nullable=False),
        sa.Column("called_number", sa.String(length=64), nullable=False),
        sa.Column("did", sa.String(length=32), nullable=False),
        sa.Column("trunk", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=128), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("started_us", sa.Integer(), nullable=False),
        sa.Column("answered_us", sa.Integer(), nullable=True),
        sa.Column("ended_us", sa.Integer(), nullable=False),
        sa.Column("menu_ms", sa.Integer(), nullable=False),
        sa.Column("wait_ms", sa.Integer(), nullable=False),
        sa.Column("ring_ms", sa.Integer(), nullable=False),
        sa.Column("talk_ms", sa.Integer(), nullable=False),
        sa.Column("hold_ms", sa.Integer(), nullable=False),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("hangup_by", sa.String(length=16), nullable=False),
        sa.Column("hangup_cause", sa.Integer(), nullable=False),
        sa.Column("recording", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )  # fmt: skip
    op.create_index("ix_call_record_called_number", "call_record", ["called_number"])
    op.create_index("ix_call_record_caller_number", "call_record", ["caller_number"])
    op.create_index("ix_call_record_did", "call_record", ["did"])
    op.create_index("ix_call_record_extension", "call_record", ["extension"])
    op.create_index("ix_call_record_queue", "call_record", ["queue"])
    op.create_index("ix_record_started", "call_record", ["started_us"])
    op.create_table(
        "recording",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=128), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("finished_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id"),
    )  # fmt: skip


def _seats() -> None:
    op.create_table(
        "seat",
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("since_us", sa.Integer(), nullable=False),
        sa.Column("wrap_up_until_us", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("extension"),
    )  # fmt: skip
    op.create_table(
        "seat_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at_us", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_index("ix_seat_event_at_us", "seat_event", ["at_us"])
    op.create_index("ix_seat_event_user_id", "seat_event", ["user_id"])


def _health() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("since_us", sa.Integer(), nullable=False),
        sa.Column("cleared_us", sa.Integer(), nullable=True),
        sa.Column("acked_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    op.create_index("ix_alarm_key", "alarm", ["key"])


def _others() -> None:
    op.create_table(
        "call_party",
        sa.Column("call_id", sa.String(length=64), nullable=False),
        sa.Column("extension", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "extension"),
    )  # fmt: skip
    op.create_index("ix_call_party_extension", "call_party", ["extension"])
    op.create_index("ix_call_party_user_id", "call_party", ["user_id"])
