"""Measurements of a line that no call uses: a tone, noise, echo, bit errors."""

from dataclasses import dataclass
from enum import IntEnum
from errno import ENODATA
from typing import Any

from voicecore._core import ffi, lib
from voicecore.blocks import BLOCK, Samples, blocks, checked


@dataclass(frozen=True, slots=True)
class ToneMeasure:
    hz: float
    level_dbm0: float
    rest_dbm0: float
    """Noise and distortion beside the tone, not weighted."""
    measured_ms: int


class ToneMeter:
    """One steady tone of 200 … 3500 Hz: the longer it is fed, the finer."""

    def __init__(self) -> None:
        self._state = ffi.new("vc_tonemeter *")
        lib.vc_tonemeter_init(self._state)

    def feed(self, samples: Samples) -> None:
        for block in blocks(samples):
            lib.vc_tonemeter_feed(self._state, block)

    def result(self) -> ToneMeasure | None:
        """None: no tone stands out. Raises ValueError when less than 300 ms were fed."""
        out = ffi.new("vc_tone_measure *")
        match lib.vc_tonemeter_result(self._state, out):
            case 0:
                return ToneMeasure(out.hz, out.level_dbm0, out.rest_dbm0, out.measured_ms)
            case result if result == -ENODATA:
                return None
            case _:
                raise ValueError("a tone is measured over 300 ms at least")


class NoiseMeter:
    """Psophometric noise (ITU-T O.41); the first 200 ms are the filter's and not counted."""

    def __init__(self) -> None:
        self._state = ffi.new("vc_noise *")
        lib.vc_noise_init(self._state)

    def feed(self, samples: Samples) -> None:
        for block in blocks(samples):
            lib.vc_noise_feed(self._state, block)

    @property
    def dbm0p(self) -> float:
        return float(lib.vc_noise_dbm0p(self._state))


class Sequence(IntEnum):
    """Of ITU-T O.150."""

    PRBS_11 = lib.VC_PRBS_11
    PRBS_15 = lib.VC_PRBS_15


class BitSender:
    def __init__(self, sequence: Sequence) -> None:
        self._state = ffi.new("vc_prbs_sender *")
        checked(lib.vc_prbs_sender_init(self._state, sequence), f"sequence {sequence!r}")

    def send(self, count: int) -> bytes:
        """The next `count` bytes of the channel."""
        out = bytearray(count)
        lib.vc_prbs_send(self._state, ffi.from_buffer("uint8_t[]", out), count)
        return bytes(out)


@dataclass(frozen=True, slots=True)
class BitCount:
    bits: int
    """Compared while in step."""
    errors: int
    losses: int
    """How often the receiver fell out of step: a slip, or a line that was gone."""
    in_step: bool


class BitReceiver:
    def __init__(self, sequence: Sequence) -> None:
        self._state = ffi.new("vc_prbs_receiver *")
        checked(lib.vc_prbs_receiver_init(self._state, sequence), f"sequence {sequence!r}")

    def receive(self, coded: bytes) -> None:
        lib.vc_prbs_receive(self._state, ffi.from_buffer("uint8_t[]", coded), len(coded))

    @property
    def count(self) -> BitCount:
        out = ffi.new("vc_prbs_count *")
        lib.vc_prbs_result(self._state, out)
        return BitCount(out.bits, out.errors, out.losses, bool(out.in_step))


@dataclass(frozen=True, slots=True)
class EchoMeasure:
    delay_ms: float | None
    """Of the strongest return, 0 … 512; None: no echo stands out of the noise."""
    return_loss_db: float
    """Without an echo: what it is at least."""
    rounds: int
    """Of 512 ms, averaged."""


def echo_of(out: Any) -> EchoMeasure:
    """From the core's structure."""
    return EchoMeasure(out.delay_ms if out.found else None, out.return_loss_db, out.rounds)


class EchoMeter:
    """Sends a known noise and hears what comes back, tick by tick."""

    def __init__(self, level_dbm0: float = -13.0) -> None:
        self._state = ffi.new("vc_echo *")
        self._sent = ffi.new("int16_t[]", BLOCK)
        checked(lib.vc_echo_init(self._state, level_dbm0), f"an echo test at {level_dbm0} dBm0")

    def tick(self, heard: Samples) -> bytes:
        """What was heard in these 20 ms → what is to be sent in the same."""
        (block,) = blocks(heard)
        lib.vc_echo_tick(self._state, block, self._sent)
        return bytes(ffi.buffer(self._sent))

    def result(self) -> EchoMeasure:
        """Raises ValueError before about 1 s of ticks."""
        out = ffi.new("vc_echo_measure *")
        if lib.vc_echo_result(self._state, out):
            raise ValueError("an echo is measured over two rounds of the noise at least: 1.03 s")
        return echo_of(out)
