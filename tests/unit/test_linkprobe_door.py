"""Whom a box answers that is asked for a probe: nobody without the secret, nobody who is elsewhere, nothing twice."""

import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance_agent.linkprobe.door import BUCKET_S, CHALLENGES_PER_SECOND, REMEMBERED, Door, Opened, Reply, Source
from appliance_agent.linkprobe.plan import Step
from appliance_agent.linkprobe.wire import (
    NONCE_BYTES,
    Answer,
    Ask,
    Challenge,
    End,
    Hello,
    Said,
    opened,
    peer_id,
    sealed,
    secret_key,
    session_key,
)

SECRET = "theSecretOfTwoBoxes1"
KEY = secret_key(SECRET)
HERE: Source = ("192.0.2.7", 40_000)
STEPS = (Step(1, 10), Step(30, 10))


@dataclass
class Asker:
    door: Door
    now_s: float = 1000.0
    key: bytes = KEY
    steps: tuple[Step, ...] = STEPS
    in_spite: bool = False
    mine: bytes = field(default_factory=lambda: os.urandom(NONCE_BYTES))

    def hello(self) -> bytes:
        return sealed(Hello(peer_id(self.key), self.mine), self.key, End.CALLER)

    def greet(self, source: Source = HERE) -> Challenge | None:
        reply = self.door.take(self.hello(), source, self.now_s, busy=False)
        if reply is None:
            return None
        assert isinstance(reply, Reply)
        challenge = opened(reply.datagram, self.key, End.ANSWERER)
        assert isinstance(challenge, Challenge)
        return challenge

    def ask(self, theirs: bytes) -> bytes:
        return sealed(Ask(peer_id(self.key), self.mine, theirs, self.steps, self.in_spite), self.key, End.CALLER)

    def said(self, reply: Reply | Opened | None) -> Said:
        assert isinstance(reply, Reply)
        answer = opened(reply.datagram, self.key, End.ANSWERER)
        assert isinstance(answer, Answer)
        return answer.said


@pytest.fixture
def door() -> Door:
    return Door({"branch": SECRET, "other": "anotherSecretOfOurs1"}, b"o" * 32, lambda: 0)


def challenged(asker: Asker) -> bytes:
    challenge = asker.greet()
    assert challenge is not None
    return challenge.theirs


def test_a_peer_that_proves_itself_is_let_in(door: Door) -> None:
    asker = Asker(door)
    theirs = challenged(asker)
    ask = asker.ask(theirs)
    let_in = door.take(ask, HERE, asker.now_s, busy=False)
    assert isinstance(let_in, Opened)
    assert (let_in.peer, let_in.steps, let_in.source, let_in.ask) == ("branch", STEPS, HERE, ask)
    assert let_in.key == session_key(KEY, asker.mine, theirs)
    assert opened(let_in.answer, KEY, End.ANSWERER) == Answer(theirs, Said.YES, 0)


def test_strangers_get_no_answer(door: Door) -> None:
    assert Asker(door, key=secret_key("aSecretThatNobodyHas")).greet() is None
    borrowed = sealed(Hello(peer_id(KEY), b"m" * NONCE_BYTES), secret_key("aSecretThatNobodyHas"), End.CALLER)
    assert door.take(borrowed, HERE, 0, busy=False) is None, "a peer's id is no secret"


@given(st.binary(max_size=300))
def test_noise_gets_no_answer(data: bytes) -> None:
    door = Door({"branch": SECRET}, b"o" * 32, lambda: 0)
    assert door.take(data, HERE, 0, busy=False) is None
    assert door.take(b"\0" + peer_id(KEY) + data, HERE, 0, busy=False) is None


def test_who_receives_elsewhere_is_not_let_in(door: Door) -> None:
    asker = Asker(door)
    ask = asker.ask(challenged(asker))
    for source in (("192.0.2.8", HERE[1]), (HERE[0], HERE[1] + 1)):
        assert door.take(ask, source, asker.now_s, busy=False) is None


def test_a_greeting_that_was_recorded_is_not_answered_again(door: Door) -> None:
    asker = Asker(door)
    assert asker.greet() is not None
    assert asker.greet(("203.0.113.1", 53)) is None


def test_a_request_that_was_recorded_is_not_granted_again(door: Door) -> None:
    asker = Asker(door)
    ask = asker.ask(challenged(asker))
    assert isinstance(door.take(ask, HERE, asker.now_s, busy=False), Opened)
    for later in range(0, 4 * BUCKET_S):
        assert door.take(ask, HERE, asker.now_s + later, busy=False) is None


def test_a_challenge_is_not_good_for_long(door: Door) -> None:
    asker = Asker(door)
    ask = asker.ask(challenged(asker))
    assert isinstance(door.take(ask, HERE, asker.now_s + BUCKET_S, busy=False), Opened)
    late = Asker(door)
    ask = late.ask(challenged(late))
    assert door.take(ask, HERE, late.now_s + 2 * BUCKET_S, busy=False) is None


def test_a_challenge_of_before_a_restart_is_nothing(door: Door) -> None:
    asker = Asker(door)
    ask = asker.ask(challenged(asker))
    assert Door({"branch": SECRET}, b"n" * 32, lambda: 0).take(ask, HERE, asker.now_s, busy=False) is None


def test_a_flood_is_answered_a_little_and_remembered_a_little(door: Door) -> None:
    answered = sum(Asker(door, now_s=1000 + n / 10_000).greet() is not None for n in range(5000))
    assert answered == CHALLENGES_PER_SECOND
    for second in range(100):
        for _ in range(CHALLENGES_PER_SECOND):
            Asker(door, now_s=2000 + second * 1.01).greet()
    assert len(door._greeted) == REMEMBERED


@pytest.mark.parametrize(
    ("steps", "busy", "calls", "in_spite", "said"),
    [
        (STEPS, True, 0, False, Said.BUSY),
        (STEPS, False, 3, False, Said.CALLS),
        ((Step(30, 61),), False, 0, False, Said.TOO_MUCH),
        ((Step(31, 10),), False, 0, False, Said.TOO_MUCH),
        ((), False, 0, False, Said.TOO_MUCH),
    ],
)
def test_who_is_known_is_told_why_not(
    *, steps: tuple[Step, ...], busy: bool, calls: int, in_spite: bool, said: Said
) -> None:
    asker = Asker(Door({"branch": SECRET}, b"o" * 32, lambda: calls), steps=steps, in_spite=in_spite)
    ask = asker.ask(challenged(asker))
    assert asker.said(asker.door.take(ask, HERE, asker.now_s, busy=busy)) is said


def test_calls_are_confirmed_by_a_person() -> None:
    asker = Asker(Door({"branch": SECRET}, b"o" * 32, lambda: 3), in_spite=True)
    assert isinstance(asker.door.take(asker.ask(challenged(asker)), HERE, asker.now_s, busy=False), Opened)


def test_two_peers_are_told_apart(door: Door) -> None:
    other = Asker(door, key=secret_key("anotherSecretOfOurs1"))
    let_in = door.take(other.ask(challenged(other)), HERE, other.now_s, busy=False)
    assert isinstance(let_in, Opened)
    assert let_in.peer == "other"
