"""Every table of headquarters. Times are microseconds UTC (`*_us`); JSON is kept as text.

`{identity}` and `{monthly}` are said by each database in its own way. Changes come as further steps at the end of
STEPS; a step that was released is never edited.
"""

from ledger.rollup import TARGETS_S

CALL_COLUMNS = (
    "box", "call_id", "started_us", "direction", "result", "caller_number", "caller_name", "called_number", "did",
    "trunk", "line", "queue", "extension", "answered_us", "ended_us", "menu_ms", "wait_ms", "ring_ms", "talk_ms",
    "hold_ms", "transfers", "hangup_by", "hangup_cause", "recording", "detail",
)  # fmt: skip
WITHIN = tuple(f"within_{target_s}" for target_s in TARGETS_S)
COUNTS = ("offered", "answered", "queued", "wait_ms", "talk_ms", *WITHIN)
"""Of a rollup: what adds up. `max_wait_ms` does not."""

_CALL = """
CREATE TABLE call (
  box TEXT NOT NULL, call_id TEXT NOT NULL, started_us BIGINT NOT NULL,
  direction TEXT NOT NULL, result TEXT NOT NULL, caller_number TEXT NOT NULL, caller_name TEXT NOT NULL,
  called_number TEXT NOT NULL, did TEXT NOT NULL, trunk TEXT NOT NULL, line TEXT NOT NULL, queue TEXT NOT NULL,
  extension TEXT NOT NULL, answered_us BIGINT, ended_us BIGINT NOT NULL, menu_ms BIGINT NOT NULL,
  wait_ms BIGINT NOT NULL, ring_ms BIGINT NOT NULL, talk_ms BIGINT NOT NULL, hold_ms BIGINT NOT NULL,
  transfers BIGINT NOT NULL, hangup_by TEXT NOT NULL, hangup_cause BIGINT NOT NULL, recording TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (box, call_id, started_us)
) {monthly}
"""
# The month is part of the key because partitions demand it; that a call is there once although its start moved is
# `calls.replace`'s doing.

STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE box (id TEXT PRIMARY KEY, name TEXT NOT NULL, epoch TEXT NOT NULL, inventory TEXT NOT NULL,"
        " enrolled_us BIGINT NOT NULL, heard_us BIGINT)",
        "CREATE TABLE mark (box TEXT NOT NULL, epoch TEXT NOT NULL, seq BIGINT NOT NULL, began_us BIGINT NOT NULL,"
        " PRIMARY KEY (box, epoch))",
        "CREATE TABLE left_out (box TEXT NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL, count BIGINT NOT NULL,"
        " last_us BIGINT NOT NULL, PRIMARY KEY (box, kind))",
        _CALL,
        "CREATE INDEX ix_call_started ON call (started_us, box, call_id)",
        "CREATE INDEX ix_call_box_started ON call (box, started_us, call_id)",
        "CREATE TABLE rollup (box TEXT NOT NULL, at_us BIGINT NOT NULL, direction TEXT NOT NULL, queue TEXT NOT NULL,"
        + "".join(f" {name} BIGINT NOT NULL," for name in (*COUNTS, "max_wait_ms"))
        + " PRIMARY KEY (box, at_us, direction, queue))",
        "CREATE TABLE recording (box TEXT NOT NULL, call_id TEXT NOT NULL, seconds BIGINT NOT NULL,"
        " size_bytes BIGINT NOT NULL, sha256 TEXT NOT NULL, finished_us BIGINT NOT NULL, PRIMARY KEY (box, call_id))",
        "CREATE TABLE seat (box TEXT NOT NULL, id BIGINT NOT NULL, at_us BIGINT NOT NULL, user_id TEXT NOT NULL,"
        " extension TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, made_by TEXT NOT NULL,"
        " PRIMARY KEY (box, id))",
        "CREATE TABLE alarm (box TEXT NOT NULL, id BIGINT NOT NULL, key TEXT NOT NULL, level TEXT NOT NULL,"
        " subject TEXT NOT NULL, detail TEXT NOT NULL, since_us BIGINT NOT NULL, cleared_us BIGINT, acked_by TEXT,"
        " PRIMARY KEY (box, id))",
        "CREATE INDEX ix_alarm_since ON alarm (since_us)",
    ),
    (
        "CREATE TABLE certificate (serial TEXT PRIMARY KEY, box TEXT NOT NULL, made_us BIGINT NOT NULL,"
        " until_us BIGINT NOT NULL, revoked_us BIGINT, revoked_by TEXT)",
        "CREATE INDEX ix_certificate_box ON certificate (box)",
        "CREATE TABLE enrol_code (secret_sha256 TEXT PRIMARY KEY, branch TEXT NOT NULL, made_us BIGINT NOT NULL,"
        " made_by TEXT NOT NULL, until_us BIGINT NOT NULL, used_us BIGINT, used_by TEXT)",
        "CREATE TABLE audit (id {identity}, at_us BIGINT NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,"
        " action TEXT NOT NULL, detail TEXT NOT NULL)",
        "CREATE TABLE operator (id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
        " password_hash TEXT NOT NULL, role TEXT NOT NULL, active BIGINT NOT NULL)",
        "CREATE TABLE session (id TEXT PRIMARY KEY, operator TEXT NOT NULL REFERENCES operator (id),"
        " created_us BIGINT NOT NULL, seen_us BIGINT NOT NULL, expires_us BIGINT NOT NULL, address TEXT NOT NULL)",
    ),
)


def steps_after(version: int, *, identity: str, monthly: str) -> list[str]:
    """The statements from the schema's `version` (how many steps it has) to now."""
    return [
        text.replace("{identity}", identity).replace("{monthly}", monthly)
        for step in STEPS[version:]
        for text in step
    ]  # fmt: skip
