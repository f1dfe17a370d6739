"""What the front may know of sessions: read with plain sqlite3, so that it works while the agent is dead."""

import hashlib
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

COOKIE = "sa800_session"
CACHE_S = 1.0
"""How long an answer may be reused: a log-out reaches the front within this time and its next poll."""
CACHE_LIMIT = 2000
BUSY_TIMEOUT_S = 2.0

_QUERY = (
    "SELECT session.id, session.role, session.extension, session.sip_username, session.expires_us"
    " FROM session JOIN user ON user.id = session.user_id"
    " WHERE session.id = ? AND session.expires_us > ? AND user.active"
)


@dataclass(frozen=True, slots=True)
class FrontSession:
    id: str
    role: str
    extension: str | None
    sip_username: str | None
    """The only SIP user this session may speak for; None or "" = it has no phone."""
    expires_us: int


def session_id(token: str) -> str:
    """The database keeps only this: SHA-256 of the cookie's token, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class SessionLookup:
    """Blocking; call it in a thread. Raises sqlite3.Error when the database cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        """Guards: the connection and the cache."""
        self._connection: sqlite3.Connection | None = None
        self._cache: dict[str, tuple[float, FrontSession | None]] = {}

    def find(self, key: str) -> FrontSession | None:
        """The live session with this id (see `session_id`), at most CACHE_S old."""
        with self._lock:
            now = time.monotonic()
            known = self._cache.get(key)
            if known is not None and now - known[0] < CACHE_S:
                return known[1]
            found = self._read(key)
            if len(self._cache) >= CACHE_LIMIT:
                self._cache.clear()
            self._cache[key] = (now, found)
            return found

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _read(self, key: str) -> FrontSession | None:
        try:
            row = self._connect().execute(_QUERY, (key, time.time_ns() // 1000)).fetchone()
        except sqlite3.Error:
            # The file may have been replaced (restore of a backup): the next look-up opens it anew.
            self._disconnect()
            raise
        return None if row is None else FrontSession(*row)

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            # Not mode=ro: when the agent has closed the database cleanly, the first reader must make the WAL index.
            uri = f"file:{_quoted(self._path)}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
            self._connection.execute("PRAGMA query_only=ON")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
