"""Gives spans their numbers, by DAHDI's attribute `assign_span`. Blocking: call it in a thread. Needs root."""

from pathlib import Path

from hal.detect.detect import card_id, detect
from hal.detect.view import SysfsView
from hal.errors import NotThere, Refused
from hal.linux.attributes import write_text
from hal.linux.sysfs import folder, read_view
from hal.model.inventory import Card, Span


def assign(card: Card, span: Span, number: int, first_channel: int) -> None:
    """Raises NotThere, Refused (DAHDI's channels rise with the spans' numbers), DeviceFailed (not root)."""
    who = f"span {span.local} of {card.id}"
    view = read_view()
    place = _device(view, card, who)
    if taken := _in_the_way(view, span, number, first_channel):
        raise Refused(f"{who}: number {number} with channels from {first_channel} on is taken: {taken}")
    write_text(place / "assign_span", f"{span.local}:{number}:{first_channel}\n")


def _device(view: SysfsView, card: Card, who: str) -> Path:
    for node in view.cards:
        if card_id(node) == card.id:
            return folder("dahdi_devices", node.name)
    raise NotThere(f"{who} is not there", hint="probe again")


def _in_the_way(view: SysfsView, span: Span, number: int, first: int) -> str:
    """The kernel itself would give one number to two spans."""
    if span.number is not None:
        return f"it has number {span.number} already"
    last = first + max(1, sum(port.channels for port in span.ports)) - 1
    for card in detect(view).cards:
        for other in card.spans:
            channels = [
                port.channel + offset for port in other.ports if port.channel for offset in range(port.channels)
            ]
            if other.number == number or any(first <= channel <= last for channel in channels):
                return f"span {other.number} of {card.id} has channels {min(channels)} … {max(channels)}"
    return "" if number > 0 and first > 0 else "numbers begin with 1"
