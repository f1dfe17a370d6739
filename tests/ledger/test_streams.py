"""Captured real streams give the records that the scenarios were; and do so however the rows are cut and disturbed."""

from dataclasses import dataclass

import pytest

from ledger.calls import OpenCalls
from ledger.derive import derive
from ledger.journal import parse_line, user_row
from ledger.model import CallRecord, Direction, Result
from tests.ledger.streams import NAMES, as_json, expected, lines, records

IN, OUT, INSIDE = Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL


@dataclass(frozen=True)
class Happened:
    """What the scenario did, by the script of capture.py. Times are the script's, in milliseconds."""

    direction: Direction
    result: Result
    extension: str = ""
    queue: str = ""
    outcome: str = ""
    menu: tuple[str, ...] = ()
    talk_ms: tuple[int, int] = (0, 0)
    hold_ms: tuple[int, int] = (0, 0)
    wait_ms: tuple[int, int] = (0, 0)
    ring_ms: tuple[int, int] = (0, 20_000)
    transfers: int = 0
    hangup_by: str = ""
    talked: tuple[str, ...] = ()
    """Extensions that were connected."""


SALES = ("main:1",)
STORY: dict[str, list[Happened]] = {
    "answered": [Happened(IN, Result.ANSWERED, "1001", "sales", "answered", SALES, (3500, 4500), (1000, 1500),
                          (600, 900), (550, 900), hangup_by="caller", talked=("1001",))],
    "abandon_menu": [Happened(IN, Result.ABANDONED_MENU, hangup_by="caller")],
    "menu_gives_up": [Happened(IN, Result.ABANDONED_MENU, menu=("main:t", "main:i"), hangup_by="system")],
    "abandon_queue": [Happened(IN, Result.ABANDONED_QUEUE, "", "sales", "abandon", SALES, wait_ms=(2000, 2600),
                               ring_ms=(1900, 2600), hangup_by="caller")],
    "queue_timeout": [Happened(IN, Result.QUEUE_TIMEOUT, "", "sales", "timeout", SALES, wait_ms=(9900, 11_000),
                               ring_ms=(8000, 10_500), hangup_by="system")],
    "nobody": [Happened(IN, Result.QUEUE_UNAVAILABLE, "", "sales", "joinempty", SALES, wait_ms=(0, 50),
                        hangup_by="system")],
    "refusal": [Happened(IN, Result.ANSWERED, "1002", "sales", "answered", SALES, (1100, 1600), wait_ms=(550, 2500),
                         hangup_by="callee", talked=("1002",))],
    "blind_transfer": [Happened(IN, Result.ANSWERED, "1002", "sales", "answered", SALES, (2200, 2900),
                                wait_ms=(550, 900), transfers=1, hangup_by="caller", talked=("1001", "1002"))],
    "attended_transfer": [Happened(IN, Result.ANSWERED, "1002", "sales", "answered", SALES, (3800, 4800),
                                   (1500, 2200), (550, 900), transfers=1, hangup_by="callee",
                                   talked=("1001", "1002"))],
    "attended_by_api": [Happened(IN, Result.ANSWERED, "1012", "service", "answered", ("main:1",), (2700, 3700),
                                 (400, 900), (400, 700), (400, 700), transfers=1, hangup_by="caller",
                                 talked=("1011", "1012"))],
    "outbound": [Happened(OUT, Result.ANSWERED, "1001", talk_ms=(1400, 2000), ring_ms=(700, 1200),
                          hangup_by="caller", talked=("1001",))],
    "outbound_transferred": [Happened(OUT, Result.ANSWERED, "1001", talk_ms=(2300, 3000), transfers=1,
                                      hangup_by="callee", talked=("1001", "1002"))],
    "outbound_busy": [Happened(OUT, Result.BUSY, "1001", hangup_by="system")],
    "internal": [Happened(INSIDE, Result.ANSWERED, "1001", talk_ms=(900, 1400), ring_ms=(500, 900),
                          hangup_by="caller", talked=("1001", "1002"))],
    "busy_extension": [Happened(IN, Result.BUSY, hangup_by="system")],
    "cancelled": [Happened(IN, Result.CANCELLED, ring_ms=(900, 1400), hangup_by="caller")],
    "unknown_did": [Happened(IN, Result.UNKNOWN_NUMBER, hangup_by="system")],
    "ring_all": [Happened(IN, Result.ANSWERED, "1107", "all", "answered", ("main:2",), (900, 1400),
                          wait_ms=(1400, 2200), hangup_by="caller", talked=("1107",))],
    "rotation": [Happened(IN, Result.ANSWERED, "1001", "sales", "answered", SALES, (1400, 2000), wait_ms=(550, 900),
                          hangup_by="caller", talked=("1001",))],
    "clock_back": [Happened(IN, Result.ANSWERED, "1001", "sales", "answered", SALES, (3900, 4700), wait_ms=(550, 900),
                            hangup_by="caller", talked=("1001",))],
    "kill_in_talk": [
        Happened(IN, Result.INTERRUPTED, "1001", "sales", "answered", SALES, wait_ms=(550, 900), talked=("1001",)),
        Happened(IN, Result.INTERRUPTED),
        Happened(IN, Result.ABANDONED_MENU, hangup_by="caller"),
    ],
}  # fmt: skip


