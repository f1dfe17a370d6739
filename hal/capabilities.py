"""What a backend declares that it can do. Data, so that a page can grey a button out before anyone presses it."""

from collections.abc import Set
from enum import StrEnum

from hal.errors import NotSupported


class Capability(StrEnum):
    HOT_PLUG = "hot_plug"
    """Tells by itself that a card came or went."""
    SPAN_STATE = "span_state"
    SPAN_ASSIGN = "span_assign"
    """Gives a span its number and its first channel."""
    SPAN_CONFIGURE = "span_configure"
    """Sets framing, line coding and the order of clocks; takes the span into service."""
    SPAN_COUNTERS = "span_counters"
    SPAN_LOOPBACK = "span_loopback"
    PORT_STATE = "port_state"
    PORT_CONFIGURE = "port_configure"
    """Sets signalling, law and echo canceller of one channel."""
    PORT_HOOK = "port_hook"
    """Takes an analog port off hook, flashes, rings the set."""
    PORT_EVENTS = "port_events"
    """Holds one port and tells its changes of ring, hook, polarity and alarm."""
    PORT_TAP = "port_tap"
    """Hears a channel and speaks on it beside the program that holds it."""
    LED = "led"
    LED_BLINK = "led_blink"
    """Blinks by itself, without the program running."""
    WATCHDOG = "watchdog"
    WATCHDOG_TIMEOUT = "watchdog_timeout"
    """Takes a timeout; otherwise it has its own."""
    WATCHDOG_STOP = "watchdog_stop"
    """Can be stopped again; otherwise, once started, only feeding keeps the box from restarting."""
    SENSORS = "sensors"
    CONSOLE = "console"
    REBOOT = "reboot"
    POWER_OFF = "power_off"


def require(wanted: Capability, held: Set[Capability], who: str, *, hint: str = "") -> None:
    """Raises NotSupported when `wanted` is not among those that `who` declares."""
    if wanted not in held:
        raise NotSupported(f"{who} does not support {wanted}", hint=hint)
