"""RTCP reports → windows: real captures, and what a peer may do to its numbers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from appliance_agent.asterisk.ami_wire import Message
from appliance_agent.asterisk.jitter import JitterStats
from appliance_agent.asterisk.models import from_ami
from appliance_agent.asterisk.rtcp import Block, RtcpReport
from appliance_agent.features.quality.fold import IDLE_US, Legs, Taken
from appliance_agent.features.quality.judge import TrunkJudge
from appliance_agent.features.quality.pack import pack, unpack
from ledger.quality import Flow, Window

CAPTURE = Path(__file__).parent / "captures/rtcp.jsonl"
START_US = 1_795_449_130_000_000
"""On the edge of a window."""
SECOND_US = 1_000_000
LEG, CHANNEL = "1795449130.7", "PJSIP/trunk-mobile-00000007"


def block(highest: int, lost: int = 0, *, ssrc: int = 7, fraction: int = 0, jitter: int = 16) -> Block:
    return Block(ssrc, fraction, lost, highest, jitter)


def report(
    told: Block | None, *, sent: bool = True, rtt_ms: float | None = None, ntp_s: float | None = None, rtp: int = 0
) -> RtcpReport:
    return RtcpReport(LEG, CHANNEL, sent, told, ntp_s, rtp, rtt_ms)


class Talk:
    """One leg; reports come at seconds of its talk."""

    def __init__(self, *, known: bool = True) -> None:
        self.legs = Legs()
        if known:
            self.legs.up(LEG, START_US)

    def hear(self, second: float, *reports: RtcpReport) -> None:
        for one in reports:
            self.legs.report(one, self.at(second))

    def end(self, second: float) -> list[Window]:
        self.legs.gone(LEG)
        taken = self.legs.take(self.at(second), ended_only=True)
        assert len(taken) <= 1
        return list(taken[0].windows) if taken else []

    @staticmethod
    def at(second: float) -> int:
        return START_US + round(second * SECOND_US)


# ── the door ───────────────────────────────────────────────────────────────────────────────────────
def captured() -> list[tuple[int, Message]]:
    rows = [json.loads(line) for line in CAPTURE.read_text().splitlines()]
    return [(row["at_ms"], Message(tuple((key, value) for key, value in row["fields"]))) for row in rows]


def message(**changes: str) -> Message:
    """The first RTCPSent of the capture, with other values; "" takes a field away."""
    fields = dict(next(one for _, one in captured() if one.event == "RTCPSent").fields) | changes
    return Message(tuple((key, value) for key, value in fields.items() if value))


def test_a_sent_report_is_what_we_received() -> None:
    told = from_ami(message())
    assert isinstance(told, RtcpReport)
    assert (told.sent, told.rtt_ms) == (True, None)
    assert told.block == Block(ssrc=0x3AE965F4, fraction=19, lost=20, highest=12045, jitter=33)
    assert told.sender_rtp is not None


@pytest.mark.parametrize(
    ("changes", "lost", "highest"),
    [
        ({"Report0CumulativeLost": "16777214"}, -2, 12045),
        ({"Report0SequenceNumberCycles": "2"}, 20, 2 * 65536 + 12045),
    ],
)
def test_numbers_of_24_and_32_bits(changes: dict[str, str], lost: int, highest: int) -> None:
    told = RtcpReport.from_ami(message(**changes))
    assert told is not None
    assert told.block is not None
    assert (told.block.lost, told.block.highest) == (lost, highest)


def test_a_round_trip_that_could_not_be_reckoned_is_unknown() -> None:
    received = {"Event": "RTCPReceived", "RTT": "0.0217"}
    known, unknown = (RtcpReport.from_ami(message(**received, Report0LSR=lsr)) for lsr in ("3770411370", "0"))
    assert known is not None
    assert known.rtt_ms == pytest.approx(21.7)
    assert unknown is not None
    assert unknown.rtt_ms is None


@pytest.mark.parametrize("changes", [{"Uniqueid": ""}, {"Report0IAJitter": "many"}, {"Report0FractionLost": ""}])
def test_what_is_no_report_is_left_out(changes: dict[str, str]) -> None:
    assert RtcpReport.from_ami(message(**changes)) is None


@pytest.mark.parametrize("changes", [{"Report0SourceSSRC": "0x00000000"}, {"Report0SourceSSRC": ""}])
def test_a_report_about_nothing_has_no_block(changes: dict[str, str]) -> None:
    told = RtcpReport.from_ami(message(**changes))
    assert told is not None
    assert told.block is None


# ── real events: a call of 27 s; both sides lost about 8 % of what came in, phones 12 % of what they got ───────────
def test_the_captured_call() -> None:
    legs, base_us = Legs(), START_US - 300_000
    for at_ms, one in captured():
        told = from_ami(one)
        assert isinstance(told, RtcpReport)
        legs.up(told.uniqueid, base_us)
        legs.report(told, base_us + at_ms * 1000)
    trunk, phone = sorted(legs.take(base_us + IDLE_US * 2, ended_only=True), key=lambda one: one.uniqueid)
    assert (trunk.channel, phone.channel) == ("PJSIP/trunk-exchange-00000000", "PJSIP/1001-00000001")
    for leg, lost_came, lost_went in ((trunk, 86, 154), (phone, 97, 139)):
        came, went = [one.came for one in leg.windows], [one.went for one in leg.windows]
        assert sum(flow.lost for flow in came) == pytest.approx(lost_came, abs=2)
        assert sum(flow.expected for flow in came) == pytest.approx(25 * 50, abs=30)
        assert sum(flow.lost for flow in went) == pytest.approx(lost_went, abs=2)
        assert all(0.04 < (flow.loss or 0) < 0.13 for flow in came)
        assert all(window.rtt_ms is not None and window.rtt_ms < 50 for window in leg.windows[1:])
    assert [len(leg.windows) for leg in (trunk, phone)] == [3, 3]


# ── what peers do ──────────────────────────────────────────────────────────────────────────────────
def test_two_reports_make_a_window() -> None:
    talk = Talk()
    talk.hear(4, report(block(1200, 10, fraction=13)))
    talk.hear(9, report(block(1450, 35, jitter=80)))
    talk.hear(14, report(block(1700, 35)))
    first, second = talk.end(15)
    assert first.came == Flow(200 + 250, 10 + 25, 10.0), "of the first: 4 s of 50 packets, 13/256 of them"
    assert second.came == Flow(250, 0, 2.0)
    assert second.slot == first.slot + 1
    assert first.went == Flow(), "a peer that never reports is unknown"


def test_numbers_wrap() -> None:
    talk = Talk()
    talk.hear(5, report(block(65_500)))
    talk.hear(10, report(block(65_536 + 214, 3)))
    assert talk.end(11)[1].came == Flow(250, 3, 2.0)


def test_another_source_begins_anew() -> None:
    """After a re-INVITE or a transfer at the far side: other sequence numbers, its own count of losses."""
    talk = Talk()
    talk.hear(5, report(block(40_000, 200)))
    talk.hear(8, report(block(17, 3, ssrc=8, fraction=5)))
    talk.hear(12, report(block(267, 28, ssrc=8)))
    first, second = talk.end(13)
    assert first.came.expected == 250 + 150, "what came before, and 3 s of the new one at most"
    assert first.came.lost == round(150 * 5 / 256)
    assert second.came == Flow(250, 25, 2.0)


@pytest.mark.parametrize("highest", [100, 65_536 + 30_000], ids=["back", "far ahead"])
def test_a_sender_that_renumbers_has_lost_nothing(highest: int) -> None:
    talk = Talk()
    talk.hear(5, report(block(20_000, 2)))
    talk.hear(11, report(block(highest, 60_000)))
    talk.hear(16, report(block(highest + 250, 60_010)))
    _, second = talk.end(17)
    assert second.came == Flow(250, 10, 2.0)


def test_a_stall_is_lost_when_it_is_over() -> None:
    """The network was away for 20 s; the sender went on counting."""
    talk = Talk()
    talk.hear(5, report(block(1000)))
    for second in (10, 15, 20):
        talk.hear(second, report(block(1000)))
    talk.hear(25, report(block(2000, 980)))
    windows = talk.end(26)
    assert [window.came.loss for window in windows] == [0.0, None, 0.98]


def test_a_packet_that_came_late_takes_nothing_back() -> None:
    talk = Talk()
    talk.hear(5, report(block(1000, 5)))
    talk.hear(7, report(block(998, 4)))
    talk.hear(9, report(block(1200, 6)))
    (window,) = talk.end(10)
    assert window.came.expected == 250 + 200
    assert window.came.lost == 1


def test_duplicates_do_not_make_up_for_more_than_was_lost() -> None:
    talk = Talk()
    talk.hear(5, report(block(1000, 5)))
    talk.hear(9, report(block(1200, -20)))
    assert talk.end(10)[0].came.lost == 0


def test_a_call_on_hold_is_not_a_good_call() -> None:
    talk = Talk()
    talk.hear(5, report(block(1000)))
    talk.hear(15, report(block(1000)))
    windows = talk.end(16)
    assert [window.r_came is None for window in windows] == [False, True]
    assert [window.came.jitter_ms is None for window in windows] == [False, True], "the report repeats an old one"


def test_both_directions_and_the_round_trip() -> None:
    talk = Talk()
    talk.hear(5, report(block(1000)), report(block(500, 0, ssrc=9), sent=False, rtt_ms=30.0))
    talk.hear(9, report(block(1200)), report(block(700, 20, ssrc=9, jitter=40), sent=False, rtt_ms=42.0))
    (window,) = talk.end(10)
    assert (window.came.lost, window.went.lost, window.went.jitter_ms, window.rtt_ms) == (0, 20, 5.0, 42.0)


def test_jitter_is_in_the_streams_own_clock() -> None:
    """Opus: 48 kHz. Its sender's reports tell; ours are about that stream."""
    talk = Talk()
    talk.hear(1, report(None, sent=False, ntp_s=1000.0, rtp=4_294_967_000))
    talk.hear(6, report(None, sent=False, ntp_s=1005.0, rtp=4_294_967_000 + 5 * 48_000 - 2**32))
    talk.hear(7, report(block(1000, jitter=480)))
    assert talk.end(8)[0].came.jitter_ms == 10.0