def test_every_stream_has_its_story() -> None:
    assert set(NAMES) == set(STORY)


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_what_happened(name: str) -> None:
    found = records(lines(name))
    assert len(found) == len(STORY[name]), "one record a call"
    for record, story in zip(found.values(), STORY[name], strict=True):
        told(record, story)


def told(record: CallRecord, story: Happened) -> None:
    visit = record.queue_visits[-1] if record.queue_visits else None
    assert (record.direction, record.result, record.extension, record.queue) == (
        story.direction, story.result, story.extension, story.queue,
    )  # fmt: skip
    assert (visit.outcome if visit else "") == story.outcome
    assert visit is None or visit.answered_by in ("", story.talked[0] if story.talked else "")
    assert (record.menu_path, record.transfers, record.hangup_by) == (story.menu, story.transfers, story.hangup_by)
    for name in ("talk_ms", "hold_ms", "wait_ms", "ring_ms"):
        least, most = getattr(story, name)
        assert least <= getattr(record, name) <= most, f"{name} = {getattr(record, name)}"
    connected = {leg.extension for leg in record.legs if leg.connected and leg.extension}
    assert connected == set(story.talked)
    assert (record.answered_us is not None) == bool(story.talked)
    outside = record.direction is not Direction.INTERNAL
    assert record.trunk == ("exchange" if outside else "")
    assert record.line.startswith("PJSIP/trunk-exchange-" if outside else "")


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_record_is_as_reviewed(name: str) -> None:
    assert as_json(records(lines(name))) == expected(name)


@pytest.mark.parametrize("name", NAMES)
def test_rows_read_twice_change_nothing(name: str) -> None:
    rows = lines(name)
    book = OpenCalls()
    first = records(rows, book)
    assert records(rows, book) in ({}, first)
    assert records([row for row in rows for _ in range(2)]).keys() == first.keys()


@pytest.mark.parametrize("name", NAMES)
def test_any_one_row_may_be_missing(name: str) -> None:
    """No exception, no negative time, and no call vanishes; what follows from the missing row may."""
    rows = lines(name)
    whole = records(rows)
    for gone in range(len(rows)):
        book = OpenCalls()
        found = records([*rows[:gone], *rows[gone + 1 :]], book)
        assert {*found, *book.calls} >= set(whole)
        for call in book.calls.values():
            record = derive(call.call_id, call.events)
            assert record is not None
            found[call.call_id] = record
        for record in found.values():
            sane(record)


@pytest.mark.parametrize("name", NAMES)
def test_cut_anywhere_it_is_interrupted(name: str) -> None:
    """Asterisk killed after any row: a sane record, or no call yet."""
    rows = [parse_line(line, seq) for seq, line in enumerate(lines(name), 1)]
    for end in range(1, len(rows)):
        book = OpenCalls()
        for event in rows[:end]:
            if book.feed(event).orphan:
                book.adopt(event.linkedid, [], event)
                book.feed(event)
        for call in book.calls.values():
            record = derive(call.call_id, call.events, closed_by=rows[end])
            if record is not None:
                sane(record)
                assert record.result is Result.INTERRUPTED


