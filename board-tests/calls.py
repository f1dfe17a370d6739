"""One call over one line, seen and heard from both ends."""

from dataclasses import dataclass

from ami import AmiError, Message
from board import Board, Party
from score import samples, tone_share
from sounds import level

LEFT_OUT_S = 1.0
"""At both ends of a talk: the other's tone is not there yet, or its hang-up has not been noticed yet."""


@dataclass(frozen=True, slots=True)
class Seen:
    number: str
    """Called number, as the called end was told; empty on a line that carries none."""
    caller: str
    name: str
    caller_heard: float
    """How much of what the caller heard was the called party's tone, 0..1."""
    called_heard: float
    caller_level: float
    called_level: float
    """Loudness of what was heard, in dBm0."""
    cause: int
    """Q.850, at the called end."""


def heard(board: Board, unique_id: str, hz: float, talk_s: int) -> tuple[float, float]:
    """Of what a channel of the context `talk` heard: how much was that tone, 0..1, and how loud it was, in dBm0."""
    board.fetch(f"heard/{unique_id}.done")
    sound, rate = samples(board.fetch(f"heard/{unique_id}.wav"))
    talk = sound[int(rate * LEFT_OUT_S) : int(rate * (talk_s - LEFT_OUT_S))]
    return tone_share(talk, rate, hz), level(talk)


def dial(
    caller: Party, called: Party, line: str, *, from_: str = "13800138000", talk_s: int = 3600, context: str = "talk",
    keys: str = "",
) -> tuple[Message, Message]:  # fmt: skip
    """`caller` dials `line` (DAHDI/…) and is answered: (OriginateResponse, the event Called). AmiError if it is not.

    `from_`: the caller's number, withheld when empty. `context`: `talk` records what is heard, `tone` does not, `keys`
    presses those.
    """
    since = len(called.ami.events)
    asked = caller.ami.action(
        "Originate", variables={"TALK_S": str(talk_s), "KEYS": keys}, Channel=line, Context=context, Exten="s",
        Priority="1", CallerID=f'"Zhang San" <{from_}>' if from_ else "", Async="true", Timeout="60000",
    )  # fmt: skip
    began = caller.ami.wait("OriginateResponse", ActionID=asked["ActionID"])
    if began["Response"] != "Success":
        causes = [one["Cause"] for one in caller.ami.events if one["Event"] == "Hangup"][-1:]
        raise AmiError(f"{line} was not answered: reason {began['Reason']}, cause of the last hang-up {causes}")
    return began, called.ami.wait("UserEvent", UserEvent="Called", since=since)


def call(board: Board, caller: Party, called: Party, line: str, *, from_: str = "13800138000", talk_s: int = 5) -> Seen:
    """`caller` dials, talks, hangs up. Raises AmiError with what did not come."""
    began, came = dial(caller, called, line, from_=from_, talk_s=talk_s)
    for party, unique_id in ((caller, began["Uniqueid"]), (called, came["Id"])):
        gone = party.ami.wait("Hangup", Uniqueid=unique_id)
    caller_heard, caller_level = heard(board, began["Uniqueid"], called.tone_hz, talk_s)
    called_heard, called_level = heard(board, came["Id"], caller.tone_hz, talk_s)
    return Seen(
        number=came["Number"], caller=came["From"], name=came["Name"], cause=int(gone["Cause"]),
        caller_heard=caller_heard, called_heard=called_heard, caller_level=caller_level, called_level=called_level,
    )  # fmt: skip
