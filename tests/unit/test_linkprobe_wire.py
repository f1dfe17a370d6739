"""Datagrams of link probes: what one end made the other reads, and nobody else's is taken for one."""

import errno
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.linkprobe import sound
from appliance_agent.linkprobe.plan import SECONDS, STEPS, STREAMS, Step, refusal
from appliance_agent.linkprobe.sockets import open_socket, read
from appliance_agent.linkprobe.windows import Window
from appliance_agent.linkprobe.wire import (
    KINDS,
    LONGEST,
    NONCE_BYTES,
    REPORTED,
    Answer,
    Ask,
    Bye,
    Challenge,
    End,
    Hello,
    Message,
    Report,
    ReportAsk,
    Said,
    asker,
    code,
    opened,
    peer_id,
    sealed,
    secret_key,
)

KEY = secret_key("theSecretOfTwoBoxes1")
MINE, THEIRS = b"m" * NONCE_BYTES, b"t" * NONCE_BYTES
WINDOW = Window(2, 59, 30, 1500, 1500, 750, 30_000, 65_000, -(2**40), -(2**41), 10**6, 10**6, 2 * 10**6, 1500)
MESSAGES: list[Message] = [
    Hello(peer_id(KEY), MINE),
    Challenge(MINE, THEIRS),
    Ask(peer_id(KEY), MINE, THEIRS, (Step(1, 10), Step(30, 20)), in_spite_of_calls=True),
    Answer(THEIRS, Said.CALLS, 12),
    ReportAsk(59),
    Report(40, (WINDOW,) * REPORTED),
    Bye(),
]
PACKET = sound.Packet(2, 29, 2999, 2**45, 1234, 2**45 - 5, 20_000)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_what_one_end_says_the_other_reads(message: Message) -> None:
    datagram = sealed(message, KEY, End.CALLER)
    assert opened(datagram, KEY, End.CALLER) == message
    assert len(datagram) <= LONGEST


def test_every_kind_is_tried() -> None:
    assert {type(message) for message in MESSAGES} == set(KINDS)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_changed_bit_another_secret_and_the_other_end_are_nobody(message: Message) -> None:
    datagram = sealed(message, KEY, End.CALLER)
    for at in range(len(datagram) * 8):
        changed = bytearray(datagram)
        changed[at // 8] ^= 1 << at % 8
        assert opened(bytes(changed), KEY, End.CALLER) is None
    assert opened(datagram, secret_key("theSecretOfTwoBoxes2"), End.CALLER) is None
    assert opened(datagram, KEY, End.ANSWERER) is None


def test_no_answer_to_a_stranger_is_longer_than_the_question() -> None:
    hello, challenge, ask, answer = (len(sealed(one, KEY, End.CALLER)) for one in MESSAGES[:4])
    assert challenge <= hello
    assert answer <= ask


@given(st.binary(max_size=LONGEST + 100), st.booleans())
def test_whatever_comes_nothing_breaks(data: bytes, well_sealed: bool) -> None:
    """Also what a peer of another release says, whose code is right."""
    datagram = data + code(KEY, End.CALLER, data) if well_sealed else data
    opened(datagram, KEY, End.CALLER)
    asker(datagram)
    assert well_sealed or sound.parsed(datagram, KEY, End.CALLER) is None


@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_of_another_length_is_none(message: Message, data: st.DataObject) -> None:
    plain = sealed(message, KEY, End.CALLER)[:-16]
    cut = plain[: data.draw(st.integers(1, len(plain)))] + data.draw(st.binary(max_size=3))
    read = opened(cut + code(KEY, End.CALLER, cut), KEY, End.CALLER)
    assert read is None or cut == plain or isinstance(read, Report) or len(cut) == len(plain)


def test_a_packet_is_a_call_s_packet() -> None:
    datagram = sound.packed(PACKET, KEY, End.CALLER)
    assert len(datagram) == 12 + 160
    assert datagram[:2] == b"\x80\x08", "RTP, A-law"
    assert sound.parsed(datagram, KEY, End.CALLER) == PACKET
    assert sound.parsed(datagram, KEY, End.ANSWERER) is None
    assert opened(datagram, KEY, End.CALLER) is None


@pytest.mark.parametrize("times", [{"sent_us": 1 << 53}, {"sent_us": 2**64 - 1}, {"late_us": 60_000_001}])
def test_times_that_no_clock_tells_are_no_packet(times: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "LATEST_US", 2**32 - 1)
    datagram = sound.packed(replace(PACKET, **times), KEY, End.CALLER)
    monkeypatch.undo()
    assert sound.parsed(datagram, KEY, End.CALLER) is None


def test_what_was_sent_and_did_not_arrive_is_no_arrival() -> None:
    """A firewall's word of refusal (its ICMP) stands in a connected socket until it is read."""

    class Refused(socket.socket):
        def recvmsg(self, *_: object) -> Never:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    with Refused(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert list(read(made, 5)) == []


def test_a_probe_is_marked_as_calls_are() -> None:
    """DSCP: Asterisk marks no audio. Who lets it marks the probe's sockets in the same commit."""
    rendered = Path(__file__).resolve().parents[1] / "golden/full/files/pjsip.conf"
    assert "tos_audio" not in rendered.read_text()
    with open_socket() as made:
        assert made.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0


@pytest.mark.parametrize(
    ("steps", "may"),
    [
        ((Step(1, 10), Step(10, 10), Step(30, 10)), True),
        ((Step(STREAMS, SECONDS),), True),
        ((), False),
        ((Step(1, 1),) * (STEPS + 1), False),
        ((Step(0, 10),), False),
        ((Step(STREAMS + 1, 10),), False),
        ((Step(1, 0),), False),
        ((Step(1, SECONDS), Step(1, 1)), False),
    ],
)
def test_what_a_probe_may(steps: tuple[Step, ...], *, may: bool) -> None:
    assert (refusal(steps) == "") is may