def sane(record: CallRecord) -> None:
    spans = [record.menu_ms, record.wait_ms, record.ring_ms, record.talk_ms, record.hold_ms]
    spans += [visit.wait_ms for visit in record.queue_visits]
    spans += [span for leg in record.legs for span in (leg.ring_ms, leg.hold_ms)]
    assert min(spans) >= 0
    assert record.hold_ms <= record.talk_ms <= (record.ended_us - record.started_us) // 1000
    assert record.started_us <= (record.answered_us or record.started_us) <= record.ended_us
    times = [item.time_us for item in record.timeline]
    assert times == sorted(times)
    assert all(leg.started_us <= leg.ended_us <= record.ended_us for leg in record.legs)


def test_a_clock_that_nobody_saw_being_set_back_makes_no_negative_time() -> None:
    rows = [row for row in lines("clock_back") if b"SA_CLOCK" not in row]
    (record,) = records(rows).values()
    sane(record)
    assert record.talk_ms < 100, "the rows do not tell more"


@pytest.mark.parametrize("shift_s", [-3600, 86_400])
def test_a_clock_that_was_set_leaves_durations_right(shift_s: int) -> None:
    """The same rows as of a box whose clock was set a second into the talk, by either direction."""
    rows = lines("internal")
    (wanted,) = records(rows).values()
    at = max(n for n, row in enumerate(rows) if b'"BRIDGE_ENTER"' in row) + 1
    set_us = parse_line(rows[at - 1], 1).time_us + 500_000 + shift_s * 1_000_000
    note = user_row("SA_CLOCK", {"shift_us": str(shift_s * 1_000_000)}, set_us)
    later = []
    for row in rows[at:]:
        time_us = parse_line(row, 1).time_us
        new_us = time_us + shift_s * 1_000_000
        later.append(row.replace(b"%d.%06d" % divmod(time_us, 1_000_000), b"%d.%06d" % divmod(new_us, 1_000_000), 1))
    (record,) = records([*rows[:at], note, *later]).values()
    assert record == wanted


def hold_note(rows: list[bytes], after: bytes, on: str, *, late_us: int = 5_000) -> list[bytes]:
    """The stream with the agent's SA_HOLD row of the seat put in, a moment after the row that holds `after`."""
    at = next(n for n, row in enumerate(rows) if after in row)
    seat = next(parse_line(row, 1) for row in rows if b"SA_RING" in row)
    time_us = parse_line(rows[at], 1).time_us + late_us
    note = user_row("SA_HOLD", {"on": on}, time_us, uniqueid=seat.uniqueid, linkedid=seat.linkedid)
    return [*rows[: at + 1], note, *rows[at + 1 :]]


def test_hold_is_counted_once_and_ends_though_the_agent_was_killed() -> None:
    """Asterisk journals its hold music; the agent's notes beside it, late or without their end, change nothing."""
    rows = lines("answered")
    (alone,) = records(rows).values()
    third = [row for row in rows if b'"STREAM_BEGIN"' in row][2]
    (both,) = records(hold_note(rows, third, "1")).values()
    assert (both.hold_ms, both.timeline) == (alone.hold_ms, alone.timeline)
    assert [leg.hold_ms for leg in both.legs] == [leg.hold_ms for leg in alone.legs]


def test_hold_without_music_is_told_by_the_agent() -> None:
    rows = [row for row in lines("answered") if b'"STREAM_' not in row]
    bridged = [row for row in rows if b'"BRIDGE_ENTER"' in row][1]
    held = hold_note(rows, bridged, "1", late_us=500_000)
    at = next(n for n, row in enumerate(held) if b"SA_HOLD" in row)
    (record,) = records(release(held, at)).values()
    assert record.hold_ms == 700
    assert [item.kind for item in record.timeline if "hold" in item.kind] == ["hold", "unhold"]


def release(held: list[bytes], at: int) -> list[bytes]:
    note = parse_line(held[at], 1)
    end = user_row("SA_HOLD", {"on": "0"}, note.time_us + 700_000, uniqueid=note.uniqueid, linkedid=note.linkedid)
    return [*held[: at + 1], end, *held[at + 1 :]]
