"""Analog lines between the line simulator and the device under test (guest/kernel/etc/board/analog/)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ami import Message
from board import Board, Party
from linesim_client import Event, LineSim, Step, hook, play, record, wait
from score import samples, tone_share
from sounds import BUSY_MS, CONGESTION_MS, RING_BACK_MS, TONE_HZ, Sound, cadence, tone

OURS = 16
"""Our end's channel number is the simulator's plus this."""
LINES, TELEPHONES = range(1, 13), range(13, 17)
FLASH_MS = 60
"""What is a flash at the simulator's ends. Short: a tone goes on until an on-hook is told, and a port that waits for
DTMF before the ring takes it for some."""
RING_DEBOUNCE_S = 2.5
"""The kernel tells a port nothing of rings in the 2 s after it was opened or went on hook."""
SIM_HZ = 437.0
EDGE_S = 0.5
"""Left out at both ends of what is scored."""
LEARNED_MS = (500, 250)
"""A foreign exchange's busy tone, as port 27 has learned it."""
SOUNDS: dict[str, Sound] = {
    "dial-tone": tone(1.0, TONE_HZ),
    "ring-back": cadence(RING_BACK_MS),
    "busy": cadence(BUSY_MS),
    "congestion": cadence(CONGESTION_MS),
    "foreign busy": cadence(LEARNED_MS),
    "voice": tone(1.0, SIM_HZ),
}
# 437 whole turns in a second: "voice" goes on without a gap when it is repeated, but for its fades of 2 ms.


@dataclass(frozen=True, slots=True)
class Analog:
    board: Board
    sim: LineSim
    dut: Party

    def heard(self, name: str) -> Sound:
        """What a recording under /srv/heard holds, once it is whole."""
        sound, rate = samples(self.board.fetch(f"heard/{name}.wav"))
        assert rate == 8000
        return sound

    def originate(self, channel: int, number: str = "", *, talk_s: int = 3600) -> str:
        """Our end dials, or rings the telephone. Answers the action's id."""
        asked = self.dut.ami.action(
            "Originate", variables={"TALK_S": str(talk_s)}, Channel=f"DAHDI/{channel}{'/' if number else ''}{number}",
            Context="talk", Exten="s", Priority="1", CallerID='"Zhang San" <075588886666>', Async="true",
            Timeout="60000",
        )  # fmt: skip
        return asked["ActionID"]

    def answered(self, action_id: str) -> str:
        """The unique id of the call that was dialled."""
        began = self.dut.ami.wait("OriginateResponse", ActionID=action_id)
        assert began["Response"] == "Success", began
        return began["Uniqueid"]

    def called(self, since: int) -> Message:
        """A call that has come in since."""
        return self.dut.ami.wait("UserEvent", UserEvent="Called", since=since)

    def dut_heard(self, unique_id: str) -> Sound:
        """What our end heard in a call, once it is over."""
        self.dut.ami.wait("Hangup", Uniqueid=unique_id)
        self.board.fetch(f"heard/{unique_id}.done")
        return self.heard(unique_id)


def share(sound: Sound, hz: float) -> float:
    edge = round(EDGE_S * 8000)
    return tone_share(sound[edge:-edge], 8000, hz)


def answers(digits: int, *then: Step) -> list[Step]:
    """The exchange's line when our port dials out: dial tone until the first of so many digits, then the rest."""
    first = [wait("offhook"), hook("off"), play("dial-tone", times=0, until="digit")]
    return [*first, *[wait("digit")] * (digits - 1), *then]


def talks(name: str, seconds: int) -> list[Step]:
    """Both ends play their tone; ours is recorded at the simulator's end."""
    return [record(name), play("voice", times=seconds), record("")]


def first(events: Sequence[Event], name: str, **fields: object) -> Event:
    return next(one for one in events if one["event"] == name and fields.items() <= one.items())


def digits(events: Sequence[Event]) -> str:
    return "".join(one["digit"] for one in events if one["event"] == "digit")
