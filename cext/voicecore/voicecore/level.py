"""Levels in dBm0 of a signal: root mean square and peak."""

from voicecore._core import ffi, lib
from voicecore.blocks import Samples, blocks


class LevelMeter:
    """Everything fed since it was made, measured as one."""

    def __init__(self) -> None:
        self._state = ffi.new("vc_level *")
        lib.vc_level_init(self._state)

    def feed(self, samples: Samples) -> None:
        """Whole blocks of 20 ms."""
        for block in blocks(samples):
            lib.vc_level_feed(self._state, block)

    @property
    def rms_dbm0(self) -> float:
        """-96 for silence and for nothing."""
        return float(lib.vc_level_rms_dbm0(self._state))

    @property
    def peak_dbm0(self) -> float:
        """The level of a sine with the same peak."""
        return float(lib.vc_level_peak_dbm0(self._state))
