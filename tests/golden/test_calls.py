"""The compiled dialplan carries calls by itself, with no box agent anywhere: real SIP, real audio, the real journal."""

from pathlib import Path

import numpy as np
import pytest

from tests.callers.audio import Samples, middle, tone_share
from tests.golden.people import CALLER_HZ, MUSIC_HZ, PROMPT_HZ, SEATS, Scene, sides
from tests.golden.starter import Row, extra, story, user_events

pytestmark = pytest.mark.lab

RATE = 8000


def stereo(base: Path) -> tuple[Samples, Samples]:
    """What came from the recorded leg, and what went to it."""
    came, went = (np.frombuffer(side.read_bytes(), dtype="<i2").astype(np.float64) / 32768.0 for side in sides(base))
    return came, went


def names(rows: list[Row]) -> list[str]:
    return [name for name, _ in user_events(rows)]


def one(rows: list[Row], name: str) -> dict[str, str]:
    found = [keys for event, keys in user_events(rows) if event == name]
    assert len(found) == 1, f"{name}: {found}\n" + "\n".join(story(rows))
    return found[0]


async def test_menu_digit_queue_seat(scene: Scene) -> None:
    """The main path. Left of the recording is the caller, right is what the caller hears: measured by tones."""
    await scene.seat("1001")
    await scene.log_in("sales", "1001")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588886666")
    await scene.exchange.wait("media")
    await scene.box.row(lambda rows: "SA_MENU" in names(rows) and any(r["eventtype"] == "STREAM_BEGIN" for r in rows))
    await scene.exchange.send("dtmf", ext="13800138000", digits="1")
    ringing = await scene.seats.wait("ringing", ext="1001")
    await scene.seats.wait("media", ext="1001")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 2)
    await scene.exchange.send("hangup", ext="13800138000")
    rows = await scene.box.calls_ended(1)

    call = rows[0]["linkedid"]
    assert f"X-SA-Call: {call}" in ringing["message"]
    assert names(rows) == [
        "SA_CALL",
        "SA_DID",
        "SA_RECORD",
        "SA_MENU",
        "SA_DIGIT",
        "SA_QUEUE_JOIN",
        "SA_RING",
        "SA_SEAT",
    ]
    assert one(rows, "SA_CALL") == {"dir": "in", "trunk": "exchange", "withheld": ""}
    assert one(rows, "SA_DID") == {"did": "075588886666", "known": "1"}
    assert one(rows, "SA_MENU") == {"menu": "main", "version": "3"}
    assert one(rows, "SA_DIGIT") == {"menu": "main", "version": "3", "digit": "1"}
    assert one(rows, "SA_RING") == one(rows, "SA_SEAT") == {"ext": "1001", "queue": "sales"}
    assert one(rows, "SA_RECORD") == {"file": call}
    assert {row["linkedid"] for row in rows} == {call}
    assert not scene.box.complaints()


async def test_recording_is_stereo_with_the_caller_on_the_left(scene: Scene) -> None:
    await scene.seat("1002", talk_s=4)
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588881002")
    ended = await scene.exchange.wait("ended")
    rows = await scene.box.calls_ended(1)
    left, right = stereo(scene.recording(one(rows, "SA_RECORD")["file"]))
    assert len(left) / RATE == pytest.approx(ended["seconds"], abs=0.5)
    assert tone_share(middle(left, RATE, 2), RATE, CALLER_HZ) > 0.9
    assert tone_share(middle(right, RATE, 2), RATE, SEATS["1002"]) > 0.9
    assert tone_share(middle(left, RATE, 2), RATE, SEATS["1002"]) < 0.1


async def test_menu_gives_up_and_takes_invalid_digits(scene: Scene) -> None:
    """No digit, then a wrong one: after the last repeat the caller goes to `otherwise`, and waits there with music."""
    await scene.seat("1002")
    await scene.log_in("sales", "1002")
    await scene.seats.send("hangup", ext="1002")
    await scene.box.cli("queue pause member PJSIP/1002 queue sales")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588886666")
    await scene.exchange.wait("media")
    await scene.box.row(lambda rows: ("SA_DIGIT", "t") in digits(rows))
    await scene.exchange.send("dtmf", ext="13800138000", digits="7")
    await scene.box.row(lambda rows: "SA_QUEUE_JOIN" in names(rows))
    rows = await scene.box.row(lambda rows: sum(row["eventtype"] == "STREAM_BEGIN" for row in rows) >= 4)
    assert [digit for _, digit in digits(rows)] == ["t", "i"]
    await scene.exchange.send("hangup", ext="13800138000")
    rows = await scene.box.calls_ended(1)
    assert one(rows, "SA_QUEUE_LEAVE") == {"queue": "sales", "status": "abandon", "pos": "1"}
    _, right = stereo(scene.recording(one(rows, "SA_RECORD")["file"]))
    assert tone_share(right[: int(0.8 * RATE)], RATE, PROMPT_HZ) > 0.8
    assert MUSIC_HZ


