"""One port's ears: samples in, the cause with which to hang up out. Pure but for voicecore's own state.

Asterisk's own detection (busydetect) hears loudness, not pitch: of 600 generated talks it cut 313, or 7 when told the
cadence, and it knows one cadence a port. voicecore cut none (docs/adr).
"""

from collections import deque
from enum import IntEnum

from voicecore.progress import Learned, Plan, ProgressDetector
from voicecore.tones import Named

from appliance_agent.hangup.watched import LearnedTone
from hal.linux.listen import Place

LEARNED = 99
RUNS = 5
"""Runs (of tone, of silence) of a learned tone that must fit, after the first."""
LATE_BLOCKS = 2
"""The line is heard so many blocks of 100 ms late, so that a tone of ours is known before its echo is."""
LEAST_LOSS_DB = 3.0
"""An echo is at least so much quieter than what it is the echo of."""


class Cause(IntEnum):
    """Q.850"""

    NORMAL = 16
    CONGESTION = 34


CAUSES = {
    Named.BUSY: Cause.NORMAL,
    Named.CONGESTION: Cause.CONGESTION,
    Named.UNOBTAINABLE: Cause.NORMAL,
    LEARNED: Cause.NORMAL,
}


class Ears:
    """An echo canceller lets no tone of the exchange through while we say something (measured: docs/adr/0016), so the
    line is heard before it, too. There our own voice comes back: a busy tone of ours is not to be taken for one of
    theirs.
    """

    def __init__(self, learned: LearnedTone | None) -> None:
        self._ears = {place: Ear(learned) for place in Place}
        self._late = deque([b""] * LATE_BLOCKS)

    def feed(self, place: Place, samples: bytes) -> None:
        """Whole blocks of 20 ms, 16 bits a sample."""
        if place is Place.LINE:
            self._late.append(samples)
            samples = self._late.popleft()
        self._ears[place].feed(samples)
        line, said = self._ears[Place.LINE], self._ears[Place.SAID]
        if line.sounding and said.sounding and line.level_dbm0 <= said.level_dbm0 - LEAST_LOSS_DB:
            line.sounding = None  # until another tone begins

    @property
    def sounding(self) -> Cause | None:
        """A tone of the exchange that ends calls is being heard now."""
        return self._ears[Place.HEARD].sounding or self._ears[Place.LINE].sounding


class Ear:
    def __init__(self, learned: LearnedTone | None) -> None:
        self._detectors = [ProgressDetector(Plan.cn())]
        if learned is not None:
            tone = Learned(learned.hz, 0.0, learned.cadence_ms, RUNS, 0.0)
            self._detectors.append(ProgressDetector(Plan.learned(tone, LEARNED)))
        self.sounding: Cause | None = None
        """A tone that ends calls is being heard now."""
        self.level_dbm0 = 0.0
        """Of that tone."""

    def feed(self, samples: bytes) -> None:
        """Whole blocks of 20 ms, 16 bits a sample."""
        for detector in self._detectors:
            for event in detector.feed(samples):
                if event.number in CAUSES:
                    self.sounding = CAUSES[event.number] if event.began else None
                    self.level_dbm0 = event.level_dbm0
