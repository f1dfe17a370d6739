"""Asterisk's manager interface, as little as the tests need: actions, and events in the order they came."""

import itertools
import time

from wire import LIMIT_S, Wire, WireError

Message = dict[str, str]


class AmiError(WireError):
    """Asterisk refused an action, said nothing in time, or the event waited for did not come."""


def parse(block: bytes) -> Message:
    """One message; of a repeated key (output of a command) the lines are joined."""
    message: Message = {}
    for line in block.decode(errors="replace").split("\r\n"):
        key, _, value = line.partition(": ")
        message[key] = f"{message[key]}\n{value}" if key in message else value
    return message


class Ami:
    """Reads only when asked to wait; nothing is lost meanwhile, the socket keeps it."""

    def __init__(self, address: tuple[str, int], limit_s: float = LIMIT_S) -> None:
        self.events: list[Message] = []
        self._ids = itertools.count(1)
        self._wire = Wire(address, "Asterisk", greeting=b"Asterisk Call Manager", end=b"\r\n\r\n", limit_s=limit_s)
        self.action("Login", Username="board", Secret="board")
        self.wait("FullyBooted", limit_s=limit_s)

    def _read(self, deadline: float) -> Message | None:
        """The next message; None when the time is over."""
        block = self._wire.read(deadline)
        return None if block is None else parse(block)

    def action(
        self, name: str, *, variables: Message | None = None, limit_s: float = LIMIT_S, **fields: str
    ) -> Message:
        """Sends an action and waits for its response. Raises AmiError when that is an error."""
        action_id = f"b{next(self._ids)}"
        lines = [f"Action: {name}", f"ActionID: {action_id}", *(f"{key}: {value}" for key, value in fields.items())]
        lines += [f"Variable: {key}={value}" for key, value in (variables or {}).items()]
        self._wire.send("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        deadline = time.monotonic() + limit_s
        while message := self._read(deadline):
            if message.get("ActionID") == action_id and "Response" in message:
                if message["Response"] == "Error":
                    raise AmiError(f"{name}: {message.get('Message')}")
                return message
            self.events.append(message)
        raise AmiError(f"{name}: no response in {limit_s:g} s")

    def command(self, line: str) -> str:
        return self.action("Command", Command=line).get("Output", "")

    def wait(self, event: str, *, since: int = 0, limit_s: float = LIMIT_S, **fields: str) -> Message:
        """The first such event with these fields from `events[since]` on, past or to come.

        Raises AmiError when none comes in time.
        """
        deadline = time.monotonic() + limit_s
        wanted = {"Event": event, **fields}.items()
        seen = since
        while True:
            for message in self.events[seen:]:
                if wanted <= message.items():
                    return message
            seen = len(self.events)
            news = self._read(deadline)
            if news is None:
                last = [one.get("Event") for one in self.events[-20:]]
                raise AmiError(f"no {event} {fields} in {limit_s:g} s; the last events: {last}")
            self.events.append(news)
