"""The end that asks: proves itself, sends the steps one after the other, gathers what both ends heard."""

import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from appliance_agent.linkprobe.door import Source
from appliance_agent.linkprobe.hearing import SECOND_US
from appliance_agent.linkprobe.plan import PACKET_US, Step
from appliance_agent.linkprobe.result import Failure, Heard, heavy
from appliance_agent.linkprobe.sockets import Arrival, now_us, open_socket, read, wait
from appliance_agent.linkprobe.streams import Streams, Way
from appliance_agent.linkprobe.windows import Window
from appliance_agent.linkprobe.wire import (
    NONCE_BYTES,
    Answer,
    Ask,
    Bye,
    Challenge,
    End,
    Hello,
    Message,
    Report,
    ReportAsk,
    Said,
    opened,
    peer_id,
    sealed,
    secret_key,
    session_key,
)

AGAIN_US = 500_000
"""Between two of the same request."""
ASKED_AT_MOST = 12
BYES = 10
BYE_US = 100_000
"""Between two of them."""
LEAD_US = 200_000
"""Before a step begins."""
UNREPORTED_US = 7_000_000
"""After a step, so long for the last reports of it."""
SILENCE_US = 5_000_000


class Failed(Exception):
    def __init__(self, why: Failure, calls: int = 0) -> None:
        super().__init__(why.value)
        self.why, self.calls = why, calls


@dataclass(frozen=True, slots=True)
class Order:
    host: str
    port: int
    secret: str
    steps: tuple[Step, ...]
    in_spite_of_calls: bool


