"""RTCP reports and the jitter buffer's counts → windows of 10 s for each leg. Pure; `service` feeds it."""

from dataclasses import dataclass, field, replace

from appliance_agent.asterisk.jitter import JitterStats
from appliance_agent.asterisk.rtcp import Block, RtcpReport
from ledger.quality import WINDOW_S, Flow, Window

CLOCKS = (8000, 16000, 48000)
"""Of G.711 and G.722; of 16 kHz codecs; of Opus. Hz."""
CLOCK_TOLERANCE = 0.05
FIRST_PACKETS = 256
"""A stream's first report tells which share was lost since the report before, not of how many: of what Asterisk's
five seconds hold, at most."""
PACKETS_S = 50
MOST_PACKETS_S = 150
"""More in a second (packets of 10 ms are 100) is a sender that began its numbers anew."""
SLACK_PACKETS = 200
DISORDER = 100
"""A report may name a packet that came late, so that the newest seems to go back by some."""
IDLE_US = 60_000_000
"""A leg without a report for so long is taken to be gone, should its end have been missed."""
TICK_MS = 20


@dataclass(slots=True)
class _Stream:
    """What was last told of one direction."""

    block: Block | None = None
    moved_us: int = 0
    """When `block` was told, or last showed more packets than the one before."""
    clock_hz: int = CLOCKS[0]
    is_measured: bool = False
    """The clock; until then it is taken to be the usual one."""
    ntp_s: float | None = None
    rtp: int = 0

    def count(self, block: Block, since_us: int | None, now_us: int) -> tuple[int, int]:
        """Packets sent since the last report, and of these lost. `since_us`: when the stream began; None: unknown."""
        before, moved_us = self.block, self.moved_us
        if before is None or before.ssrc != block.ssrc:
            self.block, self.moved_us = block, now_us
            began_us = since_us if before is None else moved_us
            return _first(block, None if began_us is None else now_us - began_us)
        sent = block.highest - before.highest
        if -DISORDER <= sent <= 0:
            return 0, 0
        self.block, self.moved_us = block, now_us
        if not 0 < sent <= MOST_PACKETS_S * (now_us - moved_us) // 1_000_000 + SLACK_PACKETS:
            return 0, 0
        return sent, min(max(block.lost - before.lost, 0), sent)

    def set_clock(self, ntp_s: float, rtp: int) -> float:
        """By two sender reports. One that paused its clock in between lets it stay as it was. Returns how many times
        larger than thought all jitter of this stream was until now."""
        presumed_hz, measured_hz = self.clock_hz, None
        if self.ntp_s is not None and 1 <= ntp_s - self.ntp_s <= 60:
            rate = ((rtp - self.rtp) & 0xFFFF_FFFF) / (ntp_s - self.ntp_s)
            measured_hz = next((hz for hz in CLOCKS if abs(rate / hz - 1) < CLOCK_TOLERANCE), None)
        self.ntp_s, self.rtp = ntp_s, rtp
        if measured_hz is None:
            return 1.0
        was_measured, self.is_measured, self.clock_hz = self.is_measured, True, measured_hz
        return 1.0 if was_measured else presumed_hz / measured_hz


