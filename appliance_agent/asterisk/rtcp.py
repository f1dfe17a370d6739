"""RTCP as AMI tells it, converted at the door.

Asterisk tells each report twice over: RTCPSent is what it received itself and told the peer (so it is there for peers
that never report), RTCPReceived what the peer says it received. Jitter is in units of the clock of the stream reported
on. `RTT` is the last one known, also in reports that let none be reckoned (LSR 0): then it is not taken.
"""

from dataclasses import dataclass

from appliance_agent.asterisk.ami_wire import Message

_CYCLE = 1 << 16
_NEGATIVE = 1 << 23
"""The cumulative loss is a signed number of 24 bit; duplicates make it negative."""


@dataclass(frozen=True, slots=True)
class Block:
    """What one side received of one stream."""

    ssrc: int
    fraction: int
    """Lost since the report before, in 1/256."""
    lost: int
    """Since the stream began."""
    highest: int
    """Sequence number with its cycles: how many packets lie between two reports."""
    jitter: int
    """In units of the stream's clock."""


@dataclass(frozen=True, slots=True)
class RtcpReport:
    uniqueid: str
    channel: str
    sent: bool
    """By us: `block` is what we received. Else the peer's: what it received of us."""
    block: Block | None
    sender_ntp_s: float | None
    """With sender_rtp, of a sender report: where its own stream stood at its own time."""
    sender_rtp: int | None
    rtt_ms: float | None

    @classmethod
    def from_ami(cls, message: Message) -> "RtcpReport | None":
        """None: it has no channel, or a number in it is none."""
        fields = dict(message.fields)
        try:
            return cls(
                uniqueid=fields["Uniqueid"], channel=fields["Channel"], sent=fields["Event"] == "RTCPSent",
                block=_block(fields),
                sender_ntp_s=float(fields["SentNTP"]) if "SentNTP" in fields else None,
                sender_rtp=int(fields["SentRTP"]) if "SentRTP" in fields else None,
                rtt_ms=_rtt_ms(fields),
            )  # fmt: skip
        except (KeyError, ValueError):
            return None


def _rtt_ms(fields: dict[str, str]) -> float | None:
    reckoned = "RTT" in fields and fields.get("Report0LSR", "0") != "0"
    return float(fields["RTT"]) * 1000 if reckoned else None


def _block(fields: dict[str, str]) -> Block | None:
    """None without one, and for what a phone says before it received anything (its source is 0)."""
    ssrc = int(fields.get("Report0SourceSSRC", "0"), 16)
    if not ssrc:
        return None
    lost = int(fields["Report0CumulativeLost"])
    return Block(
        ssrc=ssrc,
        fraction=int(fields["Report0FractionLost"]),
        lost=lost - 2 * _NEGATIVE if lost >= _NEGATIVE else lost,
        highest=int(fields["Report0SequenceNumberCycles"]) * _CYCLE + int(fields["Report0HighestSequence"]),
        jitter=int(fields["Report0IAJitter"]),
    )