class Caller:
    def __init__(self, order: Order, tell: Callable[[Heard], None], *files: int) -> None:
        """`tell`: what is known, whenever more is. `files`: one that has something (or has ended) stops the probe."""
        self._order, self._tell, self._files = order, tell, files
        self._secret = secret_key(order.secret)
        self._out: list[Window] = []
        """As the other end reported them."""
        self._places = [(number, second) for number, step in enumerate(order.steps) for second in range(step.seconds)]
        """Step and second of each of them."""

    def run(self) -> bool:
        """False: it ended before its last step, because the link loses so much. Raises Failed."""
        with contextlib.ExitStack() as stack:
            most = max(step.streams for step in self._order.steps)
            there = self._address()
            sockets = [stack.enter_context(_connected(there)) for _ in range(1 + most)]
            self._control, self._sockets = sockets[0], sockets
            self._key = self._admitted()
            self._streams = Streams(self._key, End.CALLER, self._order.steps)
            for stream, made in enumerate(sockets[1:]):
                self._streams.ways[stream] = Way(made, None, proved=True)
            try:
                return all(self._step(number) for number in range(len(self._order.steps)))
            finally:
                self._take_leave()

    # ── before ─────────────────────────────────────────────────────────────────────────────────────
    def _address(self) -> Source:
        """Asked for once: a name may have several addresses, and a probe is of one box."""
        host, port = self._order.host, self._order.port
        try:
            found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise Failed(Failure.ADDRESS) from error
        return str(found[0][4][0]), port

    def _admitted(self) -> bytes:
        """The key of this probe."""
        peer = peer_id(self._secret)
        mine = b""
        for _ in range(ASKED_AT_MOST):
            mine = os.urandom(NONCE_BYTES)
            reply = self._asked(sealed(Hello(peer, mine), self._secret, End.CALLER))
            if isinstance(reply, Challenge) and reply.mine == mine:
                break
        else:
            raise Failed(Failure.NO_ANSWER)
        ask = Ask(peer, mine, reply.theirs, self._order.steps, self._order.in_spite_of_calls)
        for _ in range(ASKED_AT_MOST):
            answer = self._asked(sealed(ask, self._secret, End.CALLER))
            if isinstance(answer, Answer) and answer.theirs == ask.theirs:
                return self._judged(answer, session_key(self._secret, mine, ask.theirs))
        raise Failed(Failure.NO_ANSWER)

    def _judged(self, answer: Answer, key: bytes) -> bytes:
        match answer.said:
            case Said.YES:
                return key
            case Said.BUSY:
                raise Failed(Failure.BUSY)
            case Said.CALLS:
                raise Failed(Failure.CALLS, answer.calls)
            case Said.TOO_MUCH:
                raise Failed(Failure.TOO_MUCH)

    def _asked(self, datagram: bytes) -> Message | None:
        """The reply within half a second, if there is one."""
        with contextlib.suppress(OSError):
            self._control.send(datagram)
        end_us = now_us() + AGAIN_US
        while (left_us := end_us - now_us()) > 0:
            for readable in wait([self._control], left_us, *self._files):
                if isinstance(readable, int):
                    raise Failed(Failure.STOPPED)
                for arrival in read(readable, 1):
                    reply = opened(arrival.datagram, self._secret, End.ANSWERER)
                    if reply is not None:
                        return reply
        return None

    # ── a step ─────────────────────────────────────────────────────────────────────────────────────
    def _step(self, number: int) -> bool:
        """False: no further step."""
        step, streams = self._order.steps[number], self._streams
        begin_us = now_us() + LEAD_US
        for stream in range(step.streams):
            streams.begin(number, stream, begin_us + stream * PACKET_US // step.streams)
        end_us = begin_us + step.seconds * SECOND_US
        streams.last_heard_us = begin_us
        asked_us, known = 0, -1
        while not self._complete(number) and (now := now_us()) < end_us + UNREPORTED_US:
            if now - asked_us >= AGAIN_US:
                asked_us = now
                self._say(ReportAsk(len(self._out)))
                if now > begin_us + SECOND_US:
                    streams.hearings[number].nothing_came(begin_us)
            if not streams.round(self._sockets, self._take, *self._files):
                raise Failed(Failure.STOPPED)
            heard = self._heard()
            if len(heard.out) + len(heard.back) != known:
                known = len(heard.out) + len(heard.back)
                self._tell(heard)
                if heavy(heard.out) or heavy(heard.back):
                    streams.end_talks()
                    return False
            if now_us() - streams.last_heard_us > SILENCE_US:
                raise Failed(Failure.SILENT)
        if not self._complete(number):
            raise Failed(Failure.SILENT)
        return True

    def _complete(self, number: int) -> bool:
        told = sum(window.step == number for window in self._out)
        return self._streams.hearings[number].complete and told == self._order.steps[number].seconds

    def _take(self, arrival: Arrival) -> None:
        match opened(arrival.datagram, self._key, End.ANSWERER):
            case Report(first, windows) if first <= len(self._out):
                self._streams.last_heard_us = arrival.at_us
                known = len(self._out)
                # What comes next by the plan, and no more than there is of it, whatever the other end says.
                for window, (number, second) in zip(windows[known - first :], self._places[known:], strict=False):
                    if not window.fits(number, second, self._order.steps[number]):
                        return
                    self._out.append(window)

    def _heard(self) -> Heard:
        back = [window for hearing in self._streams.hearings for window in hearing.windows]
        return Heard(tuple(self._out), tuple(back), self._streams.least_rtt_us)

    def _take_leave(self) -> None:
        """So that the other end can be asked again at once; it notices by itself, too, after a while."""
        for _ in range(BYES):
            self._say(Bye())
            end_us = now_us() + BYE_US
            while (left_us := end_us - now_us()) > 0:
                for readable in wait([self._control], left_us):
                    for arrival in read(readable, 1):
                        if isinstance(opened(arrival.datagram, self._key, End.ANSWERER), Bye):
                            return

    def _say(self, message: Message) -> None:
        with contextlib.suppress(OSError):
            self._control.send(sealed(message, self._key, End.CALLER))


def _connected(there: Source) -> socket.socket:
    made = open_socket()
    try:
        made.connect(there)
    except OSError as error:
        made.close()
        raise Failed(Failure.ADDRESS) from error
    return made
