"""The lines over HTTP: what is in the box, one line, its history, cards forgotten and replaced; who may."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance_agent.asterisk.dahdi import DahdiChannel
from appliance_agent.asterisk.link import Link
from appliance_agent.asterisk.models import Channel
from appliance_agent.calls.live_service import LiveCalls
from appliance_agent.features.lines.api import LinesApi
from appliance_agent.features.lines.service import Lines
from appliance_agent.http.route import Identity
from hal.sim.words import card
from tests.unit.lines_kit import Site, site
from tests.unit.people_agent import add_user, agent, log_in, send, set_up

SLOT = "pci:0000:05:00.0"


@dataclass
class Panel:
    lines: Site
    admin: aiohttp.ClientSession
    technician: aiohttp.ClientSession
    supervisor: aiohttp.ClientSession
    audited: list[tuple[str, Any]]

    async def get(self, path: str) -> Any:
        status, body = await send(self.technician, "GET", path)
        assert status == 200, body
        return body


async def no_hold(_channel: Channel, _on: bool) -> None:
    """Nobody holds here."""


@pytest.fixture
async def panel(tmp_path: Path) -> AsyncIterator[Panel]:
    audited: list[tuple[str, Any]] = []

    async def audit(_who: Identity, action: str, detail: Any) -> None:
        audited.append((action, detail))

    async with AsyncExitStack() as stack:
        lines = await stack.enter_async_context(site(tmp_path))
        link = Link(lines.bus, secrets=tmp_path, seen=tmp_path)
        service = Lines(
            box=lines.box, cards=lines.cards, watch=lines.watch, channels=lines.channels, history=lines.history,
            live=LiveCalls(link, lines.bus, lines.clock, lines.config, no_hold), clock=lines.clock, blocks=lines.blocks,
            traces=lines.traces, tests=lines.tests, simulated=True,
        )  # fmt: skip
        running = await stack.enter_async_context(agent(tmp_path / "agent", LinesApi(service, audit).routes()))
        admin, technician, supervisor = [await stack.enter_async_context(running.client()) for _ in range(3)]
        await set_up(admin)
        for client, role in (technician, "technician"), (supervisor, "supervisor"):
            await add_user(admin, role, role=role)
            await log_in(client, role)
        await lines.line("e1-1", "in_service")
        yield Panel(lines, admin, technician, supervisor, audited)


async def test_what_is_in_the_box(panel: Panel) -> None:
    body = await panel.get("/lines")
    assert (body["product"], body["analog_limit"], body["e1_limit"]) == ("SA800", 12, 12)
    assert (body["simulated"], body["fault"], body["probed"]) == (True, "", True)
    e1, fxo = body["cards"]
    assert (e1["position"], e1["present"], len(e1["spans"])) == (SLOT, True, 4)
    assert [port["line"] for port in fxo["spans"][0]["ports"]] == ["fxo-1", "fxo-2", "fxo-3", "fxo-4"]
    assert [line["id"] for line in body["lines"]][:2] == ["e1-1", "e1-2"]


async def test_one_line(panel: Panel) -> None:
    found = panel.lines.cards.found
    assert found is not None
    line = found.line("e1-2")
    assert line is not None
    assert line.channel is not None
    panel.lines.channels.now = {line.channel + 4: DahdiChannel(line.channel + 4, "1.5", False)}
    await panel.lines.line("e1-2", "in_call")
    body = await panel.get("/lines/e1-2")
    assert body["line"]["calls"] == [5]
    assert body["calls"] == [{"timeslot": 5, "call_id": ""}]
    assert body["framing"] == {"coding": "hdb3", "common_channel": True, "crc4": False}
    assert (body["span"], body["channel"]) == (2, 32)
    assert "span_counters" in body["can"]


async def test_history(panel: Panel) -> None:
    panel.lines.happens("alarm 1 red")
    await panel.lines.alarm("line.alarm", "e1-1")
    body = await panel.get("/lines/e1-1/history?hours=1")
    assert [(one["alarm"], one["until"]) for one in body["alarms"]] == [("red", None)]
    assert body["counts"] == []


@pytest.mark.parametrize("path", ["/lines/e1-99", "/lines/x", "/lines/e1-99/history"])
async def test_no_such_line(panel: Panel, path: str) -> None:
    status, body = await send(panel.technician, "GET", path)
    assert (status, body["error"]["key"]) == (404, "lines.unknown")


async def test_who_may(panel: Panel) -> None:
    for method, path in ("GET", "/lines"), ("POST", "/cards"), ("DELETE", f"/cards/{'0' * 12}"):
        assert (await send(panel.supervisor, method, path))[0] == 403


async def test_a_card_that_is_there_is_not_forgotten(panel: Panel) -> None:
    card_id = (await panel.get("/lines"))["cards"][0]["id"]
    status, body = await send(panel.technician, "DELETE", f"/cards/{card_id}")
    assert (status, body["error"]["key"]) == (409, "cards.present")
    assert (await send(panel.technician, "DELETE", f"/cards/{'0' * 12}"))[0] == 404
    assert panel.audited == []


async def test_a_card_that_went_is_forgotten(panel: Panel) -> None:
    card_id = (await panel.get("/lines"))["cards"][1]["id"]
    panel.lines.happens("pull pci:0000:05:01.0")
    await panel.lines.line("fxo-2", "missing")
    gone = next(one for one in (await panel.get("/lines"))["cards"] if not one["present"])
    assert (gone["id"], gone["spans"][0]["ports"][0]["line"]) == (card_id, "fxo-1")
    status, body = await send(panel.technician, "DELETE", f"/cards/{card_id}")
    assert status == 200
    assert [one["present"] for one in body["cards"]] == [True]
    assert panel.audited == [("cards.forget", {"card": "Wildcard TDM410P at pci:0000:05:01.0"})]
    told = await panel.lines.until(lambda one: one.id == "fxo-2" and one.object is None)
    assert told.kind == "lines"


async def test_another_card_takes_over_the_names(panel: Panel) -> None:
    """A four-port card broke; one of another model came, in another slot: no guess is made, a person says it."""
    panel.lines.happens("pull pci:0000:05:01.0")
    await panel.lines.line("fxo-1", "missing")
    panel.lines.box.plug(card("fxo:8"), "pci:0000:05:07.0")
    await panel.lines.line("fxo-5", "not_configured")
    cards = (await panel.get("/lines"))["cards"]
    old, new = (
        next(one["id"] for one in cards if "410" in one["model"]),
        next(one["id"] for one in cards if "800" in one["model"]),
    )
    status, body = await send(panel.technician, "POST", f"/cards/{new}/replace", {"by": old})
    assert (status, body["error"]["key"]) == (409, "cards.not_replaceable")
    assert (await send(panel.technician, "POST", f"/cards/{old}/replace", {"by": "x"}))[0] == 422
    status, body = await send(panel.technician, "POST", f"/cards/{old}/replace", {"by": new})
    assert status == 200, body
    assert (await panel.lines.line("fxo-1", "in_service"))["label"] == "外线一"
    assert panel.audited[-1][0] == "cards.replace"


async def test_looking_now(panel: Panel) -> None:
    status, body = await send(panel.technician, "POST", "/cards")
    assert (status, len(body["cards"])) == (200, 2)