def _first(block: Block, age_us: int | None) -> tuple[int, int]:
    sent = FIRST_PACKETS if age_us is None else min(max(PACKETS_S * age_us // 1_000_000, 1), FIRST_PACKETS)
    return sent, round(sent * block.fraction / 256)


@dataclass(slots=True)
class _Leg:
    uniqueid: str
    channel: str
    began_us: int | None
    """None: it was there before we were."""
    heard_us: int
    came: _Stream = field(default_factory=_Stream)
    went: _Stream = field(default_factory=_Stream)
    open: Window | None = None
    done: list[Window] = field(default_factory=list)
    buffer: JitterStats | None = None
    gone: bool = False

    def window(self, now_us: int) -> Window:
        """The one that is open now."""
        slot = now_us // (WINDOW_S * 1_000_000)
        if self.open is None or self.open.slot != slot:
            self.close()
            self.open = Window(slot)
        return self.open

    def report(self, report: RtcpReport, now_us: int) -> None:
        self.heard_us, self.channel = now_us, report.channel
        told, own = (self.came, self.went) if report.sent else (self.went, self.came)
        if report.sender_ntp_s is not None and report.sender_rtp is not None:
            self._correct(own.set_clock(report.sender_ntp_s, report.sender_rtp), came=own is self.came)
        if report.block is None:
            return
        sent, lost = told.count(report.block, self.began_us, now_us)
        window = self.window(now_us)
        flow = window.came if report.sent else window.went
        jitter_ms = report.block.jitter * 1000 / told.clock_hz if sent else flow.jitter_ms
        flow = Flow(flow.expected + sent, flow.lost + lost, jitter_ms)
        window = replace(window, came=flow) if report.sent else replace(window, went=flow)
        self.open = window if report.rtt_ms is None else replace(window, rtt_ms=report.rtt_ms)

    def _correct(self, factor: float, *, came: bool) -> None:
        """Jitter of the windows that were not taken yet."""

        def corrected(window: Window) -> Window:
            flow = window.came if came else window.went
            flow = replace(flow, jitter_ms=None if flow.jitter_ms is None else flow.jitter_ms * factor)
            return replace(window, came=flow) if came else replace(window, went=flow)

        if factor != 1:
            self.done = [corrected(window) for window in self.done]
            self.open = None if self.open is None else corrected(self.open)

    def buffered(self, stats: JitterStats, now_us: int) -> None:
        before, self.buffer = self.buffer, stats
        if before is None or stats.ticks <= before.ticks:
            return  # the first look, or another buffer: from here on
        made_up_ms = max(stats.concealed_ms - before.concealed_ms, 0)
        share = min(made_up_ms / (TICK_MS * (stats.ticks - before.ticks)), 1.0)
        self.open = replace(self.window(now_us), concealed=share, buffer_ms=stats.delay_ms)

    def close(self) -> None:
        if self.open is not None:
            self.done.append(self.open)
            self.open = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Windows of one leg that are over."""

    uniqueid: str
    channel: str
    windows: tuple[Window, ...]


class Legs:
    """Legs of calls over IP. Memory: what was not taken yet, and a few numbers a leg."""

    def __init__(self) -> None:
        self._legs: dict[str, _Leg] = {}
        self._up_us: dict[str, int] = {}

    def up(self, uniqueid: str, now_us: int) -> None:
        """It was answered: its sound begins about now."""
        self._up_us.setdefault(uniqueid, now_us)

    def report(self, report: RtcpReport, now_us: int) -> None:
        leg = self._legs.get(report.uniqueid)
        if leg is None:
            leg = _Leg(report.uniqueid, report.channel, self._up_us.get(report.uniqueid), now_us)
            self._legs[report.uniqueid] = leg
        leg.report(report, now_us)

    def buffered(self, uniqueid: str, stats: JitterStats, now_us: int) -> None:
        """What its jitter buffer has counted by now. A leg without reports has no windows."""
        if uniqueid in self._legs:
            self._legs[uniqueid].buffered(stats, now_us)

    def gone(self, uniqueid: str) -> bool:
        """Whether it has windows to be taken."""
        self._up_us.pop(uniqueid, None)
        leg = self._legs.get(uniqueid)
        if leg is not None:
            leg.gone = True
        return leg is not None

    def missed(self) -> None:
        """Ends may have been missed: who is silent from now on goes by IDLE_US."""
        self._up_us.clear()

    def take(self, now_us: int, *, ended_only: bool) -> list[Taken]:
        """Windows that are over, of legs that ended or of all; each is given once."""
        taken: list[Taken] = []
        for leg in list(self._legs.values()):
            over = leg.gone or now_us - leg.heard_us > IDLE_US
            if over:
                del self._legs[leg.uniqueid]
                leg.close()
            elif ended_only:
                continue
            elif leg.open is not None and leg.open.slot != now_us // (WINDOW_S * 1_000_000):
                leg.close()
            if leg.done:
                taken.append(Taken(leg.uniqueid, leg.channel, tuple(leg.done)))
                leg.done = []
        return taken
