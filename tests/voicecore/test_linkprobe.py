"""Link probes through the real jitter buffer: one direction with times that the test makes; both ends over loopback."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.linkprobe import sound
from appliance_agent.linkprobe.answerer import Answerer
from appliance_agent.linkprobe.caller import Caller, Failed, Order
from appliance_agent.linkprobe.door import Door, Opened, Reply
from appliance_agent.linkprobe.hearing import Hearing
from appliance_agent.linkprobe.plan import PACKET_US, PACKETS_PER_SECOND, Step
from appliance_agent.linkprobe.result import Failure, Heard, view
from appliance_agent.linkprobe.sockets import Arrival, prepared
from appliance_agent.linkprobe.sound import Packet
from appliance_agent.linkprobe.streams import AHEAD, READ_AT_ONCE, Streams
from appliance_agent.linkprobe.windows import Window
from appliance_agent.linkprobe.wire import End, Report, code, sealed
from image import cext

SECRET = "theSecretOfTwoBoxes1"
KEY = bytes(32)
TRANSIT_US = 30_000
LATER_US = 10_000_000
CHECKOUT = Path(__file__).resolve().parents[2]

Network = Callable[[Packet], int | None]
"""How long a packet is on its way; None: it is lost."""


# ── one direction ──────────────────────────────────────────────────────────────────────────────────
def heard(step: Step, network: Network, late: Callable[[int, int], int] = lambda _stream, _sequence: 0) -> list[Window]:
    """Windows of what a network does to the streams of a step; `late`: µs by which a packet leaves after its time."""
    begin_us = 1_000_000_000
    came = []
    for stream in range(step.streams):
        for sequence in range(step.packets):
            late_us = late(stream, sequence)
            sent_us = begin_us + stream * 600 + sequence * PACKET_US + late_us
            packet = Packet(0, stream, sequence, sent_us, late_us, 0, 0)
            if (transit_us := network(packet)) is not None:
                came.append((sent_us + transit_us, packet))
    came.sort(key=lambda pair: pair[0])
    hearing, now_us, taken = Hearing(0, step), begin_us, 0
    hearing.nothing_came(begin_us) if not came else None
    while not hearing.complete:
        now_us += PACKET_US
        while taken < len(came) and came[taken][0] <= now_us:
            hearing.take(came[taken][1], came[taken][0])
            taken += 1
        hearing.work(now_us)
        assert now_us < begin_us + (step.seconds + 10) * 1_000_000
    return hearing.windows


def figures(windows: list[Window]) -> dict[str, Any]:
    found: dict[str, Any] = view(Heard(windows, [], 2 * TRANSIT_US))["steps"][0]["out"]
    return found


def test_a_quiet_network() -> None:
    windows = heard(Step(10, 5), lambda _: TRANSIT_US)
    assert [(one.expected, one.lost, one.concealed_ms, one.jitter_us) for one in windows] == [(500, 0, 0, 0)] * 5
    found = figures(windows)
    assert (found["network_ms"], found["verdict"]) == (30.0, "good")
    assert 10 <= found["buffer_ms"] <= 21, "the line's clock stands to each stream in another way"


def test_loss_is_counted_where_it_was() -> None:
    seed = random.Random(1)
    windows = heard(Step(30, 10), lambda packet: None if seed.random() < 0.03 else TRANSIT_US)
    found = figures(windows)
    assert 2.5 < found["loss_pct"] < 3.5
    assert abs(found["made_up_pct"] - found["loss_pct"]) < 0.3
    one = heard(Step(1, 3), lambda packet: None if 60 <= packet.sequence < 65 else TRANSIT_US)
    assert [(window.lost, window.bursts) for window in one] == [(0, 0), (5, 1), (0, 0)]


def test_a_burst_over_the_second_s_end_begins_once() -> None:
    windows = heard(Step(1, 2), lambda packet: None if 48 <= packet.sequence < 53 else TRANSIT_US)
    assert [(window.lost, window.bursts) for window in windows] == [(2, 1), (3, 0)]


def test_stalls_cost_what_the_buffer_makes_of_them() -> None:
    seed = random.Random(2)
    windows = heard(Step(10, 10), lambda _: TRANSIT_US + round(seed.expovariate(1 / 20_000)))
    found = figures(windows)
    assert found["loss_pct"] == 0
    assert (found["because"], found["buffer_ms"] > 40, found["jitter_ms"] > 10) == ("jitter", True, True)


def test_the_sender_s_own_jitter_is_told_and_taken_off() -> None:
    seed = random.Random(3)
    windows = heard(Step(5, 5), lambda _: TRANSIT_US, late=lambda _stream, _sequence: seed.randrange(0, 18_000))
    found = figures(windows)
    assert (found["verdict"], found["made_up_pct"], found["jitter_ms"]) == ("good", 0, 0)
    assert 8 < found["late_ms"] < 10
    assert found["latest_ms"] > 17


def test_a_sender_that_hung_for_a_second_is_no_fault_of_the_network() -> None:
    def late(_stream: int, sequence: int) -> int:
        return max(0, (150 - sequence) * PACKET_US) if 100 <= sequence < 150 else 0

    found = figures(heard(Step(3, 5), lambda _: TRANSIT_US, late))
    assert (found["loss_pct"], found["made_up_pct"], found["latest_ms"]) == (0, 0, 1000)


def test_a_stream_that_never_comes_is_lost() -> None:
    windows = heard(Step(2, 2), lambda packet: None if packet.stream else TRANSIT_US)
    assert [(one.lost, one.concealed_ms) for one in windows] == [(50, 1000)] * 2
    assert [(one.lost, one.expected) for one in heard(Step(2, 2), lambda _: None)] == [(100, 100)] * 2


def test_what_is_not_of_the_step_is_not_taken() -> None:
    hearing = Hearing(0, Step(1, 1))
    for stream, sequence in ((1, 0), (0, PACKETS_PER_SECOND), (200, 65535)):
        hearing.take(Packet(0, stream, sequence, 0, 0, 0, 0), 1000)
    hearing.work(LATER_US)
    assert hearing.windows == []


# ── both ends ──────────────────────────────────────────────────────────────────────────────────────
@contextmanager
def answering(secret: str = SECRET) -> Iterator[int]:
    """The port of an end that answers one probe."""
    door = Door({"branch": secret}, os.urandom(32), lambda: 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(0.1)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    datagram, source = made.recvfrom(2048)
                except TimeoutError:
                    continue
                taken = door.take(datagram, source, time.monotonic(), busy=False)
                if isinstance(taken, Reply):
                    made.sendto(taken.datagram, source)
                elif isinstance(taken, Opened):
                    Answerer(made, taken).run()
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield made.getsockname()[1]
        over.set()
        thread.join(30)
        assert not thread.is_alive()


def order(port: int, *steps: Step) -> Order:
    return Order("127.0.0.1", port, SECRET, steps, in_spite_of_calls=False)


def test_two_ends_hear_each_other() -> None:
    told: list[Heard] = []
    with answering() as port:
        assert Caller(order(port, Step(1, 1), Step(5, 1)), told.append).run()
    found = view(told[-1])
    assert [(step["streams"], step["seconds"]) for step in found["steps"]] == [(1, 1), (5, 1)]
    assert told[-1].least_rtt_us is not None
    assert [len(told[-1].out), len(told[-1].back)] == [2, 2]
    lost = sum(window.lost - window.missed for window in (*told[-1].out, *told[-1].back))
    assert lost == 0, "loopback loses nothing"


def test_another_secret_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance_agent.linkprobe.caller.ASKED_AT_MOST", 2)
    with answering("anotherSecretOfOurs1") as port, pytest.raises(Failed) as failed:
        Caller(order(port, Step(1, 1)), lambda _: None).run()
    assert failed.value.why is Failure.NO_ANSWER


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance_agent.linkprobe.caller.ASKED_AT_MOST", 2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Failed) as failed:
        Caller(order(port, Step(1, 1)), lambda _: None).run()
    assert failed.value.why is Failure.NO_ANSWER
    with pytest.raises(Failed) as failed:
        Caller(Order("no.such.host.invalid", 5, SECRET, (Step(1, 1),), in_spite_of_calls=False), lambda _: None).run()
    assert failed.value.why is Failure.ADDRESS


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have several addresses, told in turn: all streams go to the box that let the probe in."""
    told = iter(["127.0.0.1", "192.0.2.1"])

    def resolved(host: str, port: int, *_: object) -> list[Any]:
        assert host == "branch.example"
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (next(told), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    heard: list[Heard] = []
    with answering() as port:
        assert Caller(replace(order(port, Step(2, 1)), host="branch.example"), heard.append).run()
    assert next(told) == "192.0.2.1", "once"
    assert heard[-1].out


@pytest.mark.parametrize("echo_us", [0, 1])
def test_little_goes_where_nobody_shows_that_he_hears_it(echo_us: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that was recorded, or whose sender is forged, brings to where it says it comes from no stream."""
    monkeypatch.setattr("appliance_agent.linkprobe.answerer.SILENCE_US", 1_500_000)
    key = os.urandom(32)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim,
    ):
        door.bind(("127.0.0.1", 0))
        victim.bind(("127.0.0.1", 0))
        victim.setblocking(False)
        probe = Opened("branch", key, b"answer", b"ask", ("127.0.0.1", 9), (Step(1, 60),))
        victim.sendto(sound.packed(Packet(0, 0, 0, 1, 0, echo_us, 0), key, End.CALLER), door.getsockname())
        Answerer(door, probe).run()  # ends by the silence
        got = 0
        while True:
            try:
                victim.recv(2048)
            except BlockingIOError:
                break
            got += 1
        assert 1 <= got <= AHEAD + 1


def test_what_nobody_read_before_the_probe_is_not_missed_by_it() -> None:
    key = os.urandom(32)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        door.bind(("127.0.0.1", 0))
        peer.connect(door.getsockname())

        def missed(sequence: int) -> int:
            """After another flood that the door has no room for, and a packet of the probe."""
            for _ in range(200):
                peer.send(bytes(60_000))
            others.clear()
            while not others or len(others) % READ_AT_ONCE == 0:
                streams.round([door], others.append)
            peer.send(sound.packed(Packet(0, 0, sequence, 1, 0, 0, 0), key, End.CALLER))
            streams.round([door], others.append)
            return streams.hearings[0].missed

        others: list[Arrival] = []
        prepared(door)
        streams = Streams(key, End.ANSWERER, (Step(1, 60),))
        assert missed(0) == 0
        assert missed(1) > 0


# ── an end that lies ───────────────────────────────────────────────────────────────────────────────
def reported(*windows: Window, first: int = 0) -> list[Window]:
    """What an end that asked for two steps takes of what it is told."""
    caller = Caller(order(1, Step(1, 2), Step(5, 1)), lambda _: None)
    caller._key, caller._streams = KEY, Streams(KEY, End.CALLER, (Step(1, 2), Step(5, 1)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        for _ in range(3):
            told = Report(first, windows)
            caller._take(Arrival(sealed(told, KEY, End.ANSWERER), ("192.0.2.1", 1), made, 1, 0))
            first += len(windows)
    return caller._out


GOOD = Window(0, 0, 1, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
PLANNED = (GOOD, replace(GOOD, second=1), replace(GOOD, step=1, streams=5, expected=250))


def test_an_end_reports_what_was_planned_and_no_more() -> None:
    assert reported(*PLANNED) == list(PLANNED)
    assert reported(*PLANNED, *PLANNED) == list(PLANNED)
    assert reported(*PLANNED[1:]) == []


@pytest.mark.parametrize(
    "lie",
    [
        {"expected": 0}, {"expected": 100}, {"lost": 51}, {"lost": 1, "bursts": 2}, {"concealed_ms": 1001},
        {"missed": 1}, {"streams": 2}, {"second": 1}, {"step": 1}, {"step": 9},
    ],
    ids=str,
)  # fmt: skip
def test_a_report_of_what_cannot_be_is_none(lie: dict[str, int]) -> None:
    assert reported(replace(GOOD, **lie)) == []


NUMBERS = st.integers(0, 2**64 - 1) | st.integers(0, 2**20) | st.just(10_000_000)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 120), *[NUMBERS] * 4), max_size=40))
def test_whatever_times_a_peer_sends_there_are_figures(packets: list[tuple[int, ...]]) -> None:
    steps = (Step(1, 1), Step(2, 2))
    hearings = [Hearing(number, step) for number, step in enumerate(steps)]
    for number, (step, stream, sequence, sent_us, late_us, echo_us, held_us) in enumerate(packets):
        sent = Packet(step, stream, sequence, sent_us, 0, echo_us, held_us)
        datagram = bytearray(sound.packed(sent, KEY, End.CALLER))
        datagram[20:24] = (late_us % 2**32).to_bytes(4, "big")
        datagram[-16:] = code(KEY, End.CALLER, bytes(datagram[:-16]))
        packet = sound.parsed(bytes(datagram), KEY, End.CALLER)
        if packet is not None and packet.step < len(steps):
            hearings[packet.step].take(packet, LATER_US + number * 7000)
    for hearing in hearings:
        hearing.nothing_came(LATER_US)
        now_us = LATER_US
        while not hearing.complete:
            now_us += 1_000_000
            hearing.work(now_us)
    windows = tuple(window for hearing in hearings for window in hearing.windows)
    assert Report.parsed(Report(0, windows).packed()) == Report(0, windows)
    assert [window.fits(window.step, window.second, steps[window.step]) for window in windows] == [True] * 3
    view(Heard(windows, windows, None))


# ── the process ────────────────────────────────────────────────────────────────────────────────────
def test_the_process_ends_with_its_input() -> None:
    """As it does when the agent is killed."""
    path = os.pathsep.join((str(CHECKOUT), str(cext.ensure() / "site")))
    with answering() as port:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance_agent.linkprobe", "call"], env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        told = {"host": "127.0.0.1", "port": port, "secret": SECRET, "steps": [[1, 30]], "in_spite_of_calls": False}
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        assert "heard" in json.loads(process.stdout.readline())
        process.stdin.close()
        last = process.stdout.readlines()[-1]
        assert (process.wait(30), json.loads(last)["ended"]) == (0, "stopped")
        process.stdout.close()
