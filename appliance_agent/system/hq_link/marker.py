"""Is this database the one that went before? A file beside it says how far it had told headquarters.

Numbers that may have left the box are on the disk, in the database and then here, before they leave. A database that
knows less (a restored backup, a lost write) would give them to something else: it begins a new epoch.
"""

import json
import os
from pathlib import Path

from appliance_agent.kernel.files import write_atomically
from appliance_agent.store.outbox import SyncState

NAME = "told.json"


def is_older(folder: Path, state: SyncState) -> bool:
    """Blocking."""
    try:
        told = json.loads((folder / NAME).read_text("ascii"))
        return bool(told["epoch"] != state.epoch or told["packed"] > state.packed)
    except FileNotFoundError:
        return state.packed > 0
    except (OSError, ValueError, KeyError, TypeError):
        return True


def note(folder: Path, database: Path, epoch: str, packed: int) -> None:
    """Blocking. The database's last commits are in its WAL, which SQLite does not sync (synchronous=NORMAL)."""
    _sync(database.with_name(database.name + "-wal"))
    write_atomically(folder / NAME, json.dumps({"epoch": epoch, "packed": packed}).encode("ascii"), mode=0o600)


def _sync(wal: Path) -> None:
    try:
        descriptor = os.open(wal, os.O_RDONLY)
    except FileNotFoundError:
        return  # all of it is in the database, which a checkpoint synced
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
