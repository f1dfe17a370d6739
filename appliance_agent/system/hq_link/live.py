"""The live socket: what is now, at most twice a second; what HQ asks of the box, with a limit on all of it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import aiohttp
import structlog

from appliance_agent.kernel.bus import Bus
from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.events import LiveChanged
from appliance_agent.system.hq_link.answers import Away
from contracts.live import COMMAND_S, LIVE_PATH, MOST_BYTES, STATE_S, VERSION, Inventory, Say, State

log = structlog.get_logger()

Command = Callable[[Mapping[str, Any], str], Awaitable[dict[str, Any]]]
"""arguments, by whom → result. Raises Fault."""
STATE_GAP_S = 0.5
AT_ONCE = 8
"""Commands; more are refused."""
HEARTBEAT_S = 20.0
CONNECT_S = 15.0


class Live:
    def __init__(self, *, bus: Bus, now: Callable[[], Awaitable[State]], commands: Mapping[str, Command]) -> None:
        self._bus, self._now, self._commands = bus, now, commands
        self.connected_us: int | None = None

    async def talk(
        self, http: aiohttp.ClientSession, *, address: str, box: str, epoch: str, inventory: Inventory, at_us: int
    ) -> None:
        """Until the socket is closed. Raises Away."""
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await http.ws_connect(
                    f"https://{address}{LIVE_PATH}", heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Away("unreachable", f"no live socket to HQ: {error or type(error).__name__}") from error
        hello = {"version": VERSION, "box": box, "epoch": epoch, "inventory": asdict(inventory)}
        try:
            await _say(socket, Say.HELLO, hello)
            self.connected_us = at_us
            await self._both_ways(socket)
        except (OSError, aiohttp.ClientError) as error:
            raise Away("unreachable", f"the live socket broke: {error}") from error
        finally:
            self.connected_us = None
            await socket.close()

    async def _both_ways(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        telling = asyncio.create_task(self._tell(socket), name="live state")
        hearing = asyncio.create_task(self._hear(socket), name="live commands")
        try:
            done, _ = await asyncio.wait((telling, hearing), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (telling, hearing):
                task.cancel()
            await asyncio.gather(telling, hearing, return_exceptions=True)

    async def _tell(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        with self._bus.subscribe(LiveChanged, limit=1) as changes:  # one is enough to know that something changed
            while True:
                await _say(socket, Say.STATE, asdict(await self._now()))
                await asyncio.sleep(STATE_GAP_S)
                try:
                    async with asyncio.timeout(STATE_S - STATE_GAP_S):
                        await changes.get()
                except TimeoutError:
                    continue

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async with asyncio.TaskGroup() as tasks:
            running: set[asyncio.Task[None]] = set()
            async for message in socket:
                command = _command(message)
                if command is None:
                    log.warning("headquarters said what is no command")
                elif len(running) >= AT_ONCE:
                    await _result(socket, command["id"], _too_many())
                else:
                    task = tasks.create_task(self._carry_out(socket, command), name="command of headquarters")
                    running.add(task)
                    task.add_done_callback(running.discard)
            for task in running:  # nobody hears their results any more
                task.cancel()

    async def _carry_out(self, socket: aiohttp.ClientWebSocketResponse, command: Mapping[str, Any]) -> None:
        name, by = str(command.get("name"))[:64], str(command.get("by", ""))[:64]
        log.info("command of headquarters", command=name, by=by)
        outcome: dict[str, Any] | Fault
        try:
            known = self._commands.get(name)
            if known is None:
                raise Fault(FaultKind.INVALID, "hq.command", f"this box knows no command {name!r}")
            arguments = command.get("arguments", {})
            if not isinstance(arguments, dict):
                raise Fault(FaultKind.INVALID, "hq.command", "arguments are an object")
            async with asyncio.timeout(COMMAND_S):
                outcome = await known(arguments, by)
        except Fault as fault:
            outcome = fault
        except TimeoutError:
            outcome = Fault(FaultKind.UNAVAILABLE, "hq.command_late", f"{name} took more than {COMMAND_S} s")
        except Exception as error:  # a bug of ours must not close the socket for all others
            log.exception("command of headquarters failed", command=name)
            outcome = Fault(FaultKind.INTERNAL, "hq.command_failed", type(error).__name__)
        with contextlib.suppress(OSError, aiohttp.ClientError):  # the socket is over, and who reads it knows it too
            await _result(socket, command["id"], outcome)


def _command(message: aiohttp.WSMessage) -> dict[str, Any] | None:
    """None for anything else."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return None
    try:
        said = json.loads(message.data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("type") != Say.COMMAND or not isinstance(said.get("id"), str | int):
        return None
    return said


def _too_many() -> Fault:
    return Fault(FaultKind.TOO_MANY, "hq.busy", f"{AT_ONCE} commands are being carried out", hint="Try again later.")


async def _result(
    socket: aiohttp.ClientWebSocketResponse, id_: str | int, outcome: dict[str, Any] | Fault
) -> None:  # fmt: skip
    if isinstance(outcome, Fault):
        error = {"code": outcome.key, "message": outcome.message, "hint": outcome.hint}
        await _say(socket, Say.RESULT, {"id": id_, "ok": False, "error": error})
    else:
        await _say(socket, Say.RESULT, {"id": id_, "ok": True, "result": outcome})


async def _say(socket: aiohttp.ClientWebSocketResponse, what: Say, body: Mapping[str, Any]) -> None:
    await socket.send_str(json.dumps({"type": what.value, **body}))
