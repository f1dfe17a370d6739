"""Who did what, when, from where; and who was refused. Append-only; the oldest entries go when there are too many."""

import json
from collections.abc import Mapping

from hq.store.database import Database, Transaction

ENTRIES_KEPT = 1_000_000


async def add(
    transaction: Transaction, at_us: int, *, who: str, address: str, action: str, detail: Mapping[str, object]
) -> None:
    """In the caller's transaction: the deed and its trace are one. Detail holds no secrets."""
    await transaction.run(
        "INSERT INTO audit (at_us, who, address, action, detail) VALUES (?, ?, ?, ?, ?)",
        at_us, who[:64], address[:64], action, json.dumps(dict(detail)),
    )  # fmt: skip


async def write(
    database: Database, at_us: int, *, who: str, address: str, action: str, detail: Mapping[str, object]
) -> None:
    async with database.write() as transaction:
        await add(transaction, at_us, who=who, address=address, action=action, detail=detail)


async def prune(database: Database) -> None:
    async with database.write() as transaction:
        await transaction.run("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", ENTRIES_KEPT)
