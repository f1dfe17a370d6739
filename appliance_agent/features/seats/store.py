"""Seats in the database: what each should be, and the history."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from appliance_agent.features.seats.model import LONGEST_WRAP_UP_US, Forget, Note, Save, Seat, SeatState
from appliance_agent.store.database import Database
from appliance_agent.store.outbox import tell
from appliance_agent.store.tables import seat as seats
from appliance_agent.store.tables import seat_event as events
from appliance_agent.store.tables import user as users
from contracts.sync import Kind


@dataclass(frozen=True, slots=True)
class Person:
    user_id: str
    name: str
    extension: str | None


class SeatStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, now_us: int) -> list[Seat]:
        query = select(seats, users.c.name).join(users, users.c.id == seats.c.user_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Seat(
                row.user_id, row.name, row.extension, row.state == SeatState.BUSY, row.reason, row.since_us,
                wrap_up_until_us=_cut(row.wrap_up_until_us, now_us) if row.state == SeatState.WRAP_UP else None,
            )
            for row in rows
        ]  # fmt: skip

    async def write(self, commands: list[Save | Forget | Note], by: str, now_us: int) -> None:
        """All or nothing. `by`: who asked for it; "" = the box itself."""
        async with self._database.write() as connection:
            for command in commands:
                seat = command.seat
                match command:
                    case Save():
                        row = _row(seat)
                        upsert = insert(seats).values(row).on_conflict_do_update([seats.c.user_id], set_=row)
                        await connection.execute(upsert)
                    case Forget():
                        await connection.execute(delete(seats).where(seats.c.user_id == seat.user_id))
                    case Note(state=state):
                        reason = seat.reason if state is SeatState.BUSY else ""
                        note = events.insert().values(
                            at_us=now_us, user_id=seat.user_id, extension=seat.extension, state=state.value,
                            reason=reason, by=by,
                        )  # fmt: skip
                        id_ = (await connection.execute(note.returning(events.c.id))).scalar_one()
                        await tell(connection, Kind.SEAT, [str(id_)], now_us)

    async def people(self) -> list[Person]:
        """Active users who may sit at a seat: those with an extension of their own."""
        query = select(users.c.id, users.c.name, users.c.extension).where(
            users.c.active.is_(True), users.c.extension.is_not(None)
        )
        async with self._database.read() as connection:
            return [Person(row.id, row.name, row.extension) for row in (await connection.execute(query)).all()]

    async def person(self, user_id: str) -> Person | None:
        query = select(users.c.id, users.c.name, users.c.extension).where(
            users.c.active.is_(True), users.c.id == user_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Person(row.id, row.name, row.extension) if row else None


def _row(seat: Seat) -> dict[str, object]:
    """What outlives a crash: the phone's doings do not, they are read from Asterisk again."""
    wrapping = seat.wrap_up_until_us is not None
    state = SeatState.BUSY if seat.busy else SeatState.WRAP_UP if wrapping else SeatState.IDLE
    return {
        "user_id": seat.user_id, "extension": seat.extension, "state": state.value, "reason": seat.reason,
        "since_us": seat.since_us, "wrap_up_until_us": seat.wrap_up_until_us,
    }  # fmt: skip


def _cut(until_us: int | None, now_us: int) -> int:
    """The clock may have been set back meanwhile."""
    return min(until_us or now_us, now_us + LONGEST_WRAP_UP_US)
