"""DTMF (ITU-T Q.24) and MF-R2 (Q.455) heard on a line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voicecore._core import ffi, lib
from voicecore.blocks import RATE_HZ, Samples, blocks, checked
from voicecore.tones import Direction


@dataclass(frozen=True, slots=True)
class Heard:
    """One end of a signal: `began` when it was made sure of, then again with `began` False when it is over."""

    signal: str
    """A digit, or the number 1 … 15 of an MF-R2 signal."""
    began: bool
    at_s: float
    """When the receiver knew, seconds of signal since it was made."""
    lasted_ms: float
    """So far (began), in all (over)."""
    low_dbm0: float
    """Level of the lower bin's frequency: DTMF's row, R2's frequency with the lower number."""
    high_dbm0: float


class _Receiver:
    def __init__(self, plan: Any, name: Callable[[Any], str]) -> None:
        self._plan, self._name = plan, name
        self._state = ffi.new("vc_pair *")
        self._events = ffi.new("vc_pair_event[]", lib.VC_PAIR_EVENTS)
        lib.vc_pair_init(self._state)

    def feed(self, samples: Samples) -> list[Heard]:
        """Whole blocks of 20 ms → what became known in them."""
        heard = []
        for block in blocks(samples):
            for place in range(lib.vc_pair_feed(self._state, self._plan, block, self._events)):
                event = self._events[place]
                at_s, began = event.at_sample / RATE_HZ, bool(event.began)
                levels = (event.low_dbm0, event.high_dbm0)
                heard.append(Heard(self._name(ffi.addressof(event)), began, at_s, event.lasted_ms, *levels))
        return heard


class DtmfReceiver(_Receiver):
    def __init__(self) -> None:
        plan = ffi.new("vc_pair_plan *")
        checked(lib.vc_dtmf_plan(plan), "the plan of DTMF")
        super().__init__(plan, lambda event: lib.vc_dtmf_digit(event).decode())


class R2Receiver(_Receiver):
    def __init__(self, direction: Direction) -> None:
        plan = ffi.new("vc_pair_plan *")
        checked(lib.vc_r2_plan(plan, direction), f"MF-R2 direction {direction!r}")
        super().__init__(plan, lambda event: str(lib.vc_r2_signal(event)))
