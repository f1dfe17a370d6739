"""What chan_dahdi tells of its channels, converted at the door: the list by AMI, and the tables of its console."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from appliance_agent.asterisk.ami_wire import Message

_PRI = re.compile(
    r"^ *\d+ +(?P<channel>\d+) (?P<media>Yes|No) +(?P<idle>Yes|No) +(?P<level>\S+) +(?P<call>Yes|No) *(?P<name>\S*)"
)
_SS7 = re.compile(
    r"^ *\d+ +(?P<channel>\d+) (?P<idle>Yes|No) +(?P<ours>Yes|No) +(?P<theirs>Yes|No) +(?P<level>\S+) +(?P<call>Yes|No)"
    r" *(?P<name>\S*)"
)


@dataclass(frozen=True, slots=True)
class DahdiChannel:
    """A channel that chan_dahdi serves."""

    number: int
    """DAHDI's."""
    uniqueid: str
    """Of Asterisk's channel on it; "" when it is free."""
    do_not_disturb: bool

    @classmethod
    def from_ami(cls, message: Message) -> "DahdiChannel":
        """A row of DAHDIShowChannels."""
        return cls(int(message.get("DAHDIChannel") or "0"), message.get("Uniqueid"), message.get("DND") == "Enabled")


@dataclass(frozen=True, slots=True)
class Circuit:
    """A channel of an E1 as its signalling sees it."""

    channel: int
    idle: bool
    """Free for a call."""
    call: bool
    """The signalling holds a call on it."""
    owner: str
    """Name of Asterisk's channel; "" for none."""
    blocked_by_us: bool = False
    blocked_by_far: bool = False


def pri_circuits(text: str) -> list[Circuit]:
    """Of `pri show channels`. Rows without media (calls on hold, waiting) are left out."""
    return [
        Circuit(int(row["channel"]), row["idle"] == "Yes", row["call"] == "Yes", row["name"])
        for row in _rows(_PRI, text)
        if row["media"] == "Yes"
    ]


def ss7_circuits(text: str) -> list[Circuit]:
    """Of `ss7 show channels`."""
    return [
        Circuit(
            int(row["channel"]), row["idle"] == "Yes", row["call"] == "Yes", row["name"],
            blocked_by_us=row["ours"] == "Yes", blocked_by_far=row["theirs"] == "Yes",
        )
        for row in _rows(_SS7, text)
    ]  # fmt: skip


def _rows(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for line in text.splitlines():
        if found := pattern.match(line):
            yield found
