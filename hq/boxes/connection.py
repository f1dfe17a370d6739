"""One box's live socket: its last state, and the commands that wait for a result."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog
from aiohttp import ClientConnectionResetError, WSMessage, WSMsgType, web

from appliance_agent.kernel.errors import Fault, FaultKind
from contracts.live import COMMAND_S, Say, State

log = structlog.get_logger()

AT_ONCE = 8
"""Commands under way at one box; the box refuses more."""
CLOSE_S = 1.0
"""For the other end to close, too; then it is cut."""


class Connection:
    def __init__(self, socket: web.WebSocketResponse, serial: str, since_us: int) -> None:
        self._socket, self.serial, self.since_us = socket, serial, since_us
        self.state: State | None = None
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def command(self, name: str, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
        if len(self._waiting) >= AT_ONCE:
            raise Fault(FaultKind.TOO_MANY, "box.busy", f"{AT_ONCE} commands wait for this box.", retry_after_s=5)
        id_ = secrets.token_hex(8)
        result: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = result
        text = json.dumps({"type": Say.COMMAND, "id": id_, "name": name, "arguments": dict(arguments), "by": by})
        try:
            async with asyncio.timeout(COMMAND_S):
                await self._socket.send_str(text)
                return await result
        except TimeoutError as error:
            raise Fault(
                FaultKind.UNAVAILABLE, "box.silent", f"The box did not answer {name} within {COMMAND_S} s.",
                hint="Whether it was carried out is not known: look at the box before trying again.",
            ) from error  # fmt: skip
        except (ConnectionError, ClientConnectionResetError) as error:
            raise _broke() from error
        finally:
            del self._waiting[id_]

    async def news(self) -> AsyncIterator[None]:
        """Each time the state is another one, until the socket is closed."""
        async for message in self._socket:
            said = said_of(message)
            kind = said.get("type") if said else None
            if said and kind == Say.STATE:
                try:
                    self.state = read_state(said)
                except (TypeError, KeyError) as error:
                    log.warning("a box's state cannot be read", reason=str(error)[:200])
                else:
                    yield
            elif said and kind == Say.RESULT:
                self._settle(said)
            # Anything else is of a newer box.

    def give_up(self, box: str) -> None:
        """The socket is closed: nobody will answer."""
        for result in self._waiting.values():
            if not result.done():
                result.set_exception(_broke())
        if self._waiting:
            log.info("commands lost with the live socket", box=box, count=len(self._waiting))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close()
        except TimeoutError:
            log.info("a live socket does not close in order")

    def _settle(self, said: Mapping[str, Any]) -> None:
        result = self._waiting.get(str(said.get("id")))
        if result is None or result.done():
            return  # it came too late
        answer, error = said.get("result"), said.get("error")
        if said.get("ok") is True and isinstance(answer, dict):
            result.set_result(answer)
        else:
            result.set_exception(_refusal(error if isinstance(error, dict) else {}))


def said_of(message: WSMessage) -> dict[str, Any] | None:
    """None for what is no JSON object."""
    if message.type is not WSMsgType.TEXT:
        return None
    try:
        said = json.loads(message.data)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def read_state(said: Mapping[str, Any]) -> State:
    """Raises TypeError, KeyError."""
    return State(
        at_us=_whole(said["at_us"]), calls=_whole(said["calls"]), waiting=_whole(said["waiting"]),
        agents={str(name): _whole(count) for name, count in dict(said["agents"]).items()},
        trunks={str(name): str(state) for name, state in dict(said["trunks"]).items()},
        alarms={str(name): _whole(count) for name, count in dict(said["alarms"]).items()},
        backlog=_whole(said["backlog"]),
    )  # fmt: skip


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(f"{value!r:.40} is no count")
    return value


def _refusal(error: Mapping[str, Any]) -> Fault:
    """The box's own words."""
    key, message, hint = (str(error.get(name, ""))[:500] for name in ("code", "message", "hint"))
    return Fault(FaultKind.CONFLICT, key[:64] or "box.refused", message or "The box refused it.", hint=hint)


def _broke() -> Fault:
    return Fault(
        FaultKind.UNAVAILABLE, "box.gone", "The connection to the box broke before it answered.",
        hint="Whether it was carried out is not known: look at the box before trying again.",
    )  # fmt: skip
