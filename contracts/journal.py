"""The journal: what one CEL row says, and the user events that the compiled dialplan adds.

CEL alone does not tell the DID, the menu path, why a queue was left, or which seat answered. The dialplan
writes these itself with CELGenUserEvent, so they exist also while the box agent is dead.

A user event's extra text is `key=value&key=value`, values percent-encoded (RFC 3986). The renderer writes only
ids of ours and Asterisk's own closed words into it, never text from users or callers; caller id is a field of
every CEL row anyway.
"""

from enum import StrEnum


class UserEvent(StrEnum):
    """`userdeftype` of a USER_DEFINED row."""

    BOX_STARTED = "SA_BOX_STARTED"
    """Asterisk (re)started: written by the box agent into the journal file with linkedid ""; closes the open
    calls whose channels are gone. Keys: reason=asterisk_start|reconcile, generation, started=<as ARI says>,
    startup=<the same in seconds, three decimals>, alive=<unique ids by comma>; reconcile has dead=<unique ids>
    instead."""
    CLOCK = "SA_CLOCK"
    """The box's clock was set, noted by the agent with linkedid "": durations of the calls that go on are corrected.
    Keys: shift_us=<signed microseconds>."""
    CALL = "SA_CALL"
    """First event of a customer leg. Keys: dir=in|out|internal, trunk=<trunk id> (in, out), withheld=1 (in) when the
    caller does not want to be told; the rows before this one may name him."""
    LINE = "SA_LINE"
    """On a leg over a telephone line. Keys: line=<name of the line>, channel=<timeslot of an E1; else 1>."""
    DID = "SA_DID"
    """Keys: did=<dialled number, digits and +>, known=0|1."""
    MENU = "SA_MENU"
    """Entered a menu. Keys: menu=<id>, version=<n>."""
    DIGIT = "SA_DIGIT"
    """A menu choice. Keys: menu=<id>, version=<n>, digit=<0-9*#|i|t> (i: invalid, t: time-out)."""
    QUEUE_JOIN = "SA_QUEUE_JOIN"
    """Keys: queue=<id>."""
    QUEUE_LEAVE = "SA_QUEUE_LEAVE"
    """Not written for an answered caller. Keys: queue=<id>,
    status=timeout|full|joinempty|leaveempty|unavail|abandon|continue, pos=<position or empty>."""
    RING = "SA_RING"
    """On the called leg, before it is dialled. Keys: ext=<extension>, queue=<id or empty>."""
    SEAT = "SA_SEAT"
    """On the called leg, when it is connected to the caller. Keys: ext=<extension>, queue=<id or empty>."""
    RECORD = "SA_RECORD"
    """Keys: file=<base name of the two files in the recording spool: contracts.paths.RECORDING_SIDES>."""
    DIAL_OUT = "SA_DIAL_OUT"
    """Outbound call handed to a trunk. Keys: trunk=<id>, number=<digits sent>, ext=<calling extension>."""
    DIAL_END = "SA_DIAL_END"
    """A Dial() of ours ended unanswered. Keys: status=busy|noanswer|cancel|congestion|chanunavail|…, cause=<Q.850>."""
    HOLD = "SA_HOLD"
    """Journalled by the agent from ARI, not by the dialplan. Keys: on=0|1."""
    TRANSFER = "SA_TRANSFER"
    """An attended transfer asked for through the API, on the seat's leg in the customer's call: the agent bridges the
    two others, which CEL tells as no transfer. Journalled by the agent. Keys as in the ATTENDEDTRANSFER row:
    transferee_channel_uniqueid=<customer>, transfer_target_channel_uniqueid=<consulted>."""


LISTENING = "listen-"
"""So begin the ids of channels by which somebody listens to a call. They are no calls, and their rows do not count."""

CEL_FIELDS: tuple[str, ...] = (
    "eventtype", "eventenum", "eventtime", "uniqueid", "linkedid", "channame", "name", "num", "ani", "rdnis",
    "dnid", "exten", "context", "appname", "appdata", "accountcode", "amaflags", "userfield", "userdeftype",
    "eventextra", "peer", "peeraccount", "tenantid",
)  # fmt: skip
"""Fields of the cel_custom mapping, in order; they are the keys of the JSON rows too. Asterisk 22.10 refuses the
whole mapping for one unknown name (`cidname`, as its sample file has it, is one: it is `name`). eventtime is
seconds.microseconds, UTC, as a string. A user event has eventenum=USER_DEFINED, eventtype and userdeftype = its name,
and its text wrapped once more: eventextra = "{\"extra\":\"k=v&k=v\"}"."""
