"""Rows of the outbox → events: what they name, as it is in the database now."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, RowMapping, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from appliance_agent.calls.journal_rows import from_row
from appliance_agent.store import tables
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import Row
from contracts.sync import Event, Kind
from ledger.wire import storable, to_wire

_KEYS: Mapping[Kind, Column[Any]] = {
    Kind.CALL: tables.call_record.c.call_id, Kind.RECORDING: tables.recording.c.call_id,
    Kind.SEAT: tables.seat_event.c.id, Kind.ALARM: tables.alarm.c.id,
}  # fmt: skip


async def events(database: Database, rows: Sequence[Row]) -> list[Event]:
    """One each, in order; all of one moment."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    async with database.read() as connection:
        for kind, column in _KEYS.items():
            keys = [row.key for row in rows if row.kind == kind.value]
            for values in await _read(connection, column, keys):
                found[kind.value, str(values[column.name])] = _body(
                    kind, {str(name): value for name, value in values.items()}
                )
        if any(row.kind == Kind.INVENTORY.value for row in rows):
            now = (await connection.execute(select(tables.sync_state.c.inventory))).scalar()
            found[Kind.INVENTORY.value, ""] = now or {}
    return [_event(row, found.get((row.kind, row.key))) for row in rows]


async def _read(connection: AsyncConnection, column: Column[Any], keys: list[str]) -> Sequence[RowMapping]:
    if not keys:
        return []
    wanted = [int(key) if column.type.python_type is int else key for key in keys]
    table: Table = column.table
    return (await connection.execute(select(table).where(column.in_(wanted)))).mappings().all()


def _body(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    if kind is Kind.CALL:
        return to_wire(from_row(values))
    body = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    if kind is Kind.RECORDING:
        del body["path"]  # the box's own affair
    return body


def _event(row: Row, body: dict[str, Any] | None) -> Event:
    if body is not None:
        return Event(row.seq, row.kind, row.at_us, body)
    if row.kind == Kind.CALL.value:
        return Event(row.seq, Kind.CALL_GONE.value, row.at_us, {"call_id": storable(row.key)})
    return Event(row.seq, Kind.VOID.value, row.at_us, {})
