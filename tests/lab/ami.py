"""A small AMI client for the exchange: one socket, one reading thread. Shares no code with the product."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable

Message = dict[str, str]
ANSWER_LIMIT_S = 10.0


class AmiError(RuntimeError):
    """Asterisk refused an action, or the connection is gone."""


class Ami:
    """Listeners are called on the reading thread, in order of arrival; they must not block."""

    def __init__(self, address: str, user: str, secret: str) -> None:
        self._socket = socket.create_connection((address, 5038), timeout=10)
        self._file = self._socket.makefile("rb")
        self._socket.settimeout(None)
        self._ids = itertools.count(1)
        self._answers: dict[str, Message] = {}
        self._news = threading.Condition()
        self._lost = ""
        self.listeners: list[Callable[[Message], None]] = []
        self._file.readline()  # the banner
        self._thread = threading.Thread(target=self._read, name="exchange AMI", daemon=True)
        self._thread.start()
        self.action("Login", Username=user, Secret=secret)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def action(self, name: str, variables: dict[str, str] | None = None, **fields: str) -> Message:
        """Sends and waits for the answer. Raises AmiError; ValueError for a line break in a value."""
        number = fields.pop("ActionID", "") or str(next(self._ids))
        pairs = [("Action", name), ("ActionID", number), *fields.items()]
        pairs += [("Variable", f"{key}={value}") for key, value in (variables or {}).items()]
        if any("\r" in value or "\n" in value for _, value in pairs):
            raise ValueError(f"{name}: a value holds a line break")
        text = "".join(f"{key}: {value}\r\n" for key, value in pairs) + "\r\n"
        self._socket.sendall(text.encode())
        with self._news:
            if not self._news.wait_for(lambda: number in self._answers or self._lost, ANSWER_LIMIT_S):
                raise AmiError(f"{name}: no answer in {ANSWER_LIMIT_S:g} s")
            answer = self._answers.pop(number, None)
        if answer is None:
            raise AmiError(f"{name}: {self._lost}")
        if answer.get("Response") == "Error":
            raise AmiError(f"{name}: {answer.get('Message')}")
        return answer

    def _read(self) -> None:
        try:
            message: Message = {}
            while line := self._file.readline():
                key, colon, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
                if colon:
                    message[key] = value
                elif message and not key.endswith(":"):
                    self._take(message)
                    message = {}
        except (OSError, ValueError):
            pass
        with self._news:
            self._lost = "the connection to the exchange is gone"
            self._news.notify_all()

    def _take(self, message: Message) -> None:
        if "Event" in message:
            for listener in tuple(self.listeners):
                listener(message)
        elif "ActionID" in message:
            with self._news:
                self._answers[message["ActionID"]] = message
                self._news.notify_all()
