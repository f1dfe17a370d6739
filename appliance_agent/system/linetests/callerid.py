"""What an exchange says of a caller before it connects: FSK data between the first rings, or DTMF before them. Pure.

FSK by ETSI EN 300 659 and Bell 202: 1200 bit/s, characters of 8 bits between start and stop bit, a message of type,
length, fields and checksum. Marks are 1200 or 1300 Hz, spaces 2200 or 2100 Hz: over one bit neither modem can be told
from the middle of both, so that one ear serves.
"""

import array
import cmath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RATE_HZ, BAUD = 8000, 1200
STEP = RATE_HZ / BAUD
"""Samples a bit."""
WINDOW = 7
"""About a bit."""
MARK_HZ, SPACE_HZ = 1250, 2150
TABLE = 160
"""Samples after which both are where they were."""
QUIET = 30.0**2
"""Mean square below which there is nothing: -60 dBm0."""
MULTIPLE, SINGLE = 0x80, 0x04
NUMBER, WITHHELD, NAME = 0x02, 0x04, 0x07
LONGEST_TEXT = 40
_DTMF = re.compile(r"[ABD]([0-9*#]{1,24})[CD#]?|([0-9]{3,24})")


@dataclass(frozen=True, slots=True)
class Caller:
    how: str
    """fsk or dtmf"""
    number: str
    name: str = ""
    withheld: bool = False


def caller_of(sound: bytes, digits: str) -> Caller | None:
    """`sound`: 16-bit samples at 8000 Hz; `digits`: DTMF that was heard in it. None: nothing was told."""
    for data in _messages(_marks(array.array("h", sound))):
        if (caller := _caller(data)) is not None:
            return caller
    if found := _DTMF.search(digits):
        return Caller("dtmf", found[1] or found[2])
    return None


def _marks(sound: Sequence[int]) -> list[bool]:
    """By sample, whether a mark is heard; silence counts as one, as between characters."""
    marks = [True] * len(sound)
    turns = [[cmath.exp(-2j * cmath.pi * hz * at / RATE_HZ) for at in range(TABLE)] for hz in (MARK_HZ, SPACE_HZ)]
    power, mark, space = 0, 0j, 0j
    for place, here in enumerate(sound):
        gone = sound[place - WINDOW] if place >= WINDOW else 0
        now, then = place % TABLE, (place - WINDOW) % TABLE
        power += here * here - gone * gone
        mark += here * turns[0][now] - gone * turns[0][then]
        space += here * turns[1][now] - gone * turns[1][then]
        if power > QUIET * WINDOW and place >= WINDOW:
            marks[place - WINDOW // 2] = abs(mark) > abs(space)
    return marks


def _messages(marks: list[bool]) -> Iterator[bytes]:
    """Data of messages whose checksum is right, each with its type first."""
    place = 1
    while place < len(marks):
        if marks[place] or not marks[place - 1]:
            place += 1
            continue
        data = _characters(marks, place)
        if len(data) > 2 and data[0] in {MULTIPLE, SINGLE} and len(data) > data[1] + 2:
            whole = data[: data[1] + 3]
            if sum(whole) % 256 == 0:
                yield whole[:-1]
                place += round(len(whole) * 10 * STEP)
                continue
        place += 1


def _characters(marks: list[bool], start: int) -> bytes:
    """From this start bit on, until one has no stop bit; each begins at its own start bit's edge."""
    data = bytearray()
    while len(data) < 260:
        bits = [start + round((bit + 0.5) * STEP) for bit in range(10)]
        if bits[-1] >= len(marks) or marks[bits[0]] or not marks[bits[-1]]:
            break
        data.append(sum(marks[at] << bit for bit, at in enumerate(bits[1:9])))
        if data[0] not in {MULTIPLE, SINGLE}:
            break
        # The next start bit: at once, or after some marks.
        start = next((at for at in range(bits[-1], min(bits[-1] + 100, len(marks))) if not marks[at]), len(marks))
    return bytes(data)


def _caller(data: bytes) -> Caller | None:
    fields = dict(_fields(data))
    number, name = _text(fields.get(NUMBER, b"")), _text(fields.get(NAME, b""))
    withheld = WITHHELD in fields or number in {"O", "P"}
    return Caller("fsk", "" if withheld else number, name, withheld) if number or withheld else None


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, content). A single data message is date (8) and number."""
    if data[0] == SINGLE:
        yield NUMBER, data[10:]
        return
    place = 2
    while place + 2 <= len(data):
        end = place + 2 + data[place + 1]
        yield data[place], data[place + 2 : end]
        place = end


def _text(raw: bytes) -> str:
    text = raw.decode("gb18030", "replace")
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_TEXT]
