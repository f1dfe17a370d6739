"""Every table of the box. Times are microseconds UTC (`*_us`). JSON columns hold documents with their own schema."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# ── people and sessions ────────────────────────────────────────────────────────────────────────────
user = Table(
    "user", metadata,
    Column("id", String(32), primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("extension", String(8), unique=True),
    Column("language", String(2), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)  # fmt: skip

session = Table(
    "session", metadata,
    Column("id", String(64), primary_key=True),
    # SHA-256 of the cookie's token: a stolen database gives no sessions.
    Column("user_id", String(32), ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("extension", String(8)),
    Column("sip_username", String(32)),
    # The only SIP user this session may speak for through /ws; the front reads it. "" = another session took the
    # phone over; null = this session has not asked for its phone yet.
    Column("sip_secret", String(64)),
    # Kept so that a restarted agent hands the page the secret that Asterisk already knows.
    Column("created_us", Integer, nullable=False),
    Column("seen_us", Integer, nullable=False),
    Column("expires_us", Integer, nullable=False),
    Column("address", String(64), nullable=False),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_us", Integer, nullable=False, index=True),
    Column("user_id", String(32)),
    Column("login", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
)  # fmt: skip

# ── desired state ──────────────────────────────────────────────────────────────────────────────────
config_draft = Table(
    "config_draft", metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("revision", Integer, nullable=False),
    Column("document", JSON, nullable=False),
)  # fmt: skip

config_version = Table(
    "config_version", metadata,
    Column("version", Integer, primary_key=True),
    Column("at_us", Integer, nullable=False),
    Column("author", String(64), nullable=False),
    Column("comment", String(200), nullable=False),
    Column("document", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    # applying | running | superseded | failed | cancelled; exactly one is running once the box was initialised.
)  # fmt: skip

apply_job = Table(
    "apply_job", metadata,
    Column("id", String(32), primary_key=True),
    Column("version", Integer, ForeignKey("config_version.version"), nullable=False),
    Column("previous", Integer),
    Column("timing", String(8), nullable=False),  # now | idle: whether a restart may end calls
    Column("step", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # waiting | running | done | failed
    Column("steps", JSON, nullable=False),
    Column("error", JSON),
    Column("created_us", Integer, nullable=False),
    Column("finished_us", Integer),
    Column("log_offset", Integer, nullable=False),
)  # fmt: skip

menu_version = Table(
    "menu_version", metadata,
    # Menus that calls may still be walking through after a newer version was applied.
    Column("menu_id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("retired_us", Integer),
)  # fmt: skip

# ── journal and records ────────────────────────────────────────────────────────────────────────────
journal_position = Table(
    "journal_position", metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("generation", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("next_seq", Integer, nullable=False),
)  # fmt: skip

journal_event = Table(
    "journal_event", metadata,
    Column("seq", Integer, primary_key=True),
    Column("call_id", String(64), nullable=False, index=True),
    # linkedid, or the id of the call it was joined to by a transfer.
    Column("linkedid", String(64), nullable=False, index=True),
    Column("time_us", Integer, nullable=False),
    Column("type", String(32), nullable=False),
    Column("row", JSON, nullable=False),
)  # fmt: skip

open_call = Table(
    "open_call", metadata,
    Column("call_id", String(64), primary_key=True),
    Column("first_seq", Integer, nullable=False),
    Column("started_us", Integer, nullable=False),
)  # fmt: skip

call_join = Table(
    "call_join", metadata,
    # An attended transfer's consultation has a linkedid of its own: it is told here whose call it is.
    Column("linkedid", String(64), primary_key=True),
    Column("call_id", String(64), nullable=False, index=True),
)  # fmt: skip

call_record = Table(
    "call_record", metadata,
    Column("call_id", String(64), primary_key=True),
    Column("direction", String(16), nullable=False),
    Column("result", String(24), nullable=False),
    Column("caller_number", String(64), nullable=False, index=True),
    Column("caller_name", String(128), nullable=False),
    Column("called_number", String(64), nullable=False, index=True),
    Column("did", String(32), nullable=False, index=True),
    Column("trunk", String(32), nullable=False),
    Column("line", String(128), nullable=False),
    Column("queue", String(32), nullable=False, index=True),
    Column("extension", String(8), nullable=False, index=True),
    Column("user_id", String(32), nullable=False),
    Column("user_name", String(64), nullable=False),
    Column("started_us", Integer, nullable=False),
    Column("answered_us", Integer),
    Column("ended_us", Integer, nullable=False),
    Column("menu_ms", Integer, nullable=False),
    Column("wait_ms", Integer, nullable=False),
    Column("ring_ms", Integer, nullable=False),
    Column("talk_ms", Integer, nullable=False),
    Column("hold_ms", Integer, nullable=False),
    Column("transfers", Integer, nullable=False),
    Column("hangup_by", String(16), nullable=False),
    Column("hangup_cause", Integer, nullable=False),
    Column("recording", String(128), nullable=False),
    Column("detail", JSON, nullable=False),
    # menu_path, legs, queue_visits, timeline
    Index("ix_record_started", "started_us"),
)  # fmt: skip

call_party = Table(
    "call_party", metadata,
    # Every extension that talked in the call, and whose it was then: an agent sees the calls they took part in.
    Column("call_id", String(64), primary_key=True),
    Column("extension", String(8), primary_key=True),
    Column("user_id", String(32), nullable=False, index=True),
    Index("ix_call_party_extension", "extension"),
)  # fmt: skip

recording = Table(
    "recording", metadata,
    Column("call_id", String(64), primary_key=True),
    Column("path", String(128), nullable=False),
    # Below BoxPaths.recordings.
    Column("seconds", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("finished_us", Integer, nullable=False),
)  # fmt: skip

leg_quality = Table(
    "leg_quality", metadata,
    # How a leg sounded, by windows of 10 s (features.quality.pack); joined to its record by the leg's uniqueid.
    Column("uniqueid", String(64), primary_key=True),
    Column("windows", LargeBinary, nullable=False),
)  # fmt: skip

quality_quarter = Table(
    "quality_quarter", metadata,
    # Sums over the windows of the quarter of an hour that began then; quarters without any have no row.
    Column("peer", String(32), primary_key=True),  # a trunk's id; "" = the box's own phones
    Column("at_us", Integer, primary_key=True),
    Column("counts", JSON, nullable=False),
    Index("ix_quality_quarter_at", "at_us"),
)  # fmt: skip

# ── seats ──────────────────────────────────────────────────────────────────────────────────────────
seat = Table(
    "seat", metadata,
    # What each logged-in seat should be; replayed into Asterisk after its crash.
    Column("user_id", String(32), ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("extension", String(8), nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # idle | busy | wrap_up
    Column("reason", String(64), nullable=False),
    Column("since_us", Integer, nullable=False),
    Column("wrap_up_until_us", Integer),
)  # fmt: skip

seat_event = Table(
    "seat_event", metadata,
    # Append-only: who was logged in, idle, busy with which reason, when. Reports of agent work derive from it.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_us", Integer, nullable=False, index=True),
    Column("user_id", String(32), nullable=False, index=True),
    Column("extension", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("by", String(64), nullable=False),
)  # fmt: skip

# ── health ─────────────────────────────────────────────────────────────────────────────────────────
alarm = Table(
    "alarm", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, index=True),
    Column("level", String(16), nullable=False),  # info | warning | critical
    Column("subject", String(128), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("since_us", Integer, nullable=False),
    Column("cleared_us", Integer),
    Column("acked_by", String(64)),
)  # fmt: skip

# ── telephone lines ────────────────────────────────────────────────────────────────────────────────
line_alarm = Table(
    "line_alarm", metadata,
    # One row a period; what is wrong now has no end. Lines by hal's names (fxo-1, e1-2).
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("line", String(16), nullable=False, index=True),
    Column("alarm", String(16), nullable=False),
    Column("since_us", Integer, nullable=False),
    Column("until_us", Integer),
)  # fmt: skip

line_counts = Table(
    "line_counts", metadata,
    # What came in the quarter of an hour that began then; quarters without anything have no row.
    Column("line", String(16), primary_key=True),
    Column("at_us", Integer, primary_key=True),
    Column("counts", JSON, nullable=False),
)  # fmt: skip

line_block = Table(
    "line_block", metadata,
    # Taken out of service by a person, until given back: told to Asterisk again after each of its starts.
    Column("line", String(16), primary_key=True),
    Column("timeslot", Integer, primary_key=True),
    Column("by", String(64), nullable=False),
    Column("at_us", Integer, nullable=False),
)  # fmt: skip

line_trace = Table(
    "line_trace", metadata,
    # Its text is BoxPaths.line_traces/<id>.txt.
    Column("id", String(32), primary_key=True),
    Column("line", String(16), nullable=False, index=True),
    Column("by", String(64), nullable=False),
    Column("began_us", Integer, nullable=False),
    Column("ended_us", Integer),
    Column("size_bytes", Integer, nullable=False),
    Column("end", String(16), nullable=False),
    # time | size | stopped | failed; "" while it runs
)  # fmt: skip

line_test = Table(
    "line_test", metadata,
    # One row a test; those without an end belong to the agent that runs, or to one that was killed.
    Column("id", String(32), primary_key=True),
    Column("line", String(16), nullable=False, index=True),
    Column("timeslot", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("began_us", Integer, nullable=False),
    Column("ended_us", Integer),
    Column("state", String(16), nullable=False),  # running | done | stopped | failed
    Column("detail", JSON, nullable=False),
    # order, verdict, figures, tone, caller, reason
)  # fmt: skip

# ── links to other boxes ───────────────────────────────────────────────────────────────────────────
link_probe = Table(
    "link_probe", metadata,
    # One row a probe; those without an end belong to the agent that runs, or to one that was killed.
    Column("id", String(32), primary_key=True),
    Column("peer", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("began_us", Integer, nullable=False),
    Column("ended_us", Integer),
    Column("state", String(16), nullable=False),  # running | done | stopped | failed
    Column("detail", JSON, nullable=False),
    # order, steps, early, reason, calls
    Column("seconds", JSON, nullable=False),  # apart: lists do without
)  # fmt: skip

# ── headquarters ───────────────────────────────────────────────────────────────────────────────────
outbox = Table(
    "outbox", metadata,
    # What HQ does not have yet, by name (store.outbox).
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(64), nullable=False),
    Column("at_us", Integer, nullable=False),
    Index("ix_outbox_key", "kind", "key"),
)  # fmt: skip

sync_state = Table(
    "sync_state", metadata,
    # One row while the box belongs to a headquarters (store.outbox.SyncState), else none.
    Column("id", Integer, primary_key=True),  # always 1
    Column("epoch", String(32), nullable=False),
    Column("next_seq", Integer, nullable=False),
    Column("packed", Integer, nullable=False),
    Column("mark", Integer, nullable=False),
    Column("address", String(300), nullable=False),
    Column("branch", String(64), nullable=False),
    Column("rate_kbit", Integer, nullable=False),  # of batches; 0 = no limit
    Column("enrolled_us", Integer, nullable=False),
    Column("backfill", JSON, nullable=False),
    Column("inventory", JSON),
)  # fmt: skip
