"""The ear of the proof (tests/proof/jitter) on known cases: the sound alone tells the delay and what was made up."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from voicecore.g711 import Law
from voicecore.jitter import JitterBuffer

from tests.proof.jitter.arrivals import Arrivals, Rtp
from tests.proof.jitter.faults import Faults
from tests.proof.jitter.places import pieces
from tests.proof.jitter.speech import decoded, encoded, on_a_line
from tests.proof.jitter.verdict import failures, too_busy
from tests.proof.jitter.worth import Worth, r_factor, worth

PACKETS, SIZE = 1500, 160
NETWORK_MS = 35.0


@pytest.fixture(scope="module")
def said() -> bytes:
    """Syllables of a voice with a wandering pitch, over a floor of noise; A-law."""
    random = np.random.default_rng(5)
    at = np.arange(PACKETS * SIZE) / 8000
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * at)) / 8000
    voice = sum(np.sin(2 * np.pi * n * pitch + n) / n for n in range(1, 12))
    loud = np.clip(np.sin(2 * np.pi * 1.7 * at), 0, 1)
    return encoded(4000 * loud * voice + random.normal(0, 30, len(at)))


def arrived(delays_ms: NDArray[np.float64]) -> Arrivals:
    """nan: lost."""
    sent = [n * 20.0 for n in range(len(delays_ms))]
    return Arrivals(sent, [None if np.isnan(d) else s + d for s, d in zip(sent, delays_ms, strict=True)])


def through_the_buffer(said: bytes, arrivals: Arrivals) -> tuple[NDArray[np.int16], JitterBuffer]:
    """As a line hears it that asks every 20 ms, from 0 on."""
    buffer = JitterBuffer(Law.ALAW)
    waiting = sorted((came, n) for n, came in enumerate(arrivals.arrived_ms) if came is not None)
    blocks = []
    for tick in range(PACKETS + 20):
        while waiting and waiting[0][0] <= tick * 20:
            came, n = waiting.pop(0)
            buffer.put(n, n * SIZE, said[n * SIZE : (n + 1) * SIZE], int(came * 1000))
        blocks.append(buffer.get(tick * 20_000))
    return np.frombuffer(b"".join(blocks), np.int16), buffer


def judged(said: bytes, arrivals: Arrivals, heard: NDArray[np.int16], begun_s: float = 0.0) -> Worth:
    lost = np.array([came is None for came in arrivals.arrived_ms])
    sounds_s = begun_s + np.arange(len(heard)) / 8000
    return worth(pieces(heard, decoded(said)), np.array(arrivals.sent_ms) / 1000, sounds_s, lost)


def test_a_quiet_network(said: bytes) -> None:
    arrivals = arrived(np.full(PACKETS, NETWORK_MS))
    heard, _ = through_the_buffer(said, arrivals)
    told = judged(said, arrivals, heard)
    assert told.delay_ms == pytest.approx(40, abs=0.1), "the first tick after 35 ms"
    assert (told.bad_pct, told.splices) == (0, 0)
    assert told.r == pytest.approx(r_factor(40, 0, 1), abs=0.01)


def test_lost_packets_are_made_up_as_long_as_they_are(said: bytes) -> None:
    delays = np.full(PACKETS, NETWORK_MS)
    delays[np.random.default_rng(3).choice(np.arange(10, PACKETS), 45, replace=False)] = np.nan
    arrivals = arrived(delays)
    heard, _ = through_the_buffer(said, arrivals)
    told = judged(said, arrivals, heard)
    assert told.lost_pct == 3 and told.bad_pct == pytest.approx(3, abs=0.25)


def test_stalls_as_the_buffer_itself_counts_them(said: bytes) -> None:
    faults = Faults(4)
    delays = [faults.arrives_ms(n * 20.0) for n in range(PACKETS)]
    arrivals = Arrivals([n * 20.0 for n in range(PACKETS)], delays)
    assert faults.stalls >= 2 and 1.5 < arrivals.lost_pct < 4.5
    heard, buffer = through_the_buffer(said, arrivals)
    told = judged(said, arrivals, heard)
    made_up_pct = buffer.statistics.concealed_ms / (PACKETS * 20) * 100
    assert told.bad_pct == pytest.approx(made_up_pct, abs=1) and told.splices > 3


def test_a_line_is_silent_where_nothing_comes_and_that_is_bad(said: bytes) -> None:
    """Packets of the line are taken away: exactly they are missing."""
    gone = {200, 300, 301, 302, 900}
    heard = [
        Rtp(5 + n * 0.02, 1, n, n * SIZE, said[n * SIZE : (n + 1) * SIZE]) for n in range(PACKETS) if n not in gone
    ]
    samples, begun_s = on_a_line(heard)
    told = judged(said, arrived(np.full(PACKETS, NETWORK_MS)), samples, begun_s)
    assert told.bad_pct == pytest.approx(100 * len(gone) / PACKETS, abs=0.02)
    assert told.delay_ms == pytest.approx(5010, abs=1), "10 ms in hand"


def test_a_line_holds_four_blocks(said: bytes) -> None:
    """Eleven blocks come at once, after a gap of ten: four are held, and are delay from then on; seven are gone."""
    times = [n * 0.02 if not 200 <= n < 210 else 210 * 0.02 for n in range(PACKETS)]
    heard = [Rtp(at, 1, n, n * SIZE, said[n * SIZE : (n + 1) * SIZE]) for n, at in enumerate(times)]
    samples, begun_s = on_a_line(heard)
    assert begun_s == 0.01
    assert len(samples) / SIZE == pytest.approx(PACKETS + 3, abs=1)
    told = judged(said, arrived(np.zeros(PACKETS)), samples, begun_s)
    assert told.bad_pct == pytest.approx(100 * (11 + 7) / PACKETS, abs=0.1)
    assert told.delay_ms < 95


def test_a_log_is_written_and_read(tmp_path: Path) -> None:
    arrivals = Arrivals([0.0, 20.0, 40.0], [35.25, None, 77.0])
    arrivals.write(tmp_path / "log")
    assert (tmp_path / "log").read_text() == "0 35.25\n20 lost\n40 77.00\n"
    assert Arrivals.read(tmp_path / "log") == arrivals


def test_the_verdict_says_what_is_missed() -> None:
    one = {"R": 80.0, "pesq": 3.5, "packets": 6000}
    figures = {
        "ours": one | {"R": 82.0},
        "adaptive": one,
        "packets": 6000,
        "lost_pct": 3.0,
        "sent_late_ms": {"mean": 0.2, "most": 30.0, "late_pct": 0.05},
        "cable": {"latest_ms": 0.1},
    }
    assert failures(figures, has_log=False) == []
    assert too_busy(figures) == []
    worse = figures | {"ours": one | {"R": 81.9, "pesq": 3.4}, "lost_pct": 0.0}
    assert len(failures(worse, has_log=False)) == 3
    assert len(too_busy(figures | {"sent_late_ms": {"late_pct": 0.2}, "cable": {"latest_ms": 11.0}})) == 2