def digits(rows: list[Row]) -> list[tuple[str, str]]:
    return [(name, keys["digit"]) for name, keys in user_events(rows) if name == "SA_DIGIT"]


async def test_a_queue_without_seats_ends(scene: Scene) -> None:
    """Nobody logged in, and the fallback of that queue is itself: the caller is not turned round for ever."""
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588886666")
    await scene.exchange.wait("media")
    await scene.exchange.send("dtmf", ext="13800138000", digits="2")
    await scene.exchange.wait("ended")
    rows = await scene.box.calls_ended(1)
    left = [keys for name, keys in user_events(rows) if name == "SA_QUEUE_LEAVE"]
    assert 2 <= len(left) <= 20
    assert left[0] == {"queue": "nobody", "status": "joinempty", "pos": ""}


async def test_who_withholds_his_number_is_not_told(scene: Scene) -> None:
    await scene.seat("1002")
    await scene.outside("anonymous")
    await scene.exchange.send("call", ext="anonymous", to="075588881002")
    ringing = await scene.seats.wait("ringing", ext="1002")
    assert "sip:anonymous@anonymous.invalid" in ringing["from"]
    await scene.exchange.send("hangup", ext="anonymous")
    rows = await scene.box.calls_ended(1)
    assert one(rows, "SA_CALL")["withheld"] == "1"
    after = [row for row in rows if row["eventenum"] == "USER_DEFINED"]
    assert after and not any(row["num"] or row["name"] for row in after if row["channame"].startswith("PJSIP/exchange"))


@pytest.mark.parametrize(
    ("dialled", "said"),
    [
        ("075599990000", "075599990000"), ("+999", "%2B999"), ("abc", ""), ("1001", "1001"), ("internal", ""),
        ("90013800138000", "90013800138000"), ("x%26PJSIP%2f1001", "1001"), ("%24%7bSHELL(id)%7d", ""),
    ],
)  # fmt: skip
async def test_unknown_number_from_outside(scene: Scene, dialled: str, said: str) -> None:
    await scene.seat("1001")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to=dialled)
    ended = await scene.exchange.wait("ended")
    assert ended["code"] == 404
    rows = await scene.box.calls_ended(1)
    assert names(rows) == ["SA_CALL", "SA_DID"]
    assert one(rows, "SA_DID") == {"did": said, "known": "0"}
    assert not [event for event in scene.seats.events if event["event"] == "ringing"]


async def test_extension_busy_absent_and_given_up(scene: Scene) -> None:
    await scene.seat("1001")
    await scene.seat("1002", answer="refuse")
    await scene.seats.send("call", ext="1001", to="1002")
    assert (await scene.seats.wait("ended", ext="1001"))["code"] == 486
    rows = await scene.box.calls_ended(1)
    assert names(rows) == ["SA_CALL", "SA_RING", "SA_DIAL_END"]
    assert one(rows, "SA_DIAL_END") == {"status": "busy", "cause": "17"}

    mark, before = scene.seats.mark(), len(rows)
    await scene.seats.send("call", ext="1001", to="9001")  # not registered
    assert (await scene.seats.wait("ended", ext="1001", since=mark))["code"] >= 480
    rows = (await scene.box.calls_ended(2))[before:]
    assert one(rows, "SA_DIAL_END")["status"] == "chanunavail"

    mark, before = scene.seats.mark(), before + len(rows)
    await scene.seats.send("set", ext="1002", answer="ring")
    await scene.seats.send("call", ext="1001", to="1002")
    await scene.seats.wait("ringing", ext="1002", since=mark)
    await scene.seats.send("hangup", ext="1001")
    rows = (await scene.box.calls_ended(3))[before:]
    assert one(rows, "SA_DIAL_END")["status"] == "cancel"
    assert "SA_SEAT" not in names(rows)


async def test_extension_dials_nothing_of_ours(scene: Scene) -> None:
    await scene.seat("1001")
    for number, (dialled, code) in enumerate([("4711", 404), ("sales", 404), ("9%26PJSIP", 404), ("91%26x", 484)]):
        mark, before = scene.seats.mark(), len(scene.box.journal())
        await scene.seats.send("call", ext="1001", to=dialled)
        ended = await scene.seats.wait("ended", ext="1001", since=mark)
        rows = (await scene.box.calls_ended(number + 1))[before:]
        assert (ended["code"], names(rows)) == (code, ["SA_CALL", "SA_DIAL_END"]), dialled


