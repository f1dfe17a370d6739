"""What is said to Asterisk about lines: the words for each signalling. Pure.

Read in chan_dahdi of Asterisk 22. SS7's blocking is shown on the emulated board (board-tests/test_ss7.py); R2's,
do-not-disturb and traces are yet to be.
"""

from appliance_agent.system.lines.wanted import Wanted

NEEDS_IDLE = frozenset({"r2"})
"""Taking such a channel out of service would end the call on it."""
BLOCKABLE = frozenset({"fxo", "fxs", "r2", "ss7"})
"""Not PRI: Asterisk's `pri service` is for 4ESS, 5ESS and NI2 only, and a B channel given up by `dahdi destroy
channels` does not come back (`dahdi create channels`: Device or resource busy) before a restart; seen on the board."""
TRACEABLE = frozenset({"pri", "r2", "ss7"})


def block(wanted: Wanted, channel: int, timeslot: int) -> str:
    """Takes one channel out of service. `channel`: DAHDI's number."""
    match wanted.signalling:
        case "ss7":
            return f"ss7 block cic {_circuit(wanted, timeslot)}"
        case "r2":
            return f"mfcr2 set blocked {channel}"
    return f"dahdi set dnd {channel} on"


def unblock(wanted: Wanted, channel: int, timeslot: int) -> str:
    match wanted.signalling:
        case "ss7":
            return f"ss7 unblock cic {_circuit(wanted, timeslot)}"
        case "r2":
            return f"mfcr2 set idle {channel}"
    return f"dahdi set dnd {channel} off"


def repairs(wanted: Wanted, timeslot: int) -> list[str]:
    """Frees a channel that is held for a call that is no more; none where Asterisk has no safe means (PRI, R2, analog):
    there the alarm stays until a person restarts Asterisk."""
    return [f"ss7 reset cic {_circuit(wanted, timeslot)}"] if wanted.signalling == "ss7" else []


def trace(wanted: Wanted, span: int, channels: range, *, on: bool) -> list[str]:
    """Lets the signalling of a span tell what it sends and gets, or no more."""
    match wanted.signalling:
        case "pri":
            return [f"pri set debug {'intense' if on else 'off'} span {span}"]
        case "ss7":
            return [f"ss7 set debug {'on' if on else 'off'} linkset {wanted.linkset}"]
        case "r2":
            level = "all" if on else "nothing"
            talk = [channel for channel in channels if channel - channels.start + 1 != wanted.data_link]
            return [f"mfcr2 set debug {level} {channel}" for channel in talk]
    return []


def _circuit(wanted: Wanted, timeslot: int) -> str:
    return f"{wanted.linkset} {wanted.destination} {wanted.first_cic + timeslot - 1}"
