"""What the two ends of a probe send each other, and how each knows that the other one sent it. Pure.

Who asks proves that it has the peers' secret (`Hello`) and that it is where its packets come from (`Ask`, which bears
what `Challenge` brought there). From then on everything bears a code made with the key of this one probe. No answer is
longer than what it answers, but for reports, which go only to where `Ask` came from.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar, Self

from appliance_agent.linkprobe.plan import STEPS, Step
from appliance_agent.linkprobe.windows import BYTES as WINDOW_BYTES
from appliance_agent.linkprobe.windows import Window

CODE_BYTES = NONCE_BYTES = 16
ID_BYTES = 8
LONGEST = 1400
"""Bytes of a datagram of ours, at most."""
REPORTED = 16
"""Windows in one report, at most."""


class End(StrEnum):
    """Who sends: a code of one end is none of the other's, so that nothing can be sent back as it came."""

    CALLER = "caller"
    ANSWERER = "answerer"


class Said(IntEnum):
    """An answer to `Ask`."""

    YES = 0
    BUSY = 1
    """Another probe runs there."""
    CALLS = 2
    """Calls are up there, and nobody has said that it may be all the same."""
    TOO_MUCH = 3
    """More than a probe may."""


@dataclass(frozen=True, slots=True)
class Hello:
    FORM: ClassVar = struct.Struct(f"!{ID_BYTES}s{NONCE_BYTES}s20x")
    peer: bytes
    """`peer_id` of the secret."""
    mine: bytes
    """Random; of who asks."""

    def packed(self) -> bytes:
        return self.FORM.pack(self.peer, self.mine)

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        return cls(*cls.FORM.unpack(data)) if len(data) == cls.FORM.size else None


@dataclass(frozen=True, slots=True)
class Challenge:
    FORM: ClassVar = struct.Struct(f"!{NONCE_BYTES}s{NONCE_BYTES}s")
    mine: bytes
    theirs: bytes
    """Of who answers; known only to who receives at the address from which `Hello` came."""

    def packed(self) -> bytes:
        return self.FORM.pack(self.mine, self.theirs)

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        return cls(*cls.FORM.unpack(data)) if len(data) == cls.FORM.size else None


@dataclass(frozen=True, slots=True)
class Ask:
    FORM: ClassVar = struct.Struct(f"!{ID_BYTES}s{NONCE_BYTES}s{NONCE_BYTES}s?{2 * STEPS}s")
    peer: bytes
    mine: bytes
    theirs: bytes
    steps: tuple[Step, ...]
    in_spite_of_calls: bool

    def packed(self) -> bytes:
        told = b"".join(bytes((step.streams, step.seconds)) for step in self.steps)
        return self.FORM.pack(self.peer, self.mine, self.theirs, self.in_spite_of_calls, told)

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        if len(data) != cls.FORM.size:
            return None
        peer, mine, theirs, in_spite, told = cls.FORM.unpack(data)
        pairs = zip(told[::2], told[1::2], strict=True)
        return cls(peer, mine, theirs, tuple(Step(*pair) for pair in pairs if any(pair)), in_spite)


@dataclass(frozen=True, slots=True)
class Answer:
    FORM: ClassVar = struct.Struct(f"!{NONCE_BYTES}sBH")
    theirs: bytes
    said: Said
    calls: int
    """Up there now."""

    def packed(self) -> bytes:
        return self.FORM.pack(self.theirs, self.said, min(self.calls, 0xFFFF))

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        if len(data) != cls.FORM.size:
            return None
        theirs, said, calls = cls.FORM.unpack(data)
        return cls(theirs, Said(said), calls) if said in set(Said) else None


@dataclass(frozen=True, slots=True)
class ReportAsk:
    FORM: ClassVar = struct.Struct("!H")
    first: int
    """Number of the first window that is not known yet."""

    def packed(self) -> bytes:
        return self.FORM.pack(self.first)

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        return cls(*cls.FORM.unpack(data)) if len(data) == cls.FORM.size else None


@dataclass(frozen=True, slots=True)
class Report:
    FORM: ClassVar = struct.Struct("!H")
    first: int
    windows: tuple[Window, ...]

    def packed(self) -> bytes:
        return self.FORM.pack(self.first) + b"".join(window.packed() for window in self.windows)

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        count, rest = divmod(len(data) - cls.FORM.size, WINDOW_BYTES)
        if rest or not 0 <= count <= REPORTED:
            return None
        starts = range(cls.FORM.size, len(data), WINDOW_BYTES)
        windows = tuple(Window.parsed(data[at : at + WINDOW_BYTES]) for at in starts)
        return cls(cls.FORM.unpack_from(data)[0], windows)


@dataclass(frozen=True, slots=True)
class Bye:
    """The probe is over, now."""

    def packed(self) -> bytes:
        return b""

    @classmethod
    def parsed(cls, data: bytes) -> Self | None:
        return None if data else cls()


Message = Hello | Challenge | Ask | Answer | ReportAsk | Report | Bye
KINDS: tuple[type[Message], ...] = (Hello, Challenge, Ask, Answer, ReportAsk, Report, Bye)
"""A message's first byte is its place here. RTP's is 128 and above."""


def secret_key(secret: str) -> bytes:
    return hashlib.blake2b(secret.encode(), person=b"sa800 link probe", digest_size=32).digest()


def peer_id(key: bytes) -> bytes:
    """Which of its peers asks, for who answers."""
    return hashlib.blake2b(b"peer", key=key, digest_size=ID_BYTES).digest()


def session_key(key: bytes, mine: bytes, theirs: bytes) -> bytes:
    return hashlib.blake2b(mine + theirs, key=key, digest_size=32).digest()


def code(key: bytes, end: End, data: bytes) -> bytes:
    return hashlib.blake2b(data, key=key, person=end.encode(), digest_size=CODE_BYTES).digest()


def sealed(message: Message, key: bytes, end: End) -> bytes:
    data = bytes((KINDS.index(type(message)),)) + message.packed()
    return data + code(key, end, data)


def opened(datagram: bytes, key: bytes, end: End) -> Message | None:
    """What `end` sent with this key; None for anything else, also from a peer of another release."""
    data, told = datagram[:-CODE_BYTES], datagram[-CODE_BYTES:]
    if len(datagram) > LONGEST or not data or not hmac.compare_digest(told, code(key, end, data)):
        return None
    return KINDS[data[0]].parsed(data[1:]) if data[0] < len(KINDS) else None


def asker(datagram: bytes) -> bytes | None:
    """Which peer a `Hello` or an `Ask` says that it is of; nothing is proved yet."""
    for kind in (Hello, Ask):
        length = 1 + kind.FORM.size + CODE_BYTES
        if len(datagram) == length and datagram[0] == KINDS.index(kind):
            return datagram[1 : 1 + ID_BYTES]
    return None