def test_jitter_told_before_the_clock_was_known_is_put_right() -> None:
    talk = Talk()
    talk.hear(4, report(block(1000, jitter=480)), report(None, sent=False, ntp_s=1000.0, rtp=0))
    talk.hear(6, report(block(1100, jitter=480)))
    talk.hear(11, report(block(1300, jitter=960)), report(None, sent=False, ntp_s=1007.0, rtp=7 * 48_000))
    talk.hear(16, report(block(1500, jitter=80)), report(None, sent=False, ntp_s=1012.0, rtp=7 * 48_000 + 5 * 8000))
    talk.hear(17, report(block(1600, jitter=80)))
    first, second = talk.end(18)
    assert (first.came.jitter_ms, second.came.jitter_ms) == (10.0, 10.0), "also where the far side changes its codec"


def test_a_clock_that_stood_still_changes_nothing() -> None:
    talk = Talk()
    for second, rtp in ((1, 0), (6, 48_000 * 5), (11, 48_000 * 5 + 900)):
        talk.hear(second, report(None, sent=False, ntp_s=second, rtp=rtp))
    talk.hear(12, report(block(1000, jitter=480)))
    assert talk.end(13)[-1].came.jitter_ms == 10.0


def test_an_agent_that_came_later_goes_on_from_the_next_report() -> None:
    talk = Talk(known=False)
    talk.hear(5, report(block(30_000, 900, fraction=26)))
    talk.hear(12, report(block(30_250, 925)))
    first, second = talk.end(13)
    assert first.came == Flow(256, 26, 2.0), "the share that was lost lately, of what five seconds hold"
    assert second.came == Flow(250, 25, 2.0)


