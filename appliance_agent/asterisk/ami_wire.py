"""AMI as bytes: `AmiParser.feed(chunk) -> messages` and `encode(action)`. No I/O, no clock.

A message is `Key: Value` lines ended by an empty line. Lines are cut before they are decoded, so a character whose
bytes come in two chunks stays whole.
"""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_LINE_BYTES = 64 * 1024
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""`dialplan show` of a large box is about 1 MB in one message."""


class AmiProtocolError(Exception):
    """The stream is not AMI, or a message is over its limit. The connection cannot be used any longer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One response or event as it came; `asterisk.models` makes typed events of it."""

    fields: tuple[tuple[str, str], ...]

    def get(self, key: str, default: str = "") -> str:
        """The first value of `key`."""
        for name, value in self.fields:
            if name == key:
                return value
        return default

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.fields if name == key]

    @property
    def event(self) -> str:
        """The event's name; "" for a response."""
        return self.get("Event")

    @property
    def action_id(self) -> str:
        return self.get("ActionID")


class AmiParser:
    """Raises AmiProtocolError from `feed`; a parser that raised must not be fed again."""

    def __init__(self, *, max_line: int = MAX_LINE_BYTES, max_message: int = MAX_MESSAGE_BYTES) -> None:
        self._max_line, self._max_message = max_line, max_message
        self._pending = b""
        self._fields: list[tuple[str, str]] = []
        self._size = 0
        self.banner = ""
        """The first line of the stream: "Asterisk Call Manager/11.0.0"."""

    def feed(self, chunk: bytes) -> list[Message]:
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        messages = []
        for line in lines:
            message = self._line(line.removesuffix(b"\r"))
            if message is not None:
                messages.append(message)
        if len(self._pending) > self._max_line:
            raise AmiProtocolError(f"a line is longer than {self._max_line} bytes")
        return messages

    def _line(self, raw: bytes) -> Message | None:
        if len(raw) > self._max_line:
            raise AmiProtocolError(f"a line is longer than {self._max_line} bytes")
        self._size += len(raw)
        if self._size > self._max_message:
            raise AmiProtocolError(f"a message is longer than {self._max_message} bytes")
        text = raw.decode("utf-8", "replace")
        if not self.banner:
            if not text.startswith("Asterisk Call Manager/"):
                raise AmiProtocolError(f"this is no AMI: it begins with {text[:80]!r}")
            self.banner = text
            self._size = 0
            return None
        if not raw:
            fields, self._fields, self._size = tuple(self._fields), [], 0
            return Message(fields) if fields else None
        key, colon, value = text.partition(":")
        # A line without a colon is the rest of a value that held a line break; it belongs to nobody we can name.
        self._fields.append((key, value.removeprefix(" ")) if colon else ("", text))
        return None


def encode(fields: Iterable[tuple[str, str]]) -> bytes:
    """An action. ValueError for a line break or NUL in a key or value: it would begin a header of its own."""
    lines = []
    for key, value in fields:
        if any(char in key + value for char in "\r\n\0"):
            raise ValueError(f"AMI header {key!r} holds a line break")
        lines.append(f"{key}: {value}\r\n")
    return "".join([*lines, "\r\n"]).encode()
