"""Seats on a real Asterisk: members follow them, calls move them, crashes do not lose them."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance_agent.features.seats.service import Seats
from appliance_agent.features.seats.store import SeatStore
from appliance_agent.kernel.errors import Fault
from appliance_agent.kernel.events import AsteriskUp, LiveChanged, Pop, SessionEnded
from appliance_agent.store.tables import seat_event
from tests.box.house import CALLER, DIRECT_NUMBER, House, house

pytestmark = pytest.mark.lab


async def answered(made: House, ext: str) -> None:
    await made.seats_phones.wait("ringing", ext=ext)
    await made.seats_phones.send("answer", ext=ext)
    await made.until(lambda: made.seat(ext) == "talking")


async def test_members_follow_the_seats(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        await made.members_become("support", {"1001": None})
        await made.sit("1002", busy="午饭 ${SHELL(id)}, & lunch")
        await made.members_become("sales", {"1001": None, "1002": "busy"})
        await made.sit("1002")
        await made.members_become("sales", {"1001": None, "1002": None})
        made.bus.publish(SessionEnded("s", "1001", "logout", last_of_user=True))
        await made.members_become("sales", {"1002": None})
        await made.members_become("support", {})
        with pytest.raises(Fault, match="P 1002 sits at extension 1002"):
            await made.seats.want("1003", "P 1003", "1002", busy=None, by="1003")
        with pytest.raises(Fault, match="no extension"):
            await made.seats.want("boss", "P boss", None, busy=None, by="boss")
        states = {seat["user_id"]: seat["state"] for seat in await made.seats.all()}
        assert states == {"1001": "offline", "1002": "idle", "1003": "offline", "2001": "offline"}
        async with made.database.read() as connection:
            rows = (await connection.execute(select(seat_event).order_by(seat_event.c.id))).all()
        assert [(row.user_id, row.state, row.reason) for row in rows] == [
            ("1001", "idle", ""),
            ("1002", "busy", "午饭 ${SHELL(id)}, & lunch"),
            ("1002", "idle", ""),
            ("1001", "offline", ""),
        ]


async def test_a_queue_call_moves_the_seat_and_ends_in_wrap_up(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        await made.call_in()
        await made.digit("1")
        pop = await made.seen(lambda event: isinstance(event, Pop))
        assert pop.extension == "1001"
        assert 0 <= pop.body.pop("wait_ms") < 10_000
        assert pop.body.pop("call_id") in made.live.state.calls
        assert pop.body == {
            "extension": "1001", "caller_number": CALLER, "caller_name": "", "did": "075588886666", "did_name": "总机",
            "queue": "sales", "queue_name": "销售", "menu_path": ["main:1"],
            "menu_names": {"main": "主菜单"},
        }  # fmt: skip
        await made.until(lambda: made.seat("1001") == "ringing")
        await answered(made, "1001")
        await made.seats_phones.send("hold", ext="1001", on=True)
        await made.until(lambda: made.seat("1001") == "held")
        await made.seats_phones.send("hold", ext="1001", on=False)
        await made.until(lambda: made.seat("1001") == "talking")
        assert [(channel.endpoint, on) for channel, on in made.holds] == [("1001", True), ("1001", False)]
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: made.seat("1001") == "wrap_up")
        await made.members_become("sales", {"1001": "wrap_up"}, limit_s=1.5)
        await made.until(lambda: made.seat("1001") == "idle", limit_s=4)
        await made.members_become("sales", {"1001": None})


async def test_idle_ends_wrap_up_early_and_busy_waits_for_the_end_of_the_call(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        await made.call_in()
        await made.digit("1")
        await answered(made, "1001")
        await made.sit("1001", busy="meeting")
        assert made.seat("1001") == "talking"
        await made.members_become("sales", {"1001": "busy"})
        await made.seats_phones.send("hangup", ext="1001")
        await made.until(lambda: made.seat("1001") == "busy")
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        mark = made.seats_phones.mark()
        await made.call_in(caller="13900139000")
        await made.digit("1", caller="13900139000")
        await made.seats_phones.wait("ringing", ext="1001", since=mark)
        await made.seats_phones.send("answer", ext="1001")
        await made.until(lambda: made.seat("1001") == "talking")
        await made.outside.send("hangup", ext="13900139000")
        await made.until(lambda: made.seat("1001") == "wrap_up")
        await made.sit("1001")
        await made.until(lambda: made.seat("1001") == "idle", limit_s=1)
        await made.members_become("sales", {"1001": None})


async def test_a_direct_call_pops_and_gives_no_wrap_up(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.sit("1001")
        await made.call_in(DIRECT_NUMBER)
        pop = await made.seen(lambda event: isinstance(event, Pop))
        assert (pop.extension, pop.body["queue"], pop.body["did_name"]) == ("1001", "", "张三专线")
        await answered(made, "1001")
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: made.seat("1001") == "idle")


async def test_seats_are_there_again_after_asterisk_restarts(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.sit("1001")
        await made.sit("1002", busy="lunch")
        await made.members_become("sales", {"1001": None, "1002": "busy"})
        # As if the restart had lost them: a change within the last moments is not in Asterisk's own store.
        await made.box.cli("database deltree Queue")
        mark = len(made.events)
        await made.control.restart(limit_s=20)
        up = await made.seen(lambda event: isinstance(event, AsteriskUp), since=mark)
        assert up.restarted
        await made.members_become("sales", {"1001": None, "1002": "busy"})
        await made.members_become("support", {"1001": None})


async def test_members_that_nobody_sits_for_are_taken_out(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.sit("1001")
        await made.members_become("sales", {"1001": None})
        await made.box.cli("queue add member PJSIP/1003 to sales")
        await made.members_become("sales", {"1001": None})
        await made.box.cli("queue pause member PJSIP/1001 queue sales reason stranger")
        await made.members_become("sales", {"1001": None})


async def test_a_restarted_agent_finds_its_seats_as_they_were(root: Path, tmp_path: Path) -> None:
    async with house(root, tmp_path) as made:
        await made.phone("1001")
        await made.sit("1001")
        await made.sit("1002", busy="lunch")
        await made.members_become("sales", {"1001": None, "1002": "busy"})
        await made.call_in()
        await made.digit("1")
        await answered(made, "1001")
        await made.outside.send("hangup", ext=CALLER)
        await made.until(lambda: made.seat("1001") == "wrap_up")
        again = Seats(
            store=SeatStore(made.database), ami=made.link.ami, live=made.live, config=made.config, bus=made.bus,
            clock=made.clock,
        )  # fmt: skip
        mark = len(made.events)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(again.run())
            found = {seat["user_id"]: (seat["state"], seat["reason"]) for seat in await again.all()}
            assert found["1001"] == ("wrap_up", "")
            assert found["1002"] == ("busy", "lunch")
            await made.seen(
                lambda e: isinstance(e, LiveChanged) and e.id == "1001" and e.object and e.object["state"] == "idle",
                since=mark, limit_s=5,
            )  # fmt: skip
            await made.members_become("sales", {"1001": None, "1002": "busy"})
            running.cancel()
