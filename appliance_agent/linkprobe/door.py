"""Whom a box answers that is asked for a probe: its configured peers, once proved, one at a time. Pure.

Until an `Ask` was right nothing is kept of anybody but the numbers of the last greetings, so that neither strangers nor
recorded packets cost memory. What a recorded packet brings is at most one `Challenge`, shorter than itself.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance_agent.linkprobe.plan import Step, refusal
from appliance_agent.linkprobe.wire import (
    NONCE_BYTES,
    Answer,
    Ask,
    Challenge,
    End,
    Hello,
    Said,
    asker,
    opened,
    peer_id,
    sealed,
    secret_key,
    session_key,
)

Source = tuple[str, int]
"""IPv4 address and port."""

CHALLENGES_PER_SECOND = 20
REMEMBERED = 512
"""Greetings that are not answered again."""
BUCKET_S = 10
"""A challenge is good for one to two of these."""


@dataclass(frozen=True, slots=True)
class Reply:
    datagram: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """A probe begins."""

    peer: str
    """Its id in the configuration."""
    key: bytes
    answer: bytes
    """To be sent now, and again whenever `ask` comes again."""
    ask: bytes
    source: Source
    steps: tuple[Step, ...]


class Door:
    def __init__(self, secrets: Mapping[str, str], own: bytes, calls: Callable[[], int]) -> None:
        """`secrets`: of each peer, by its id. `own`: random, of this door. `calls`: how many are up now."""
        keys = {name: secret_key(secret) for name, secret in secrets.items()}
        self._peers = {peer_id(key): (name, key) for name, key in keys.items()}
        self._own, self._calls = own, calls
        self._greeted: OrderedDict[bytes, None] = OrderedDict()
        self._challenges: deque[float] = deque(maxlen=CHALLENGES_PER_SECOND)
        self._used: deque[tuple[float, bytes]] = deque()
        """Challenges that opened a probe, while they are good."""

    def take(self, datagram: bytes, source: Source, now_s: float, *, busy: bool) -> Reply | Opened | None:
        """One datagram of anybody's. `busy`: a probe runs. None: it is not answered."""
        name, key = self._peers.get(asker(datagram) or b"", ("", b""))
        if not name:
            return None
        match opened(datagram, key, End.CALLER):
            case Hello(_, mine):
                return self._challenge(mine, key, source, now_s)
            case Ask() as ask if self._fresh(ask, source, now_s):
                said, answer = self._answer(ask, key, busy=busy)
                if said is not Said.YES:
                    return Reply(answer)
                self._used.append((now_s, ask.theirs))
                return Opened(name, session_key(key, ask.mine, ask.theirs), answer, datagram, source, ask.steps)
        return None

    def _challenge(self, mine: bytes, key: bytes, source: Source, now_s: float) -> Reply | None:
        too_many = len(self._challenges) == CHALLENGES_PER_SECOND and now_s - self._challenges[0] < 1
        if mine in self._greeted or too_many:
            return None
        self._greeted[mine] = None
        if len(self._greeted) > REMEMBERED:
            self._greeted.popitem(last=False)
        self._challenges.append(now_s)
        theirs = self._nonce(mine, source, int(now_s // BUCKET_S))
        return Reply(sealed(Challenge(mine, theirs), key, End.ANSWERER))

    def _fresh(self, ask: Ask, source: Source, now_s: float) -> bool:
        bucket = int(now_s // BUCKET_S)
        while self._used and now_s - self._used[0][0] > 2 * BUCKET_S:
            self._used.popleft()
        ours = {self._nonce(ask.mine, source, bucket), self._nonce(ask.mine, source, bucket - 1)}
        return ask.theirs in ours and ask.theirs not in {theirs for _, theirs in self._used}

    def _answer(self, ask: Ask, key: bytes, *, busy: bool) -> tuple[Said, bytes]:
        calls = self._calls()
        said = Said.YES
        if refusal(ask.steps):
            said = Said.TOO_MUCH
        elif busy:
            said = Said.BUSY
        elif calls and not ask.in_spite_of_calls:
            said = Said.CALLS
        return said, sealed(Answer(ask.theirs, said, calls), key, End.ANSWERER)

    def _nonce(self, mine: bytes, source: Source, bucket: int) -> bytes:
        """Ours to make again: nothing is kept of who greeted."""
        told = f"{source[0]} {source[1]} {bucket} ".encode() + mine
        return hashlib.blake2b(told, key=self._own, digest_size=NONCE_BYTES).digest()