async def test_outbound(scene: Scene) -> None:
    """Prefix 9 leaves by the exchange without it; recorded with the outside party on the left; two calls at most."""
    await scene.seat("1001")
    await scene.seat("1002")
    await scene.outside(answer="auto")
    await scene.seats.send("call", ext="1001", to="913800138000")
    ringing = await scene.exchange.wait("ringing")
    assert "13800138000@127.0.0.2" in ringing["message"].splitlines()[0]
    assert "Zhang" not in ringing["message"], "names of extensions stay in the house"
    rows = await scene.box.row(lambda rows: "SA_RECORD" in names(rows))
    await scene.recorded(one(rows, "SA_RECORD")["file"], 1.0)
    await scene.seats.send("call", ext="1002", to="913800138001")
    await scene.seats.wait("media", ext="1002")
    mark = scene.seats.mark()
    await scene.seats.send("call", ext="1002", to="913800138002")
    assert (await scene.seats.wait("ended", ext="1002", since=mark))["code"] == 503
    await scene.seats.send("hangup", ext="1001")
    await scene.seats.send("hangup", ext="1002")
    rows = await scene.box.calls_ended(3)

    first = [row for row in rows if row["linkedid"] == rows[0]["linkedid"]]
    assert names(first) == ["SA_CALL", "SA_DIAL_OUT", "SA_RECORD"]
    assert one(first, "SA_CALL") == {"dir": "out", "trunk": "exchange", "withheld": ""}
    assert one(first, "SA_DIAL_OUT") == {"trunk": "exchange", "number": "13800138000", "ext": "1001"}
    left, right = stereo(scene.recording(one(first, "SA_RECORD")["file"]))
    assert tone_share(middle(left, RATE, 0.6), RATE, CALLER_HZ) > 0.9
    assert tone_share(middle(right, RATE, 0.6), RATE, SEATS["1001"]) > 0.9
    # 1002's policy is `never`; the third call found the trunk full.
    assert [name for name in names(rows) if name == "SA_RECORD"] == ["SA_RECORD"]
    full = [extra(row) for row in rows if row["userdeftype"] == "SA_DIAL_END"]
    assert full == [{"status": "congestion", "cause": "34"}]


async def test_blind_transfer(scene: Scene) -> None:
    """The customer's leg goes on in `transfer`: same linkedid, same recording, no second start."""
    await scene.seat("1001")
    await scene.seat("1002")
    await scene.outside()
    await scene.log_in("sales", "1001")
    await scene.exchange.send("call", ext="13800138000", to="+8675588887777")
    await scene.seats.wait("media", ext="1001")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 2)
    await scene.seats.send("transfer", ext="1001", to="1002")
    await scene.seats.wait("media", ext="1002")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 4)
    await scene.exchange.send("hangup", ext="13800138000")
    rows = await scene.box.calls_ended(1)
    assert {row["linkedid"] for row in rows} == {rows[0]["linkedid"]}
    assert [row["eventtype"] for row in rows].count("BLINDTRANSFER") == 1
    seats = [keys for name, keys in user_events(rows) if name == "SA_SEAT"]
    assert seats == [{"ext": "1001", "queue": "sales"}, {"ext": "1002", "queue": ""}]
    assert names(rows).count("SA_CALL") == 1
    assert not {"SA_QUEUE_LEAVE", "SA_DIAL_END"} & set(names(rows))


@pytest.mark.parametrize("time", range(4))
async def test_attended_transfer(scene: Scene, time: int) -> None:
    """Several times: with an Asterisk that drops "old" frames of a new source (ADR 0006), half of them fail."""
    await scene.seat("1001")
    await scene.seat("1002")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588881002")
    await scene.seats.wait("media", ext="1002")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 2)
    await scene.seats.send("call", ext="1002", to="1001")
    await scene.seats.wait("media", ext="1001")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 4)
    rows = await scene.box.row(lambda rows: "SA_RECORD" in names(rows))
    await scene.recorded(one(rows, "SA_RECORD")["file"], 1.0)
    await scene.seats.send("attend", ext="1002")
    await scene.seats.wait("ended", ext="1002")
    rows = await scene.box.row(lambda rows: any(row["eventtype"] == "ATTENDEDTRANSFER" for row in rows))
    await scene.recorded(one(rows, "SA_RECORD")["file"], 2.0)
    await scene.exchange.send("hangup", ext="13800138000")
    rows = await scene.box.row(lambda rows: sum(row["eventtype"] == "CHAN_END" for row in rows) == 4)
    _, right = stereo(scene.recording(one(rows, "SA_RECORD")["file"]))
    assert tone_share(right[-RATE:], RATE, SEATS["1001"]) > 0.8, "the recording goes on with the new seat's voice"


async def test_a_trunk_may_not_transfer(scene: Scene) -> None:
    await scene.seat("1002")
    await scene.outside()
    await scene.exchange.send("call", ext="13800138000", to="075588881002")
    await scene.seats.wait("media", ext="1002")
    await scene.box.row(lambda rows: sum(row["eventtype"] == "BRIDGE_ENTER" for row in rows) == 2)
    await scene.exchange.send("transfer", ext="13800138000", to="1001")
    await scene.seats.send("hangup", ext="1002")
    rows = await scene.box.calls_ended(1)
    assert "BLINDTRANSFER" not in {row["eventtype"] for row in rows}