def test_the_buffers_counts() -> None:
    talk = Talk()
    for second, ticks, made_up_ms in ((5, 0, 0), (15, 500, 400), (25, 1000, 400), (35, 20, 0), (45, 520, 1000)):
        talk.hear(second, report(block(1000 + second * 50)))
        talk.legs.buffered(LEG, JitterStats(ticks, made_up_ms, 60.0), talk.at(second))
    windows = talk.end(46)
    assert [window.concealed for window in windows] == [None, 0.04, 0.0, None, 0.1], "a new buffer begins at 0"
    assert [window.buffer_ms for window in windows] == [None, 60.0, 60.0, None, 60.0]


def test_a_buffer_of_an_unknown_leg_is_none_of_ours() -> None:
    legs = Legs()
    legs.buffered(LEG, JitterStats(1, 0, 20.0), START_US)
    assert not legs.gone(LEG)


# ── taking ─────────────────────────────────────────────────────────────────────────────────────────
def slots(taken: list[Taken]) -> list[int]:
    return [window.slot - START_US // 10_000_000 for leg in taken for window in leg.windows]


def test_each_window_is_taken_once_when_it_is_over() -> None:
    talk = Talk()
    for second in (5, 12, 23):
        talk.hear(second, report(block(1000 + second * 50)))
    assert slots(talk.legs.take(talk.at(24), ended_only=True)) == []
    assert slots(talk.legs.take(talk.at(24), ended_only=False)) == [0, 1]
    assert slots(talk.legs.take(talk.at(24), ended_only=False)) == []
    assert slots(talk.legs.take(talk.at(31), ended_only=False)) == [2], "nobody spoke since"
    talk.hear(32, report(block(5000)))
    assert talk.legs.gone(LEG)
    assert slots(talk.legs.take(talk.at(33), ended_only=True)) == [3]
    assert not talk.legs.gone(LEG)


def test_a_leg_whose_end_was_missed_is_forgotten() -> None:
    talk = Talk()
    talk.hear(5, report(block(1000)))
    talk.legs.missed()
    assert slots(talk.legs.take(talk.at(5) + IDLE_US, ended_only=True)) == []
    assert slots(talk.legs.take(talk.at(6) + IDLE_US, ended_only=True)) == [0]
    assert not talk.legs.gone(LEG)


def test_a_clock_that_is_set_back_tells_the_time_it_says() -> None:
    talk = Talk()
    talk.hear(25, report(block(1000)))
    talk.hear(5, report(block(1200)))
    talk.legs.gone(LEG)
    assert slots(talk.legs.take(talk.at(6), ended_only=True)) == [2, 0]


# ── bytes ──────────────────────────────────────────────────────────────────────────────────────────
def test_windows_come_back_from_bytes() -> None:
    windows = [
        Window(179_544_913, Flow(500, 12, 3.4), Flow(499, 0, 0.1), 21.7, 0.0123, 60.0),
        Window(179_544_914),
        Window(179_544_915, Flow(0, 0, None), Flow(60_000, 60_000, 6000.0), 0.0, 1.0, 0.0),
    ]
    assert unpack(pack(windows)) == windows
    assert len(pack(windows)) == 66


def test_what_is_too_large_for_its_field_is_not_unknown() -> None:
    (back,) = unpack(pack([replace(Window(1), rtt_ms=70_000.0)]))
    assert back.rtt_ms == 6553.4


def test_torn_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="21 bytes are no windows of 22"):
        unpack(b"\0" * 21)


# ── alarms ─────────────────────────────────────────────────────────────────────────────────────────
def test_a_trunk_that_is_poor_for_minutes_is_told_once_and_clears_with_hysteresis() -> None:
    judge, slot = TrunkJudge(), START_US // 10_000_000
    told: list[tuple[int, bool]] = []
    for index, poor in enumerate([True] * 30 + [index % 3 == 0 for index in range(30)] + [False] * 30):
        judge.see("mobile", slot + index, poor)
        told += [(index, verdict.poor) for verdict in judge.verdicts((slot + index) * 10_000_000)]
    assert told[0] == (17, True), "three minutes of talk"
    assert [poor for _, poor in told] == [True, False]
    assert told[1][0] > 60, "a third poor is neither"


def test_one_bad_call_is_no_alarm() -> None:
    judge, slot = TrunkJudge(), START_US // 10_000_000
    for index in range(17):
        judge.see("mobile", slot + index, True)
    assert judge.verdicts((slot + 17) * 10_000_000) == []
    for index in range(40):
        judge.see("mobile", slot + 60, index < 17)
    assert [verdict.poor for verdict in judge.verdicts((slot + 60) * 10_000_000)] == [False]
    judge.forget("mobile")
    assert not judge.trunks()
